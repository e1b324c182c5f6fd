// SPDX-License-Identifier: Apache-2.0

#include "varve/log/cleaner/log_cleaner.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/cleaner/batch_pieces.h"
#include "varve/log/cleaner/cleaned_segments.h"
#include "varve/log/cleaner/segment_replacing.h"
#include "varve/log/cleaner/source_check.h"
#include "varve/log/compaction/batch_cleaner.h"
#include "varve/log/compaction/compaction_segment.h"
#include "varve/log/compaction/compaction_stats.h"
#include "varve/log/compaction/dirty_keys.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/compaction/segment_groups.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/swap/segment_swap.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Takes what a compaction would write.
class CountingSink final : public CleanedBatchSink {
 public:
  absl::Status Append(const RecordBatch& batch,
                      const std::optional<AbortedTransaction>&) override {
    size_bytes_ += batch.size();
    return absl::OkStatus();
  }
  int64_t size_bytes() const { return size_bytes_; }

 private:
  int64_t size_bytes_ = 0;
};

absl::Status WithPath(const Segment& segment, const absl::Status& status) {
  if (status.ok() || absl::IsCancelled(status)) return status;
  return absl::Status(status.code(),
                      absl::StrCat(segment.path(), ": ", status.message()));
}

}  // namespace

LogCleaner::LogCleaner(const Log& log, const Options& options,
                       CleanerPace* pace)
    : log_(log), options_(options), pace_(pace) {
  CHECK(!log_.range.empty());
  CHECK_LT(log_.range.segment_count, std::ssize(log_.facts));
}

int64_t LogCleaner::EndOf(size_t i) const {
  return log_.facts[i + 1].base_offset;  // the last one is never cleaned
}

absl::StatusOr<CleaningResult> LogCleaner::Run(SegmentReplacing& replacing) {
  return CleanGroups([&](const SegmentGroup& group, BatchCleaner& cleaner) {
    return CleanGroup(group, cleaner, replacing);
  });
}

absl::StatusOr<CleaningResult> LogCleaner::Measure() {
  return CleanGroups([this](const SegmentGroup& group, BatchCleaner& cleaner) {
    return MeasureGroup(group, cleaner);
  });
}

absl::StatusOr<CleaningResult> LogCleaner::CleanGroups(CleanGroupWith clean) {
  const CleanableRange& range = log_.range;
  progress_.bytes_to_read = range.clean_bytes + 2 * range.cleanable_bytes;
  const OffsetMap::Options map_options = {
      .memory_bytes = options_.map_memory_bytes,
      .keys_max = range.end - range.first_dirty,
      .secret = options_.secret};
  const absl::StatusOr<std::unique_ptr<Mapping>> memory = log_.files->MapMemory(
      static_cast<size_t>(OffsetMap::MemoryFor(map_options)));
  if (!memory.ok()) return memory.status();
  OffsetMap map(map_options,
                absl::MakeSpan((*memory)->data(), (*memory)->size()));
  const absl::StatusOr<int64_t> mapped_end = MapKeys(map);
  if (!mapped_end.ok()) return mapped_end.status();
  size_t count = 0;
  while (static_cast<int64_t>(count) < range.segment_count &&
         log_.facts[count].base_offset < *mapped_end) {
    ++count;
  }
  result_.first_dirty = *mapped_end;
  if (count == 0) return result_;
  BatchCleaner cleaner({.range_end = range.end,
                        .mapped_end = *mapped_end,
                        .now_ms = log_.now_ms,
                        .delete_retention_ms = log_.config.delete_retention_ms,
                        .codecs = log_.codecs},
                       map, log_.last_batches);
  for (const SegmentGroup& group :
       GroupSegments(log_.facts.first(count),
                     {.segment_bytes = log_.config.segment_bytes,
                     .segment_index_bytes = log_.config.segment_index_bytes,
                     .end = EndOf(count - 1)})) {
    absl::Status status = clean(group, cleaner);
    if (!status.ok()) return status;
  }
  result_.stats.cleaning = cleaner.stats();
  result_.stats.map_keys = map.size();
  result_.stats.map_capacity = map.capacity();
  return result_;
}

absl::StatusOr<int64_t> LogCleaner::MapKeys(OffsetMap& map) {
  const CleanableRange& range = log_.range;
  DirtyKeys keys({.from = range.first_dirty, .to = range.end}, log_.codecs,
                 map);
  for (size_t i = 0; static_cast<int64_t>(i) < range.segment_count; ++i) {
    if (EndOf(i) <= range.first_dirty) continue;
    const absl::StatusOr<std::shared_ptr<Segment>> segment = Open(i);
    if (!segment.ok()) return segment.status();
    absl::StatusOr<std::vector<AbortedTransaction>> aborted = AbortedIn(i);
    if (!aborted.ok()) return aborted.status();
    keys.AddAborted(*aborted);
    std::string_view rest = (*segment)->visible_bytes();
    while (!rest.empty()) {
      const std::string_view piece = FirstBatches(rest, kPieceBytes);
      const absl::StatusOr<DirtyKeys::Progress> progress = keys.Add(piece);
      if (!progress.ok()) return WithPath(**segment, progress.status());
      result_.stats.map = keys.stats();
      if (*progress == DirtyKeys::Progress::kFull) return keys.Finish();
      absl::Status status = Spend(std::ssize(piece));
      if (!status.ok()) return status;
      rest.remove_prefix(piece.size());
    }
  }
  return keys.Finish();
}

