// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.SimpleRecord;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordHelpers;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.coordinator.group.OffsetAndMetadata;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/**
 * Writes a partition of __consumer_offsets as Kafka 4's group coordinator does, its batches with
 * every codec: WriteOffsets DIRECTORY TOPIC_ID. Prints, an object a line, where each group has
 * come in the end in each of the partitions 0 to 2 of the topic `orders`, which has that id.
 */
public final class WriteOffsets {
  private static final int EPOCH = 0;
  private static final int BATCHES = 60;
  private static final int COMMITS = 30;
  private static final int OFFSETS = 1000;
  /** So many that every batch has the last word on one of them. */
  private static final int GROUPS = 300;
  private static final long START_MS = 1700000000000L;
  private static final long PRODUCER = 4000;
  private static final short TRANSACTION_VERSION = 1;

  private final Random random = new Random(20240229);
  private final GroupCoordinatorRecordSerde serde = new GroupCoordinatorRecordSerde();
  private final UnifiedLog log;
  private final Uuid topicId;
  private final Map<String, String> committed = new TreeMap<>();
  private int sequence = 0;

  private WriteOffsets(UnifiedLog log, Uuid topicId) {
    this.log = log;
    this.topicId = topicId;
  }

  public static void main(String[] arguments) throws Exception {
    File directory = new File(arguments[0]);
    directory.mkdirs();
    try (KafkaLog kafka = new KafkaLog(directory, Map.of("cleanup.policy", "compact"), true)) {
      WriteOffsets writer = new WriteOffsets(kafka.log, Uuid.fromString(arguments[1]));
      for (int round = 0; round < BATCHES; round++) {
        writer.append(round);
      }
      writer.committed.values().forEach(System.out::println);
    }
  }

  /** Every fourth batch is a transaction, and every other one of those is aborted. */
  private void append(int round) throws Exception {
    boolean transactional = round % 4 == 3;
    boolean counts = !transactional || round % 8 == 3;
    SimpleRecord[] records = new SimpleRecord[COMMITS];
    for (int i = 0; i < COMMITS; i++) {
      records[i] = commit(START_MS + round * 1000 + i, counts);
    }
    Compression compression = CodecLevels.quickAt(round);
    if (!transactional) {
      log.appendAsLeader(MemoryRecords.withRecords(compression, records), EPOCH);
      return;
    }
    log.appendAsLeader(MemoryRecords.withTransactionalRecords(
        compression, PRODUCER, (short) 0, sequence, records), EPOCH);
    sequence += records.length;
    log.appendAsLeader(
        MemoryRecords.withEndTransactionMarker(0L, START_MS, EPOCH, PRODUCER, (short) 0,
            new EndTransactionMarker(
                counts ? ControlRecordType.COMMIT : ControlRecordType.ABORT, 9)),
        EPOCH, AppendOrigin.COORDINATOR, RequestLocal.noCaching(), VerificationGuard.SENTINEL,
        TRANSACTION_VERSION);
  }

  /** The record of one commit, or of one deletion; noted if it counts. */
  private SimpleRecord commit(long timestamp, boolean counts) {
    String group = "group-" + random.nextInt(GROUPS);
    int partition = random.nextInt(3);
    String key = group + "/" + partition;
    if (random.nextInt(10) == 0) {
      if (counts) {
        committed.remove(key);
      }
      return recordOf(timestamp, GroupCoordinatorRecordHelpers.newOffsetCommitTombstoneRecord(
          group, "orders", partition));
    }
    int offset = random.nextInt(OFFSETS);
    int epoch = random.nextInt(2) - 1;
    String metadata = "höst ".repeat(random.nextInt(20));
    if (counts) {
      committed.put(key, "{\"group\":\"" + group + "\",\"partition\":" + partition
          + ",\"offset\":" + offset + ",\"leaderEpoch\":" + epoch
          + ",\"metadata\":\"" + BatchJson.hex(metadata.getBytes(StandardCharsets.UTF_8))
          + "\",\"commitTimestamp\":" + timestamp + "}");
    }
    return recordOf(timestamp, GroupCoordinatorRecordHelpers.newOffsetCommitRecord(group, "orders",
        partition, new OffsetAndMetadata(offset,
            epoch < 0 ? OptionalInt.empty() : OptionalInt.of(epoch), metadata, timestamp,
            OptionalLong.empty(), topicId)));
  }

  private SimpleRecord recordOf(long timestamp, CoordinatorRecord record) {
    return new SimpleRecord(timestamp, serde.serializeKey(record), serde.serializeValue(record));
  }
}
