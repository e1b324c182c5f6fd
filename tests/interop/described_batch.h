// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_INTEROP_DESCRIBED_BATCH_H_
#define VARVE_TESTS_INTEROP_DESCRIBED_BATCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_view.h"

namespace varve {

// A record in words that every program of these tests uses. It owns its bytes.
struct DescribedRecord {
  static DescribedRecord Of(const RecordView& view);

  friend bool operator==(const DescribedRecord&,
                         const DescribedRecord&) = default;

  int64_t offset = 0;
  int64_t timestamp_ms = -1;
  std::optional<std::string> key = std::nullopt;
  std::optional<std::string> value = std::nullopt;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers = {};
};

// A batch in the words of Kafka's DumpLogSegments. As JSON it is one line; the
// Java programs beside this file print the same.
struct DescribedBatch {
  // Everything but the place, which is the caller's to fill. Ends the program
  // for records that cannot be read.
  static DescribedBatch Of(const RecordBatch& batch);

  std::string ToJson() const;

  std::string topic;
  int32_t partition = 0;
  int64_t base_offset = 0;
  int64_t last_offset = 0;
  int32_t count = 0;
  int32_t base_sequence = -1;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t leader_epoch = -1;
  bool is_transactional = false;
  bool is_control = false;
  std::optional<int64_t> delete_horizon_ms;
  TimestampType timestamp_type = TimestampType::kCreateTime;
  int64_t max_timestamp_ms = -1;
  int64_t size_bytes = 0;
  Compression compression = Compression::kNone;
  std::optional<uint32_t> crc;  // absent if it is not known beforehand
  std::vector<DescribedRecord> records;
};

}  // namespace varve

#endif  // VARVE_TESTS_INTEROP_DESCRIBED_BATCH_H_
