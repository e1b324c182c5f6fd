// SPDX-License-Identifier: Apache-2.0

#include "log/live_log.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "log/batch_scanner.h"
#include "log/file_system.h"
#include "log/live_segment.h"
#include "log/live_segment_read.h"
#include "log/live_segment_search.h"
#include "log/partition_checkpoint.h"
#include "log/partition_recovery.h"

namespace varve {
namespace {

// Behind every record.
constexpr int64_t kNoOffset = std::numeric_limits<int64_t>::max();

// How often a segment may be gone when it is opened, since it was listed:
// retention is not that fast.
constexpr int kTriesMax = 10;

std::string Describe(const LiveSlice& slice) {
  const std::string stop(ScanStopText(slice.stop));
  if (slice.defect == BatchDefect::kNone) return stop;
  return absl::StrCat(stop, " (", BatchDefectText(slice.defect), ")");
}

}  // namespace

LiveLog::LiveLog(std::unique_ptr<Directory> directory, Options options)
    : path_(directory->path()),
      options_(std::move(options)),
      directory_(std::move(directory)) {
  CHECK(options_.outline != nullptr);
}

absl::Status LiveLog::WakeUp() {
  absl::StatusOr<std::unique_ptr<Directory>> directory = options_.reopen();
  if (!directory.ok()) return directory.status();
  directory_ = *std::move(directory);
  return absl::OkStatus();
}

absl::Status LiveLog::Refresh(OutlineAge age) {
  absl::StatusOr<PartitionOutline> outline = options_.outline(age);
  if (!outline.ok()) return outline.status();
  absl::StatusOr<std::vector<int64_t>> bases = ListSegments(*directory_);
  if (!bases.ok()) return bases.status();
  outline_ = *outline;
  bases_ = *std::move(bases);
  log_start_ = outline_.checkpoint.log_start;
  // Segments are deleted before or after the checkpoint says so.
  if (!bases_.empty()) log_start_ = std::max(log_start_, bases_.front());
  refreshed_at_ = options_.clock->Steady();
  return absl::OkStatus();
}

bool LiveLog::RefreshIsDue() const {
  return options_.clock->Steady() - refreshed_at_ >= kRefreshInterval;
}

absl::Status LiveLog::CheckStart(int64_t offset) const {
  if (offset >= log_start_) return absl::OkStatus();
  return absl::OutOfRangeError(
      absl::StrCat(path_, ": offset ", offset,
                   " is out of range: the log starts at ", log_start_));
}

std::optional<int64_t> LiveLog::SegmentBehind(int64_t base_offset) const {
  auto above = std::upper_bound(bases_.begin(), bases_.end(), base_offset);
  if (above == bases_.end()) return std::nullopt;
  return *above;
}

absl::StatusOr<LiveLog::Cursor> LiveLog::Locate(int64_t offset) {
  absl::StatusOr<Cursor> cursor = TryLocate(offset);
  if (!absl::IsDataLoss(cursor.status()) && !LooksEmptied()) return cursor;
  absl::Status status = Refresh(OutlineAge::kNow);
  return status.ok() ? TryLocate(offset) : status;
}

// What was durable is gone: damage, or the topic has just been deleted.
bool LiveLog::LooksEmptied() const {
  return bases_.empty() && log_start_ < outline_.checkpoint.recovery_point;
}

absl::StatusOr<LiveLog::Cursor> LiveLog::FindAgain(int64_t segment_base,
                                                   const BatchPlace& place) {
  absl::StatusOr<std::shared_ptr<LiveSegment>> segment =
      LiveSegment::Open(*directory_, segment_base);
  if (!segment.ok()) return segment.status();
  return Cursor{.segment = *std::move(segment), .place = place};
}

absl::StatusOr<LiveLog::Cursor> LiveLog::TryLocate(int64_t offset) {
  for (int i = 0; i < kTriesMax; ++i) {
    if (absl::Status status = CheckStart(offset); !status.ok()) return status;
    if (bases_.empty()) return LocateInEmptyLog(offset);
    auto above = std::upper_bound(bases_.begin(), bases_.end(), offset);
    // The log start is not below the first base.
    CHECK(above != bases_.begin());
    absl::StatusOr<Cursor> cursor = LocateIn(*std::prev(above), offset);
    if (!absl::IsNotFound(cursor.status())) return cursor;
    if (absl::Status status = Refresh(); !status.ok()) return status;
  }
  return Vanishing();
}

absl::StatusOr<LiveLog::Cursor> LiveLog::LocateIn(int64_t base_offset,
                                                  int64_t offset) {
  absl::StatusOr<std::shared_ptr<LiveSegment>> segment =
      LiveSegment::Open(*directory_, base_offset);
  if (!segment.ok()) return segment.status();
  const std::optional<int64_t> behind = SegmentBehind(base_offset);
  if (behind.has_value() && options_.sealed == SealedAccess::kMap) {
    absl::StatusOr<bool> sealed = IsSealed(*directory_, **segment, *behind);
    if (!sealed.ok()) return sealed.status();
    absl::Status mapped = *sealed ? (*segment)->Map() : absl::OkStatus();
    if (!mapped.ok()) return mapped;
  }
  absl::StatusOr<BatchPlace> place =
      FindLivePlace(*directory_, **segment, offset);
  if (!place.ok()) return place.status();
  return Cursor{.segment = *std::move(segment), .place = *place};
}

absl::StatusOr<LiveLog::Cursor> LiveLog::LocateInEmptyLog(
    int64_t offset) const {
  const int64_t end = std::max(log_start_, outline_.checkpoint.recovery_point);
  if (offset < end) {
    return absl::DataLossError(
        absl::StrCat(path_, ": no segment holds offset ", offset,
                     "; the next readable offset is ", end));
  }
  return Cursor{.segment = nullptr,
                .place = {.position = 0, .base_offset = end}};
}

absl::StatusOr<LiveSlice> LiveLog::Advance(Cursor& cursor,
                                           const Wanted& wanted) {
  Walk walk = {.cursor = &cursor, .wanted = wanted};
  while (true) {
    walk.slice = {.pin = nullptr, .bytes = {}, .next = cursor.place};
    if (cursor.segment != nullptr) {
      absl::StatusOr<LiveSlice> slice =
          ReadLiveBatches(*cursor.segment, cursor.place,
                          {.offset = wanted.offset,
                           .max_bytes = wanted.max_bytes,
                           .window_bytes = wanted.window_bytes,
                           .crc = wanted.crc,
                           .continuity = outline_.continuity});
      if (!slice.ok()) return slice.status();
      walk.slice = *std::move(slice);
      cursor.place = walk.slice.next;
      if (!walk.slice.bytes.empty()) return walk.slice;
    }
    absl::StatusOr<Step> step = StepOn(walk);
    if (!step.ok()) return step.status();
    if (*step == Step::kNotYet) return walk.slice;
  }
}

// Nothing stands at the cursor. What is known of the directory is from before
// it was looked at: a segment with one behind it was complete by then.
absl::StatusOr<LiveLog::Step> LiveLog::StepOn(Walk& walk) {
  const Cursor& cursor = *walk.cursor;
  const int64_t next = cursor.place.base_offset;
  if (absl::Status status = CheckStart(next); !status.ok()) return status;
  const int64_t base =
      cursor.segment == nullptr ? -1 : cursor.segment->base_offset();
  const std::optional<int64_t> behind = SegmentBehind(base);
  if (!behind.has_value()) return StepAtLast(walk);
  if (*behind <= next) return Enter(walk, *behind);
  if (cursor.segment == nullptr || IsAllowedGap(walk, *behind))
    return Enter(walk, *behind);
  return walk.looked_anew ? StepOverDamage(walk, behind)
                          : LookAnew(walk, OutlineAge::kNow);
}

// Whether compaction may have left out what is missing before the segment
// behind. It leaves whole batches, and nothing above the recovery point is ever
// compacted: there a power loss has taken them.
bool LiveLog::IsAllowedGap(const Walk& walk, int64_t behind) const {
  return outline_.continuity == Continuity::kGapsAllowed &&
         walk.slice.stop == ScanStop::kEnd &&
         behind <= LastGapEnd(outline_.checkpoint);
}

// Goes on where the walk is, also when this segment is gone, has been cut, or
// is another one by now.
absl::StatusOr<LiveLog::Step> LiveLog::LookAnew(Walk& walk, OutlineAge age) {
  if (absl::Status status = Refresh(age); !status.ok()) return status;
  walk.refreshed = true;
  walk.looked_anew |= age == OutlineAge::kNow;
  absl::StatusOr<Cursor> again = Locate(walk.cursor->place.base_offset);
  if (!again.ok()) return again.status();
  *walk.cursor = *std::move(again);
  return Step::kGoOn;
}

// In the last segment that is known of.
absl::StatusOr<LiveLog::Step> LiveLog::StepAtLast(Walk& walk) {
  Cursor& cursor = *walk.cursor;
  const int64_t next = cursor.place.base_offset;
  // The segment behind, if there is one by now, is named after its first
  // offset.
  if (cursor.segment == nullptr || cursor.segment->base_offset() < next) {
    absl::StatusOr<std::shared_ptr<LiveSegment>> opened =
        LiveSegment::Open(*directory_, next);
    if (opened.ok()) {
      bases_.push_back(next);
      return Enter(walk, next);
    }
    if (!absl::IsNotFound(opened.status())) return opened.status();
  }
  const bool is_damage = next < outline_.checkpoint.recovery_point;
  absl::StatusOr<bool> is_gone = SegmentIsGone(cursor);
  if (!is_gone.ok()) return is_gone.status();
  const bool is_odd = *is_gone || is_damage ||
                      (walk.wanted.is_below_end && next < walk.wanted.offset);
  if (is_damage && !walk.looked_anew) return LookAnew(walk, OutlineAge::kNow);
  if (!walk.refreshed && (is_odd || RefreshIsDue()))
    return LookAnew(walk, OutlineAge::kRecent);
  return is_damage ? StepOverDamage(walk, std::nullopt)
                   : absl::StatusOr<Step>(Step::kNotYet);
}

// Whether the segment has been deleted, and perhaps those behind it; or comes
// and goes in a log that was empty.
absl::StatusOr<bool> LiveLog::SegmentIsGone(const Cursor& cursor) {
  if (cursor.segment == nullptr) return true;
  absl::Status status =
      LiveSegment::Open(*directory_, cursor.segment->base_offset()).status();
  if (absl::IsNotFound(status)) return true;
  if (!status.ok()) return status;
  return false;
}

// What stands at the cursor is missing for good.
absl::StatusOr<LiveLog::Step> LiveLog::StepOverDamage(
    Walk& walk, std::optional<int64_t> successor) {
  Cursor& cursor = *walk.cursor;
  const int64_t wanted =
      walk.wanted.passes_damage ? kNoOffset : walk.wanted.offset;
  const bool is_bad = walk.slice.stop == ScanStop::kBadBatch ||
                      walk.slice.stop == ScanStop::kWrongOffset;
  std::optional<int64_t> next_readable = successor;
  if (cursor.segment != nullptr && is_bad) {
    absl::StatusOr<std::optional<BatchPlace>> behind =
        FindLiveBatchBehind(*cursor.segment, cursor.place, outline_.continuity);
    if (!behind.ok()) return behind.status();
    if (behind->has_value()) {
      next_readable = (*behind)->base_offset;
      if (*next_readable <= wanted) {
        cursor.place = **behind;
        return Step::kGoOn;
      }
    }
  }
  if (!next_readable.has_value()) {
    next_readable = outline_.checkpoint.recovery_point;
    if (wanted >= *next_readable) return Step::kNotYet;
  } else if (next_readable == successor && wanted >= *successor) {
    return Enter(walk, *successor);
  }
  return absl::DataLossError(absl::StrCat(
      cursor.segment == nullptr ? path_ : cursor.segment->path(), ": position ",
      cursor.place.position, ", offset ", cursor.place.base_offset, ": ",
      Describe(walk.slice), "; the next readable offset is ", *next_readable));
}

// Goes on in another segment.
absl::StatusOr<LiveLog::Step> LiveLog::Enter(Walk& walk, int64_t base_offset) {
  // What is behind it, says whether it can be mapped.
  if (!SegmentBehind(base_offset).has_value() && RefreshIsDue()) {
    if (absl::Status status = Refresh(); !status.ok()) return status;
  }
  absl::StatusOr<Cursor> entered = LocateIn(base_offset, walk.wanted.offset);
  if (entered.ok()) {
    *walk.cursor = *std::move(entered);
    return Step::kGoOn;
  }
  if (!absl::IsNotFound(entered.status())) return entered.status();
  // Deleted since it was listed, and perhaps those behind it.
  if (++walk.vanished_count > kTriesMax) return Vanishing();
  if (absl::Status status = Refresh(); !status.ok()) return status;
  return Step::kGoOn;
}

absl::Status LiveLog::Vanishing() const {
  return absl::UnavailableError(absl::StrCat(
      path_, ": its segments are gone as soon as they are listed"));
}

}  // namespace varve
