// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/batch_scanner.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/log/check.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

constexpr int64_t kMaxBatchSize = std::numeric_limits<int32_t>::max();
static_assert(kMaxBatchSize == kBatchSizeMax);

// How far past the offset of a bad batch that of the next good one may lie: a
// segment spans no more (index entries are relative 32-bit offsets).
constexpr int64_t kMaxOffsetSpan = std::numeric_limits<int32_t>::max();

}  // namespace

std::string_view ScanStopText(ScanStop stop) {
  switch (stop) {
    case ScanStop::kNone:
      return "a whole batch";
    case ScanStop::kEnd:
      return "the end of the file";
    case ScanStop::kZeros:
      return "zeros up to the end of the file";
    case ScanStop::kBadBatch:
      return "bytes that are no batch";
    case ScanStop::kWrongOffset:
      return "a batch whose base offset does not continue the log";
    case ScanStop::kWrongEpoch:
      return "a batch of a leader epoch that was not in force at its offset";
  }
  return "unknown";
}

const RecordBatch* BatchScanner::Peek() {
  if (batch_.has_value()) return &*batch_;
  stop_ = Classify();
  return stop_ == ScanStop::kNone ? &*batch_ : nullptr;
}

bool BatchScanner::VerifyCrc() {
  CHECK(batch_.has_value());
  if (batch_->crc() == batch_->ComputeCrc()) return true;
  search_budget_ -= batch_->size();
  stop_ = ScanStop::kBadBatch;
  defect_ = BatchDefect::kBadCrc;
  batch_.reset();
  return false;
}

void BatchScanner::Advance() {
  CHECK(batch_.has_value());
  position_ += batch_->size();
  expected_offset_ = batch_->next_offset();
  batch_.reset();
}

void BatchScanner::Resume(const BatchPlace& place) {
  CHECK_GE(place.position, position_);  // or a scan might never end
  CHECK_LE(place.position, static_cast<int64_t>(bytes_.size()));
  position_ = place.position;
  expected_offset_ = place.base_offset;
  batch_.reset();
}

ScanStop BatchScanner::Classify() {
  defect_ = BatchDefect::kNone;
  if (position_ == static_cast<int64_t>(bytes_.size())) return ScanStop::kEnd;
  const std::string_view rest = bytes_.substr(static_cast<size_t>(position_));
  int64_t size = 0;
  defect_ = RecordBatch::Check(rest, options_.crc, kMaxBatchSize, &size);
  if (defect_ != BatchDefect::kNone) {
    if (defect_ == BatchDefect::kBadCrc) search_budget_ -= size;
    return OnlyZerosLeft() ? ScanStop::kZeros : ScanStop::kBadBatch;
  }
  const RecordBatch batch(rest.substr(0, static_cast<size_t>(size)));
  if (!Continues(batch)) return ScanStop::kWrongOffset;
  if (!EpochFits(batch)) return ScanStop::kWrongEpoch;
  batch_ = batch;
  return ScanStop::kNone;
}

bool BatchScanner::OnlyZerosLeft() const {
  const std::string_view rest = bytes_.substr(static_cast<size_t>(position_));
  return rest.find_first_not_of('\0') == std::string_view::npos;
}

bool BatchScanner::Continues(const RecordBatch& batch) const {
  const int64_t base_offset = batch.base_offset();
  if (base_offset <= expected_offset_) return base_offset == expected_offset_;
  return options_.continuity == Continuity::kGapsAllowed &&
         base_offset <= options_.gaps_end;
}

bool BatchScanner::EpochFits(const RecordBatch& batch) const {
  if (options_.epochs == nullptr) return true;
  // Kafka's batches from before epochs have -1, "none".
  return options_.epochs->EpochAt(batch.base_offset()).value_or(-1) ==
         batch.leader_epoch();
}

