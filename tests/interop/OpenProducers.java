// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.record.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.record.FileRecords;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.storage.internals.log.LogAppendInfo;

/**
 * Opens a partition directory as a broker does, prints what it knows of the producers, appends
 * the last batch of each once more, prints where that is said to be, and closes it:
 * OpenProducers clean|unclean DIRECTORY [config=value...]
 */
public final class OpenProducers {
  private OpenProducers() {}

  public static void main(String[] arguments) throws Exception {
    Map<String, String> configs = new HashMap<>();
    for (String argument : Arrays.copyOfRange(arguments, 2, arguments.length)) {
      configs.put(argument.split("=", 2)[0], argument.split("=", 2)[1]);
    }
    File directory = new File(arguments[1]);
    Map<Long, byte[]> last = lastBatches(directory);
    try (KafkaLog opened = new KafkaLog(directory, configs, arguments[0].equals("clean"))) {
      ProducerJson.print(opened.log);
      for (Map.Entry<Long, byte[]> batch : last.entrySet()) {
        repeat(opened, batch.getKey(), batch.getValue());
      }
    }
  }

  /** The last data batch of each producer, as it was sent. */
  private static Map<Long, byte[]> lastBatches(File directory) throws Exception {
    File[] logs = directory.listFiles((dir, name) -> name.endsWith(".log"));
    Arrays.sort(logs);
    Map<Long, byte[]> last = new HashMap<>();
    for (File log : logs) {
      try (FileRecords records = FileRecords.open(log, false)) {
        for (FileChannelRecordBatch batch : records.batches()) {
          if (!batch.hasProducerId() || batch.isControlBatch()) {
            continue;
          }
          ByteBuffer bytes = ByteBuffer.allocate(batch.sizeInBytes());
          batch.writeTo(bytes);
          // As a client sends it; no CRC covers that.
          bytes.putLong(0, 0);
          last.put(batch.producerId(), bytes.array());
        }
      }
    }
    return last;
  }

  private static void repeat(KafkaLog opened, long producerId, byte[] batch) {
    String found;
    try {
      LogAppendInfo info = opened.log.appendAsLeader(
          MemoryRecords.readableRecords(ByteBuffer.wrap(batch)), 0);
      found = "\"offset\":" + info.firstOffset() + ",\"last_offset\":" + info.lastOffset();
    } catch (Exception refused) {
      found = "\"refused\":\"" + refused.getClass().getSimpleName() + "\"";
    }
    System.out.println("{\"kind\":\"repeated\",\"producer_id\":" + producerId + "," + found
        + ",\"end\":" + opened.log.logEndOffset() + "}");
  }
}
