// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

/** The log of a partition as a Kafka 4 broker opens it, without the broker. */
final class KafkaLog implements AutoCloseable {
  private static final int TRANSACTION_TIMEOUT_MAX_MS = 900000;
  private static final int PRODUCER_EXPIRATION_MS = 86400000;

  private final KafkaScheduler scheduler = new KafkaScheduler(1);
  final UnifiedLog log;

  /** @param clean whether the log is taken to be closed; if not, Kafka recovers it. */
  KafkaLog(File directory, Map<String, String> configs, boolean clean) throws Exception {
    this(directory, configs, clean, 0);
  }

  /** The same, of a log whose records before an offset have been deleted. */
  KafkaLog(File directory, Map<String, String> configs, boolean clean, long logStart)
      throws Exception {
    scheduler.startup();
    log = UnifiedLog.create(directory, new LogConfig(configs), logStart, 0, scheduler,
        new BrokerTopicStats(), Time.SYSTEM, TRANSACTION_TIMEOUT_MAX_MS,
        new ProducerStateManagerConfig(PRODUCER_EXPIRATION_MS, false), PRODUCER_EXPIRATION_MS,
        new LogDirFailureChannel(1), clean, Optional.empty());
  }

  @Override
  public void close() {
    log.close();
    try {
      scheduler.shutdown();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
