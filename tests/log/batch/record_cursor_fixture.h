// SPDX-License-Identifier: Apache-2.0

// Batches to read, and what a cursor reads from one.

#ifndef VARVE_TESTS_LOG_BATCH_RECORD_CURSOR_FIXTURE_H_
#define VARVE_TESTS_LOG_BATCH_RECORD_CURSOR_FIXTURE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/random_records.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"

namespace varve {

// A batch of `count` records "0", "1", ... a millisecond apart, with room for
// `offsets` offsets.
inline std::string Numbers(int count, int32_t offsets) {
  RecordBatchBuilder builder;
  for (int i = 0; i < count; ++i) {
    const std::string value = std::to_string(i);
    EXPECT_THAT(builder.Append({.value = value}, 1000 + i),
                absl_testing::IsOk());
  }
  return std::string(
      builder.FinishAs({.last_offset_delta = offsets - 1})->bytes());
}

// The records of a batch, as far as they could be read, and the error.
struct Outcome {
  std::vector<OwnedRecord> records;
  absl::Status status;
};

// The bytes get an allocation of their own, so that the address sanitizer sees
// a read beyond them.
inline Outcome ReadAll(std::string_view batch_bytes) {
  const std::vector<char> exact(batch_bytes.begin(), batch_bytes.end());
  const RecordBatch batch(std::string_view(exact.data(), exact.size()));
  Outcome outcome;
  RecordCursor cursor(batch);
  while (const RecordView* record = cursor.Next()) {
    outcome.records.push_back(Owned(*record));
  }
  EXPECT_EQ(cursor.Next(), nullptr) << "the end stays the end";
  outcome.status = cursor.status();
  return outcome;
}

}  // namespace varve

#endif  // VARVE_TESTS_LOG_BATCH_RECORD_CURSOR_FIXTURE_H_
