// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PARTITION_COMPACTION_H_
#define VARVE_LOG_PARTITION_PARTITION_COMPACTION_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/cleaner/cleaner_pace.h"
#include "varve/log/cleaner/log_cleaner.h"
#include "varve/log/cleaner/segment_replacing.h"
#include "varve/log/compaction/compaction_policy.h"
#include "varve/log/compaction/compaction_segment.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log_listener.h"
#include "varve/log/partition/partition_state.h"
#include "varve/log/partition/partition_writer.h"
#include "varve/log/partition/watermarks.h"
#include "varve/log/retention/retention_segments.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/system/call_gate.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

struct CompactionRequest {
  enum class When : uint8_t {
    kDue,    // only if DecideCompaction says that it is due
    kDirty,  // if anything can be cleaned
  };
  When when = When::kDue;
  enum class Effect : uint8_t {
    kReplace,  // segments
    kMeasure,  // nothing: it says what would be done
  };
  Effect effect = Effect::kReplace;
  // LogCleaner::Options::progress.
  std::function<void(const CleaningProgress&)> progress = nullptr;
  int64_t map_memory_bytes = OffsetMap::kMemoryBytes;
  CleanerPace::Limits pace = {};
};

struct CompactionReport {
  CompactionDecision decision = {};
  // What was done, or would be; nothing when it was not asked for.
  std::optional<CleaningResult> result = std::nullopt;
};

// Compacts the log of a partition, while it is appended to, read and trimmed.
//
// Borrows the parts of its log, which must outlive it.
//
// Thread safety: thread-safe. One compaction runs at a time; a call with kDirty
// waits for it, one with kDue does nothing then.
//
// Durable on return: all that a compaction has done. What may be read is the
// same at any moment, but for what the policy says may go.
class PartitionCompaction {
 public:
  struct Parts {
    absl::Mutex* mu;  // the log's lock
    PartitionWriter* writer ABSL_PT_GUARDED_BY(mu);
    LogConfig* config ABSL_PT_GUARDED_BY(mu);
    PartitionState* state;
    CallGate* calls;
    Watermarks* ends;
    SegmentList* segments;
    RetentionSegments* retention_segments;
    Directory* directory;
    const Environment* environment;
    PartitionLogListener* listener;
    const Codecs* codecs;
    std::shared_ptr<AbortedTransactions> aborted;
  };

  // `first_dirty`: what the store's checkpoint has, if it has that.
  PartitionCompaction(const Parts& log, std::optional<int64_t> first_dirty);

  // What a compaction would clean, and whether it is due. Reads no batches but,
  // where max.compaction.lag.ms is set, one header of each dirty segment.
  //
  // Errors: those of RetentionSegments::Collect; file errors.
  absl::StatusOr<CompactionDecision> Look();

  // Compacts sealed segments below the durable end whose files are synced; or
  // says what that would do. Errors: FailedPrecondition or NotFound when the
  // log has ended, or is read-only since its recovery; its poison; those of
  // LogCleaner::Run; file errors of the checkpoint.
  absl::StatusOr<CompactionReport> Run(const CompactionRequest& request);

  // Everything below it is clean; nothing when it was never compacted.
  std::optional<int64_t> first_dirty() const;

  SegmentReplacing& replacing() { return replacing_; }

 private:
  static constexpr int64_t kNever = -1;

  // The turn of one call to compact, given back when it is destroyed.
  class Turn {
   public:
    explicit Turn(PartitionCompaction* log) : log_(log) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      if (taken_) log_->is_running_.store(false, std::memory_order_release);
    }
    // Whether it is this call's turn.
    bool Take() {
      taken_ = !log_->is_running_.exchange(true, std::memory_order_acquire);
      return taken_;
    }

   private:
    PartitionCompaction* const log_;
    bool taken_ = false;
  };

  struct Facts {
    LogConfig config;
    std::vector<CompactionSegment> segments;
    CompactionDecision decision;
    int64_t now_ms = 0;
  };
  absl::StatusOr<Facts> Collect();
  absl::StatusOr<CleaningResult> CleanBetweenCheckpoints(
      Facts& facts, const CompactionRequest& request);
  absl::StatusOr<CleaningResult> Clean(Facts& facts,
                                       const CompactionRequest& request);
  absl::Status CheckChangeable() const;

  const Parts log_;
  SegmentReplacing replacing_;
  // Whether a call compacts. Memory ordering: taken with acquire, given back
  // with release.
  std::atomic<bool> is_running_ = false;
  // Memory ordering: relaxed; it depends on nothing, and is written after the
  // segments it speaks of are durable.
  std::atomic<int64_t> first_dirty_;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_COMPACTION_H_
