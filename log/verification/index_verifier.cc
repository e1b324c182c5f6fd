// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/index_verifier.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/crc/crc32c.h"
#include "absl/functional/function_ref.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

constexpr int64_t kIndexSizeMax = std::numeric_limits<int32_t>::max();

int64_t PlaceOf(const OffsetPosition& entry) { return entry.position; }
int64_t PlaceOf(const TimestampOffset& entry) { return entry.offset; }

bool Grows(const OffsetPosition& before, const OffsetPosition& entry) {
  return entry.offset > before.offset && entry.position > before.position;
}
bool Grows(const TimestampOffset& before, const TimestampOffset& entry) {
  return entry.timestamp_ms > before.timestamp_ms &&
         entry.offset > before.offset;
}

std::string TextOf(const OffsetPosition& entry) {
  return absl::StrCat("offset ", entry.offset, " at position ", entry.position);
}
std::string TextOf(const TimestampOffset& entry) {
  return absl::StrCat("time ", entry.timestamp_ms, " ms at offset ",
                      entry.offset);
}

// Cuts the zeros that were allocated ahead, back to the last entry with a byte
// that is not zero.
void DropTrailingZeros(std::string& bytes, size_t entry_size) {
  const size_t last = bytes.find_last_not_of('\0');
  const size_t used = last == std::string::npos ? 0 : last + 1;
  bytes.resize((used + entry_size - 1) / entry_size * entry_size);
}

}  // namespace

template <typename Index>
IndexVerifier::Entries<Index>::Entries(Directory& directory,
                                       SegmentFileKind kind,
                                       const Options& options,
                                       FindingList& findings)
    : options_(options),
      findings_(findings),
      path_(directory.PathOf(SegmentFileName(options.base_offset, kind))),
      bytes_(Load(directory, kind)),
      index_(options.base_offset, absl::MakeSpan(bytes_),
             static_cast<int64_t>(bytes_.size()) / Index::kEntrySize) {}

template <typename Index>
std::string IndexVerifier::Entries<Index>::Load(Directory& directory,
                                                SegmentFileKind kind) {
  absl::StatusOr<std::string> bytes = ReadWholeFile(
      directory, SegmentFileName(options_.base_offset, kind), kIndexSizeMax);
  if (!bytes.ok()) {
    VerifyFinding finding = VerifyFinding::FromStatus(path_, bytes.status());
    finding.severity = options_.severity;
    // Indexes are a cache: reads work without them, and the next append makes
    // them.
    if (absl::IsNotFound(bytes.status())) {
      finding.severity = FindingSeverity::kNote;
      finding.what = "the index is missing; reads scan instead";
    }
    findings_.Add(std::move(finding));
    return "";
  }
  crc_ = static_cast<uint32_t>(absl::ComputeCrc32c(*bytes));
  constexpr int64_t kSize = Index::kEntrySize;
  if (options_.end == SegmentEnd::kAllocatedAhead) {
    DropTrailingZeros(*bytes, static_cast<size_t>(kSize));
  }
  const int64_t size = static_cast<int64_t>(bytes->size());
  if (size % kSize != 0) {
    findings_.Add({.severity = options_.severity,
                   .path = path_,
                   .position = size / kSize * kSize,
                   .what = "the file ends within an entry",
                   .expected = absl::StrCat("a multiple of ", kSize, " bytes"),
                   .found = absl::StrCat(size, " bytes")});
  }
  return *std::move(bytes);
}

template <typename Index>
void IndexVerifier::Entries<Index>::Add(const Defect& defect) {
  const Entry entry = index_.entry(next_);
  findings_.Add({.severity = options_.severity,
                 .path = path_,
                 .position = next_ * Index::kEntrySize,
                 .offset = entry.offset,
                 .what = absl::StrCat("entry ", next_, ": ", defect.what),
                 .expected = defect.expected,
                 .found = TextOf(entry)});
}

template <typename Index>
bool IndexVerifier::Entries<Index>::IsAheadOfNext() const {
  const int64_t next = next_ + 1;
  return next < count() &&
         PlaceOf(index_.entry(next)) <= PlaceOf(index_.entry(next_));
}

template <typename Index>
void IndexVerifier::Entries<Index>::CheckUpTo(
    int64_t place, absl::FunctionRef<Defect(const Entry&)> judge) {
  for (; next_ < count(); ++next_) {
    const Entry entry = index_.entry(next_);
    if (PlaceOf(entry) > place) {
      // One wrong entry that points far ahead must not hide those after it.
      if (!IsAheadOfNext()) return;
      Add({.what = "it is not below the entry after it"});
    } else if (const Defect defect = judge(entry); !defect.what.empty()) {
      Add(defect);
    } else if (!Grows(before_, entry)) {
      Add({.what = "it does not grow",
           .expected = absl::StrCat("more than ", TextOf(before_))});
    } else {
      before_ = entry;
    }
  }
}

template <typename Index>
void IndexVerifier::Entries<Index>::SkipTo(int64_t place) {
  while (next_ < count() && PlaceOf(index_.entry(next_)) < place) ++next_;
}

template <typename Index>
void IndexVerifier::Entries<Index>::AddRest() {
  CHECK_LE(next_, count());
  for (; next_ < count(); ++next_) {
    Add({.what = "it lies after the last batch"});
  }
}

IndexVerifier::IndexVerifier(Directory& directory, const Options& options,
                             FindingList& findings)
    : options_(options),
      findings_(findings),
      offsets_(directory, SegmentFileKind::kIndex, options, findings),
      times_(directory, SegmentFileKind::kTimeIndex, options, findings) {}

void IndexVerifier::CheckBatch(const RecordBatch& batch, int64_t position) {
  const int64_t last_offset = batch.last_offset();
  const int64_t timestamp_ms = batch.max_timestamp_ms();
  offsets_.CheckUpTo(position, [&](const OffsetPosition& entry) -> Defect {
    if (entry.position < position) return {.what = "no batch begins there"};
    if (entry.offset == last_offset) return {};
    return {.what = "it is not the last offset of that batch",
            .expected = absl::StrCat("offset ", last_offset)};
  });
  times_.CheckUpTo(last_offset, [&](const TimestampOffset& entry) -> Defect {
    if (entry.offset < last_offset)
      return {.what = "no batch has that last offset"};
    if (entry.timestamp_ms != timestamp_ms) {
      return {.what = "it is not the largest time of that batch",
              .expected = absl::StrCat("time ", timestamp_ms, " ms")};
    }
    if (timestamp_ms > max_timestamp_ms_) return {};
    return {.what = "an earlier batch has that time or a later one"};
  });
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
}

void IndexVerifier::SkipDamage(int64_t position, int64_t offset) {
  damage_skipped_ = true;
  offsets_.SkipTo(position);
  times_.SkipTo(offset);
}

void IndexVerifier::Finish(LogEnd log_end) {
  if (log_end == LogEnd::kDamaged) return;
  offsets_.AddRest();
  times_.AddRest();
  if (options_.end != SegmentEnd::kTrimmed || !times_.crc().has_value() ||
      damage_skipped_) {
    return;
  }
  const int64_t last = times_.index().last_entry().timestamp_ms;
  if (last < max_timestamp_ms_) {
    findings_.Add({.severity = options_.severity,
                   .path = times_.path(),
                   .position = times_.index().size_bytes(),
                   .what = "the final entry is missing",
                   .expected = absl::StrCat("time ", max_timestamp_ms_, " ms"),
                   .found = absl::StrCat("time ", last, " ms as the last")});
  }
}

}  // namespace varve
