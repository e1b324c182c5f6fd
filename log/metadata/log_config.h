// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_LOG_CONFIG_H_
#define VARVE_LOG_METADATA_LOG_CONFIG_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// Frozen in the files as Kafka's words: "delete", "compact", "compact,delete".
enum class CleanupPolicy { kDelete, kCompact, kCompactAndDelete };

// Frozen in the files as Kafka's words: "uncompressed", "producer", "gzip",
// "snappy", "lz4", "zstd".
enum class CompressionType {
  kUncompressed,
  kProducer,
  kGzip,
  kSnappy,
  kLz4,
  kZstd
};

// The configs of a topic's partitions: Kafka's, by Kafka's names, with '_' for
// '.'. A plain value; `Set` and `All` are the way from and to text.
//
// What differs from Kafka 4, all of it:
//  - retention.ms is -1: nothing is deleted unless asked (Kafka: 7 days).
//  - message.timestamp.after.max.ms is 2^63-1: a program may store the future
//    (Kafka: 1 hour; up to 3.9 also 2^63-1).
//  - segment.bytes may be as low as 14, as up to Kafka 4.0.
//  - max.message.bytes limits a batch as it is stored. Where compression.type
//    has it encoded again, Kafka limits it as it came, too.
//  - cleanup.policy may not be empty; retention.* at -1 keeps everything.
//  - retention.bytes may not be below -1, which means the same.
//  - Configs that only a cluster can honour are refused, with the reason.
//
// All are in effect but preallocate: blocks are always allocated ahead, and
// ConfigWarnings (log/metadata/config_warnings.h) reports it when it is set.
// What retention does with timestamps is in log/retention/retention_policy.h;
// it deletes files at once, and file.delete.delay.ms is that of topics. What
// compaction does is in log/compaction: batch_cleaner.h says what stays,
// cleanable_range.h which segments, compaction_policy.h when.
//
// A change of a topic's configs acts on its open partitions at once: on the
// next append, sync, roll or retention check, also for segments and records
// that already exist. Segments that a lower retention.* no longer keeps are
// deleted when LogStore::AlterTopic returns. Configs that are fixed when a file
// is made act from the next segment on: segment.index.bytes,
// index.interval.bytes, preallocate, segment.jitter.ms, and segment.bytes as
// far as it is more than it was.
//
// Thread safety: externally synchronized.
struct LogConfig {
  static constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

  // Bytes of a segment's .log, at most; a batch larger than that is refused.
  // One that was compacted may be a little larger, by longer timestamps.
  // Smaller: retention frees sooner, more files. Range: 14 to 2147483647.
  int64_t segment_bytes = 1073741824;

  // Time after which a segment is sealed though it is not full, checked when a
  // batch is appended; where retention.* deletes, or compaction cleans, also
  // when no batch was appended for that long. Range: 1 up.
  int64_t segment_ms = 604800000;

  // At most this much is taken off `segment_ms`, at random for each segment,
  // so that many partitions do not roll at once. Range: 0 up.
  int64_t segment_jitter_ms = 0;

  // Bytes of each of a segment's two indexes, at most; a full one seals the
  // segment. Range: 4 to 2147483647.
  int64_t segment_index_bytes = 10485760;

  // Bytes of batches between two index entries. Smaller: a read by offset
  // scans less, the index is larger. Range: 0 to 2147483647.
  int64_t index_interval_bytes = 4096;

  // Whether Kafka makes a new segment's file full-sized at once.
  bool preallocate = false;

  // Records after which, and time after which, a sync is forced. Range: 1 up,
  // 0 up.
  int64_t flush_messages = kForever;
  int64_t flush_ms = kForever;

  // Bytes of a partition, and age of a segment, above which old segments are
  // deleted; -1 for no limit. Range: -1 up.
  //
  // Whole segments are deleted, so a partition keeps up to segment.bytes more
  // than retention.bytes. The limits are checked from time to time, and the
  // size also when a segment begins: with one segment too many the background
  // thread is called, and with two the append itself deletes them before it
  // returns. So the disk holds up to two segments more than that, and the
  // active one, the ready one, and one for each further thread that appends;
  // besides segments that views pin or that cannot be deleted, for which
  // appends do not wait.
  int64_t retention_bytes = -1;
  int64_t retention_ms = -1;

  // What happens to old records: deleted by segment, compacted by key, or both.
  // With "compact" alone retention.* deletes nothing. Compaction keeps the last
  // record of each key, at its offset, and removes records without a key; the
  // active segment stays as it is, and so does what is not durable.
  CleanupPolicy cleanup_policy = CleanupPolicy::kDelete;

