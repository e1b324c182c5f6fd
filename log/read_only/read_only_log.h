// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_READ_ONLY_READ_ONLY_LOG_H_
#define VARVE_LOG_READ_ONLY_READ_ONLY_LOG_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/read_only/read_only_segment.h"
#include "varve/log/read_only/read_only_segment_read.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {

// How old the contents of the store's files may be.
enum class FactsAge {
  kRecent,  // shared with other readers, and some milliseconds old
  kNow,     // read now: to judge what does not fit together
};

// The segments of a partition whose writer is another process: finds a place in
// them and walks on from it, across rolls, trims, damage and the recovery of a
// new writer. It knows the directory as of its last refresh, and the segments
// that it has found since. Files that were read at different times may not fit
// together, so damage counts only after everything was read again.
//
// Owns the partition's open directory, unless it rests. Its slices and cursors
// may outlive it.
//
// Thread safety: externally synchronized.
class ReadOnlyLog {
 public:
  // How long it trusts its last refresh when it finds nothing more. A segment
  // that continues the log is found without a refresh, and a deleted one is
  // noticed at once.
  static constexpr absl::Duration kRefreshInterval = absl::Milliseconds(500);

  struct Options {
    // Reads the present contents of the store's files. NotFound: the topic is
    // deleted.
    std::function<absl::StatusOr<PartitionFacts>(FactsAge)> outline;
    // Opens the partition's directory again after a rest. Null: it never rests.
    std::function<absl::StatusOr<std::unique_ptr<Directory>>()> reopen =
        nullptr;
    Clock* clock = Clock::Real();
    SealedAccess sealed = SealedAccess::kMap;
  };

  ReadOnlyLog(std::unique_ptr<Directory> directory, Options options);

  const std::string& path() const { return path_; }
  // Precondition, of all methods below as well: it does not rest.
  Directory& directory() const {
    CHECK(!rests());
    return *directory_;
  }

  // Closes the directory, until it is woken up. The last refresh stays known.
  // Precondition: it can be opened again.
  void Rest() {
    CHECK(options_.reopen != nullptr);
    directory_ = nullptr;
  }
  bool rests() const { return directory_ == nullptr; }
  // Opens the directory again. Errors: NotFound when the topic is deleted;
  // other file errors (log/system/errno_status.h).
  absl::Status WakeUp();

  // Reads the store's files and the directory again.
  absl::Status Refresh(FactsAge age = FactsAge::kRecent);
  bool RefreshIsDue() const;

  // The state of the last refresh, with the segments that were found since.
  int64_t log_start() const { return log_start_; }
  int64_t recovery_point() const { return outline_.checkpoint.recovery_point; }
  // Everything below it is compacted; nothing when it never was, or that is not
  // known.
  std::optional<int64_t> first_dirty() const {
    return outline_.checkpoint.first_dirty;
  }
  const std::vector<int64_t>& segment_bases() const { return bases_; }
  // The base offset of the first segment that begins after `base_offset`.
  std::optional<int64_t> SegmentBehind(int64_t base_offset) const;

  // Errors: OutOfRange when `offset` is below the log start.
  absl::Status CheckStart(int64_t offset) const;

  // A place in the log, without a segment when there was none yet.
  struct Cursor {
    std::shared_ptr<ReadOnlySegment> segment;
    BatchPlace place;
  };

  // A place at or before the batch that holds `offset`, as near as the index
  // knows; for an offset past the end, near the end.
  //
  // Errors: OutOfRange below the log start; DataLoss when there is no segment
  // at all and should be one; other file errors.
  absl::StatusOr<Cursor> Locate(int64_t offset);

  // A place that a cursor had before a rest, in the segment of this base
  // offset.
  //
  // Errors: NotFound when the segment was deleted; other file errors.
  absl::StatusOr<Cursor> FindAgain(int64_t segment_base,
                                   const BatchPlace& place);

  // The records that are looked for.
  struct Wanted {
    int64_t offset = 0;
    int64_t max_bytes = 0;
    // Of compressed batches among them.
    int64_t compressed_max_bytes = std::numeric_limits<int64_t>::max();
    int64_t window_bytes = 0;  // to read at a time, at first
    CrcCheck crc = CrcCheck::kVerify;
    // The caller expects such a record: refresh before reporting none.
    bool is_below_end = false;
    bool passes_damage = false;
  };

  // Walks from `cursor` to the batch that holds `wanted.offset`, over damage
  // before it, and moves the cursor to the end of what it returns. An empty
  // slice means that there is nothing yet, and that the cursor is at the end of
  // the log.
  //
  // Errors: OutOfRange when that place has been trimmed away; DataLoss when the
  // wanted record is damaged or missing: the message says where, why, and the
  // next readable offset; NotFound when the topic is deleted; other file
  // errors. The cursor is then somewhere on the way.
  absl::StatusOr<ReadOnlySlice> Advance(Cursor& cursor, const Wanted& wanted);

 private:
  enum class Step { kGoOn, kNotYet };
  // The state of an `Advance`: the cursor, what it stopped at, and whether it
  // has refreshed.
  struct Walk {
    Cursor* cursor;
    Wanted wanted;
    ReadOnlySlice slice = {};
    bool refreshed = false;
    bool looked_anew = false;
    int vanished_count = 0;  // segments deleted before they were opened
    // Where a gap begins that was still there when its segment was opened anew.
    int64_t gap_looked_at = -1;
  };

  absl::StatusOr<Cursor> LocateIn(int64_t base_offset, int64_t offset);
  absl::StatusOr<Cursor> LocateInEmptyLog(int64_t offset) const;
  absl::StatusOr<Cursor> TryLocate(int64_t offset);
  bool LooksEmptied() const;
  absl::StatusOr<Step> StepOn(Walk& walk);
  bool IsAllowedGap(const Walk& walk, int64_t behind) const;
  absl::StatusOr<Step> LookAnew(Walk& walk, FactsAge age);
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
  PartitionFacts outline_;
  int64_t log_start_ = 0;
  std::vector<int64_t> bases_;  // ascending
};

}  // namespace varve

#endif  // VARVE_LOG_READ_ONLY_READ_ONLY_LOG_H_
