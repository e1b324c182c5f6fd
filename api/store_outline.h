// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_OUTLINE_H_
#define VARVE_API_STORE_OUTLINE_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/store_checkpoint.h"
#include "api/topic_catalog.h"
#include "log/clock.h"
#include "log/file_system.h"
#include "log/live_log.h"
#include "log/partition_checkpoint.h"

namespace varve {

// What the files of a store say while another process writes it. They are
// replaced atomically, so each is whole whenever it is read.
//
// Thread safety: thread-safe.
class StoreOutline {
 public:
  // `clock` must outlive it.
  StoreOutline(std::shared_ptr<Directory> directory, Clock* clock)
      : directory_(std::move(directory)), clock_(clock) {}

  Directory& directory() const { return *directory_; }

  // The topics there are just now.
  //
  // Errors: NotFound when the store is gone; DataLoss; FailedPrecondition when
  // a newer version wrote it; those of the file.
  absl::StatusOr<TopicCatalog> ReadTopics() const;

  // What is said of a partition; as of kAgeMax ago at most, when it may be
  // recent: the readers of many partitions share what one of them has read.
  //
  // Errors: NotFound when the topic, of that id, has been deleted; as above.
  static constexpr absl::Duration kAgeMax = absl::Milliseconds(200);
  absl::StatusOr<PartitionOutline> OutlineOf(const Topic& topic,
                                             int32_t partition, OutlineAge age);

  // The partition's directory, once more. Errors: as above; DataLoss when it is
  // gone, or another topic's.
  absl::StatusOr<std::unique_ptr<Directory>> OpenPartition(const Topic& topic,
                                                           int32_t partition);

 private:
  absl::Status Refresh(OutlineAge age) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Refreshes, and makes sure that the topic, of that id, is there: one that is
  // not may be younger than what is known.
  absl::Status RefreshFor(const Topic& topic, OutlineAge age)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const std::shared_ptr<Directory> directory_;
  Clock* const clock_;

  absl::Mutex mu_;
  absl::Time read_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  TopicCatalog catalog_ ABSL_GUARDED_BY(mu_);
  FoundCheckpoint checkpoint_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_STORE_OUTLINE_H_
