// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_PARTITION_PARKING_H_
#define VARVE_API_PARTITIONS_PARTITION_PARKING_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/segment/open_segments.h"

namespace varve {

// Bounds the files and mappings that the partitions of a store hold open, so
// that a store may have more partitions than a process may have descriptors:
// those that were not used for the longest time are parked, and open again when
// they are touched.
//
// It is the clock algorithm: a hand goes round the partitions, passes those
// that were used since it came by the last time, and parks the others.
//
// Thread safety: thread-safe. A caller holds no lock of a partition: parking
// takes those of others, and waits for their syncs.
class PartitionParking {
 public:
  struct Limits {
    int64_t active_partitions = 0;  // with an active segment
    int64_t mapped_segments = 0;

    // The limits of this process: OpenPartitionsOfProcess() for active
    // partitions, and kMappedSegments.
    static Limits OfProcess();
    // Three mappings each: well below the kernel's default of 65,530.
    static constexpr int64_t kMappedSegments = 8192;
  };
  using Logs = std::function<std::vector<std::shared_ptr<PartitionLog>>()>;

  PartitionParking(const Limits& limits, std::shared_ptr<OpenSegments> open,
                   Logs logs);

  // Call it before something is opened: it parks a partition, or a few, when a
  // limit is reached. Every thread that opens something parks for itself, side
  // by side with others, so the limits are exceeded by one for each thread, and
  // by what cannot be parked; the syncs of the parking share the disk's work.
  void MakeRoom();

  // Parks all partitions that were not used since the last call.
  void ParkUnused();

  // Further calls do nothing.
  void Stop();

 private:
  bool IsFull() const;
  std::shared_ptr<PartitionLog> TakeVictim();

  // Constant after construction.
  const Limits limits_;
  const std::shared_ptr<OpenSegments> open_;

  absl::Mutex mu_;
  Logs logs_ ABSL_GUARDED_BY(mu_);  // null when stopped
  // The partitions of this round, and how far the hand has come.
  std::vector<std::shared_ptr<PartitionLog>> round_ ABSL_GUARDED_BY(mu_);
  size_t hand_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_PARTITION_PARKING_H_
