// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.Cleaner;
import org.apache.kafka.storage.internals.log.LastRecord;
import org.apache.kafka.storage.internals.log.LogCleanerManager;
import org.apache.kafka.storage.internals.log.LogToClean;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.utils.Throttler;

/**
 * Cleans logs with Kafka's own log cleaner, in turns, as varve has compacted them: CleanLogs WORK.
 *
 * <p>WORK/TURN/before/TOPIC-0 is what varve had before it compacted the partition, and
 * WORK/TURN/after/TOPIC-0 is what it has left. Each line of the input is a turn of a topic, with
 * tabs in it: TOPIC, TURN, the time in ms, the bytes of the map, the log start, and any number of
 * config=value. Kafka cleans its own copy, which gets the new segments of each turn: until nothing
 * is dirty. Then it cleans varve's, of before the turn, too. What it did, and what is in all three
 * then (`kafka`, `crossed` and `varve`), is printed as JSON.
 */
public final class CleanLogs {
  private static final PrintStream OUT =
      new PrintStream(System.out, false, StandardCharsets.UTF_8);
  private static final int BUFFER_BYTES = 1 << 16;
  private static final int BATCH_BYTES_MAX = 1 << 22;

  /** What is left to know of a log that Kafka cleans. */
  private static final class Cleaned {
    Optional<Long> checkpoint = Optional.empty();
    long rangeEnd = 0;
    List<Long> ends = new ArrayList<>();
  }

  private final File work;
  private final Map<String, Cleaned> cleaned = new HashMap<>();

  private CleanLogs(File work) {
    this.work = work;
  }

  public static void main(String[] arguments) throws Exception {
    CleanLogs logs = new CleanLogs(new File(arguments[0]));
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      logs.turn(line.split("\t"));
    }
    OUT.flush();
  }

  private void turn(String[] fields) throws Exception {
    String directory = fields[0] + "-0";
    Map<String, String> configs = new HashMap<>();
    for (int i = 5; i < fields.length; i++) {
      configs.put(fields[i].split("=", 2)[0], fields[i].split("=", 2)[1]);
    }
    long now = Long.parseLong(fields[2]);
    int mapBytes = Integer.parseInt(fields[3]);
    long logStart = Long.parseLong(fields[4]);
    File before = new File(work, fields[1] + "/before/" + directory);
    File kafkas = new File(work, "kafka/" + directory);
    Cleaned state = cleaned.computeIfAbsent(directory, name -> new Cleaned());
    takeOver(before, kafkas, state.rangeEnd);
    String place = "{\"topic\":\"" + fields[0] + "\",\"turn\":" + fields[1] + ",\"log\":\"";
    for (File files : List.of(before, kafkas)) {
      String which = place + (files == before ? "crossed" : "kafka") + "\"";
      Cleaned next = new Cleaned();
      next.checkpoint = state.checkpoint;
      try (KafkaLog opened = new KafkaLog(files, configs, true, logStart)) {
        cleanAll(opened.log, now, mapBytes, next);
        OUT.println(which + ",\"ends\":" + next.ends + ",\"logStart\":"
            + opened.log.logStartOffset() + ",\"logEnd\":" + opened.log.logEndOffset()
            + ",\"producers\":[" + producers(opened.log) + "]}");
      }
      CleanedFiles.print(files, which, OUT);
      cleaned.put(directory, next);
    }
    File after = new File(work, fields[1] + "/after/" + directory);
    CleanedFiles.print(after, place + "varve\"", OUT);
  }

  /** Replaces what Kafka has from the first segment on that it did not clean. */
  private static void takeOver(File from, File to, long rangeEnd) throws Exception {
    to.mkdirs();
    for (File file : from.listFiles()) {
      String digits = file.getName().split("\\.")[0];
      if (!digits.matches("\\d+") || Long.parseLong(digits) >= rangeEnd) {
        Files.copy(file.toPath(), new File(to, file.getName()).toPath(),
            StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
  }

  /** What a broker's log cleaner does of a log, deleting and cleaning. */
  private static void cleanAll(UnifiedLog log, long now, int mapBytes, Cleaned state)
      throws Exception {
    log.updateHighWatermark(log.logEndOffset());
    log.deleteOldSegments();
    while (true) {
      LogCleanerManager.OffsetsToClean offsets =
          LogCleanerManager.cleanableOffsets(log, state.checkpoint, now);
      LogToClean dirty = new LogToClean(
          log, offsets.firstDirtyOffset(), offsets.firstUncleanableDirtyOffset(), false);
      state.rangeEnd = dirty.firstUncleanableOffset();
      if (dirty.cleanableBytes() == 0) {
        return;
      }
      Cleaner cleaner = new Cleaner(0, new SkimpyOffsetMap(mapBytes), BUFFER_BYTES,
          BATCH_BYTES_MAX, 0.9, new Throttler(Double.MAX_VALUE, 300, "throttler", "entries",
          Time.SYSTEM), Time.SYSTEM, partition -> { });
      long end = cleaner.doClean(dirty, now).getKey();
      state.ends.add(end);
      state.checkpoint = Optional.of(end);
    }
  }

  private static String producers(UnifiedLog log) {
    return log.lastRecordsOfActiveProducers().keySet().stream().sorted()
        .map(Object::toString).collect(Collectors.joining(","));
  }
}
