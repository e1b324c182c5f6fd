// SPDX-License-Identifier: Apache-2.0

// The records of the topic __consumer_offsets that hold committed offsets, as
// Kafka's group coordinator writes them: log/FORMAT.md, section 17. Pure.

#ifndef VARVE_LOG_METADATA_OFFSET_COMMIT_RECORD_H_
#define VARVE_LOG_METADATA_OFFSET_COMMIT_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

// The largest size of a string in a key or value: its length is an int16.
inline constexpr size_t kOffsetCommitStringMax = 32767;

// The group and the partition that an offset belongs to. A view: the bytes it
// was parsed from must outlive it.
struct OffsetCommitKey {
  std::string_view group = {};
  std::string_view topic = {};
  int32_t partition = 0;

  friend bool operator==(const OffsetCommitKey&,
                         const OffsetCommitKey&) = default;
};

// Where a group continues. A view: the bytes it was parsed from must outlive
// it. A record without a value, a tombstone, deletes the offset.
struct OffsetCommitValue {
  int64_t offset = 0;
  // The epoch of the last record before `offset`; -1 when it was not known.
  int32_t leader_epoch = -1;
  std::string_view metadata = {};
  int64_t commit_timestamp_ms = 0;
  // When the offset expires, if its writer said so (version 1).
  std::optional<int64_t> expire_timestamp_ms = std::nullopt;
  // The topic that the offset belongs to, not another one of the same name.
  // None when the writer did not know it: versions before 4 do not have it.
  TopicId topic_id = {};

  friend bool operator==(const OffsetCommitValue&,
                         const OffsetCommitValue&) = default;
};

// Nothing for a key of another type: __consumer_offsets holds the coordinator's
// groups and their members too.
//
// Errors: DataLoss for bytes that are no key: they end before its fields, a
// string is null, the partition or the type is negative.
absl::StatusOr<std::optional<OffsetCommitKey>> ParseOffsetCommitKey(
    std::string_view bytes);

// Reads versions 0 to 4. As in Kafka, bytes after the last field are ignored.
//
// Errors: DataLoss for bytes that end before the fields do, a null string, a
// negative offset; Unimplemented for a later version.
absl::StatusOr<OffsetCommitValue> ParseOffsetCommitValue(
    std::string_view bytes);

// Writes key type 1, which every version of Kafka reads.
//
// Precondition: no string is longer than kOffsetCommitStringMax.
std::string FormatOffsetCommitKey(const OffsetCommitKey& key);

// Writes version 4, which Kafka 4.1 and later write and 3.9 and later read; the
// expiry is left out.
std::string FormatOffsetCommitValue(const OffsetCommitValue& value);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_OFFSET_COMMIT_RECORD_H_
