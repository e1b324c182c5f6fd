// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_TOPIC_NAME_H_
#define VARVE_LOG_METADATA_TOPIC_NAME_H_

#include <string_view>

#include "absl/status/status.h"

namespace varve {

// Characters in a topic's name, at most. With "-" and a partition it still
// fits the 255 bytes of a file name.
inline constexpr int kTopicNameSizeMax = 249;

// Kafka's rule: 1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-', but
// neither "." nor "..". Such a name is safe as a part of a path.
//
// Errors: InvalidArgument, which shows the name escaped and says what is wrong:
// the character and where it stands.
absl::Status ValidateTopicName(std::string_view name);

// Whether a topic of this name is Kafka's own, "__consumer_offsets" or
// "__transaction_state": only the store itself makes, changes or deletes one.
bool IsInternalTopicName(std::string_view name);

// Whether the two may not exist side by side: Kafka's metrics show '.' as '_',
// so it refuses a topic whose name differs from another's in that alone.
// Equal names collide.
bool TopicNamesCollide(std::string_view a, std::string_view b);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_TOPIC_NAME_H_
