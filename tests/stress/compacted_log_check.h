// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_STRESS_COMPACTED_LOG_CHECK_H_
#define VARVE_TESTS_STRESS_COMPACTED_LOG_CHECK_H_

#include <cstdint>
#include <map>
#include <string>

#include "tests/stress/retry_ledger.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record_view.h"

namespace varve {

// Reads a compacted partition and checks that each record is where it was
// acknowledged, and that of each key the last one that was acknowledged is
// there, or a later one.
class CompactedLogCheck {
 public:
  CompactedLogCheck(RetryLedger& ledger, int partition)
      : ledger_(ledger), partition_(partition) {}

  void Read(const Partition& partition);

  // How many records of the partition are gone.
  int64_t gone() const { return gone_; }

 private:
  void See(const RecordView& record);
  void CheckLatest(int producer) const;

  RetryLedger& ledger_;
  const int partition_;
  int64_t last_offset_ = -1;
  int64_t gone_ = 0;
  // By key: the sequence.
  std::map<std::string, int32_t> latest_;
};

}  // namespace varve

#endif  // VARVE_TESTS_STRESS_COMPACTED_LOG_CHECK_H_
