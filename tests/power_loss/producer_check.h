// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_PRODUCER_CHECK_H_
#define VARVE_TESTS_POWER_LOSS_PRODUCER_CHECK_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string_view>

#include "tests/power_loss/check_report.h"
#include "tests/power_loss/promises.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/producer/producer_position.h"

namespace varve {

// Compares what a partition knows of its producers after a power loss with the
// batches that it holds: a batch that is there is a duplicate when it is sent
// again, where it is; one that was lost is expected.
//
// Thread safety: externally synchronized.
class ProducerCheck {
 public:
  ProducerCheck(const Partition& partition, const PartitionPromise& promise,
                CheckReport& report)
      : partition_(partition), promise_(promise), report_(report) {}

  void Run();

  // The same for a compacted partition, which may lack what a producer has
  // appended: it is known to have come as far as its last acknowledged append
  // that has survived.
  void RunCompacted();

 private:
  struct Batch {
    int32_t base_sequence = 0;
    int32_t records = 0;
    int64_t offset = 0;
    int64_t bytes_before = 0;  // from the log start
  };
  // As many as are remembered, if they are in the last bytes of the log.
  static constexpr size_t kRemembered = 5;
  static constexpr int64_t kBytesRemembered = int64_t{512} << 10;

  bool ReadAll();
  void CheckKnown(int64_t producer, const std::deque<Batch>& last);
  void CheckDuplicate(int64_t producer, const Batch& batch);
  void CheckLost(int64_t producer);
  std::optional<ProducerPosition> Find(int64_t producer);
  void Fail(int64_t producer, std::string_view what);

  Partition partition_;
  const PartitionPromise& promise_;
  CheckReport& report_;
  std::map<int64_t, std::deque<Batch>> last_;  // by producer
  int64_t bytes_ = 0;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_PRODUCER_CHECK_H_
