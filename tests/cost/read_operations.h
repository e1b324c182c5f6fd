// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_COST_READ_OPERATIONS_H_
#define VARVE_TESTS_COST_READ_OPERATIONS_H_

#include <cstdint>
#include <random>
#include <string>

#include "tests/cost/counted_store.h"
#include "tests/cost/operation.h"
#include "varve/api/cursor.h"
#include "varve/api/partition.h"

namespace varve::cost {

// Reads the next records in order, and after the last one begins anew.
class Scan final : public Operation {
 public:
  Scan(CountedStore& store, int batch_records);
  void Prepare() override;
  Done Counted() override;

 private:
  const int64_t covered_;  // of kBatchRecords records
  const int64_t end_;
  Cursor cursor_;
};

// What a point read knows of the record it wants.
enum class Known { kOffset, kTime };

// Reads one record anywhere in the log.
class PointRead final : public Operation {
 public:
  PointRead(CountedStore& store, int batch_records, Known known)
      : partition_(store.partition()),
        known_(known),
        covered_(CoveredBytes(batch_records)) {}
  void Prepare() override;
  Done Counted() override;

 private:
  Partition partition_;
  const Known known_;
  const int64_t covered_;
  std::minstd_rand random_{1};
  int64_t offset_ = 0;
};

// Appends a record, and gets it from a cursor that has read all before it.
class HandOver final : public Operation {
 public:
  explicit HandOver(CountedStore& store)
      : partition_(store.partition()),
        cursor_(partition_, partition_.visible_end()) {}
  Done Counted() override;

 private:
  Partition partition_;
  Cursor cursor_;
  const std::string value_ = std::string(kValueBytes, 'v');
  const int64_t covered_ = 2 * CoveredBytes(1);
};

}  // namespace varve::cost

#endif  // VARVE_TESTS_COST_READ_OPERATIONS_H_
