// SPDX-License-Identifier: Apache-2.0

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.utils.Utils;

/** A batch, as Kafka's own classes read it, in the JSON of described_batch.h. */
final class BatchJson {
  private BatchJson() {}

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static String quoted(byte[] bytes) {
    return bytes == null ? "null" : '"' + hex(bytes) + '"';
  }

  private static byte[] bytesOf(ByteBuffer buffer) {
    return buffer == null ? null : Utils.toArray(buffer);
  }

  private static String of(Record record) {
    List<String> headers = new ArrayList<>();
    for (Header header : record.headers()) {
      headers.add("[" + quoted(header.key().getBytes(StandardCharsets.UTF_8)) + ","
          + quoted(header.value()) + "]");
    }
    return "{\"offset\":" + record.offset()
        + ",\"timestamp\":" + record.timestamp()
        + ",\"key\":" + quoted(bytesOf(record.key()))
        + ",\"value\":" + quoted(bytesOf(record.value()))
        + ",\"headers\":[" + String.join(",", headers) + "]}";
  }

  static String of(String topic, int partition, FileChannelRecordBatch batch) {
    List<String> records = new ArrayList<>();
    for (Record record : (RecordBatch) batch) {
      record.ensureValid();
      records.add(of(record));
    }
    return "{\"topic\":\"" + topic + "\",\"partition\":" + partition
        + ",\"position\":" + batch.position()
        + ",\"isvalid\":" + batch.isValid()
        + ",\"baseOffset\":" + batch.baseOffset()
        + ",\"lastOffset\":" + batch.lastOffset()
        + ",\"count\":" + batch.countOrNull()
        + ",\"baseSequence\":" + batch.baseSequence()
        + ",\"producerId\":" + batch.producerId()
        + ",\"producerEpoch\":" + batch.producerEpoch()
        + ",\"partitionLeaderEpoch\":" + batch.partitionLeaderEpoch()
        + ",\"isTransactional\":" + batch.isTransactional()
        + ",\"isControl\":" + batch.isControlBatch()
        + ",\"deleteHorizonMs\":"
        + (batch.deleteHorizonMs().isPresent() ? batch.deleteHorizonMs().getAsLong() : "null")
        + ",\"timestampType\":\"" + batch.timestampType() + "\""
        + ",\"maxTimestamp\":" + batch.maxTimestamp()
        + ",\"size\":" + batch.sizeInBytes()
        + ",\"compression\":\"" + batch.compressionType().name + "\""
        + ",\"crc\":" + batch.checksum()
        + ",\"records\":[" + String.join(",", records) + "]}";
  }
}
