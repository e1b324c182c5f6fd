// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/producer_check.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tests/power_loss/appender.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/promises.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_result.h"

namespace varve {

void ProducerCheck::Fail(int64_t producer, std::string_view what) {
  report_.Fail("producer",
               absl::StrCat(partition_.topic(), "-", partition_.index(),
                            ": producer ", producer, " ", what));
}

void ProducerCheck::Run() {
  if (!ReadAll()) return;  // PartitionCheck says why
  for (const auto& [producer, last] : last_) CheckKnown(producer, last);
  for (const auto& [appender, next] : promise_.next_sequence) {
    const std::optional<int64_t> producer = ProducerOf(appender);
    if (producer.has_value() && !last_.contains(*producer))
      CheckLost(*producer);
  }
}

void ProducerCheck::RunCompacted() {
  std::map<int64_t, const Note*> newest;  // of each producer
  for (const auto& [offset, append] : promise_.appends) {
    const auto producer = ProducerOf(append.note.appender);
    if (producer.has_value() && offset >= partition_.log_start() &&
        offset < partition_.visible_end()) {
      newest[*producer] = &append.note;
    }
  }
  for (const auto& [producer, note] : newest) {
    report_.Count("producers");
    const std::optional<ProducerPosition> position = Find(producer);
    const int64_t next = note->sequence + note->count;
    if (!position.has_value() || position->next_sequence < next) {
      Fail(producer,
           absl::StrCat("is known to come to sequence ",
                        position.has_value() ? position->next_sequence : 0,
                        "; an append up to ", next, " at offset ", note->value,
                        " was acknowledged"));
    } else if (position->next_sequence == next) {
      CheckDuplicate(producer,
                     {.base_sequence = static_cast<int32_t>(note->sequence),
                      .records = note->count,
                      .offset = note->value});
    }
  }
}

bool ProducerCheck::ReadAll() {
  int64_t offset = partition_.log_start();
  while (offset < partition_.visible_end()) {
    const absl::StatusOr<RecordBatches> view =
        partition_.Read(offset, {.level = ReadLevel::kVisible});
    if (!view.ok()) return false;
    for (const RecordBatch& batch : *view) {
      bytes_ += batch.size();
      if (batch.producer_id() < 0) continue;
      std::deque<Batch>& last = last_[batch.producer_id()];
      last.push_back({.base_sequence = batch.base_sequence(),
                      .records = batch.record_count(),
                      .offset = batch.base_offset(),
                      .bytes_before = bytes_ - batch.size()});
      if (last.size() > kRemembered) last.pop_front();
    }
    offset = view->next_offset();
  }
  return true;
}

void ProducerCheck::CheckKnown(int64_t producer,
                               const std::deque<Batch>& last) {
  report_.Count("producers");
  const std::optional<ProducerPosition> position = Find(producer);
  const Batch& newest = last.back();
  const int64_t next = int64_t{newest.base_sequence} + newest.records;
  const int64_t next_offset = newest.offset + newest.records;
  if (!position.has_value() || position->next_sequence != next ||
      position->last_offset != next_offset - 1) {
    return Fail(producer,
                absl::StrCat("is known to come to sequence ",
                             position.has_value() ? position->next_sequence : 0,
                             "; the log has its records to ", next));
  }
  for (const Batch& batch : last) {
    if (&batch == &newest || bytes_ - batch.bytes_before < kBytesRemembered)
      CheckDuplicate(producer, batch);
  }
}

void ProducerCheck::CheckDuplicate(int64_t producer, const Batch& batch) {
  RecordBatchBuilder again({.producer_id = producer,
                            .producer_epoch = 0,
                            .base_sequence = batch.base_sequence});
  for (int32_t i = 0; i < batch.records; ++i)
    CHECK_OK(again.Append({.value = "again"}, int64_t{0}));
  const absl::StatusOr<AppendResult> result =
      partition_.Append(again.Finish(), Durability::kMemory);
  report_.Count("duplicates");
  if (!result.ok()) {
    Fail(producer,
         absl::StrCat("sends a batch again: ", result.status().ToString()));
  } else if (!result->is_duplicate || result->offset != batch.offset) {
    Fail(producer,
         absl::StrCat("sends the batch at offset ", batch.offset, " again: ",
                      result->is_duplicate ? "a duplicate" : "appended", " at ",
                      result->offset));
  }
}

// Its records were trimmed, or lost: then nothing of them is known.
void ProducerCheck::CheckLost(int64_t producer) {
  const std::optional<ProducerPosition> position = Find(producer);
  if (!position.has_value()) report_.Count("producers_lost");
  if (position.has_value() && position->last_offset >= partition_.log_start()) {
    Fail(producer, absl::StrCat("is known to have appended at offset ",
                                position->last_offset,
                                ", where the log has nothing of it"));
  }
}

std::optional<ProducerPosition> ProducerCheck::Find(int64_t producer) {
  const auto position = partition_.FindProducer(producer);
  if (!position.ok()) Fail(producer, position.status().ToString());
  return position.ok() ? *position : std::nullopt;
}

}  // namespace varve
