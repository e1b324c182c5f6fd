// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_READ_ONLY_GROUPS_H_
#define VARVE_API_READ_ONLY_READ_ONLY_GROUPS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/api/read_only/partition_readers.h"
#include "varve/api/read_only/replayed_offsets.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/environment.h"

namespace varve {

// The offsets that consumer groups have committed, by the files of a store that
// another process may be writing. A partition of __consumer_offsets is read
// when a group that belongs there is first asked for, and what it has grown by
// at each later call.
//
// It answers as the writer's CommittedOffsets does, and writes nothing: what
// the writer would write (the id of an offset's topic, an offset that is set
// back after a power loss) is worked out at each call. What is damaged is
// reported to the log sink when it is read.
//
// Its functions are those of ReadOnlyStore, with the same errors.
//
// Thread safety: thread-safe. Calls take turns while they read
// __consumer_offsets, and not while they look at the partitions of topics.
class ReadOnlyGroups {
 public:
  // Borrows the readers, which must outlive it.
  ReadOnlyGroups(const PartitionReaders* readers,
                 const Environment& environment)
      : readers_(readers), environment_(environment) {}

  absl::StatusOr<OffsetAndMetadata> Find(std::string_view group,
                                         std::string_view topic,
                                         int32_t partition);
  absl::StatusOr<std::vector<std::string>> List();
  absl::StatusOr<std::vector<GroupOffset>> Describe(std::string_view group);
  absl::StatusOr<std::map<std::string, std::vector<GroupOffset>>> DescribeAll();

 private:
  class PartitionsNow;

  // The offsets of one group, and the topics there were after they were read.
  struct Seen {
    OffsetTable::Group offsets = {};
    TopicCatalog catalog;
    // Of a broker: the partitions of __consumer_offsets that were looked at.
    std::string looked_at = {};
  };

  // Takes a group, its offsets, and the topics there were after they were read.
  using See = absl::FunctionRef<void(const std::string& group,
                                     const OffsetTable::Group& offsets,
                                     const TopicCatalog& catalog)>;

  static absl::StatusOr<std::vector<GroupOffset>> DescribeOffsets(
      std::string_view group, const OffsetTable::Group& offsets,
      const TopicCatalog& catalog, PartitionsNow& partitions);
  absl::StatusOr<Seen> Look(std::string_view group) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<TopicCatalog> LookAtAll(See see) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<const OffsetTable*> TableOf(const Topic& topic,
                                             int32_t partition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const PartitionReaders* const readers_;
  const Environment environment_;

  absl::Mutex mu_;
  // The partitions of the topic __consumer_offsets with this id.
  TopicId topic_id_ ABSL_GUARDED_BY(mu_);
  std::map<int32_t, std::unique_ptr<ReplayedOffsets>> partitions_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_READ_ONLY_GROUPS_H_
