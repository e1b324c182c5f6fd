// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_APPENDER_H_
#define VARVE_TESTS_POWER_LOSS_APPENDER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/power_loss/record_value.h"
#include "tests/power_loss/worker.h"
#include "varve/api/log_store.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/durability.h"

namespace varve {

// The producer of an appender's batches; nothing for one whose appends are not
// idempotent. A batch's sequence is that of its first record.
inline constexpr std::optional<int64_t> ProducerOf(int32_t appender) {
  if (appender % 3 == 0) return std::nullopt;
  return 1000 + appender;
}

// Appends bursts of batches to the lasting topics.
class Appender : public Worker {
 public:
  explicit Appender(const Place& place) : Worker(place) {}

  bool Step(LogStore& store) override;

 protected:
  // Appends a batch of 1 to `kBatchMax` records to a partition.
  bool AppendBatch(LogStore& store, const TopicDescription& topic,
                   int32_t partition, Durability level);

 public:
  static constexpr int32_t kBatchMax = 9;

 private:
  absl::StatusOr<AppendResult> AppendRecords(LogStore& store,
                                             const TopicDescription& topic,
                                             const RecordValue& first,
                                             int32_t count, Durability level);
  int32_t appender() const;

  // The next of each instance and partition.
  std::map<std::pair<int32_t, int32_t>, int64_t> next_sequence_;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_APPENDER_H_
