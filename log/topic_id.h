// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_TOPIC_ID_H_
#define VARVE_LOG_TOPIC_ID_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve {

// What tells a topic from another of the same name that was deleted: a UUID,
// written as Kafka writes them, 22 characters of URL-safe base64. All zeros is
// "none".
//
// Thread safety: a value.
class TopicId {
 public:
  // None.
  constexpr TopicId() = default;
  constexpr TopicId(uint64_t high, uint64_t low) : high_(high), low_(low) {}

  // A random UUID (version 4) from 128 random bits. Its text does not begin
  // with '-', which a command line would take for a flag.
  static TopicId FromRandom(uint64_t high, uint64_t low);

  // Errors: InvalidArgument unless `text` is what `ToText` writes.
  static absl::StatusOr<TopicId> FromText(std::string_view text);
  std::string ToText() const;

  bool is_none() const { return high_ == 0 && low_ == 0; }
  uint64_t high() const { return high_; }
  uint64_t low() const { return low_; }

  friend bool operator==(const TopicId&, const TopicId&) = default;

 private:
  uint64_t high_ = 0;
  uint64_t low_ = 0;
};

// The contents of Kafka's partition.metadata: "version: 0\ntopic_id: ID".
// Precondition: `id` is not none.
std::string FormatPartitionMetadata(TopicId id);

// Errors: DataLoss with the number of the line and what is wrong with it.
// As in Kafka any version from 0 up is taken, and "none" is an error.
absl::StatusOr<TopicId> ParsePartitionMetadata(std::string_view text);

}  // namespace varve

#endif  // VARVE_LOG_TOPIC_ID_H_
