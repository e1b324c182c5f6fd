// SPDX-License-Identifier: Apache-2.0

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A client of a running broker: BrokerClient BOOTSTRAP write RECORDS fills topics with all that
 * producers, transactions and groups do, and BrokerClient BOOTSTRAP read ISOLATION [TOPIC] prints
 * every record that a consumer of that isolation.level gets, the bounds of every partition, and,
 * without TOPIC, every committed offset, a JSON object a line. What is written is random and the
 * same each time.
 */
public final class BrokerClient {
  private static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
  private static final long START_MS = 1700000000000L;
  private static final int ROUNDS = 6;
  private static final Duration WAIT = Duration.ofMillis(500);

  private static final PrintStream OUT =
      new PrintStream(System.out, false, StandardCharsets.UTF_8);

  private final String bootstrap;
  private final Random random = new Random(20240229);
  private long timestamp = START_MS;
  private int sent;

  private BrokerClient(String bootstrap) {
    this.bootstrap = bootstrap;
  }

  public static void main(String[] arguments) throws Exception {
    BrokerClient client = new BrokerClient(arguments[0]);
    if (arguments[1].equals("write")) {
      client.write(Integer.parseInt(arguments[2]));
    } else {
      client.read(arguments[2], arguments.length > 3 ? arguments[3] : null);
    }
    OUT.flush();
  }

  // --- Writing ---------------------------------------------------------------

  private void write(int records) throws Exception {
    try (Admin admin = Admin.create(config())) {
      List<NewTopic> topics = new ArrayList<>();
      for (String codec : CODECS) {
        topics.add(topic("codec-" + codec, 2));
      }
      topics.add(topic("transactions", 1));
      topics.add(topic("undecided", 1));
      topics.add(topic("trimmed", 1));
      topics.add(topic("empty", 1));
      topics.add(topic("compacted", 1, "cleanup.policy", "compact",
          "min.cleanable.dirty.ratio", "0.01", "segment.ms", "100", "delete.retention.ms", "0"));
      admin.createTopics(topics).all().get();
      for (String codec : CODECS) {
        produce("codec-" + codec, codec, records);
      }
      produce("trimmed", "none", records);
      admin.deleteRecords(Map.of(new TopicPartition("trimmed", 0),
          RecordsToDelete.beforeOffset(records / 3))).all().get();
      compact(records);
      transact(records);
      leaveUndecided(records);
      commit(admin, "group-classic", records / 3);
      commit(admin, "группа", 1);
    }
  }

  private static NewTopic topic(String name, int partitions, String... configs) {
    Map<String, String> all = new HashMap<>();
    for (int i = 0; i < configs.length; i += 2) {
      all.put(configs[i], configs[i + 1]);
    }
    return new NewTopic(name, partitions, (short) 1).configs(all);
  }

