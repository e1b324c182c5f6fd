// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_WRITER_H_
#define VARVE_LOG_PARTITION_WRITER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/batch_placement.h"
#include "log/environment.h"
#include "log/file_system.h"
#include "log/leader_epochs.h"
#include "log/log_config.h"
#include "log/log_meters.h"
#include "log/mapped_file.h"
#include "log/partition_recovery.h"
#include "log/prepare_window.h"
#include "log/ready_segment.h"
#include "log/roll_policy.h"
#include "log/segment.h"
#include "log/segment_list.h"
#include "log/unsynced_files.h"

namespace varve {

// What the log must know of a batch before it is written.
struct IncomingBatch {
  int64_t size = 0;  // bytes, header included
  int32_t last_offset_delta = 0;
  int64_t max_timestamp_ms = -1;
  int64_t now_ms = 0;  // the time of this append: AppendTimeMs
};

// Where a batch went. The timestamp is the one its records read as when the
// topic stamps them (LogAppendTime), else the batch's own maximum.
struct PlacedBatch {
  int64_t base_offset = 0;
  int64_t timestamp_ms = -1;
};

// The writing end of one partition: the active segment, the next offset, the
// leader epoch, and when to roll.
//
// Borrows the directory, the segment list, the config, the environment and the
// meters, which must outlive it.
//
// Thread safety: externally synchronized, by the partition's lock.
//
// Durable: nothing by itself; `BeginSync` says what has to be synced.
//
// A call that throws has changed nothing that a later call trips over: what is
// not finished is done again.
class PartitionWriter {
 public:
  PartitionWriter(Directory* directory, SegmentList* segments,
                  const LogConfig* config, const Environment* environment,
                  LogMeters* meters, const RecoveredLog& log);

  // Whether `Prepare` has succeeded.
  bool ready() const { return active_ != nullptr; }

  // Makes the partition ready for its first append: a leader epoch of its own
  // after an unclean open, durable on return, and an active segment.
  //
  // Errors: FailedPrecondition when recovery left the partition read-only;
  // ResourceExhausted, and a later call may succeed.
  // Precondition: not `is_closing()`.
  absl::Status Prepare();

  // Finds the batch its place, rolling the segment first when it is due; has
  // `place` write it there; and publishes it to readers of the segment.
  //
  // Errors: InvalidArgument when it is larger than max.message.bytes or
  // segment.bytes, or its timestamp is too far from now; ResourceExhausted
  // when the disk is full or offsets run out. Nothing has changed then.
  // Precondition: `ready()`.
  absl::StatusOr<PlacedBatch> Append(
      IncomingBatch batch,
      absl::FunctionRef<void(const BatchPlacement&, char*)> place);

  // What should be made ahead of the appends now.
  struct Preparation {
    std::shared_ptr<Segment> active = {};  // null: nothing
    int64_t bytes = 0;                     // to populate behind its last batch
    MappedFile::AfterPopulating after =
        MappedFile::AfterPopulating::kLeaveDirty;
    // The config of the next segment, if it is to be made ready.
    std::optional<LogConfig> next_segment = {};
  };

  // Whether the appends have come so far that `PlanPreparation` is due; says so
  // once.
  bool TakePreparationDue() { return window_.TakeDue(active_->size()); }

  // `budget` bytes are populated at most. Populated pages are dirty pages:
  // where appends are synced they are made clean at once, or every sync would
  // write the rest of the window as well.
  Preparation PlanPreparation(int64_t budget);

  // Keeps a segment for the next roll. Returns it when it is not wanted.
  std::unique_ptr<ReadySegment> PutReady(std::unique_ptr<ReadySegment> ready);

  // Begins a new segment unless the active one is empty. Errors: as of Append.
  // Precondition: `ready()`.
  absl::Status RollIfWritten();

  // Call it when the config has changed. An empty active segment whose room is
  // not the new one's is closed by the next sync, so that `Prepare` opens it
  // anew.
  void ConfigChanged();

  // Lets go of the active segment, which the next sync seals: after it,
  // `ready()` is false. When nothing was appended since the open, only the
  // epoch that a later append would have begun is kept (so that what was cut
  // can never pass for it).
  //
  // Errors: FailedPrecondition when recovery left the partition read-only: it
  // has to be recovered again.
  absl::Status Close();

