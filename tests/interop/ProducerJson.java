// SPDX-License-Identifier: Apache-2.0

import org.apache.kafka.storage.internals.log.AbortedTxn;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.UnifiedLog;

/** What Kafka's log knows of its producers, in the fields of varve's dump-log. */
final class ProducerJson {
  private ProducerJson() {}

  static void print(UnifiedLog log) throws Exception {
    // As if all replicas had everything.
    log.updateHighWatermark(log.logEndOffset());
    for (ProducerStateEntry entry : log.producerStateManager().activeProducers().values()) {
      System.out.println(of(entry));
    }
    for (AbortedTxn aborted : log.collectAbortedTransactions(
        log.logStartOffset(), log.logEndOffset())) {
      System.out.println("{\"kind\":\"aborted\",\"producer_id\":" + aborted.producerId()
          + ",\"first_offset\":" + aborted.firstOffset()
          + ",\"last_offset\":" + aborted.lastOffset()
          + ",\"last_stable_offset\":" + aborted.lastStableOffset() + "}");
    }
    System.out.println("{\"kind\":\"log\",\"end\":" + log.logEndOffset()
        + ",\"first_unstable\":"
        + log.firstUnstableOffset().map(Object::toString).orElse("null") + "}");
  }

  private static String of(ProducerStateEntry entry) {
    return "{\"kind\":\"producer\",\"producer_id\":" + entry.producerId()
        + ",\"producer_epoch\":" + entry.producerEpoch()
        + ",\"last_sequence\":" + entry.lastSeq()
        + ",\"last_offset\":" + entry.lastDataOffset()
        + ",\"offset_delta\":" + entry.lastOffsetDelta()
        + ",\"timestamp\":" + entry.lastTimestamp()
        + ",\"coordinator_epoch\":" + entry.coordinatorEpoch()
        + ",\"transaction_first_offset\":" + entry.currentTxnFirstOffset().orElse(-1) + "}";
  }
}
