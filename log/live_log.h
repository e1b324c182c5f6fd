// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_LIVE_LOG_H_
#define VARVE_LOG_LIVE_LOG_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "log/clock.h"
#include "log/file_system.h"
#include "log/live_segment.h"
#include "log/live_segment_read.h"
#include "log/partition_checkpoint.h"
#include "log/record_batch.h"

namespace varve {

// How old what the store's files say may be.
enum class OutlineAge {
  kRecent,  // shared with other readers, and some milliseconds old
  kNow,     // read now: to judge what does not fit together
};

// How segments that do not change any more are read.
enum class SealedAccess {
  kMap,   // in place, without a copy
  kRead,  // with pread(2): a disk that fails, or a file that somebody cuts
          // short, is an error and never a signal
};

// The segments of a partition whose writer is another process: finds a place in
// them and walks on from it, across rolls, trims, damage and the recovery of a
// new writer. It knows the directory as of its last refresh and what it has
// found since. Files that were looked at at different times may not fit
// together: what looks like damage counts after everything was looked at anew.
//
// Owns the partition's open directory, unless it rests. What it hands out may
// outlive it.
//
// Thread safety: externally synchronized.
class LiveLog {
 public:
  // How long it believes what it knows when it finds nothing more. A segment
  // that continues the log is found without a refresh, and one that is gone is
  // missed at once.
  static constexpr absl::Duration kRefreshInterval = absl::Milliseconds(500);

  struct Options {
    // Reads what the store's files say now. NotFound: the topic is deleted.
    std::function<absl::StatusOr<PartitionOutline>(OutlineAge)> outline;
    // Opens the partition's directory again after a rest. Null: it never rests.
    std::function<absl::StatusOr<std::unique_ptr<Directory>>()> reopen =
        nullptr;
    Clock* clock = Clock::Real();
    SealedAccess sealed = SealedAccess::kMap;
  };

  LiveLog(std::unique_ptr<Directory> directory, Options options);

  const std::string& path() const { return path_; }
  // Precondition, as of all below: it does not rest.
  Directory& directory() const { return *directory_; }

  // Closes the directory, until it is woken up. It remembers what it knows.
  // Precondition: it can be opened again.
  void Rest() { directory_ = nullptr; }
  bool rests() const { return directory_ == nullptr; }
  // Errors: NotFound when the topic is deleted; those of the directory.
  absl::Status WakeUp();

  // Looks at the store's files and the directory anew.
  absl::Status Refresh(OutlineAge age = OutlineAge::kRecent);
  bool RefreshIsDue() const;

  // As of the last refresh, but for segments that were found since.
  int64_t log_start() const { return log_start_; }
  int64_t recovery_point() const { return outline_.checkpoint.recovery_point; }
  const std::vector<int64_t>& segment_bases() const { return bases_; }
  // That of the segment behind the one that begins at `base_offset`, or before.
  std::optional<int64_t> SegmentBehind(int64_t base_offset) const;

  // Errors: OutOfRange when `offset` is below the log start.
  absl::Status CheckStart(int64_t offset) const;

  // A place in the log. No segment: there was none yet.
  struct Cursor {
    std::shared_ptr<LiveSegment> segment;
    BatchPlace place;
  };

  // Somewhere at or before the batch that holds `offset`, as near as the index
  // knows; for an offset behind the end, near the end.
  //
  // Errors: OutOfRange below the log start; DataLoss when there is no segment
  // at all and should be one; those of the files.
  absl::StatusOr<Cursor> Locate(int64_t offset);

  // A place that a cursor had before a rest, in the segment of this base
  // offset.
  //
  // Errors: NotFound when the segment is gone.
  absl::StatusOr<Cursor> FindAgain(int64_t segment_base,
                                   const BatchPlace& place);

  // What is looked for.
  struct Wanted {
    int64_t offset = 0;
    int64_t max_bytes = 0;
    int64_t window_bytes = 0;  // to read at a time, to begin with
    CrcCheck crc = CrcCheck::kVerify;
    // The caller thinks that there is such a record: make sure.
    bool is_below_end = false;
    bool passes_damage = false;
  };

  // Walks from `cursor` to the batch that holds `wanted.offset`, steps over
  // damage in front of it, and moves the cursor behind what it returns. An
  // empty slice: there is nothing yet, and the cursor is at the end of the log.
  //
  // Errors: OutOfRange when that place has been trimmed away; DataLoss when the
  // wanted record is damaged or missing: the message says where, why, and the
  // next readable offset; NotFound when the topic is deleted; those of the
  // files. The cursor is somewhere between then.
  absl::StatusOr<LiveSlice> Advance(Cursor& cursor, const Wanted& wanted);

 private:
  enum class Step { kGoOn, kNotYet };
  // Where `Advance` is: the cursor, what it stopped at, and whether it has
  // refreshed what it knows.
  struct Walk {
    Cursor* cursor;
    Wanted wanted;
    LiveSlice slice = {};
    bool refreshed = false;
    bool looked_anew = false;
    int vanished_count = 0;  // segments that were gone when they were opened
  };

  absl::StatusOr<Cursor> LocateIn(int64_t base_offset, int64_t offset);
  absl::StatusOr<Cursor> LocateInEmptyLog(int64_t offset) const;
  absl::StatusOr<Cursor> TryLocate(int64_t offset);
  bool LooksEmptied() const;
  absl::StatusOr<Step> StepOn(Walk& walk);
  bool IsAllowedGap(const Walk& walk, int64_t behind) const;
  absl::StatusOr<Step> LookAnew(Walk& walk, OutlineAge age);
  absl::StatusOr<Step> StepAtLast(Walk& walk);
  absl::StatusOr<bool> SegmentIsGone(const Cursor& cursor);
  absl::StatusOr<Step> StepOverDamage(Walk& walk,
                                      std::optional<int64_t> successor);
  absl::StatusOr<Step> Enter(Walk& walk, int64_t base_offset);
  absl::Status Vanishing() const;

  // Constant after construction.
  const std::string path_;
  const Options options_;

  std::unique_ptr<Directory> directory_;  // null while it rests

  absl::Time refreshed_at_ = absl::InfinitePast();
  PartitionOutline outline_;
  int64_t log_start_ = 0;
  std::vector<int64_t> bases_;  // ascending
};

}  // namespace varve

#endif  // VARVE_LOG_LIVE_LOG_H_
