// SPDX-License-Identifier: Apache-2.0

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.CompressionType;

/** No compression, and each of Kafka's codecs at its smallest, its usual and its largest level. */
final class CodecLevels {
  /** Kafka allows levels down to -131072, which hardly compress; clients use some of them. */
  private static final int FASTEST_ZSTD = -7;

  private static final List<Compression> ALL = all();

  private CodecLevels() {}

  /** One after the other, from the first again after the last. */
  static Compression at(int round) {
    return ALL.get(round % ALL.size());
  }

  /** The same without the last, zstd's largest level: it takes half a second to begin a batch. */
  static Compression quickAt(int round) {
    return ALL.get(round % (ALL.size() - 1));
  }

  static int count() {
    return ALL.size();
  }

  private static List<Compression> all() {
    List<Compression> all = new ArrayList<>(List.of(Compression.NONE));
    for (int level : levels(CompressionType.GZIP, CompressionType.GZIP.minLevel())) {
      all.add(Compression.gzip().level(level).build());
    }
    all.add(Compression.snappy().build());
    for (int level : levels(CompressionType.LZ4, CompressionType.LZ4.minLevel())) {
      all.add(Compression.lz4().level(level).build());
    }
    for (int level : levels(CompressionType.ZSTD, FASTEST_ZSTD)) {
      all.add(Compression.zstd().level(level).build());
    }
    return all;
  }

  private static int[] levels(CompressionType type, int smallest) {
    return new int[] {smallest, type.defaultLevel(), type.maxLevel()};
  }
}
