// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.storage.internals.log.UnifiedLog;

/**
 * Opens partition directories as a broker does, prints what it found, and closes them:
 * OpenLogs clean|unclean [config=value...] DIRECTORY...
 */
public final class OpenLogs {
  private OpenLogs() {}

  public static void main(String[] arguments) throws Exception {
    boolean clean = arguments[0].equals("clean");
    Map<String, String> configs = new HashMap<>();
    for (String argument : Arrays.copyOfRange(arguments, 1, arguments.length)) {
      String[] config = argument.split("=", 2);
      if (config.length == 2) {
        configs.put(config[0], config[1]);
        continue;
      }
      File directory = new File(argument);
      try (KafkaLog opened = new KafkaLog(directory, configs, clean)) {
        print(directory.getName(), opened.log);
      }
    }
  }

  private static void print(String name, UnifiedLog log) {
    String epochs = log.leaderEpochCache().epochEntries().stream()
        .map(entry -> "[" + entry.epoch() + "," + entry.startOffset() + "]")
        .collect(Collectors.joining(","));
    System.out.println("{\"directory\":\"" + name + "\",\"logStart\":" + log.logStartOffset()
        + ",\"logEnd\":" + log.logEndOffset() + ",\"segments\":" + log.logSegments().size()
        + ",\"topicId\":\"" + log.topicId().map(Object::toString).orElse("")
        + "\",\"epochs\":[" + epochs + "]}");
  }
}
