// SPDX-License-Identifier: Apache-2.0

#include "varve/api/cursor.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/offset_reset.h"
#include "varve/api/partition.h"
#include "varve/api/read_bounds.h"
#include "varve/api/read_only_partition.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/next_readable_offset.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

// How often the log start may pass a cursor that jumps there before it reads:
// retention is no faster than that.
constexpr int kTriesMax = 10;

absl::Status Wait(const Partition& partition, int64_t offset,
                  absl::Time deadline, const ReadOptions& read) {
  return partition.WaitFor(offset, deadline, read.level, read.isolation);
}

absl::Status Wait(const ReadOnlyPartition& partition, int64_t offset,
                  absl::Time deadline, const ReadOptions& read) {
  return partition.WaitFor(offset, deadline, read.level, read.isolation);
}

}  // namespace

Cursor::Cursor(Partition partition, int64_t offset,
               const CursorOptions& options)
    : partition_(std::move(partition)), options_(options), view_(offset) {}

Cursor::Cursor(ReadOnlyPartition partition, int64_t offset,
               const CursorOptions& options)
    : partition_(std::move(partition)), options_(options), view_(offset) {}

// Called when the view at hand ends, or its next batch, after `offset`, cannot
// be decoded.
const RecordView* Cursor::NextOfNextView(int64_t offset, absl::Time deadline) {
  while (true) {
    if (!records_.status().ok()) {
      Note(records_.status(), records_.next_offset());
      Show(RecordBatches(offset));
      return nullptr;
    }
    if (!Fetch(records_.next_offset(), deadline)) return nullptr;
    offset = records_.next_offset();
    if (const RecordView* record = records_.Next()) return record;
  }
}

const RecordBatches* Cursor::NextBatches(absl::Time deadline) {
  if (!Fetch(position(), deadline)) return nullptr;
  records_ = RecordBatches::Records(RecordBatches(view_.next_offset()));
  return &view_;
}

bool Cursor::Fetch(int64_t offset, absl::Time deadline) {
  Show(RecordBatches(offset));  // what was read before is not pinned any more
  while (true) {
    absl::StatusOr<RecordBatches> view = ReadOrReset();
    if (!Note(view.status(), NextReadableOffset(view.status()))) return false;
    Show(*std::move(view));
    if (!view_.empty()) return true;
    if (deadline == absl::InfinitePast()) return false;
    const absl::Status waited = std::visit(
        [&](const auto& partition) {
          return Wait(partition, position(), deadline, options_.read);
        },
        partition_);
    // A sync may have failed with that code.
    if (absl::IsDeadlineExceeded(waited) && deadline < absl::InfiniteFuture())
      return false;
    if (!waited.ok()) {
      // If the log has ended, a read says why.
      const absl::Status read = ReadOrReset().status();
      return read.ok() ? Note(waited) : Note(read, NextReadableOffset(read));
    }
  }
}

absl::StatusOr<RecordBatches> Cursor::ReadOrReset() {
  const int64_t from = position();
  int64_t at = from;
  absl::StatusOr<RecordBatches> view = ReadAt(at);
  for (int i = 0; i < kTriesMax && absl::IsOutOfRange(view.status()); ++i) {
    if (options_.reset == OffsetReset::kNone) break;
    const absl::StatusOr<ReadBounds> bounds = std::visit(
        [&](const auto& partition) {
          return BoundsOf(partition, options_.read);
        },
        partition_);
    if (!bounds.ok()) return bounds.status();
    // Otherwise the record was appended meanwhile.
    if (at < bounds->log_start || at > bounds->visible_end) {
      at = options_.reset == OffsetReset::kEarliest ? bounds->log_start
                                                    : bounds->readable_end;
    }
    view = ReadAt(at);
  }
  if (at != from) {
    ++resets_;
    last_reset_ = {.from = from, .to = at};
    Show(RecordBatches(at));
  }
  return view;
}

absl::StatusOr<RecordBatches> Cursor::ReadAt(int64_t offset) const {
  return std::visit(
      [&](const auto& partition) {
        return partition.Read(offset, options_.read);
      },
      partition_);
}

void Cursor::Show(RecordBatches view) {
  view_ = std::move(view);
  records_ = RecordBatches::Records(view_);
}

bool Cursor::Note(const absl::Status& status,
                  std::optional<int64_t> next_readable) {
  status_ = status;
  next_readable_ = next_readable;
  return status.ok();
}

void Cursor::Seek(int64_t offset) {
  Show(RecordBatches(offset));
  Note(absl::OkStatus());
}

bool Cursor::HasNews() const {
  return std::visit(
      [&](const auto& partition) {
        return partition.HasNews(position(), options_.read);
      },
      partition_);
}

const std::string& Cursor::topic() const {
  return std::visit(
      [](const auto& partition) -> const std::string& {
        return partition.topic();
      },
      partition_);
}

int32_t Cursor::index() const {
  return std::visit([](const auto& partition) { return partition.index(); },
                    partition_);
}

}  // namespace varve
