// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_GROUPS_OFFSET_PARTITIONS_H_
#define VARVE_API_GROUPS_OFFSET_PARTITIONS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/store/store_state.h"

namespace varve {

// The partitions of __consumer_offsets, each read when a group that belongs
// there is first used; the topic is made when it is first needed.
//
// Thread safety: thread-safe. Lock order: a slot's, then the store's or
// `mu_`.
class OffsetPartitions {
 public:
  // One partition, from when it was first asked for to the end.
  struct Slot {
    absl::Mutex mu;
    std::unique_ptr<OffsetLog> offsets ABSL_GUARDED_BY(mu);  // null: not read
  };

  // Takes a line for a person. Called with a slot's lock held.
  using Note = std::function<void(std::string)>;

  // Called when a partition was read, before any other thread sees it, with its
  // slot's lock held.
  using Loaded = std::function<void(OffsetLog&)>;

  // Borrows the store, which must outlive it.
  OffsetPartitions(StoreState* store, Note note, Loaded loaded)
      : store_(store), note_(std::move(note)), loaded_(std::move(loaded)) {}

  enum class MissingTopic { kCreate, kFail };

  // The partition that keeps the offsets of `group`, read.
  //
  // Errors: NotFound when there is no topic and none is to be made;
  // FailedPrecondition when the store is closed; those of
  // TopicAdministration::CreateTopic and OffsetLog::Load.
  absl::StatusOr<Slot*> OfGroup(std::string_view group, MissingTopic missing);

  // Runs `use` for every partition in turn, read and locked; stops at the first
  // error, and returns it. Does nothing when there is no topic.
  absl::Status ForEach(absl::FunctionRef<absl::Status(OffsetLog&)> use);

  // Those that were read so far, in order. They live as long as this object;
  // without their slot's lock only OffsetLog::Positions may be called.
  std::vector<const OffsetLog*> loaded() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::StatusOr<int32_t> PartitionCount(MissingTopic missing);
  absl::StatusOr<Slot*> Load(int32_t partition);

  StoreState* const store_;
  const Note note_;
  const Loaded loaded_;

  mutable absl::Mutex mu_;
  std::map<int32_t, std::unique_ptr<Slot>> slots_ ABSL_GUARDED_BY(mu_);
  std::map<int32_t, const OffsetLog*> loaded_logs_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_GROUPS_OFFSET_PARTITIONS_H_
