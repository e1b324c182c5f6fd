// SPDX-License-Identifier: Apache-2.0

#include "varve/api/topic_config.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varve {

absl::Status TopicConfig::Validate() const {
  if (partitions < 1 || partitions > kPartitionsMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "partitions: ", partitions, " is not within 1 to ", kPartitionsMax));
  }
  return log.Validate();
}

}  // namespace varve
