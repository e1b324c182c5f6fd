// SPDX-License-Identifier: Apache-2.0

#include "varve/log/cleaner/cleaned_segments.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/cleaner/batch_pieces.h"
#include "varve/log/cleaner/cleaned_segment.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// A group may exceed segment.bytes, when that was larger once, and what it
// comes to may exceed the group. Twice as much is room for the longest
// timestamps in all but the shortest records. Were segment.bytes the limit, a
// full segment would fall into a full one and a tiny one, which no later
// compaction joins.
LogConfig Sized(LogConfig config, int64_t size_bytes) {
  constexpr int64_t kSizeMax = std::numeric_limits<int32_t>::max();
  config.segment_bytes =
      std::clamp(2 * size_bytes, config.segment_bytes, kSizeMax);
  return config;
}

}  // namespace

CleanedSegments::CleanedSegments(Directory* directory, const LogConfig& config,
                                 const Group& group, CleanerPace* pace)
    : directory_(directory),
      config_(Sized(config, group.size_bytes)),
      group_(group),
      pace_(pace) {
  if (group_.only_segment.has_value()) unchanged_bytes_ = 0;
}

absl::Status CleanedSegments::Append(
    const RecordBatch& batch,
    const std::optional<AbortedTransaction>& index_entry) {
  if (unchanged_bytes_.has_value()) {
    if (batch.bytes().data() ==
        group_.only_segment->data() + *unchanged_bytes_) {
      *unchanged_bytes_ += batch.size();
      if (index_entry.has_value()) unchanged_entries_.push_back(*index_entry);
      return absl::OkStatus();
    }
    if (absl::Status status = WriteUnchanged(); !status.ok()) return status;
  }
  return Write(batch, index_entry);
}

absl::Status CleanedSegments::WriteUnchanged() {
  std::string_view rest =
      group_.only_segment->substr(0, static_cast<size_t>(*unchanged_bytes_));
  unchanged_bytes_.reset();
  auto entry = unchanged_entries_.begin();
  while (!rest.empty()) {
    const RecordBatch batch(FirstBatches(rest, 1));
    const bool has_entry = entry != unchanged_entries_.end() &&
                           entry->last_offset == batch.last_offset();
    absl::Status status =
        Write(batch, has_entry ? std::optional(*entry) : std::nullopt);
    if (!status.ok()) return status;
    if (has_entry) ++entry;
    rest.remove_prefix(batch.bytes().size());
  }
  return absl::OkStatus();
}

absl::Status CleanedSegments::Write(
    const RecordBatch& batch,
    const std::optional<AbortedTransaction>& index_entry) {
  if (written_.empty() || !written_.back()->HasRoomFor(batch)) {
    absl::Status status =
        Begin(written_.empty() ? group_.base_offset : batch.base_offset(),
              batch.size());
    if (!status.ok()) return status;
  }
  absl::Status status = written_.back()->Append(batch, index_entry);
  if (!status.ok()) return status;
  unspent_bytes_ += batch.size();
  return unspent_bytes_ < kPieceBytes ? absl::OkStatus() : Spend();
}

absl::Status CleanedSegments::Spend() {
  return pace_->Spend(std::exchange(unspent_bytes_, 0));
}

absl::Status CleanedSegments::Begin(int64_t base_offset,
                                    int64_t first_batch_bytes) {
  absl::StatusOr<std::unique_ptr<CleanedSegment>> segment =
      CleanedSegment::Create(*directory_, base_offset, config_,
                             first_batch_bytes);
  if (!segment.ok()) return segment.status();
  written_.push_back(*std::move(segment));
  return absl::OkStatus();
}

absl::Status CleanedSegments::Finish(absl::Time modified) {
  if (unchanged_bytes_.has_value()) {
    if (*unchanged_bytes_ == std::ssize(*group_.only_segment))
      return absl::OkStatus();
    if (absl::Status status = WriteUnchanged(); !status.ok()) return status;
  }
  if (written_.empty()) {
    // Nothing is left: an empty segment holds the place.
    absl::Status status = Begin(group_.base_offset, 0);
    if (!status.ok()) return status;
  }
  if (absl::Status status = Spend(); !status.ok()) return status;
  for (size_t i = 0; i < written_.size(); ++i) {
    const int64_t end =
        i + 1 < written_.size() ? written_[i + 1]->base_offset() : group_.end;
    absl::Status status = written_[i]->Finish(end, modified);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::vector<int64_t> CleanedSegments::base_offsets() const {
  std::vector<int64_t> base_offsets;
  base_offsets.reserve(written_.size());
  for (const auto& segment : written_)
    base_offsets.push_back(segment->base_offset());
  return base_offsets;
}

int64_t CleanedSegments::size_bytes() const {
  int64_t size = 0;
  for (const auto& segment : written_) size += segment->size_bytes();
  return size;
}

}  // namespace varve