  private void produce(String topic, String codec, int records) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer(codec, null)) {
      for (int i = 0; i < records; i++) {
        producer.send(record(topic));
        if (i % 7 == 6) {
          producer.flush();
        }
      }
    }
  }

  /** Few keys again and again, in many segments, so that the cleaner has something to drop. */
  private void compact(int records) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer("lz4", null)) {
      for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < records / ROUNDS; i++) {
          byte[] value = random.nextInt(8) == 0 ? null : bytes(20);
          timestamp += 200;
          producer.send(new ProducerRecord<>("compacted", 0, timestamp,
              ("key " + random.nextInt(10)).getBytes(StandardCharsets.UTF_8), value)).get();
        }
      }
    }
  }

  private void transact(int records) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer("gzip", "varve")) {
      producer.initTransactions();
      for (int round = 0; round < ROUNDS; round++) {
        producer.beginTransaction();
        for (int i = 0; i < records / ROUNDS; i++) {
          producer.send(record("transactions"));
        }
        producer.sendOffsetsToTransaction(
            Map.of(new TopicPartition("codec-none", 0), new OffsetAndMetadata(round + 1)),
            new ConsumerGroupMetadata("group-transactional"));
        if (round % 2 == 0) {
          producer.commitTransaction();
        } else {
          producer.flush();
          producer.abortTransaction();
        }
      }
    }
  }

  /** A transaction that stays open, and records before and after it. */
  private void leaveUndecided(int records) throws Exception {
    produce("undecided", "zstd", records / 3);
    KafkaProducer<byte[], byte[]> producer = producer("lz4", "undecided");
    producer.initTransactions();
    producer.beginTransaction();
    for (int i = 0; i < records / 3; i++) {
      producer.send(record("undecided"));
    }
    producer.flush();
    // Without time left, it does not abort.
    producer.close(Duration.ZERO);
    produce("undecided", "gzip", records / 3);
  }

  private void commit(Admin admin, String group, long offset) throws Exception {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    offsets.put(new TopicPartition("codec-none", 0), new OffsetAndMetadata(offset, "of codec"));
    offsets.put(new TopicPartition("trimmed", 0), new OffsetAndMetadata(offset));
    admin.alterConsumerGroupOffsets(group, offsets).all().get();
  }

  private ProducerRecord<byte[], byte[]> record(String topic) {
    timestamp += random.nextInt(20) - 5;
    // Both partitions have about half of a topic's records.
    Integer partition = topic.startsWith("codec-") ? sent++ / 7 % 2 : 0;
    List<Header> headers = new ArrayList<>();
    for (int i = random.nextInt(4); i > 1; i--) {
      headers.add(new RecordHeader("header " + random.nextInt(3),
          random.nextInt(3) == 0 ? null : bytes(random.nextInt(10))));
    }
    return new ProducerRecord<>(topic, partition, timestamp,
        random.nextInt(4) == 0 ? null : bytes(random.nextInt(12)),
        random.nextInt(8) == 0 ? null : bytes(random.nextInt(200)), headers);
  }

  /** Every second time text, that compresses, and else bytes that are no UTF-8. */
  private byte[] bytes(int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    if (random.nextBoolean()) {
      for (int i = 0; i < size; i++) {
        bytes[i] = (byte) ('a' + (bytes[i] & 3));
      }
    }
    return bytes;
  }

  private KafkaProducer<byte[], byte[]> producer(String codec, String transactionalId) {
    Properties config = config();
    config.put("enable.idempotence", "true");
    config.put("compression.type", codec);
    config.put("linger.ms", "5");
    if (transactionalId != null) {
      config.put("transactional.id", transactionalId);
      config.put("transaction.timeout.ms", "900000");
    }
    return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
  }

  // --- Reading ---------------------------------------------------------------

  private void read(String isolation, String only) throws Exception {
    Properties config = config();
    config.put("isolation.level", isolation);
    config.put("fetch.max.wait.ms", "10");
    try (Admin admin = Admin.create(config());
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
            config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<String> topics = new ArrayList<>(admin.listTopics().names().get());
      Collections.sort(topics);
      for (String topic : topics) {
        int partitions = consumer.partitionsFor(topic).size();
        for (int i = 0; i < partitions && (only == null || only.equals(topic)); i++) {
          readPartition(consumer, new TopicPartition(topic, i));
        }
      }
      if (only == null) {
        readGroups(admin);
      }
    }
  }

  private static void readPartition(
      KafkaConsumer<byte[], byte[]> consumer, TopicPartition partition) {
    List<TopicPartition> one = List.of(partition);
    long start = consumer.beginningOffsets(one).get(partition);
    long end = consumer.endOffsets(one).get(partition);
    OUT.println("{\"kind\":\"partition\"," + place(partition) + ",\"log_start\":" + start
        + ",\"log_end\":" + end + "}");
    consumer.assign(one);
    consumer.seek(partition, start);
    // The position passes control records, and what was compacted away.
    while (consumer.position(partition) < end) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(WAIT)) {
        OUT.println(json(record));
      }
    }
  }

  private static void readGroups(Admin admin) throws Exception {
    for (String group : List.of("group-classic", "group-transactional", "группа")) {
      Map<TopicPartition, OffsetAndMetadata> offsets =
          admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
      for (Map.Entry<TopicPartition, OffsetAndMetadata> entry : offsets.entrySet()) {
        OUT.println("{\"kind\":\"offset\",\"group\":\"" + group + "\"," + place(entry.getKey())
            + ",\"offset\":" + entry.getValue().offset() + ",\"metadata\":\""
            + entry.getValue().metadata() + "\"}");
      }
    }
  }

  private static String place(TopicPartition partition) {
    return "\"topic\":\"" + partition.topic() + "\",\"partition\":" + partition.partition();
  }

  private static String json(ConsumerRecord<byte[], byte[]> record) {
    StringBuilder json = new StringBuilder("{\"kind\":\"record\",")
        .append(place(new TopicPartition(record.topic(), record.partition())))
        .append(",\"offset\":").append(record.offset())
        .append(",\"timestamp\":").append(record.timestamp())
        .append(",\"key\":").append(base64(record.key()))
        .append(",\"value\":").append(base64(record.value()))
        .append(",\"headers\":[");
    String comma = "";
    for (Header header : record.headers()) {
      json.append(comma).append("{\"name\":\"").append(header.key()).append("\",\"value\":")
          .append(base64(header.value())).append('}');
      comma = ",";
    }
    return json.append("]}").toString();
  }

  private static String base64(byte[] bytes) {
    return bytes == null ? "null" : '"' + Base64.getEncoder().encodeToString(bytes) + '"';
  }

  private Properties config() {
    Properties config = new Properties();
    config.put("bootstrap.servers", bootstrap);
    return config;
  }
}
