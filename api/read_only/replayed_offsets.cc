// SPDX-License-Identifier: Apache-2.0

#include "varve/api/read_only/replayed_offsets.h"

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/offsets/offset_replay.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/read_only/read_only_partition_reader.h"

namespace varve {
namespace {

// How often the log may be trimmed while it is read.
constexpr int kTriesMax = 10;

}  // namespace

absl::Status ReplayedOffsets::CatchUp() {
  const absl::Time now = clock_->Now();
  // A clock that was set back says nothing.
  if (now - caught_up_at_ > kGoOnWithin || now < caught_up_at_) BeginAnew();
  for (int i = 0; i < kTriesMax; ++i) {
    const absl::StatusOr<LogBounds> bounds = reader_->Bounds();
    if (!bounds.ok()) return bounds.status();
    if (!Continues(*bounds)) BeginAnew();
    absl::Status status = ReadUpTo(*bounds);
    if (status.ok()) caught_up_at_ = now;
    // Segments that were to be read are gone: what counts of them is in later
    // ones.
    if (!absl::IsOutOfRange(status)) return status;
    BeginAnew();
  }
  return absl::UnavailableError(
      absl::StrCat(name_, ": the log is trimmed as fast as it is read"));
}

// Whether the log goes on where it was read to. If its end was cut and written
// again, which a recovery does, the batch that was read last is another one; if
// that was trimmed away, nothing tells.
bool ReplayedOffsets::Continues(const LogBounds& bounds) {
  if (!replay_.has_value()) return false;
  const int64_t next = replay_->next_offset();
  if (next < bounds.log_start || next > bounds.visible_end) return false;
  const std::optional<OffsetReplay::Batch>& last = replay_->last_batch();
  if (!last.has_value()) return true;
  if (last->offset < bounds.log_start) return false;
  const absl::StatusOr<RecordBatches> now =
      reader_->Read(last->offset, {.max_bytes = 0,
                                   .level = ReadLevel::kVisible,
                                   .decompression = Decompression::kLeave});
  return now.ok() && absl::StartsWith(now->bytes(), last->head);
}

void ReplayedOffsets::BeginAnew() {
  table_ = OffsetTable();
  replay_.reset();
}

absl::Status ReplayedOffsets::ReadUpTo(const LogBounds& bounds) {
  const int64_t begin =
      replay_.has_value() ? replay_->next_offset() : bounds.log_start;
  if (!replay_.has_value()) replay_.emplace(name_, &table_, codecs_, note_);
  return replay_->Run({.begin = begin, .end = bounds.visible_end},
                      [this](int64_t offset, const ReadOptions& options) {
                        return reader_->Read(offset, options);
                      });
}

}  // namespace varve
