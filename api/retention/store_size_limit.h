// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_RETENTION_STORE_SIZE_LIMIT_H_
#define VARVE_API_RETENTION_STORE_SIZE_LIMIT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/duty/duty_bell.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/retention/retention_pass.h"
#include "varve/api/retention/store_sizes.h"
#include "varve/log/meters/counter.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/retention/store_size_policy.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Keeps a store to StoreOptions::store_size_max_bytes: a pass over all of its
// partitions deletes the segments that DecideStoreSize names, as RetentionPass
// deletes its own: first the log starts move, then one checkpoint is written,
// then the files go. Of those that are to go the times are confirmed by their
// batches or sidecars, not by their indexes alone.
//
// A pass is due after the open and after each retention pass; and when a
// segment begins, as far as the store may be beyond its limit by what has begun
// since the last pass:
//
//   | too many    | what happens                                           |
//   |-------------|--------------------------------------------------------|
//   | none        | nothing                                                |
//   | one         | the background is called, before its time              |
//   | two or more | the append waits: the pass runs on its thread          |
//
// Where nothing more may be deleted, only what has begun since then counts, so
// that appends do not look in vain each time.
//
// Borrows what `Store` points at, until `Stop` has returned.
//
// Thread safety: thread-safe; passes run one after another. Lock order:
// `stopping_`, `pass_mu_`, then the locks of PartitionTable and its logs.
class StoreSizeLimit {
 public:
  static constexpr int64_t kSegmentsOverMax = 2;
  // Rounds of a pass: each opens a partition, or confirms a time, and the next
  // one decides again. A pass that needs more is continued by the next.
  static constexpr int kRoundsMax = 100;

  struct Store {
    std::shared_ptr<Directory> directory;
    PartitionTable* partitions = nullptr;
    RetentionPass* retention = nullptr;
    std::function<std::vector<Topic>()> topics;
    Environment environment = {};
    LogMeters* meters = nullptr;
    DutyBell* bell = nullptr;  // wakes the thread that calls RunIfWanted
  };

  StoreSizeLimit(Store store, int64_t size_max_bytes);

  // Call it when the log has begun a segment, without a lock.
  void NoteSegmentBegun(PartitionLog& log)
      ABSL_LOCKS_EXCLUDED(stopping_, pass_mu_);

  // Has the next RunIfWanted look at the store.
  void Want() { wanted_.store(true, std::memory_order_release); }

  // Runs a pass if one is due. Returns false when it was asked to stop before
  // the end; it is still due then.
  bool RunIfWanted(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(pass_mu_);

  // Waits for passes of appends; later ones do nothing. Call it before the
  // store gives up its lock.
  void Stop() ABSL_LOCKS_EXCLUDED(stopping_);

  // Since the store was opened; the size as of the last pass.
  int64_t size_max_bytes() const { return size_max_bytes_; }
  int64_t store_bytes() const {
    return store_bytes_.load(std::memory_order_relaxed);
  }
  int64_t deleted_segments() const { return deleted_segments_.value(); }
  int64_t deleted_bytes() const { return deleted_bytes_.value(); }

 private:
  enum class Round { kDone, kAgain };

  bool Run(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(pass_mu_);
  Round DecideAndApply(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(pass_mu_);
  Round Confirm(StoreSizes::Sized& sized, int64_t count)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(pass_mu_);
  int64_t MoveLogStart(const StoreSizes::Sized& sized, int64_t count);
  void TellExcess(const StoreSizeDecision& decision)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(pass_mu_);
  void NoteFailure(std::string_view partition,
                   const absl::Status& status) const;

  // Constant after construction.
  const Store store_;
  const int64_t size_max_bytes_;

  // Shared by passes of appends.
  absl::Mutex stopping_ ABSL_ACQUIRED_BEFORE(pass_mu_);
  bool stopped_ ABSL_GUARDED_BY(stopping_) = false;

  // Held by the pass.
  absl::Mutex pass_mu_;
  StoreSizes sizes_ ABSL_GUARDED_BY(pass_mu_);
  bool excess_was_told_ ABSL_GUARDED_BY(pass_mu_) = false;

  // Memory ordering: released before the bell is rung; the pass that takes it
  // finds the segment that began.
  std::atomic<bool> wanted_ = true;
  // As of the last pass, and what may have come with segments that began since.
  // Before the first pass the store counts as full. Memory ordering: relaxed;
  // they only say when to look.
  std::atomic<int64_t> store_bytes_;
  std::atomic<int64_t> begun_bytes_ = 0;
  Counter deleted_segments_;
  Counter deleted_bytes_;
};

}  // namespace varve

#endif  // VARVE_API_RETENTION_STORE_SIZE_LIMIT_H_
