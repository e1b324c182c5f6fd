// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_PARTITION_CHECK_H_
#define VARVE_TESTS_POWER_LOSS_PARTITION_CHECK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "tests/power_loss/check_report.h"
#include "tests/power_loss/promises.h"
#include "tests/power_loss/record_value.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record_view.h"

namespace varve {

// Compares what a partition holds after a power loss with what it has to hold:
// every record that was promised, at its offset and with its bytes; no gap; no
// record that was not appended, or that is where another one was. Where a
// compacted one has a gap, there is a later record of each key that is missing.
//
// Thread safety: externally synchronized.
class PartitionCheck {
 public:
  struct Expected {
    const PartitionPromise& promise;
    uint64_t seed = 0;
    int32_t instance = 0;
    bool is_compacted = false;
  };

  PartitionCheck(const Partition& partition, const Expected& expected,
                 CheckReport& report)
      : partition_(partition), expected_(expected), report_(report) {}

  void Run();

 private:
  void CheckEnds();
  void ReadAll();
  void See(const RecordView& record);
  void CheckOrigin(int64_t offset, const RecordValue& value);
  void CheckOrder(int64_t offset, const RecordValue& value);
  void CheckLatest();
  void CountLost();
  void Fail(std::string_view kind, std::string_view what);

  const Partition& partition_;
  const Expected expected_;
  CheckReport& report_;
  int64_t next_offset_ = 0;
  // The last sequence seen of each appender.
  std::map<int32_t, int64_t> last_sequence_;
  // Of a compacted partition: all offsets, and the last one of each key.
  std::set<int64_t> offsets_;
  std::map<std::string, int64_t, std::less<>> latest_;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_PARTITION_CHECK_H_
