// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/whole_batches.h"

#include <cstddef>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

absl::StatusOr<RecordBatch> BatchWithin(std::string_view bytes,
                                        const OffsetRange& rest) {
  absl::StatusOr<RecordBatch> batch =
      RecordBatch::Parse(bytes, CrcCheck::kVerify);
  if (!batch.ok() ||
      (batch->base_offset() >= rest.from && batch->next_offset() <= rest.to)) {
    return batch;
  }
  return absl::DataLossError(absl::StrCat(
      "record batch of offsets ", batch->base_offset(), " to ",
      batch->last_offset(), " is not within ", rest.from, " to ", rest.to - 1));
}

}  // namespace

absl::Status ForEachBatch(
    std::string_view batches, OffsetRange& rest,
    absl::FunctionRef<absl::Status(const RecordBatch&)> use) {
  size_t position = 0;
  while (position < batches.size()) {
    const absl::StatusOr<RecordBatch> batch =
        BatchWithin(batches.substr(position), rest);
    if (!batch.ok()) {
      return absl::DataLossError(
          absl::StrCat("position ", position, ": ", batch.status().message()));
    }
    if (absl::Status status = use(*batch); !status.ok()) return status;
    position += batch->bytes().size();
    rest.from = batch->next_offset();
  }
  return absl::OkStatus();
}

}  // namespace varve
