// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_STRESS_RETRY_LOG_CHECK_H_
#define VARVE_TESTS_STRESS_RETRY_LOG_CHECK_H_

#include <array>
#include <cstdint>
#include <optional>

#include "tests/stress/retry_ledger.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record_view.h"

namespace varve {

// Reads a partition to its end, again after each life, and checks that the
// records of each producer are in it once and in their order, where they were
// acknowledged.
class RetryLogCheck {
 public:
  RetryLogCheck(RetryLedger& ledger, int partition)
      : ledger_(ledger), partition_(partition) {}

  // Goes on where it has ended the last time.
  void ReadOn(const Partition& partition);

  // When all was sent again and answered: nothing is missing.
  void CheckComplete(const Partition& partition);

 private:
  struct Next {
    int32_t batch = 0;
    int32_t record = 0;
  };

  void See(const RecordView& record);
  // The place of the producer's record of this sequence.
  Next Find(int producer, int32_t sequence) const;

  RetryLedger& ledger_;
  const int partition_;
  int64_t next_offset_ = 0;
  // Of each producer; nothing when the records were trimmed.
  std::array<std::optional<Next>, RetryLedger::kProducers> next_ = {
      Next{}, Next{}, Next{}};
};

}  // namespace varve

#endif  // VARVE_TESTS_STRESS_RETRY_LOG_CHECK_H_
