// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.record.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.record.FileRecords;
import org.apache.kafka.storage.internals.log.OffsetIndex;
import org.apache.kafka.storage.internals.log.OffsetPosition;
import org.apache.kafka.storage.internals.log.TimeIndex;
import org.apache.kafka.storage.internals.log.TimestampOffset;

/**
 * Asks Kafka's own indexes for every offset and time at which a batch begins or ends, and prints
 * what they answer: LookUp DIRECTORY...
 */
public final class LookUp {
  private LookUp() {}

  public static void main(String[] directories) throws Exception {
    for (String directory : directories) {
      File[] logs = new File(directory).listFiles((dir, name) -> name.endsWith(".log"));
      Arrays.sort(logs);
      for (File log : logs) {
        lookUp(log);
      }
    }
  }

  private static void lookUp(File log) throws Exception {
    long base = Long.parseLong(log.getName().replace(".log", ""));
    List<Long> offsets = new ArrayList<>();
    List<Long> times = new ArrayList<>();
    try (FileRecords records = FileRecords.open(log, false)) {
      for (FileChannelRecordBatch batch : records.batches()) {
        offsets.addAll(List.of(batch.baseOffset(), batch.lastOffset(), batch.lastOffset() + 1));
        times.addAll(List.of(batch.maxTimestamp() - 1, batch.maxTimestamp(),
            batch.maxTimestamp() + 1));
      }
    }
    lookUp(log, base, offsets, times);
  }

  private static void lookUp(File log, long base, List<Long> offsets, List<Long> times)
      throws Exception {
    String stem = log.getPath().replace(".log", "");
    String name = log.getParentFile().getName() + "/" + base;
    try (OffsetIndex index = new OffsetIndex(new File(stem + ".index"), base, -1, false)) {
      index.sanityCheck();
      for (long target : offsets) {
        OffsetPosition found = index.lookup(target);
        System.out.println("{\"segment\":\"" + name + "\",\"target\":" + target
            + ",\"offset\":" + found.offset() + ",\"position\":" + found.position() + "}");
      }
    }
    try (TimeIndex index = new TimeIndex(new File(stem + ".timeindex"), base, -1, false)) {
      index.sanityCheck();
      for (long target : times) {
        TimestampOffset found = index.lookup(target);
        System.out.println("{\"segment\":\"" + name + "\",\"target\":" + target
            + ",\"timestamp\":" + found.timestamp() + ",\"offset\":" + found.offset() + "}");
      }
    }
  }
}