// The batch at `position`, if it may follow the stop.
std::optional<BatchPlace> BatchScanner::BatchAt(int64_t position) {
  const std::string_view rest = bytes_.substr(static_cast<size_t>(position));
  int64_t size = 0;
  if (RecordBatch::Check(rest, CrcCheck::kSkip, kMaxBatchSize, &size) !=
      BatchDefect::kNone) {
    return std::nullopt;
  }
  const RecordBatch batch(rest.substr(0, static_cast<size_t>(size)));
  const int64_t distance = batch.base_offset() - expected_offset_;
  if (distance < 0 || distance > kMaxOffsetSpan || !EpochFits(batch))
    return std::nullopt;
  search_budget_ -= size;
  if (search_budget_ < 0 ||
      RecordBatch::Check(rest, CrcCheck::kVerify, kMaxBatchSize, &size) !=
          BatchDefect::kNone) {
    return std::nullopt;
  }
  return BatchPlace{.position = position, .base_offset = batch.base_offset()};
}

// The batch at the stop, if its offset is later than is due and not damaged
// itself: the offsets after it are later still.
std::optional<BatchPlace> BatchScanner::BatchAtStop() {
  if (stop_ != ScanStop::kWrongOffset) return std::nullopt;
  const std::optional<BatchPlace> place = BatchAt(position_);
  if (!place.has_value()) return std::nullopt;
  const std::string_view rest = bytes_.substr(static_cast<size_t>(position_));
  int64_t size = 0;
  RecordBatch::Check(rest, CrcCheck::kSkip, kMaxBatchSize, &size);
  const int64_t next_offset =
      RecordBatch(rest.substr(0, static_cast<size_t>(size))).next_offset();
  const std::string_view behind = rest.substr(static_cast<size_t>(size));
  if (RecordBatch::Check(behind, CrcCheck::kSkip, kMaxBatchSize, &size) ==
      BatchDefect::kNone) {
    return RecordBatch(behind.substr(0, static_cast<size_t>(size)))
                       .base_offset() >= next_offset
               ? place
               : std::nullopt;
  }
  const bool ends = behind.find_first_not_of('\0') == std::string_view::npos;
  return ends && options_.next_base_offset.has_value() &&
                 next_offset <= *options_.next_base_offset
             ? place
             : std::nullopt;
}

// The batch after the bad one, if the bad one's header is right about both its
// end and the offset that is due there.
std::optional<BatchPlace> BatchScanner::BatchAtClaimedEnd() {
  const std::string_view rest = bytes_.substr(static_cast<size_t>(position_));
  int64_t size = 0;
  if (RecordBatch::Check(rest, CrcCheck::kSkip, kMaxBatchSize, &size) !=
      BatchDefect::kNone) {
    return std::nullopt;
  }
  const RecordBatch bad(rest.substr(0, static_cast<size_t>(size)));
  const std::optional<BatchPlace> next = BatchAt(position_ + size);
  const int64_t bad_offset = options_.continuity == Continuity::kExact
                                 ? expected_offset_
                                 : bad.base_offset();
  return next.has_value() && next->base_offset - bad_offset ==
                                 int64_t{bad.last_offset_delta()} + 1
             ? next
             : std::nullopt;
}

std::optional<BatchPlace> BatchScanner::FindBatchBehind() {
  if (const auto here = BatchAtStop(); here.has_value()) return here;
  if (const auto next = BatchAtClaimedEnd(); next.has_value()) return next;
  const int64_t last =
      static_cast<int64_t>(bytes_.size()) - batch_layout::kRecords;
  for (int64_t at = position_ + 1; at <= last; ++at) {
    // Almost every place is ruled out by the one byte that is always 2.
    const char* magic = bytes_.data() + at + batch_layout::kMagic;
    const void* next =
        std::memchr(magic, 2, static_cast<size_t>(last - at + 1));
    if (next == nullptr) return std::nullopt;
    at += static_cast<const char*>(next) - magic;
    const std::optional<BatchPlace> found = BatchAt(at);
    if (found.has_value()) return found;
    if (search_budget_ < 0) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace varve
