// SPDX-License-Identifier: Apache-2.0

#include "tests/cost/append_operations.h"

#include "absl/log/check.h"

namespace varve::cost {

Operation::Done AppendRecord::Counted() {
  CHECK_OK(partition_.Append({.value = value_}, durability_).status());
  return {.batch_bytes = covered_};
}

Operation::Done EncodeBatch::Counted() {
  Encode(builder_, offset_, kBatchRecords);
  offset_ += kBatchRecords;
  return {.batch_bytes = covered_};
}

void AppendBatch::Prepare() {
  batch_ = Encode(builder_, partition_.visible_end(), kBatchRecords);
}

Operation::Done AppendBatch::Counted() {
  CHECK_OK(partition_.Append(*batch_, Durability::kMemory).status());
  return {.batch_bytes = covered_};
}

}  // namespace varve::cost
