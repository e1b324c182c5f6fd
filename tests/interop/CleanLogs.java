// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.record.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.Cleaner;
import org.apache.kafka.storage.internals.log.LastRecord;
import org.apache.kafka.storage.internals.log.LogSegment;
import org.apache.kafka.storage.internals.log.LogToClean;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.utils.Throttler;

/**
 * Cleans a partition with Kafka's own log cleaner, again and again:
 * CleanLogs DIRECTORY config=value... FROM:TO:NOW...
 *
 * <p>FROM is the first dirty offset, TO the first one that is not cleaned (-1: the active
 * segment's), NOW the time in ms. It prints the producers that the log knows, and after each pass
 * where it ended, the segments, and their batches, as partitions of the number of the pass.
 */
public final class CleanLogs {
  private static final PrintStream OUT =
      new PrintStream(System.out, false, StandardCharsets.UTF_8);
  private static final int MAP_BYTES = 1 << 20;
  private static final int BUFFER_BYTES = 1 << 16;
  private static final int BATCH_BYTES_MAX = 1 << 22;

  private CleanLogs() {}

  public static void main(String[] arguments) throws Exception {
    Map<String, String> configs = new HashMap<>();
    List<long[]> passes = new ArrayList<>();
    for (int i = 1; i < arguments.length; i++) {
      String[] config = arguments[i].split("=", 2);
      if (config.length == 2) {
        configs.put(config[0], config[1]);
      } else {
        String[] pass = arguments[i].split(":");
        passes.add(new long[] {
            Long.parseLong(pass[0]), Long.parseLong(pass[1]), Long.parseLong(pass[2])});
      }
    }
    try (KafkaLog opened = new KafkaLog(new File(arguments[0]), configs, true)) {
      OUT.println("{\"producers\":\"" + producers(opened.log) + "\"}");
      for (int i = 0; i < passes.size(); i++) {
        clean(opened.log, passes.get(i), i);
      }
    }
    OUT.flush();
  }

  /** As ID:EPOCH:LAST_OFFSET, the last one -1 for none. */
  private static String producers(UnifiedLog log) {
    return log.lastRecordsOfActiveProducers().entrySet().stream()
        .map(entry -> {
          LastRecord last = entry.getValue();
          return entry.getKey() + ":" + last.producerEpoch() + ":"
              + last.lastDataOffset().orElse(-1);
        })
        .collect(Collectors.joining(","));
  }

  private static void clean(UnifiedLog log, long[] pass, int number) throws Exception {
    Cleaner cleaner = new Cleaner(0, new SkimpyOffsetMap(MAP_BYTES), BUFFER_BYTES,
        BATCH_BYTES_MAX, 0.9, new Throttler(Double.MAX_VALUE, 300, "throttler", "entries",
        Time.SYSTEM), Time.SYSTEM, partition -> { });
    long end = pass[1] < 0 ? log.activeSegment().baseOffset() : pass[1];
    LogToClean dirty = new LogToClean(log, pass[0], end, false);
    long mapped = cleaner.doClean(dirty, pass[2]).getKey();
    List<LogSegment> segments = log.logSegments();
    LogSegment active = log.activeSegment();
    OUT.println("{\"pass\":" + number + ",\"rangeEnd\":" + dirty.firstUncleanableOffset()
        + ",\"mappedEnd\":" + mapped + ",\"segments\":["
        + segments.stream().map(segment -> Long.toString(segment.baseOffset()))
            .collect(Collectors.joining(",")) + "]}");
    for (LogSegment segment : segments) {
      if (segment == active) {
        continue;
      }
      for (FileChannelRecordBatch batch : segment.log().batches()) {
        OUT.println(BatchJson.of("pass", number, batch));
      }
    }
  }
}
