// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.record.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.record.FileRecords;

/**
 * Reads partition directories with Kafka's own classes and prints every batch: ReadLogs DIRECTORY...
 */
public final class ReadLogs {
  private static final PrintStream OUT =
      new PrintStream(System.out, false, StandardCharsets.UTF_8);

  private ReadLogs() {}

  public static void main(String[] directories) throws Exception {
    for (String directory : directories) {
      File[] logs = new File(directory).listFiles((dir, name) -> name.endsWith(".log"));
      Arrays.sort(logs);
      for (File log : logs) {
        read(log);
      }
    }
    OUT.flush();
  }

  private static void read(File log) throws Exception {
    String partition = log.getParentFile().getName();
    int dash = partition.lastIndexOf('-');
    try (FileRecords records = FileRecords.open(log, false)) {
      for (FileChannelRecordBatch batch : records.batches()) {
        OUT.println(BatchJson.of(partition.substring(0, dash),
            Integer.parseInt(partition.substring(dash + 1)), batch));
      }
    }
  }
}
