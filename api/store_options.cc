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

// Those of OffsetMap (log/compaction), which compaction_pass.cc sees to.
constexpr int64_t kMapBytesMin = 576;
constexpr int64_t kMapBytesMax = int64_t{48} << 30;
constexpr int64_t kFreeSpaceMax = int64_t{1} << 60;

absl::Status CheckFreeSpace(const StoreOptions& options) {
  const int64_t floor = options.free_space_floor_bytes;
  const int64_t resume = options.free_space_resume_bytes;
  if (floor < 0 || floor > kFreeSpaceMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("free_space_floor_bytes: ", floor, " is not within 0 to ",
                     kFreeSpaceMax));
  }
  if (resume == 0) return absl::OkStatus();
  if (floor == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "free_space_resume_bytes: ", resume,
        " means nothing without free_space_floor_bytes, which is 0"));
  }
  if (resume <= floor || resume > kFreeSpaceMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "free_space_resume_bytes: ", resume,
        " is not above free_space_floor_bytes (", floor, ") and at most ",
        kFreeSpaceMax, "; 0 is a good distance from the floor"));
  }
  return absl::OkStatus();
}

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
  if (compaction_check_interval < absl::Milliseconds(1) ||
      compaction_check_interval > absl::Hours(24 * 7)) {
    return absl::InvalidArgumentError(
        absl::StrCat("compaction_check_interval: ",
                     absl::FormatDuration(compaction_check_interval),
                     " is not within 1ms to 168h"));
  }
  if (compaction_map_bytes < kMapBytesMin ||
      compaction_map_bytes > kMapBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("compaction_map_bytes: ", compaction_map_bytes,
                     " is not within ", kMapBytesMin, " to ", kMapBytesMax));
  }
  if (compaction_bytes_per_second < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "compaction_bytes_per_second: ", compaction_bytes_per_second,
        " is below 0, which is no limit"));
  }
  if (pinned_deleted_bytes_max < -1) {
    return absl::InvalidArgumentError(
        absl::StrCat("pinned_deleted_bytes_max: ", pinned_deleted_bytes_max,
                     " is below -1, which is no limit"));
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
  if (absl::Status status = CheckFreeSpace(*this); !status.ok()) return status;
  if (store_size_max_bytes < -1) {
    return absl::InvalidArgumentError(
        absl::StrCat("store_size_max_bytes: ", store_size_max_bytes,
                     " is below -1, which means no limit"));
  }
  if (metrics_interval < absl::Milliseconds(100)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "metrics_interval: ", absl::FormatDuration(metrics_interval),
        " is below 100ms; InfiniteDuration writes no metrics"));
  }
  return absl::OkStatus();
}

}  // namespace varve
