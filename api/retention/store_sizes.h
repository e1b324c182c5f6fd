// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_RETENTION_STORE_SIZES_H_
#define VARVE_API_RETENTION_STORE_SIZES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/retention/store_size_policy.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The sizes and times of all segments of a store. Partitions that are not open
// are read from their files, once: those do not change.
//
// Thread safety: externally synchronized.
class StoreSizes {
 public:
  // One partition. `of` has what DecideStoreSize needs of it.
  struct Sized {
    Topic topic;
    int32_t partition = 0;
    std::shared_ptr<PartitionLog> log = {};  // null when it is not open
    StoreSizeLog of = {};
  };

  // `partitions` must outlive it.
  StoreSizes(std::shared_ptr<Directory> directory, PartitionTable* partitions,
             std::function<std::vector<Topic>()> topics)
      : directory_(std::move(directory)),
        partitions_(partitions),
        topics_(std::move(topics)) {}

  // All partitions, in the order of their topics. Those that cannot be looked
  // at are left out, and `on_failure` is called with the name of each: one that
  // is being opened or deleted at the moment is among the next ones, or gone.
  using OnFailure =
      std::function<void(std::string_view name, const absl::Status& status)>;
  std::vector<Sized> Collect(absl::Time now, const OnFailure& on_failure);

 private:
  using Key = std::pair<TopicId, int32_t>;

  absl::StatusOr<StoreSizeLog> Measure(const Sized& sized, absl::Time now);
  absl::StatusOr<std::vector<RetentionSegment>> ReadFiles(
      const Topic& topic, int32_t partition) const;

  // Constant after construction.
  const std::shared_ptr<Directory> directory_;
  PartitionTable* const partitions_;
  const std::function<std::vector<Topic>()> topics_;

  // Of partitions that were not open when they were last looked at.
  std::map<Key, std::vector<RetentionSegment>> closed_;
};

}  // namespace varve

#endif  // VARVE_API_RETENTION_STORE_SIZES_H_
