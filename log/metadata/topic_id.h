// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_TOPIC_ID_H_
#define VARVE_LOG_METADATA_TOPIC_ID_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve {

// Distinguishes a topic from a deleted one of the same name: a UUID, written as
// Kafka writes them, 22 characters of URL-safe base64. All zeros is "none".
//
// Thread safety: a value.
class TopicId {
 public:
  // The id "none".
  constexpr TopicId() = default;
  constexpr TopicId(uint64_t high, uint64_t low) : high_(high), low_(low) {}

  // A UUID of version 7: when the topic is made, in milliseconds since 1970,
  // and 74 of the random bits. Times before 1970 and after the year 9999 are
  // moved to these limits, so its text does not begin with '-', which a command
  // line would take for a flag.
  static TopicId Create(int64_t unix_ms, uint64_t random_high,
                        uint64_t random_low);

  // When the topic was made; nothing when the id does not contain it, like
  // Kafka's and those of earlier versions, which are UUIDs of version 4.
  std::optional<int64_t> created_ms() const;

  // Errors: InvalidArgument unless `text` is what `ToText` writes.
  static absl::StatusOr<TopicId> FromText(std::string_view text);
  std::string ToText() const;

  bool is_none() const { return high_ == 0 && low_ == 0; }
  uint64_t high() const { return high_; }
  uint64_t low() const { return low_; }

  friend auto operator<=>(const TopicId&, const TopicId&) = default;

 private:
  uint64_t high_ = 0;
  uint64_t low_ = 0;
};

// No partition.metadata is larger: it has 43 bytes, and later versions of Kafka
// may add lines.
inline constexpr int64_t kPartitionMetadataSizeMax = 4096;

// The contents of Kafka's partition.metadata: "version: 0\ntopic_id: ID".
// Precondition: `id` is not none.
std::string FormatPartitionMetadata(TopicId id);

// Errors: DataLoss with the number of the line and what is wrong with it. As in
// Kafka any version from 0 up is accepted, and "none" is an error.
absl::StatusOr<TopicId> ParsePartitionMetadata(std::string_view text);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_TOPIC_ID_H_
