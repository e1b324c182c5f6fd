// SPDX-License-Identifier: Apache-2.0

// Batches of a store as the model of compaction has them, and both as text.

#ifndef VARVE_TESTS_API_COMPACTION_MODEL_BATCHES_H_
#define VARVE_TESTS_API_COMPACTION_MODEL_BATCHES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fixture/random_records.h"
#include "tests/log/compaction/batch_log.h"
#include "tests/log/compaction/compaction_model.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// A batch that was appended at this offset, or is read there. Whether a marker
// commits or aborts, and of which transaction it is, the batch does not say.
inline ModelBatch ModelBatchOf(const RecordBatch& batch, int64_t base_offset,
                               ModelBatch::Kind kind,
                               std::optional<size_t> transaction) {
  ModelBatch read = {
      .kind = kind,
      .base_offset = base_offset,
      .last_offset = base_offset + batch.last_offset() - batch.base_offset(),
      .producer_id = batch.producer_id(),
      .base_sequence = batch.base_sequence(),
      .transaction = transaction,
      .compression = batch.compression(),
      .timestamp_type = batch.timestamp_type(),
      .max_timestamp_ms = batch.max_timestamp_ms(),
      .records = RecordsOf(batch, BatchLog::codecs())};
  for (PlacedRecord& placed : read.records)
    placed.first += base_offset - batch.base_offset();
  if (batch.has_delete_horizon()) read.horizon_ms = batch.base_timestamp_ms();
  return read;
}

inline std::string TextOf(const PlacedRecord& placed) {
  const OwnedRecord& record = placed.second;
  return absl::StrCat(placed.first, ":", record.key.value_or("(null)"), "=",
                      record.value.value_or("(null)"), "@",
                      record.timestamp_ms);
}

// All that a batch of a log says of itself, but for its leader epoch.
inline std::string TextOf(const ModelBatch& batch) {
  std::string text = absl::StrCat(
      batch.base_offset, "-", batch.last_offset,
      batch.kind == ModelBatch::Kind::kData ? "" : " marker",
      batch.transaction.has_value() ? " transactional" : "", " producer ",
      batch.producer_id, "/", batch.base_sequence, " codec ",
      static_cast<int>(batch.compression), " latest ", batch.max_timestamp_ms);
  if (batch.horizon_ms.has_value())
    absl::StrAppend(&text, " horizon ", *batch.horizon_ms);
  for (const PlacedRecord& placed : batch.records)
    absl::StrAppend(&text, " ", TextOf(placed));
  return text;
}

inline std::string TextOf(const RecordBatch& batch) {
  return TextOf(ModelBatchOf(
      batch, batch.base_offset(),
      batch.is_control() ? ModelBatch::Kind::kCommit : ModelBatch::Kind::kData,
      batch.is_transactional() ? std::optional<size_t>(0) : std::nullopt));
}

// Those that hold this offset or lie after it, as a read finds them.
inline std::vector<std::string> TextsFrom(
    const std::vector<ModelBatch>& batches, int64_t offset) {
  std::vector<std::string> texts;
  for (const ModelBatch& batch : batches) {
    if (batch.last_offset >= offset) texts.push_back(TextOf(batch));
  }
  return texts;
}

// Whether those are `texts`.
inline bool HasTexts(const std::vector<ModelBatch>& batches, int64_t offset,
                     const std::vector<std::string>& texts) {
  auto text = texts.begin();
  for (const ModelBatch& batch : batches) {
    if (batch.last_offset < offset) continue;
    if (text == texts.end() || *text++ != TextOf(batch)) return false;
  }
  return text == texts.end();
}

}  // namespace varve

#endif  // VARVE_TESTS_API_COMPACTION_MODEL_BATCHES_H_
