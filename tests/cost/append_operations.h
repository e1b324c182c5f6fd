// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_COST_APPEND_OPERATIONS_H_
#define VARVE_TESTS_COST_APPEND_OPERATIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tests/cost/counted_store.h"
#include "tests/cost/operation.h"
#include "varve/api/partition.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve::cost {

// Appends one record.
class AppendRecord final : public Operation {
 public:
  AppendRecord(CountedStore& store, Durability durability)
      : partition_(store.partition()), durability_(durability) {}
  Done Counted() override;

 private:
  Partition partition_;
  const Durability durability_;
  const std::string value_ = std::string(kValueBytes, 'v');
  const int64_t covered_ = CoveredBytes(1);
};

// Encodes a batch of kBatchRecords, and appends it to nothing.
class EncodeBatch final : public Operation {
 public:
  Done Counted() override;

 private:
  RecordBatchBuilder builder_;
  int64_t offset_ = 0;
  const int64_t covered_ = CoveredBytes(kBatchRecords);
};

// Appends a batch of kBatchRecords that is already encoded.
class AppendBatch final : public Operation {
 public:
  explicit AppendBatch(CountedStore& store) : partition_(store.partition()) {}
  void Prepare() override;
  Done Counted() override;

 private:
  Partition partition_;
  RecordBatchBuilder builder_;
  std::optional<EncodedBatch> batch_;
  const int64_t covered_ = CoveredBytes(kBatchRecords);
};

}  // namespace varve::cost

#endif  // VARVE_TESTS_COST_APPEND_OPERATIONS_H_
