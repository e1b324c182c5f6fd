// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/last_batches.h"

#include "gtest/gtest.h"
#include "tests/log/compaction/batch_log.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {
namespace {

class LastBatchesTest : public ::testing::Test {
 protected:
  LastBatchesTest() {
    log_.Append({Put("a", "1"), Put("b", "1")},
                {.producer_id = 1, .base_sequence = 0});
    log_.Append({Put("a", "2")}, {.producer_id = 1, .base_sequence = 2});
    log_.AppendMarker(1, ControlRecordType::kCommit);
    log_.Append({Put("a", "3")});
  }

  bool IsLast(const LastBatches& last, size_t i) const {
    return last.Contains(log_.batch(i));
  }

  BatchLog log_;
};

TEST_F(LastBatchesTest, TheOneWithTheLastDataOffsetIsIt) {
  const LastBatches last({{.producer_id = 1, .last_offset = 2}});
  EXPECT_FALSE(IsLast(last, 0));
  EXPECT_TRUE(IsLast(last, 1));
  EXPECT_FALSE(IsLast(last, 2));
  EXPECT_FALSE(IsLast(last, 3));
}

TEST_F(LastBatchesTest, WithoutDataAControlBatchOfTheEpochIsIt) {
  const LastBatches last({{.producer_id = 1, .producer_epoch = 0}});
  EXPECT_FALSE(IsLast(last, 1));
  EXPECT_TRUE(IsLast(last, 2));
  EXPECT_FALSE(IsLast(last, 3));
  const LastBatches other_epoch({{.producer_id = 1, .producer_epoch = 4}});
  EXPECT_FALSE(IsLast(other_epoch, 2));
}

TEST_F(LastBatchesTest, NoneIsThatOfAProducerThatIsNotKnown) {
  const LastBatches others({{.producer_id = 2, .last_offset = 2},
                            {.producer_id = -1, .last_offset = 4}});
  const LastBatches none;
  for (size_t i = 0; i < log_.batches.size(); ++i) {
    EXPECT_FALSE(IsLast(others, i)) << i;
    EXPECT_FALSE(IsLast(none, i)) << i;
  }
}

}  // namespace
}  // namespace varve