  // How long a tombstone outlives its compaction. Range: 0 up.
  int64_t delete_retention_ms = 86400000;

  // A record is not compacted before the first age, and is at the second, which
  // is as good as segment.ms where a topic is compacted. The first may not
  // exceed the second. Range: 0 up, 1 up.
  int64_t min_compaction_lag_ms = 0;
  int64_t max_compaction_lag_ms = kForever;

  // How long a segment may last: Kafka's LogConfig.maxSegmentMs.
  int64_t max_segment_ms() const {
    return cleanup_policy == CleanupPolicy::kDelete
               ? segment_ms
               : std::min(segment_ms, max_compaction_lag_ms);
  }

  // The part of a log that is uncompacted when compaction begins. Smaller:
  // less space, more work. Range: 0 to 1.
  double min_cleanable_dirty_ratio = 0.5;

  // How long the files of a deleted topic are kept; those of a deleted segment
  // are removed at once (Kafka keeps them, too). Range: 0 up.
  int64_t file_delete_delay_ms = 60000;

  // Bytes of a batch as it is stored, header included, at most. Range: 0 to
  // 2147483647.
  int64_t max_message_bytes = 1048588;

  // How batches are stored: "producer" as they come; "uncompressed", or with
  // one codec. An append that brings a batch with another codec, or a record,
  // encodes it again, and keeps everything else about it; a control batch
  // stays as it is. Records that are in the log already stay as they are. The
  // codecs have to be among StoreOptions::codecs: without them a topic can be
  // opened and read, but an append that needs one fails.
  CompressionType compression_type = CompressionType::kProducer;

  // How hard the codec tries, by compression.type; snappy has no levels. More:
  // smaller batches, slower appends. lz4's 9 is its fast mode, and every other
  // level its slow one, as in Kafka. Range: 1 to 9, or -1 for the codec's own;
  // 1 to 17; -131072 to 22.
  int64_t compression_gzip_level = -1;
  int64_t compression_lz4_level = 9;
  int64_t compression_zstd_level = 3;

  // Whether a record keeps the time its producer gave it, or gets the time of
  // its append.
  TimestampType message_timestamp_type = TimestampType::kCreateTime;

  // How far a record's own time may lie before, and after, the time of its
  // append; farther ones are refused. Range: 0 up.
  int64_t message_timestamp_before_max_ms = kForever;
  int64_t message_timestamp_after_max_ms = kForever;

  // Sets the config with Kafka's name `name` from text, as Kafka reads it:
  // blanks around a value do not count, nor does the case of true and false.
  //
  // Errors: InvalidArgument, with the name, the value and what it may be, or
  // for an unknown name the nearest one known; nothing is changed then.
  absl::Status Set(std::string_view name, std::string_view value);

  // Gives the config with Kafka's name `name` its default again.
  //
  // Errors: InvalidArgument for an unknown name.
  absl::Status Reset(std::string_view name);

  // Checks fields that were set directly: each as `Set` does, and those that
  // depend on each other.
  //
  // Errors: InvalidArgument with the name, the value and what it may be.
  absl::Status Validate() const;

  // Kafka's names and the values as text that `Set` takes, in the order above:
  // all configs, and those that differ from the default.
  std::vector<std::pair<std::string, std::string>> All() const;
  std::vector<std::pair<std::string, std::string>> NonDefault() const;

  // The largest batch that is accepted: it has to fit the limit and a segment.
  int64_t batch_size_max() const {
    return max_message_bytes < segment_bytes ? max_message_bytes
                                             : segment_bytes;
  }

  // Whether records may have this own time, or -1 for none, when they are
  // appended at `now_ms`: message.timestamp.before.max.ms and after.max.ms.
  // Where the log stamps its records, their own time does not count.
  //
  // Precondition: `now_ms` is 0 or more.
  bool AcceptsTimestamp(int64_t timestamp_ms, int64_t now_ms) const {
    if (message_timestamp_type == TimestampType::kLogAppendTime ||
        timestamp_ms < 0) {
      return true;
    }
    // Both are 0 or more: nothing overflows.
    const int64_t ahead_ms = timestamp_ms - now_ms;
    return ahead_ms <= message_timestamp_after_max_ms &&
           -ahead_ms <= message_timestamp_before_max_ms;
  }

  // The same as a Status. An append asks this of the largest time in a batch.
  //
  // Errors: InvalidArgument with the time, and the name and value of the config
  // that keeps it out.
  absl::Status CheckTimestamp(int64_t timestamp_ms, int64_t now_ms) const;

  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

}  // namespace varve

#endif  // VARVE_LOG_METADATA_LOG_CONFIG_H_
