// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/partition_check.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tests/power_loss/appender.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/promises.h"
#include "tests/power_loss/record_value.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

int32_t SessionOf(int32_t appender) {
  return appender / static_cast<int32_t>(NoteFile::kThreads);
}

std::string TextOf(const RecordValue& value) {
  return absl::StrCat("record ", value.sequence, " of appender ",
                      value.appender, " (session ", SessionOf(value.appender),
                      ")");
}

}  // namespace

void PartitionCheck::Fail(std::string_view kind, std::string_view what) {
  report_.Fail(kind, absl::StrCat(partition_.topic(), "-", partition_.index(),
                                  ": ", what));
}

void PartitionCheck::Run() {
  next_offset_ = partition_.log_start();
  CheckEnds();
  ReadAll();
  if (expected_.is_compacted) CheckLatest();
  CountLost();
}

void PartitionCheck::CheckEnds() {
  const PartitionPromise& promise = expected_.promise;
  const int64_t start = partition_.log_start();
  const int64_t durable = partition_.durable_end();
  const int64_t end = partition_.visible_end();
  if (start < promise.log_start_min || start > promise.log_start_max) {
    Fail("trim",
         absl::StrCat("the log starts at ", start, ", not between ",
                      promise.log_start_min, " and ", promise.log_start_max));
  }
  if (end < promise.durable_end) {
    Fail("lost", absl::StrCat("the log ends at ", end, "; all before ",
                              promise.durable_end, " was durable"));
  }
  if (durable > end || durable < start) {
    Fail("ends", absl::StrCat("durable end ", durable, " of a log from ", start,
                              " to ", end));
  }
}

void PartitionCheck::ReadAll() {
  while (next_offset_ < partition_.visible_end()) {
    const absl::StatusOr<RecordBatches> view =
        partition_.Read(next_offset_, {.level = ReadLevel::kVisible});
    if (!view.ok()) {
      // One gap is enough.
      const bool was_durable = next_offset_ < expected_.promise.durable_end;
      return Fail("gap", absl::StrCat(was_durable ? "durable " : "", "offset ",
                                      next_offset_, " of a log to ",
                                      partition_.visible_end(), ": ",
                                      view.status().ToString()));
    }
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) See(*record);
    if (!records.status().ok())
      return Fail("bytes", records.status().ToString());
    if (expected_.is_compacted && view->next_offset() > next_offset_)
      next_offset_ = view->next_offset();
    if (view->next_offset() != next_offset_) {
      return Fail("gap", absl::StrCat("offsets ", next_offset_, " to ",
                                      view->next_offset(), " are passed over"));
    }
  }
  report_.Count("partitions");
}

void PartitionCheck::See(const RecordView& record) {
  const bool is_gap = record.offset() > next_offset_;
  if (record.offset() != next_offset_ && !(is_gap && expected_.is_compacted)) {
    Fail("gap",
         absl::StrCat("offset ", record.offset(), " after ", next_offset_ - 1));
  }
  next_offset_ = record.offset() + 1;
  report_.Count("records");
  const std::optional<RecordValue> value =
      RecordValue::Parse(record.value().value_or(""), expected_.seed);
  if (!value.has_value() || value->instance != expected_.instance ||
      value->partition != partition_.index() || record.key() != value->key()) {
    return Fail("bytes", absl::StrCat("offset ", record.offset(),
                                      " holds what nobody appended there"));
  }
  CheckOrigin(record.offset(), *value);
  CheckOrder(record.offset(), *value);
  if (!expected_.is_compacted) return;
  offsets_.insert(record.offset());
  latest_.insert_or_assign(value->key(), record.offset());
}

// A record that was acknowledged, and survived, is there, or a later one of its
// key is.
void PartitionCheck::CheckLatest() {
  for (const auto& [offset, append] : expected_.promise.appends) {
    const Note& note = append.note;
    for (int32_t i = 0; i < note.count; ++i) {
      const int64_t at = offset + i;
      if (at < partition_.log_start() || at >= partition_.visible_end() ||
          offsets_.contains(at)) {
        continue;
      }
      report_.Count("compacted_away");
      const RecordValue value = {.instance = expected_.instance,
                                 .partition = partition_.index(),
                                 .appender = note.appender,
                                 .sequence = note.sequence + i};
      const auto latest = latest_.find(value.key());
      if (latest == latest_.end() || latest->second < at) {
        Fail("lost", absl::StrCat("offset ", at, " held ", TextOf(value),
                                  ", and no later record has its key"));
      }
    }
  }
}

// The record is the one that was acknowledged at its offset, or one that was
// being appended when the power was cut.
void PartitionCheck::CheckOrigin(int64_t offset, const RecordValue& value) {
  const PartitionPromise& promise = expected_.promise;
  const auto noted = promise.next_sequence.find(value.appender);
  const int64_t next = noted == promise.next_sequence.end() ? 0 : noted->second;
  if (value.sequence >= next + Appender::kBatchMax) {
    return Fail("bytes",
                absl::StrCat("offset ", offset, " holds ", TextOf(value),
                             ", which has appended ", next));
  }
  const bool is_noted = value.sequence < next;
  auto append = promise.appends.upper_bound(offset);
  const bool none_before = append == promise.appends.begin();
  if (!none_before) --append;
  if (none_before || offset >= append->first + append->second.note.count) {
    if (!is_noted) return;
    return Fail("order", absl::StrCat("offset ", offset, " holds ",
                                      TextOf(value), ", which has another"));
  }
  const Note& note = append->second.note;
  if (note.appender == value.appender &&
      note.sequence + (offset - append->first) == value.sequence)
    return;
  // A later session used the offset again, and its append was not noted yet.
  if (!is_noted && SessionOf(value.appender) > append->second.session) return;
  Fail("order",
       absl::StrCat("offset ", offset, " holds ", TextOf(value), ", not ",
                    note.sequence + (offset - append->first), " of appender ",
                    note.appender, ", which was acknowledged there"));
}

// The records of one thread are in its order, each once at most.
void PartitionCheck::CheckOrder(int64_t offset, const RecordValue& value) {
  const auto [last, is_first] =
      last_sequence_.try_emplace(value.appender, value.sequence);
  if (is_first) return;
  const bool is_in_order = expected_.is_compacted
                               ? value.sequence > last->second
                               : value.sequence == last->second + 1;
  if (!is_in_order) {
    Fail("order", absl::StrCat("offset ", offset, " holds ", TextOf(value),
                               " after ", last->second));
  }
  last->second = value.sequence;
}

// Counts what was acknowledged in the last session, and how much of it is lost:
// any loss shows that the power was cut.
void PartitionCheck::CountLost() {
  int32_t session = 0;
  for (const auto& [offset, append] : expected_.promise.appends) {
    session = std::max(session, append.session);
  }
  for (const auto& [offset, append] : expected_.promise.appends) {
    if (append.session != session) continue;
    const Note& note = append.note;
    report_.Count("acknowledged", note.count);
    if (append.is_promise) report_.Count("promised", note.count);
    if (offset < partition_.visible_end()) continue;
    report_.Count("lost", note.count);
    if (note.level == Durability::kInterval)
      report_.CountMost("oldest_interval_lost_ms", append.age_ns / 1'000'000);
  }
}

}  // namespace varve
