// SPDX-License-Identifier: Apache-2.0

// Kafka's checkpoint files, as text: a line with the version, a line with the
// number of entries, then an entry a line, its fields separated by a blank.
// Every line ends with a newline. An empty text means no entries.
//
//   0            version
//   2            entries
//   orders 0 102
//   orders 1 7

#ifndef VARVE_LOG_METADATA_CHECKPOINT_TEXT_H_
#define VARVE_LOG_METADATA_CHECKPOINT_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace varve {

// The form of one kind of checkpoint.
struct CheckpointFormat {
  int version = 0;
  int field_count = 0;  // of every entry
};

// One entry: its fields, and where it stood, for messages.
struct CheckpointEntry {
  std::vector<std::string_view> fields;
  int line = 0;  // counted from 1
};

// The text with these entries, each of them already a line without its newline.
std::string FormatCheckpoint(int version,
                             absl::Span<const std::string> entries);

// The entries of `text`, pointing into it. Parsing is strict: text that Kafka
// would not have written is damage. (Kafka itself accepts a last line without
// its newline; here that is a text cut short.)
//
// Errors: DataLoss with the number of the line and what is wrong with it.
absl::StatusOr<std::vector<CheckpointEntry>> ParseCheckpoint(
    std::string_view text, CheckpointFormat format);

struct NumberRange {
  int64_t min;
  int64_t max;
};

// Field `field` of `entry`, as a decimal number in `range`. Only digits, no
// sign, no leading zeros. `name` is the field's name in messages.
//
// Errors: DataLoss with the number of the line.
absl::StatusOr<int64_t> ParseCheckpointNumber(const CheckpointEntry& entry,
                                              int field, NumberRange range,
                                              std::string_view name);

// An entry of the checkpoints that hold an offset of each partition:
// recovery-point-offset-checkpoint, log-start-offset-checkpoint,
// replication-offset-checkpoint and cleaner-offset-checkpoint.
struct PartitionOffset {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;

  friend bool operator==(const PartitionOffset&,
                         const PartitionOffset&) = default;
};

std::string FormatOffsetCheckpoint(absl::Span<const PartitionOffset> entries);

// Errors: DataLoss with the number of the line and what is wrong with it, a
// partition that is listed twice included.
absl::StatusOr<std::vector<PartitionOffset>> ParseOffsetCheckpoint(
    std::string_view text);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_CHECKPOINT_TEXT_H_
