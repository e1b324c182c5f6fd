// SPDX-License-Identifier: Apache-2.0

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What is done at a broker before and after topics are exported to it, beside reading:
 *
 * <pre>
 *   ExportClient BOOTSTRAP create TOPIC:PARTITIONS...
 *   ExportClient BOOTSTRAP append RECORDS TOPIC:PARTITION...   each gets so many, and two transactions
 *   ExportClient BOOTSTRAP compact TOPIC                       and appends keys that are there already
 *   ExportClient BOOTSTRAP producers TOPIC:PARTITION...        a JSON object for each producer
 *   ExportClient BOOTSTRAP commit GROUP TOPIC:PARTITION OFFSET ...   and prints what it has then
 * </pre>
 */
public final class ExportClient {
  private static final PrintStream OUT =
      new PrintStream(System.out, false, StandardCharsets.UTF_8);

  private static final int COMPACTED_KEYS = 8;

  private final String bootstrap;

  private ExportClient(String bootstrap) {
    this.bootstrap = bootstrap;
  }

  public static void main(String[] arguments) throws Exception {
    ExportClient client = new ExportClient(arguments[0]);
    List<String> rest = List.of(arguments).subList(2, arguments.length);
    try (Admin admin = Admin.create(client.config())) {
      switch (arguments[1]) {
        case "create":
          create(admin, rest);
          break;
        case "append":
          client.append(Integer.parseInt(rest.get(0)), rest.subList(1, rest.size()));
          break;
        case "compact":
          client.compact(admin, rest.get(0));
          break;
        case "producers":
          printProducers(admin, rest);
          break;
        case "commit":
          commit(admin, rest);
          break;
        default:
          throw new IllegalArgumentException(arguments[1]);
      }
    }
    OUT.flush();
  }

  private static TopicPartition parse(String text) {
    int colon = text.lastIndexOf(':');
    return new TopicPartition(
        text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
  }

  private static void create(Admin admin, List<String> topics) throws Exception {
    List<NewTopic> all = new ArrayList<>();
    for (String topic : topics) {
      TopicPartition counted = parse(topic);
      all.add(new NewTopic(counted.topic(), counted.partition(), (short) 1));
    }
    admin.createTopics(all).all().get();
  }

  /** An idempotent producer, and a transactional one that commits, and aborts. */
  private void append(int records, List<String> partitions) throws Exception {
    Properties config = config();
    config.put("enable.idempotence", "true");
    try (KafkaProducer<byte[], byte[]> producer = producer(config)) {
      for (String partition : partitions) {
        for (int i = 0; i < records; i++) {
          producer.send(record(partition, "after " + i)).get();
        }
      }
    }
    config.put("transactional.id", "after");
    try (KafkaProducer<byte[], byte[]> producer = producer(config)) {
      producer.initTransactions();
      for (boolean commits : new boolean[] {false, true}) {
        producer.beginTransaction();
        for (String partition : partitions) {
          producer.send(record(partition, commits ? "committed" : "aborted"));
        }
        if (commits) {
          producer.commitTransaction();
        } else {
          producer.flush();
          producer.abortTransaction();
        }
      }
    }
  }

  /** The first record ends the segment that was active, and the last one that of the others. */
  private void compact(Admin admin, String topic) throws Exception {
    List<AlterConfigOp> changes = new ArrayList<>();
    for (String[] config : new String[][] {{"cleanup.policy", "compact"}, {"segment.ms", "1000"},
        {"min.cleanable.dirty.ratio", "0.01"}}) {
      changes.add(new AlterConfigOp(
          new ConfigEntry(config[0], config[1]), AlterConfigOp.OpType.SET));
    }
    admin.incrementalAlterConfigs(
        Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), changes)).all().get();
    long now = System.currentTimeMillis();
    try (KafkaProducer<byte[], byte[]> producer = producer(config())) {
      for (int i = 0; i <= COMPACTED_KEYS; i++) {
        byte[] value = i == 3 ? null : ("after " + i).getBytes(StandardCharsets.UTF_8);
        producer.send(new ProducerRecord<>(topic, 0, i < COMPACTED_KEYS ? now - 5000 : now,
            ("k" + i).getBytes(StandardCharsets.UTF_8), value)).get();
      }
    }
  }

  private static ProducerRecord<byte[], byte[]> record(String partition, String value) {
    TopicPartition to = parse(partition);
    return new ProducerRecord<>(to.topic(), to.partition(), null,
        value.getBytes(StandardCharsets.UTF_8));
  }

  private static KafkaProducer<byte[], byte[]> producer(Properties config) {
    return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static void printProducers(Admin admin, List<String> partitions) throws Exception {
    List<TopicPartition> all = new ArrayList<>();
    for (String partition : partitions) {
      all.add(parse(partition));
    }
    var found = admin.describeProducers(all).all().get();
    for (TopicPartition partition : all) {
      for (ProducerState state : found.get(partition).activeProducers()) {
        OUT.println("{\"topic\":\"" + partition.topic() + "\",\"partition\":"
            + partition.partition() + ",\"producer_id\":" + state.producerId()
            + ",\"epoch\":" + state.producerEpoch() + ",\"last_sequence\":"
            + state.lastSequence() + ",\"last_timestamp\":" + state.lastTimestamp()
            + ",\"is_open\":" + state.currentTransactionStartOffset().isPresent() + "}");
      }
    }
  }

  private static void commit(Admin admin, List<String> lines) throws Exception {
    for (int i = 0; i < lines.size(); i += 3) {
      admin.alterConsumerGroupOffsets(lines.get(i), Map.of(parse(lines.get(i + 1)),
          new OffsetAndMetadata(Long.parseLong(lines.get(i + 2))))).all().get();
    }
    for (int i = 0; i < lines.size(); i += 3) {
      TopicPartition partition = parse(lines.get(i + 1));
      OUT.println(admin.listConsumerGroupOffsets(lines.get(i)).partitionsToOffsetAndMetadata()
          .get().get(partition).offset());
    }
  }

  private Properties config() {
    Properties config = new Properties();
    config.put("bootstrap.servers", bootstrap);
    return config;
  }
}
