// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/partition_parking.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/partitions/open_partitions.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/segment/open_segments.h"

namespace varve {
namespace {

// Parked for one opening at most: more may be needed when segments are opened.
constexpr int kVictimsMax = 4;

}  // namespace

PartitionParking::Limits PartitionParking::Limits::OfProcess() {
  return {.active_partitions = OpenPartitionsOfProcess(),
          .mapped_segments = kMappedSegments};
}

PartitionParking::PartitionParking(const Limits& limits,
                                   std::shared_ptr<OpenSegments> open,
                                   Logs logs)
    : limits_(limits), open_(std::move(open)), logs_(std::move(logs)) {}

bool PartitionParking::IsFull() const {
  return open_->active.load(std::memory_order_relaxed) >=
             limits_.active_partitions ||
         open_->mapped.load(std::memory_order_relaxed) >=
             limits_.mapped_segments;
}

void PartitionParking::MakeRoom() {
  for (int i = 0; i < kVictimsMax && IsFull(); ++i) {
    const std::shared_ptr<PartitionLog> victim = TakeVictim();
    if (victim == nullptr) return;
    // One that cannot be parked is left as it is; its callers get the error.
    absl::Status status = victim->Park();
    if (!status.ok()) VLOG(1) << status;
  }
}

// Returns null when there is none. A partition that is passed over since it was
// used is taken when the hand comes by again and it was not used meanwhile;
// when all are in use, one of them is taken.
std::shared_ptr<PartitionLog> PartitionParking::TakeVictim() {
  absl::MutexLock lock(&mu_);
  if (logs_ == nullptr) return nullptr;
  std::shared_ptr<PartitionLog> in_use;
  for (int rounds = 0; rounds < 2;) {
    if (hand_ >= round_.size()) {
      round_ = logs_();
      hand_ = 0;
      ++rounds;
      if (round_.empty()) return nullptr;
    }
    const std::shared_ptr<PartitionLog>& log = round_[hand_++];
    if (!log->holds_segments()) continue;
    if (!log->TakeUsed()) return log;
    in_use = log;
  }
  return in_use;
}

void PartitionParking::ParkUnused() {
  std::vector<std::shared_ptr<PartitionLog>> logs;
  {
    absl::MutexLock lock(&mu_);
    if (logs_ == nullptr) return;
    logs = logs_();
  }
  for (const std::shared_ptr<PartitionLog>& log : logs) {
    if (!log->holds_segments() || log->TakeUsed()) continue;
    absl::Status status = log->Park();
    if (!status.ok()) VLOG(1) << status;
  }
}

void PartitionParking::Stop() {
  absl::MutexLock lock(&mu_);
  logs_ = nullptr;
  round_.clear();
}

}  // namespace varve
