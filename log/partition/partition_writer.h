// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PARTITION_WRITER_H_
#define VARVE_LOG_PARTITION_PARTITION_WRITER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/batch/incoming_batch.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/writer_epochs.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer_state/partition_producers.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/segment/populate_window.h"
#include "varve/log/segment/ready_segment.h"
#include "varve/log/segment/roll_watch.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/sync/pending_sync.h"
#include "varve/log/sync/unsynced_files.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/mapped_file.h"

namespace varve {

// The place of an appended batch. The timestamp is that of its records when the
// topic stamps them (LogAppendTime), else the batch's own maximum.
struct PlacedBatch {
  int64_t base_offset = 0;
  int64_t timestamp_ms = -1;
  // Its producer has appended it before, and this is where it is.
  bool is_duplicate = false;
};

// The writing end of one partition: the active segment, the next offset, the
// producers, and when to roll.
//
// Borrows the directory, the segment list, the config, the environment and the
// meters, which must outlive it.
//
// Thread safety: externally synchronized, by the partition's lock.
//
// Durable: nothing by itself; `BeginSync` returns what has to be synced.
//
// After a call that throws, later calls work: they do again what it has not
// finished.
class PartitionWriter {
 public:
  // It takes what `log` knows of the producers.
  PartitionWriter(Directory* directory, SegmentList* segments,
                  const LogConfig* config, const Environment* environment,
                  LogMeters* meters, const RecoveredLog& log);

  // Whether `Open` has succeeded.
  bool is_open() const { return active_ != nullptr; }

  // Makes the partition ready for its first append: a leader epoch of its own
  // after an unclean open, durable on return, and an active segment.
  //
  // Errors: FailedPrecondition when recovery left the partition read-only;
  // ResourceExhausted, and a later call may succeed.
  // Precondition: not `is_closing()`.
  absl::Status Open();

  // Finds the place for the batch, rolling the segment first when it is due;
  // stores it there; and publishes it to readers of the segment. One that its
  // producer has appended before is not stored again.
  //
  // Errors: those of log/producer/producer_refusal.h, for a batch of a
  // producer; InvalidArgument when it is larger than max.message.bytes or
  // segment.bytes, or its timestamp is too far from now; ResourceExhausted
  // when the disk is full or offsets run out. Nothing has changed then.
  // Precondition: `is_open()`.
  absl::StatusOr<PlacedBatch> Append(IncomingBatch batch,
                                     const ProducerBatch& producer);

  // The preparations that should be made ahead of the appends.
  struct Preparation {
    std::shared_ptr<Segment> active = {};  // null: nothing
    int64_t bytes = 0;                     // to populate after its last batch
    MappedFile::AfterPopulating after =
        MappedFile::AfterPopulating::kLeaveDirty;
    // The config of the next segment, if it is to be made ready.
    std::optional<LogConfig> next_segment = {};
  };

  // Whether the appends have come so far that `PlanPreparation` is due; returns
  // true once.
  bool TakePreparationDue() { return window_.TakeDue(active_->size()); }

  // At most `budget` bytes are populated, or PopulateWindow::kFirst if that is
  // more. Populated pages are dirty pages:
  // where appends are synced they are made clean at once, or every sync would
  // write the rest of the window as well.
  Preparation PlanPreparation(int64_t budget);

  // Keeps a segment for the next roll. Returns it when it is not wanted.
  std::unique_ptr<ReadySegment> PutReady(std::unique_ptr<ReadySegment> ready);

  // Begins a new segment unless the active one is empty. Errors: those of
  // Append.
  // Precondition: `is_open()`.
  absl::Status RollIfWritten();

  // Call it when the config has changed. An empty active segment whose capacity
  // is not that of the new config is closed by the next sync, so that `Open`
  // opens it again.
  void ConfigChanged();

