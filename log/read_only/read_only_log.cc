// SPDX-License-Identifier: Apache-2.0

#include "varve/log/read_only/read_only_log.h"

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
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/read_only/read_only_segment.h"
#include "varve/log/read_only/read_only_segment_read.h"
#include "varve/log/read_only/read_only_segment_search.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/read_errors.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// An offset after every record.
constexpr int64_t kNoOffset = std::numeric_limits<int64_t>::max();

// How often a listed segment may be deleted before it is opened: retention is
// no faster than that.
constexpr int kTriesMax = 10;

std::string Describe(const ReadOnlySlice& slice) {
  const std::string stop(ScanStopText(slice.stop));
  if (slice.defect == BatchDefect::kNone) return stop;
  return absl::StrCat(stop, " (", BatchDefectText(slice.defect), ")");
}

}  // namespace

ReadOnlyLog::ReadOnlyLog(std::unique_ptr<Directory> directory, Options options)
    : path_(directory->path()),
      options_(std::move(options)),
      directory_(std::move(directory)) {
  CHECK(options_.outline != nullptr);
}

absl::Status ReadOnlyLog::WakeUp() {
  CHECK(rests());
  absl::StatusOr<std::unique_ptr<Directory>> directory = options_.reopen();
  if (!directory.ok()) return directory.status();
  directory_ = *std::move(directory);
  return absl::OkStatus();
}

absl::Status ReadOnlyLog::Refresh(FactsAge age) {
  CHECK(!rests());
  absl::StatusOr<PartitionFacts> outline = options_.outline(age);
  if (!outline.ok()) return outline.status();
  absl::StatusOr<std::vector<int64_t>> bases = ListSegments(*directory_);
  if (!bases.ok()) return bases.status();
  outline_ = *outline;
  bases_ = *std::move(bases);
  log_start_ = outline_.checkpoint.log_start;
  // Files and checkpoint may disagree for a moment: use the later start.
  if (!bases_.empty()) log_start_ = std::max(log_start_, bases_.front());
  refreshed_at_ = options_.clock->Steady();
  return absl::OkStatus();
}

bool ReadOnlyLog::RefreshIsDue() const {
  return options_.clock->Steady() - refreshed_at_ >= kRefreshInterval;
}

absl::Status ReadOnlyLog::CheckStart(int64_t offset) const {
  if (offset >= log_start_) return absl::OkStatus();
  return OffsetOutOfRange(path_, offset, log_start_);
}

std::optional<int64_t> ReadOnlyLog::SegmentBehind(int64_t base_offset) const {
  auto above = std::upper_bound(bases_.begin(), bases_.end(), base_offset);
  if (above == bases_.end()) return std::nullopt;
  return *above;
}

absl::StatusOr<ReadOnlyLog::Cursor> ReadOnlyLog::Locate(int64_t offset) {
  absl::StatusOr<Cursor> cursor = TryLocate(offset);
  if (!absl::IsDataLoss(cursor.status()) && !LooksEmptied()) return cursor;
  absl::Status status = Refresh(FactsAge::kNow);
  return status.ok() ? TryLocate(offset) : status;
}

// Whether durable records are missing: damage, or the topic has just been
// deleted.
bool ReadOnlyLog::LooksEmptied() const {
  return bases_.empty() && log_start_ < outline_.checkpoint.recovery_point;
}

absl::StatusOr<ReadOnlyLog::Cursor> ReadOnlyLog::FindAgain(
    int64_t segment_base, const BatchPlace& place) {
  absl::StatusOr<std::shared_ptr<ReadOnlySegment>> segment =
      ReadOnlySegment::Open(*directory_, segment_base);
  if (!segment.ok()) return segment.status();
  return Cursor{.segment = *std::move(segment), .place = place};
}