absl::Status LogCleaner::CleanGroup(const SegmentGroup& group,
                                    BatchCleaner& cleaner,
                                    SegmentReplacing& replacing) {
  const size_t end = group.first + group.count;
  absl::StatusOr<std::shared_ptr<Segment>> segment = Open(group.first);
  if (!segment.ok()) return segment.status();
  CleanedSegments::Group place = {
      .base_offset = log_.facts[group.first].base_offset,
      .end = EndOf(end - 1),
      .size_bytes = BytesOf(group)};
  if (group.count == 1) place.only_segment = (*segment)->visible_bytes();
  CleanedSegments sink(log_.directory, log_.config, place, pace_);
  absl::Status status = CleanSegment(group.first, **segment, cleaner, sink);
  for (size_t i = group.first + 1; status.ok() && i < end; ++i) {
    segment = Open(i);
    status = segment.ok() ? CleanSegment(i, **segment, cleaner, sink)
                          : segment.status();
  }
  const int64_t modified_ms = log_.facts[end - 1].modified_ms;
  if (status.ok()) {
    status = sink.Finish(
        absl::FromUnixMillis(modified_ms >= 0 ? modified_ms : log_.now_ms));
  }
  if (sink.is_unchanged()) return status;
  std::unique_ptr<SegmentSwap> swap = SwapOf(group, sink);
  if (!status.ok()) {
    // The error that led here is the one to report.
    swap->Discard().IgnoreError();
    return status;
  }
  NoteGroup(group, std::ssize(swap->replacement().by), sink.size_bytes());
  return replacing.Replace(std::move(swap));
}

absl::Status LogCleaner::MeasureGroup(const SegmentGroup& group,
                                      BatchCleaner& cleaner) {
  CountingSink sink;
  const CleaningStats before = cleaner.stats();
  for (size_t i = group.first; i < group.first + group.count; ++i) {
    const absl::StatusOr<std::shared_ptr<Segment>> segment = Open(i);
    if (!segment.ok()) return segment.status();
    absl::Status status = CleanSegment(i, **segment, cleaner, sink);
    if (!status.ok()) return status;
  }
  const CleaningStats& after = cleaner.stats();
  const bool is_unchanged = after.batches_copied - before.batches_copied ==
                            after.batches_read - before.batches_read;
  if (group.count > 1 || !is_unchanged) NoteGroup(group, 1, sink.size_bytes());
  return absl::OkStatus();
}

void LogCleaner::NoteGroup(const SegmentGroup& group, int64_t segments_written,
                           int64_t bytes_written) {
  result_.segments_replaced += static_cast<int64_t>(group.count);
  result_.segments_written += segments_written;
  result_.bytes_replaced += BytesOf(group);
  result_.bytes_written += bytes_written;
}

int64_t LogCleaner::BytesOf(const SegmentGroup& group) const {
  int64_t bytes = 0;
  for (size_t i = group.first; i < group.first + group.count; ++i)
    bytes += log_.facts[i].size_bytes;
  return bytes;
}

// Errors: Cancelled when compaction is not wanted any more.
absl::Status LogCleaner::Spend(int64_t bytes_read) {
  progress_.bytes_read += bytes_read;
  if (options_.progress != nullptr) options_.progress(progress_);
  return pace_->Spend(bytes_read);
}

absl::Status LogCleaner::CleanSegment(size_t i, const Segment& segment,
                                      BatchCleaner& cleaner,
                                      CleanedBatchSink& sink) {
  absl::StatusOr<std::vector<AbortedTransaction>> aborted = AbortedIn(i);
  if (!aborted.ok()) return aborted.status();
  cleaner.AddAborted(*aborted);
  std::string_view rest = segment.visible_bytes();
  while (!rest.empty()) {
    const std::string_view piece = FirstBatches(rest, kPieceBytes);
    absl::Status status = cleaner.Clean(piece, sink);
    if (!status.ok()) return WithPath(segment, status);
    status = Spend(std::ssize(piece));
    if (!status.ok()) return status;
    rest.remove_prefix(piece.size());
  }
  return absl::OkStatus();
}

std::unique_ptr<SegmentSwap> LogCleaner::SwapOf(
    const SegmentGroup& group, const CleanedSegments& sink) const {
  SegmentReplacement replacement = {.end = EndOf(group.first + group.count - 1),
                                    .by = sink.base_offsets()};
  for (size_t i = group.first; i < group.first + group.count; ++i)
    replacement.replaced.push_back(log_.facts[i].base_offset);
  return std::make_unique<SegmentSwap>(log_.directory, std::move(replacement));
}

absl::StatusOr<std::shared_ptr<Segment>> LogCleaner::Open(size_t i) const {
  const int64_t base_offset = log_.facts[i].base_offset;
  absl::StatusOr<SegmentList::Found> found = log_.segments->Find(base_offset);
  if (absl::IsNotFound(found.status()) ||
      (found.ok() && found->segment->base_offset() != base_offset)) {
    return absl::CancelledError("the log was trimmed meanwhile");
  }
  if (!found.ok()) return found.status();
  absl::Status status = CheckSource(*log_.directory, *found->segment, EndOf(i));
  if (!status.ok()) return status;
  return std::move(found->segment);
}

absl::StatusOr<std::vector<AbortedTransaction>> LogCleaner::AbortedIn(
    size_t i) const {
  std::vector<AbortedTransaction> aborted;
  absl::Status status = log_.aborted->FindOverlapping(
      {.from = log_.facts[i].base_offset, .to = EndOf(i)}, aborted);
  if (!status.ok()) return status;
  return aborted;
}

}  // namespace varve
