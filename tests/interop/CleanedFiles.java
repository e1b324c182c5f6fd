// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.StringJoiner;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.record.FileRecords;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.utils.Crc32C;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.storage.internals.log.AbortedTxn;
import org.apache.kafka.storage.internals.log.TransactionIndex;

/** What is in the segments of a partition's directory, as Kafka's own classes read it. */
final class CleanedFiles {
  private static final int HEADER_BYTES = 61;
  /** Longer keys and values are not printed whole. */
  private static final int WHOLE_BYTES = 40;

  private CleanedFiles() {}

  /** Prints a JSON object that begins with `place` for each segment, and for each batch. */
  static void print(File directory, String place, PrintStream out) throws Exception {
    String[] names = directory.list((parent, name) -> name.endsWith(".log"));
    Arrays.sort(names);
    for (String name : names) {
      long base = Long.parseLong(name.substring(0, name.length() - ".log".length()));
      out.println(place + ",\"segment\":" + base + ",\"aborted\":" + aborted(directory, base)
          + "}");
      try (FileRecords records = FileRecords.open(new File(directory, name), false)) {
        for (FileChannelRecordBatch batch : records.batches()) {
          out.println(place + ",\"of\":" + base + ",\"header\":\"" + header(records, batch)
              + "\",\"compression\":\"" + batch.compressionType().name + "\",\"isControl\":"
              + batch.isControlBatch() + ",\"deleteHorizonMs\":"
              + (batch.deleteHorizonMs().isPresent() ? batch.deleteHorizonMs().getAsLong() : -1)
              + ",\"timestampType\":\"" + batch.timestampType() + "\",\"records\":["
              + records(batch) + "]}");
        }
      }
    }
  }

  private static String aborted(File directory, long base) throws Exception {
    StringJoiner entries = new StringJoiner(",", "[", "]");
    File file = new File(directory, String.format("%020d.txnindex", base));
    if (file.exists()) {
      try (TransactionIndex index = new TransactionIndex(base, file)) {
        for (AbortedTxn one : index.allAbortedTxns()) {
          entries.add("[" + one.producerId() + "," + one.firstOffset() + "," + one.lastOffset()
              + "," + one.lastStableOffset() + "]");
        }
      }
    }
    return entries.toString();
  }

  private static String header(FileRecords records, FileChannelRecordBatch batch)
      throws Exception {
    batch.ensureValid();
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    records.readInto(header, batch.position());
    return BatchJson.hex(header.array());
  }

  private static String records(RecordBatch batch) {
    StringJoiner all = new StringJoiner(",");
    for (Record record : batch) {
      record.ensureValid();
      StringJoiner fields = new StringJoiner(" ", "\"", "\"");
      fields.add(Long.toString(record.offset())).add(Long.toString(record.timestamp()));
      fields.add(brief(record.key())).add(brief(record.value()));
      for (Header header : record.headers()) {
        byte[] value = header.value();
        fields.add(brief(ByteBuffer.wrap(header.key().getBytes(StandardCharsets.UTF_8))));
        fields.add(brief(value == null ? null : ByteBuffer.wrap(value)));
      }
      all.add(fields.toString());
    }
    return all.toString();
  }

  /** The bytes as hex digits, or what tells them from others. */
  private static String brief(ByteBuffer buffer) {
    if (buffer == null) {
      return "null";
    }
    byte[] bytes = Utils.toArray(buffer);
    if (bytes.length <= WHOLE_BYTES) {
      return "0x" + BatchJson.hex(bytes);
    }
    return bytes.length + " bytes, CRC-32C " + Crc32C.compute(bytes, 0, bytes.length);
  }
}