  // Gives up the active segment, which the next sync seals: after it,
  // `is_open()` is false. When nothing was appended since the open, it only
  // writes down the epoch that a later append would have begun (so that batches
  // that were cut can never be taken for later ones).
  //
  // Errors: FailedPrecondition when recovery left the partition read-only: it
  // has to be recovered again.
  absl::Status Close();

  // Closes the files as they are: after it, `is_open()` is false.
  void Abandon();

  // Whether a segment has no name yet: it must stay open, because it could not
  // be opened again.
  bool has_unnamed() const {
    return adopted_ != nullptr && !adopted_->has_name();
  }

  // Whether `Close` would change files.
  bool needs_close() const {
    return is_open() || epochs_.needs_checkpoint() ||
           producers_.needs_snapshot(next_offset_);
  }

  int64_t next_offset() const { return next_offset_; }
  const LeaderEpochs& epochs() const { return epochs_.epochs(); }
  PartitionProducers& producers() { return producers_; }
  const PartitionProducers& producers() const { return producers_; }

  // Forgets what is known of the log before `offset` alone, for a log whose
  // files begin there: WriterEpochs::ForgetBefore, and aborted transactions.
  void ForgetBefore(int64_t offset);

  // The files that no sync has covered yet. The caller syncs all of them, and
  // then calls `EndSync`; one sync at a time.
  PendingSync BeginSync();
  using SyncEnd = UnsyncedFiles::SyncEnd;
  void EndSync(const PendingSync& files, SyncEnd end);

  // Whether the segment that `Open` would continue has to be synced first,
  // because it is still being closed.
  bool is_closing() const { return !is_open() && unsynced_.has_files(); }

  // Whether a segment that begins below the offset is sealed, and not synced.
  bool has_unsynced_sealed_below(int64_t offset) const {
    return unsynced_.has_sealed_below(offset);
  }
  // Whether there are sealed segments that are not being synced now.
  bool has_unsynced_sealed() const { return unsynced_sealed_count() > 0; }
  int64_t unsynced_sealed_count() const { return unsynced_.waiting_count(); }
  // Errors: FailedPrecondition for a log that is read-only since its recovery.
  absl::Status CheckWritable() const;
  // Whether it has rolled since the last call.
  bool TakeRolled() { return std::exchange(rolled_, false); }

 private:
  bool Accepts(const IncomingBatch& batch) const;
  absl::Status RefusalOf(const IncomingBatch& batch) const;
  absl::StatusOr<PlacedBatch> Place(IncomingBatch& batch,
                                    const ProducerBatch& producer);
  void AddProducerFiles(std::optional<int64_t> segment_base,
                        PartitionProducers::LogEnd end);
  absl::Status NameAdopted();
  bool RemoveSegmentFile(int64_t base_offset);
  absl::Status LearnLastStamp(int64_t now_ms);
  absl::Status OpenActive();
  absl::Status CreateActive();
  void Activate(std::shared_ptr<Segment> segment);
  int64_t DrawJitterMs() const;
  bool WantsReady() const;
  void DropReady();
  absl::Status MakeRoom(const RollWatch::Append& append);
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
  // The segment adopted last. No new ready segment is made until this one has
  // its final name, because both use the same file names.
  std::shared_ptr<Segment> adopted_;
  // The segment that `Close` has given up, as long as it is in use: a sync may
  // be under way.
  std::weak_ptr<Segment> closed_;
  PopulateWindow window_;
  bool synced_since_plan_ = false;
  bool rolled_ = false;
  // A roll has begun, and not ended: it is completed before the next append, so
  // that no record of the old segment gets the offset that names the new files.
  bool roll_unfinished_ = false;

  UnsyncedFiles unsynced_;

  PartitionProducers producers_;
  WriterEpochs epochs_;
  bool needs_new_segment_;

  int64_t next_offset_;
  int64_t last_append_time_ms_ = 0;
  // Whether `last_append_time_ms_` covers stamps from before the open.
  bool last_stamp_is_known_ = false;
  RollWatch roll_;  // of the active segment
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_WRITER_H_
