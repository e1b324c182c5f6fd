// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store_options.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/topic_config.h"

namespace varve {
namespace {

constexpr absl::Duration kProducerIdExpirationMax =
    absl::Hours(int64_t{24} * 365 * 100);

}  // namespace

absl::Status StoreOptions::Validate() const {
  if (sync_interval < absl::Milliseconds(1) || sync_interval > absl::Hours(1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("sync_interval: ", absl::FormatDuration(sync_interval),
                     " is not within 1ms to 1h"));
  }
  if (retention_check_interval < absl::Milliseconds(1) ||
      retention_check_interval > absl::Hours(24 * 7)) {
    return absl::InvalidArgumentError(
        absl::StrCat("retention_check_interval: ",
                     absl::FormatDuration(retention_check_interval),
                     " is not within 1ms to 168h"));
  }
  if (producer_id_expiration < absl::Milliseconds(1) ||
      producer_id_expiration > kProducerIdExpirationMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "producer_id_expiration: ",
        absl::FormatDuration(producer_id_expiration), " is not within 1ms to ",
        absl::FormatDuration(kProducerIdExpirationMax)));
  }
  if (offsets_topic_num_partitions < 1 ||
      offsets_topic_num_partitions > TopicConfig::kPartitionsMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "offsets_topic_num_partitions: ", offsets_topic_num_partitions,
        " is not within 1 to ", TopicConfig::kPartitionsMax));
  }
  if (metrics_interval < absl::Milliseconds(100)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "metrics_interval: ", absl::FormatDuration(metrics_interval),
        " is below 100ms; InfiniteDuration writes no metrics"));
  }
  return absl::OkStatus();
}

}  // namespace varve
