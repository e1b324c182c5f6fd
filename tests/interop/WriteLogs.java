// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecords.RecordFilter;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.SimpleRecord;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/**
 * Writes a partition as a Kafka 4 broker does: WriteLogs DIRECTORY KIND [config=value...]. The
 * content is random and the same each time, but for times from start.ms=MS on. Half way through, the log is closed and opened again;
 * the offset of that is printed.
 */
public final class WriteLogs {
  private static final int EPOCH = 0;
  private static final long START_MS = 1700000000000L;
  private static final int BATCHES = 250;
  /** Of the kind whose batches are large: two with each codec and level. */
  private static final int LARGE_BATCHES = 2 * CodecLevels.count();
  private static final String[] WORDS = {"layer ", "of ", "sediment ", "laid ", "in order, "};
  private static final short TRANSACTION_VERSION = 1;

  private final Random random = new Random(20240229);
  private UnifiedLog log;
  private int sequence = 0;
  private long startMs = START_MS;
  private boolean hasFewKeys = false;

  private WriteLogs() {}

  public static void main(String[] arguments) throws Exception {
    File directory = new File(arguments[0]);
    Map<String, String> configs = new HashMap<>();
    for (int i = 2; i < arguments.length; i++) {
      configs.put(arguments[i].split("=", 2)[0], arguments[i].split("=", 2)[1]);
    }
    directory.mkdirs();
    WriteLogs writer = new WriteLogs();
    if (configs.containsKey("start.ms")) {
      writer.startMs = Long.parseLong(configs.remove("start.ms"));
    }
    writer.hasFewKeys = arguments[1].equals("keyed");
    int batches = arguments[1].equals("large") ? LARGE_BATCHES : BATCHES;
    writer.append(directory, configs, arguments[1], 0, batches / 2);
    System.out.println(writer.log.logEndOffset());
    writer.append(directory, configs, arguments[1], batches / 2, batches);
  }

  /** Opens the log, appends some of the batches, and closes it. */
  private void append(
      File directory, Map<String, String> configs, String kind, int first, int behind)
      throws Exception {
    try (KafkaLog kafka = new KafkaLog(directory, configs, true)) {
      log = kafka.log;
      for (int i = first; i < behind; i++) {
        append(kind, i);
      }
    }
  }

  private void append(String kind, int round) throws Exception {
    switch (kind) {
      case "plain" -> log.appendAsLeader(
          MemoryRecords.withRecords(Compression.NONE, records(round)), EPOCH);
      case "compressed" -> log.appendAsLeader(
          MemoryRecords.withRecords(CodecLevels.quickAt(round), records(round)), EPOCH);
      case "large" -> log.appendAsLeader(
          MemoryRecords.withRecords(CodecLevels.at(round), largeRecords(round)), EPOCH);
      case "transactions" -> appendTransaction(round);
      case "keyed" -> appendKeyed(round);
      case "compacted" -> appendCompacted(round);
      default -> throw new IllegalArgumentException(kind);
    }
  }

  private void appendTransaction(int round) throws Exception {
    SimpleRecord[] records = records(round);
    log.appendAsLeader(MemoryRecords.withTransactionalRecords(
        CodecLevels.quickAt(round), 4000, (short) 2, sequence, records), EPOCH);
    sequence += records.length;
    if (round % 3 == 2) {
      ControlRecordType type =
          round % 2 == 0 ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
      MemoryRecords marker = MemoryRecords.withEndTransactionMarker(0L, time(round), EPOCH, 4000,
          (short) 2, new EndTransactionMarker(type, 9));
      log.appendAsLeader(marker, EPOCH, AppendOrigin.COORDINATOR, RequestLocal.noCaching(),
          VerificationGuard.SENTINEL, TRANSACTION_VERSION);
    }
  }

  /** What is compacted later: few keys, within transactions and outside of them. */
  private void appendKeyed(int round) throws Exception {
    if (round % 5 == 4) {
      log.appendAsLeader(
          MemoryRecords.withRecords(CodecLevels.quickAt(round), records(round)), EPOCH);
    } else {
      appendTransaction(round);
    }
  }

  /** What the log cleaner leaves of a batch: some records, or none. */
  private void appendCompacted(int round) throws Exception {
    SimpleRecord[] records = records(round);
    MemoryRecords whole = MemoryRecords.withIdempotentRecords((byte) 2, log.logEndOffset(),
        CodecLevels.quickAt(round), 4000, (short) 2, sequence, EPOCH, records);
    sequence += records.length;
    int keepOf8 = random.nextInt(9);
    RecordFilter filter = new RecordFilter(time(round), 86400000L) {
      @Override
      protected BatchRetentionResult checkBatchRetention(RecordBatch batch) {
        return new BatchRetentionResult(BatchRetention.RETAIN_EMPTY, false);
      }

      @Override
      protected boolean shouldRetainRecord(RecordBatch batch, Record record) {
        return random.nextInt(8) < keepOf8;
      }
    };
    MemoryRecords.FilterResult result = whole.filterTo(
        filter, ByteBuffer.allocate(2 * whole.sizeInBytes() + 100), BufferSupplier.NO_CACHING);
    ByteBuffer kept = result.outputBuffer();
    kept.flip();
    log.appendAsFollower(MemoryRecords.readableRecords(kept), EPOCH);
  }

  private SimpleRecord[] records(int round) {
    SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(round % 4 == 0 ? 1 : 40)];
    for (int i = 0; i < records.length; i++) {
      records[i] = new SimpleRecord(time(round), key(), bytes(round % 16 == 0 ? 9000 : 90),
          headers());
    }
    return records;
  }

  /** Several blocks of every codec: hundreds of KiB of words, and a few large random values. */
  private SimpleRecord[] largeRecords(int round) {
    SimpleRecord[] records = new SimpleRecord[2000 + random.nextInt(1000)];
    for (int i = 0; i < records.length; i++) {
      byte[] value = i % 500 == 250 ? bytes(40000) : words();
      records[i] = new SimpleRecord(time(round), bytes(30), value, headers());
    }
    return records;
  }

  private byte[] words() {
    StringBuilder words = new StringBuilder();
    for (int i = random.nextInt(30); i > 0; i--) {
      words.append(WORDS[random.nextInt(WORDS.length)]);
    }
    return words.toString().getBytes(StandardCharsets.UTF_8);
  }

  private byte[] key() {
    return hasFewKeys
        ? ("key " + random.nextInt(300)).getBytes(StandardCharsets.UTF_8)
        : bytes(30);
  }

  /** Grows by about a minute a round, and wavers by ten. */
  private long time(int round) {
    return startMs + round * 60000L + random.nextInt(600000);
  }

  private byte[] bytes(int most) {
    if (random.nextInt(5) == 0) {
      return null;
    }
    byte[] bytes = new byte[random.nextInt(most)];
    random.nextBytes(bytes);
    return bytes;
  }

  private Header[] headers() {
    List<Header> headers = new ArrayList<>();
    for (int i = random.nextInt(6) - 2; i > 0; i--) {
      headers.add(new RecordHeader("ключ" + random.nextInt(3), bytes(20)));
    }
    return headers.toArray(new Header[0]);
  }
}