  // Lets go of the files as they are: after it, `ready()` is false.
  void Abandon();

  // Whether a segment has no name yet: it must stay open, nobody could open it.
  bool has_unnamed() const {
    return adopted_ != nullptr && !adopted_->has_name();
  }

  // Whether `Close` would change files.
  bool needs_close() const {
    return ready() || (needs_new_epoch_ && highest_epoch_ >= 0);
  }

  int64_t next_offset() const { return next_offset_; }
  const LeaderEpochs& epochs() const { return epochs_; }

  // Takes the epochs out of the checkpoint that ended before `offset`, for a
  // log whose files begin there. Durable on return, unless it fails: then they
  // stay, and do no harm.
  void ForgetEpochsBefore(int64_t offset);

  // What no sync has covered yet. The caller syncs all of it, and says how that
  // ended; one at a time.
  UnsyncedFiles BeginSync();
  enum class SyncEnd { kSynced, kNotSynced };
  void EndSync(const UnsyncedFiles& files, SyncEnd end);

  // Whether the segment that `Prepare` would continue has to be synced before:
  // it is being closed still.
  bool is_closing() const { return !ready() && !sealed_.empty(); }

  // Whether a segment that begins below the offset is sealed, and not synced.
  bool has_unsynced_sealed_below(int64_t offset) const {
    return !sealed_.empty() && sealed_.front()->base_offset() < offset;
  }
  // Of the sealed segments those that are not being synced now.
  bool has_unsynced_sealed() const { return unsynced_sealed_count() > 0; }
  // Whether it has rolled since the last call.
  bool TakeRolled() { return std::exchange(rolled_, false); }
  int64_t unsynced_sealed_count() const {
    return static_cast<int64_t>(sealed_.size()) - being_synced_;
  }

 private:
  absl::Status CheckWritable() const;
  absl::Status CheckBatch(const IncomingBatch& batch) const;
  absl::Status BeginEpoch();
  absl::Status NameAdopted();
  bool RemoveSegmentFile(int64_t base_offset);
  absl::Status LearnLastStamp(int64_t now_ms);
  absl::Status OpenActive();
  absl::Status CreateActive();
  void Activate(std::shared_ptr<Segment> segment);
  bool WantsReady() const;
  void DropReady();
  RollReason NeedsRoll(const IncomingBatch& batch) const;
  absl::Status Roll();

  // Constant after construction.
  Directory* const directory_;
  SegmentList* const segments_;
  const LogConfig* const config_;
  const Environment* const environment_;
  LogMeters* const meters_;
  const absl::Status read_only_;

  std::shared_ptr<Segment> active_;
  std::unique_ptr<ReadySegment> ready_;  // null: none
  // The last segment that was a ready one: no other while it has that name.
  std::shared_ptr<Segment> adopted_;
  // What `Close` has sealed, as long as anybody has it: a sync may be under
  // way.
  std::weak_ptr<Segment> closed_;
  PrepareWindow window_;
  bool synced_since_plan_ = false;
  bool rolled_ = false;
  // A roll has begun, and not ended: it is done before the next append, so that
  // no record goes behind the offset that its files are named by.
  bool roll_unfinished_ = false;

  // In order, those that no sync has covered. Of them, how many one does now.
  std::vector<std::shared_ptr<Segment>> sealed_;
  int64_t being_synced_ = 0;
  // Whether names have come since the last sync of the directory, and since one
  // began.
  bool directory_changed_ = false;
  bool directory_changed_in_sync_ = false;

  LeaderEpochs epochs_;
  int32_t highest_epoch_;
  bool needs_new_epoch_;
  bool needs_new_segment_;
  int32_t epoch_ = -1;

  int64_t next_offset_;
  int64_t last_append_time_ms_ = 0;
  // Whether the above covers what was stamped before the open.
  bool last_stamp_is_known_ = false;
  int64_t segment_created_ms_ = 0;
  int64_t segment_ms_ = 0;  // segment.ms less this segment's jitter
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_WRITER_H_
