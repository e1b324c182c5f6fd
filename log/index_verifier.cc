// SPDX-License-Identifier: Apache-2.0

#include "log/index_verifier.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "index/offset_index.h"
#include "index/time_index.h"
#include "log/atomic_file.h"
#include "log/file_system.h"
#include "log/record_batch.h"
#include "log/segment_name.h"
#include "log/verify_finding.h"

namespace varve {
namespace {

constexpr int64_t kIndexSizeMax = std::numeric_limits<int32_t>::max();

std::string PathOf(const Directory& directory, int64_t base_offset,
                   SegmentFileKind kind) {
  return absl::StrCat(directory.path(), "/",
                      SegmentFileName(base_offset, kind));
}

// Cuts what was allocated ahead: zeros, up to the first entry that has a byte.
void DropTrailingZeros(std::string& bytes, size_t entry_size) {
  const size_t last = bytes.find_last_not_of('\0');
  const size_t used = last == std::string::npos ? 0 : last + 1;
  bytes.resize((used + entry_size - 1) / entry_size * entry_size);
}

}  // namespace

IndexVerifier::IndexVerifier(Directory& directory, const Options& options,
                             FindingList& findings)
    : options_(options),
      findings_(findings),
      offset_path_(
          PathOf(directory, options.base_offset, SegmentFileKind::kIndex)),
      time_path_(
          PathOf(directory, options.base_offset, SegmentFileKind::kTimeIndex)),
      offset_bytes_(Load(directory, SegmentFileKind::kIndex,
                         OffsetIndex::kEntrySize, &offset_count_,
                         &offset_crc_)),
      time_bytes_(Load(directory, SegmentFileKind::kTimeIndex,
                       TimeIndex::kEntrySize, &time_count_, &time_crc_)),
      offsets_(options.base_offset, absl::MakeSpan(offset_bytes_),
               offset_count_),
      times_(options.base_offset, absl::MakeSpan(time_bytes_), time_count_) {}

std::string IndexVerifier::Load(Directory& directory, SegmentFileKind kind,
                                int64_t entry_size, int64_t* count,
                                std::optional<uint32_t>* crc) {
  absl::StatusOr<std::string> bytes = ReadWholeFile(
      directory, SegmentFileName(options_.base_offset, kind), kIndexSizeMax);
  if (!bytes.ok()) {
    VerifyFinding finding = VerifyFinding::FromStatus(
        PathOf(directory, options_.base_offset, kind), bytes.status());
    finding.severity = options_.severity;
    // Indexes are a cache: reads do without, and the next append makes them.
    if (absl::IsNotFound(bytes.status())) {
      finding.severity = FindingSeverity::kNote;
      finding.what = "the index is missing; reads scan instead";
    }
    findings_.Add(std::move(finding));
    return "";
  }
  *crc = static_cast<uint32_t>(absl::ComputeCrc32c(*bytes));
  if (options_.end == SegmentEnd::kAllocatedAhead) {
    DropTrailingZeros(*bytes, static_cast<size_t>(entry_size));
  }
  const int64_t size = static_cast<int64_t>(bytes->size());
  if (size % entry_size != 0) {
    findings_.Add(
        {.severity = options_.severity,
         .path = PathOf(directory, options_.base_offset, kind),
         .position = size / entry_size * entry_size,
         .what = "the file ends within an entry",
         .expected = absl::StrCat("a multiple of ", entry_size, " bytes"),
         .found = absl::StrCat(size, " bytes")});
  }
  *count = size / entry_size;
  return *std::move(bytes);
}

void IndexVerifier::AddOffsetFinding(std::string_view what,
                                     std::string expected) {
  const OffsetPosition entry = offsets_.entry(next_offset_entry_);
  findings_.Add({.severity = options_.severity,
                 .path = offset_path_,
                 .position = next_offset_entry_ * OffsetIndex::kEntrySize,
                 .offset = entry.offset,
                 .what = absl::StrCat("entry ", next_offset_entry_, ": ", what),
                 .expected = std::move(expected),
                 .found = absl::StrCat("offset ", entry.offset, " at position ",
                                       entry.position)});
}

void IndexVerifier::AddTimeFinding(std::string_view what,
                                   std::string expected) {
  const TimestampOffset entry = times_.entry(next_time_entry_);
  findings_.Add({.severity = options_.severity,
                 .path = time_path_,
                 .position = next_time_entry_ * TimeIndex::kEntrySize,
                 .offset = entry.offset,
                 .what = absl::StrCat("entry ", next_time_entry_, ": ", what),
                 .expected = std::move(expected),
                 .found = absl::StrCat("time ", entry.timestamp_ms, " ms at ",
                                       "offset ", entry.offset)});
}

bool IndexVerifier::OffsetEntryGrows() {
  const OffsetPosition entry = offsets_.entry(next_offset_entry_);
  if (entry.offset > offset_before_.offset &&
      entry.position > offset_before_.position) {
    return true;
  }
  AddOffsetFinding("it does not grow",
                   absl::StrCat("more than offset ", offset_before_.offset,
                                " at position ", offset_before_.position));
  return false;
}

bool IndexVerifier::TimeEntryGrows() {
  const TimestampOffset entry = times_.entry(next_time_entry_);
  if (entry.timestamp_ms > time_before_.timestamp_ms &&
      entry.offset > time_before_.offset) {
    return true;
  }
  AddTimeFinding("it does not grow",
                 absl::StrCat("more than time ", time_before_.timestamp_ms,
                              " ms at offset ", time_before_.offset));
  return false;
}

void IndexVerifier::CheckBatch(const RecordBatch& batch, int64_t position) {
  CheckOffsetEntries(batch, position);
  CheckTimeEntries(batch);
  max_timestamp_ms_ = std::max(max_timestamp_ms_, batch.max_timestamp_ms());
}

// One wrong entry that points far ahead must not hide those behind it.
bool IndexVerifier::OffsetEntryIsAheadOfNext() {
  const int64_t next = next_offset_entry_ + 1;
  if (next >= offset_count_ ||
      offsets_.entry(next).position >
          offsets_.entry(next_offset_entry_).position) {
    return false;
  }
  AddOffsetFinding("it is not below the entry behind it", "");
  return true;
}

bool IndexVerifier::TimeEntryIsAheadOfNext() {
  const int64_t next = next_time_entry_ + 1;
  if (next >= time_count_ ||
      times_.entry(next).offset > times_.entry(next_time_entry_).offset) {
    return false;
  }
  AddTimeFinding("it is not below the entry behind it", "");
  return true;
}

void IndexVerifier::CheckOffsetEntries(const RecordBatch& batch,
                                       int64_t position) {
  for (; next_offset_entry_ < offset_count_; ++next_offset_entry_) {
    const OffsetPosition entry = offsets_.entry(next_offset_entry_);
    if (entry.position > position) {
      if (!OffsetEntryIsAheadOfNext()) return;
    } else if (entry.position < position) {
      AddOffsetFinding("no batch begins there", "");
    } else if (entry.offset != batch.last_offset()) {
      AddOffsetFinding("it is not the last offset of that batch",
                       absl::StrCat("offset ", batch.last_offset()));
    } else if (OffsetEntryGrows()) {
      offset_before_ = entry;
    }
  }
}

void IndexVerifier::CheckTimeEntries(const RecordBatch& batch) {
  for (; next_time_entry_ < time_count_; ++next_time_entry_) {
    const TimestampOffset entry = times_.entry(next_time_entry_);
    if (entry.offset > batch.last_offset()) {
      if (!TimeEntryIsAheadOfNext()) return;
    } else if (entry.offset < batch.last_offset()) {
      AddTimeFinding("no batch has that last offset", "");
    } else if (entry.timestamp_ms != batch.max_timestamp_ms()) {
      AddTimeFinding("it is not the largest time of that batch",
                     absl::StrCat("time ", batch.max_timestamp_ms(), " ms"));
    } else if (entry.timestamp_ms <= max_timestamp_ms_) {
      AddTimeFinding("an earlier batch has that time or a later one", "");
    } else if (TimeEntryGrows()) {
      time_before_ = entry;
    }
  }
}

void IndexVerifier::SkipDamage(int64_t position, int64_t offset) {
  damage_skipped_ = true;
  while (next_offset_entry_ < offset_count_ &&
         offsets_.entry(next_offset_entry_).position < position) {
    ++next_offset_entry_;
  }
  while (next_time_entry_ < time_count_ &&
         times_.entry(next_time_entry_).offset < offset) {
    ++next_time_entry_;
  }
}

void IndexVerifier::Finish(LogEnd log_end) {
  if (log_end == LogEnd::kDamaged) return;
  for (; next_offset_entry_ < offset_count_; ++next_offset_entry_) {
    AddOffsetFinding("it lies behind the last batch", "");
  }
  for (; next_time_entry_ < time_count_; ++next_time_entry_) {
    AddTimeFinding("it lies behind the last batch", "");
  }
  if (options_.end != SegmentEnd::kTrimmed || !time_crc_.has_value() ||
      damage_skipped_) {
    return;
  }
  const int64_t last = times_.last_entry().timestamp_ms;
  if (last < max_timestamp_ms_) {
    findings_.Add({.severity = options_.severity,
                   .path = time_path_,
                   .position = times_.size_bytes(),
                   .what = "the final entry is missing",
                   .expected = absl::StrCat("time ", max_timestamp_ms_, " ms"),
                   .found = absl::StrCat("time ", last, " ms as the last")});
  }
}

}  // namespace varve