absl::StatusOr<ReadOnlyLog::Cursor> ReadOnlyLog::TryLocate(int64_t offset) {
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

absl::StatusOr<ReadOnlyLog::Cursor> ReadOnlyLog::LocateIn(int64_t base_offset,
                                                          int64_t offset) {
  absl::StatusOr<std::shared_ptr<ReadOnlySegment>> segment =
      ReadOnlySegment::Open(*directory_, base_offset);
  if (!segment.ok()) return segment.status();
  const std::optional<int64_t> behind = SegmentBehind(base_offset);
  if (behind.has_value() && options_.sealed == SealedAccess::kMap) {
    absl::StatusOr<bool> sealed = IsSealed(*directory_, **segment, *behind);
    if (!sealed.ok()) return sealed.status();
    absl::Status mapped = *sealed ? (*segment)->Map() : absl::OkStatus();
    if (!mapped.ok()) return mapped;
  }
  absl::StatusOr<BatchPlace> place =
      FindReadOnlyPlace(*directory_, **segment, offset);
  if (!place.ok()) return place.status();
  return Cursor{.segment = *std::move(segment), .place = *place};
}

absl::StatusOr<ReadOnlyLog::Cursor> ReadOnlyLog::LocateInEmptyLog(
    int64_t offset) const {
  const int64_t end = std::max(log_start_, outline_.checkpoint.recovery_point);
  if (offset < end) {
    return DamagedRead(
        absl::StrCat(path_, ": no segment holds offset ", offset), end);
  }
  return Cursor{.segment = nullptr,
                .place = {.position = 0, .base_offset = end}};
}

absl::StatusOr<ReadOnlySlice> ReadOnlyLog::Advance(Cursor& cursor,
                                                   const Wanted& wanted) {
  DCHECK(!rests());
  Walk walk = {.cursor = &cursor, .wanted = wanted};
  while (true) {
    walk.slice = {.pin = nullptr, .bytes = {}, .next = cursor.place};
    if (cursor.segment != nullptr) {
      absl::StatusOr<ReadOnlySlice> slice = ReadReadOnlyBatches(
          *cursor.segment, cursor.place,
          {.offset = wanted.offset,
           .max_bytes = wanted.max_bytes,
           .compressed_max_bytes = wanted.compressed_max_bytes,
           .window_bytes = wanted.window_bytes,
           .crc = wanted.crc,
           .continuity = outline_.continuity});
      if (!slice.ok()) return slice.status();
      walk.slice = *std::move(slice);
      DCHECK_GE(walk.slice.next.position, cursor.place.position);
      cursor.place = walk.slice.next;
      if (!walk.slice.bytes.empty()) return walk.slice;
    }
    absl::StatusOr<Step> step = StepOn(walk);
    if (!step.ok()) return step.status();
    if (*step == Step::kNotYet) return walk.slice;
  }
}

// There is nothing at the cursor. The directory was listed before the segment
// was read, so a segment with a later one was already complete.
absl::StatusOr<ReadOnlyLog::Step> ReadOnlyLog::StepOn(Walk& walk) {
  const Cursor& cursor = *walk.cursor;
  const int64_t next = cursor.place.base_offset;
  // A walk may begin below the log start, at the batch of an index entry.
  absl::Status in_range = CheckStart(std::max(next, walk.wanted.offset));
  if (!in_range.ok()) return in_range;
  const int64_t base =
      cursor.segment == nullptr ? -1 : cursor.segment->base_offset();
  const std::optional<int64_t> behind = SegmentBehind(base);
  if (!behind.has_value()) return StepAtLast(walk);
  if (*behind <= next) return Enter(walk, *behind);
  if (cursor.segment == nullptr) return Enter(walk, *behind);
  if (IsAllowedGap(walk, *behind)) {
    // The directory may have been listed after a log cleaner replaced the file
    // that is open, which then lacks what the new one has: no gap is passed
    // before the file was opened after the listing.
    if (walk.gap_looked_at == next) return Enter(walk, *behind);
    walk.gap_looked_at = next;
    return LookAnew(walk, FactsAge::kRecent);
  }
  return walk.looked_anew ? StepOverDamage(walk, behind)
                          : LookAnew(walk, FactsAge::kNow);
}

// Whether compaction may have left out the offsets that are missing before the
// next segment. It leaves whole batches, and nothing above the recovery point
// is ever compacted: there a power loss has lost them.
bool ReadOnlyLog::IsAllowedGap(const Walk& walk, int64_t behind) const {
  return outline_.continuity == Continuity::kGapsAllowed &&
         walk.slice.stop == ScanStop::kEnd &&
         behind <= LastGapEnd(outline_.checkpoint);
}

// Continues where the walk is, even if this segment was deleted, cut or
// replaced meanwhile.
absl::StatusOr<ReadOnlyLog::Step> ReadOnlyLog::LookAnew(Walk& walk,
                                                        FactsAge age) {
  if (absl::Status status = Refresh(age); !status.ok()) return status;
  walk.refreshed = true;
  walk.looked_anew |= age == FactsAge::kNow;
  absl::StatusOr<Cursor> again =
      Locate(std::max(walk.cursor->place.base_offset,
                      std::min(walk.wanted.offset, log_start_)));
  if (!again.ok()) return again.status();
  *walk.cursor = *std::move(again);
  return Step::kGoOn;
}

// Steps in the last segment that is known.
absl::StatusOr<ReadOnlyLog::Step> ReadOnlyLog::StepAtLast(Walk& walk) {
  Cursor& cursor = *walk.cursor;
  const int64_t next = cursor.place.base_offset;
  // The next segment, if there is one by now, is named after its first offset.
  if (cursor.segment == nullptr || cursor.segment->base_offset() < next) {
    absl::StatusOr<std::shared_ptr<ReadOnlySegment>> opened =
        ReadOnlySegment::Open(*directory_, next);
    if (opened.ok()) {
      CHECK(bases_.empty() || bases_.back() < next);
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
  if (is_damage && !walk.looked_anew) return LookAnew(walk, FactsAge::kNow);
  if (!walk.refreshed && (is_odd || RefreshIsDue()))
    return LookAnew(walk, FactsAge::kRecent);
  return is_damage ? StepOverDamage(walk, std::nullopt)
                   : absl::StatusOr<Step>(Step::kNotYet);
}

// Whether the segment was deleted, perhaps with later ones. True without a
// segment: an empty log may have got one and lost it again.
absl::StatusOr<bool> ReadOnlyLog::SegmentIsGone(const Cursor& cursor) {
  if (cursor.segment == nullptr) return true;
  absl::Status status =
      ReadOnlySegment::Open(*directory_, cursor.segment->base_offset())
          .status();
  if (absl::IsNotFound(status)) return true;
  if (!status.ok()) return status;
  return false;
}

// The record at the cursor is missing for good.
absl::StatusOr<ReadOnlyLog::Step> ReadOnlyLog::StepOverDamage(
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
  return DamagedRead(
      absl::StrCat(cursor.segment == nullptr ? path_ : cursor.segment->path(),
                   ": position ", cursor.place.position, ", offset ",
                   cursor.place.base_offset, ": ", Describe(walk.slice)),
      next_readable);
}

// Continues in another segment.
absl::StatusOr<ReadOnlyLog::Step> ReadOnlyLog::Enter(Walk& walk,
                                                     int64_t base_offset) {
  // Whether it can be mapped depends on the segment after it.
  if (!SegmentBehind(base_offset).has_value() && RefreshIsDue()) {
    if (absl::Status status = Refresh(); !status.ok()) return status;
  }
  absl::StatusOr<Cursor> entered = LocateIn(base_offset, walk.wanted.offset);
  if (entered.ok()) {
    *walk.cursor = *std::move(entered);
    return Step::kGoOn;
  }
  if (!absl::IsNotFound(entered.status())) return entered.status();
  // It was deleted since it was listed, perhaps with later ones.
  if (++walk.vanished_count > kTriesMax) return Vanishing();
  // Or a log cleaner put its records into the one that the walk is in, of which
  // an old file is open.
  return LookAnew(walk, FactsAge::kRecent);
}

absl::Status ReadOnlyLog::Vanishing() const {
  return absl::UnavailableError(absl::StrCat(
      path_, ": its segments are gone as soon as they are listed"));
}

}  // namespace varve
