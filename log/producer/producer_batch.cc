// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/producer_batch.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"

namespace varve {
namespace {

using Kind = ProducerBatch::Kind;

// Sets the kind and the coordinator's epoch of a control batch.
absl::Status ReadMarker(const RecordBatch& batch, ProducerBatch& read) {
  RecordCursor cursor(batch);
  const RecordView* const record = cursor.Next();
  if (record == nullptr) return cursor.status();  // OK: emptied by compaction
  const absl::StatusOr<ControlRecordType> type =
      ParseControlRecordType(record->key());
  if (!type.ok()) return type.status();
  if (*type != ControlRecordType::kAbort &&
      *type != ControlRecordType::kCommit) {
    return absl::OkStatus();
  }
  const absl::StatusOr<int32_t> epoch = ParseCoordinatorEpoch(record->value());
  if (!epoch.ok()) return epoch.status();
  read.kind = *type == ControlRecordType::kAbort ? Kind::kAbort : Kind::kCommit;
  read.coordinator_epoch = *epoch;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ProducerBatch> ProducerBatch::ReadFields(
    const RecordBatch& batch) {
  ProducerBatch read = {.producer_epoch = batch.producer_epoch(),
                        .base_sequence = batch.base_sequence(),
                        .last_offset_delta = batch.last_offset_delta(),
                        .producer_id = batch.producer_id()};
  if (read.producer_id < 0 || read.producer_epoch < 0) {
    read.kind = Kind::kInvalid;
  } else if (batch.is_control()) {
    absl::Status status = ReadMarker(batch, read);
    if (!status.ok()) return status;
  } else {
    read.kind = batch.is_transactional() ? Kind::kTransactional : Kind::kData;
  }
  return read;
}

}  // namespace varve
