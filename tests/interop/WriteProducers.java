// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.SimpleRecord;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/**
 * Writes a partition of several producers as a Kafka 4 broker does, closes it half way and at the
 * end, and prints what its log knows of them then: WriteProducers DIRECTORY [config=value...]
 */
public final class WriteProducers {
  private static final int EPOCH = 0;
  private static final int ROUNDS = 40;
  private static final long IDEMPOTENT = 1000;
  private static final long COMMITS = 1001;
  private static final long ABORTS = 1002;
  /** A new epoch every five rounds. */
  private static final long NEW_EPOCHS = 1003;
  private static final long STAYS_OPEN = 1004;
  /** Fenced by the coordinator: its marker has a higher epoch than its batch. */
  private static final long FENCED = 1005;
  private static final long COPIED = 1006;
  private static final long COPIED_LATER = 1007;
  private static final short TRANSACTION_VERSION = 1;
  private static final long START_MS = System.currentTimeMillis();

  private UnifiedLog log;
  private final Map<Long, Integer> sequences = new HashMap<>();

  private WriteProducers() {}

  public static void main(String[] arguments) throws Exception {
    Map<String, String> configs = new HashMap<>();
    for (int i = 1; i < arguments.length; i++) {
      configs.put(arguments[i].split("=", 2)[0], arguments[i].split("=", 2)[1]);
    }
    File directory = new File(arguments[0]);
    directory.mkdirs();
    WriteProducers writer = new WriteProducers();
    for (int half = 0; half < 2; half++) {
      try (KafkaLog kafka = new KafkaLog(directory, configs, true)) {
        writer.log = kafka.log;
        for (int round = half * ROUNDS / 2; round < (half + 1) * ROUNDS / 2; round++) {
          writer.write(round);
        }
        if (half == 1) {
          writer.copy();
          ProducerJson.print(kafka.log);
        }
      }
    }
  }

  private void write(int round) throws Exception {
    append(IDEMPOTENT, 2, false, 1 + round % 3);
    append(COMMITS, 0, true, 2);
    append(ABORTS, 7, true, 1);
    end(COMMITS, 0, ControlRecordType.COMMIT, round);
    if (round % 2 == 0) {
      end(ABORTS, 7, ControlRecordType.ABORT, round);
    }
    int epoch = round / 5;
    if (round % 5 == 0) {
      sequences.put(NEW_EPOCHS, 0);
    }
    append(NEW_EPOCHS, epoch, true, 1);
    end(NEW_EPOCHS, epoch,
        round % 3 == 0 ? ControlRecordType.ABORT : ControlRecordType.COMMIT, round);
    if (round == 3) {
      append(FENCED, 0, true, 1);
      end(FENCED, 1, ControlRecordType.ABORT, round);
    }
    if (round == ROUNDS - 3) {
      append(STAYS_OPEN, 0, true, 1);
    }
    log.appendAsLeader(MemoryRecords.withRecords(Compression.NONE, records(1)), EPOCH);
  }

  private void append(long producer, int epoch, boolean transactional, int count)
      throws Exception {
    int sequence = sequences.getOrDefault(producer, 0);
    SimpleRecord[] records = records(count);
    log.appendAsLeader(
        transactional
            ? MemoryRecords.withTransactionalRecords(
                Compression.NONE, producer, (short) epoch, sequence, records)
            : MemoryRecords.withIdempotentRecords(
                Compression.NONE, producer, (short) epoch, sequence, records),
        EPOCH);
    sequences.put(producer, sequence + count);
  }

  private void end(long producer, int epoch, ControlRecordType type, int coordinatorEpoch) {
    log.appendAsLeader(
        MemoryRecords.withEndTransactionMarker(0L, now(), EPOCH, producer, (short) epoch,
            new EndTransactionMarker(type, coordinatorEpoch)),
        EPOCH, AppendOrigin.COORDINATOR, RequestLocal.noCaching(), VerificationGuard.SENTINEL,
        TRANSACTION_VERSION);
  }

  /** Several batches in one append, as a follower gets them from its leader. */
  private void copy() throws Exception {
    end(ABORTS, 7, ControlRecordType.ABORT, ROUNDS);
    end(STAYS_OPEN, 0, ControlRecordType.COMMIT, ROUNDS);
    long offset = log.logEndOffset();
    ByteBuffer bytes = ByteBuffer.allocate(4096);
    bytes.put(MemoryRecords.withTransactionalRecords(offset, Compression.NONE, COPIED, (short) 0,
        0, EPOCH, records(1)).buffer());
    bytes.put(MemoryRecords.withEndTransactionMarker(offset + 1, now(), EPOCH, COPIED, (short) 0,
        new EndTransactionMarker(ControlRecordType.ABORT, 1)).buffer());
    bytes.put(MemoryRecords.withRecords(offset + 2, Compression.NONE, EPOCH,
        records(3)).buffer());
    bytes.put(MemoryRecords.withTransactionalRecords(offset + 5, Compression.NONE, COPIED_LATER,
        (short) 0, 0, EPOCH, records(1)).buffer());
    bytes.flip();
    log.appendAsFollower(MemoryRecords.readableRecords(bytes), EPOCH);
    append(STAYS_OPEN, 0, true, 2);
  }

  private static long now() {
    return START_MS;
  }

  private static SimpleRecord[] records(int count) {
    SimpleRecord[] records = new SimpleRecord[count];
    for (int i = 0; i < count; i++) {
      records[i] = new SimpleRecord(now(), "key".getBytes(), new byte[60]);
    }
    return records;
  }
}
