// SPDX-License-Identifier: Apache-2.0

// The functions by which a handle describes its partition.

#include "varve/api/partition.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

class PartitionTest : public StoreFixture {
 protected:
  void SetUp() override { Open(); }
};

TEST_F(PartitionTest, ReadableEndIsWhereAReadOfThatLevelEnds) {
  ASSERT_THAT(store_->CreateTopic("t"), IsOk());
  Partition partition = *store_->partition("t", 0);
  ASSERT_THAT(partition.Append({.value = "a"}), IsOk());
  const auto weak = partition.Append({.value = "b"}, Durability::kMemory);
  ASSERT_THAT(weak, IsOk());
  EXPECT_EQ(weak->offset, 1);
  EXPECT_EQ(weak->next_offset, 2);
  for (ReadLevel level : {ReadLevel::kDefault, ReadLevel::kVisible}) {
    EXPECT_EQ(partition.readable_end(level), 2);
    EXPECT_EQ(partition.Read(0, {.level = level})->next_offset(), 2);
  }
  const int64_t end = partition.readable_end(ReadLevel::kDurable);
  EXPECT_EQ(end, 1);
  EXPECT_EQ(partition.Read(0, {.level = ReadLevel::kDurable})->next_offset(),
            end);
  ASSERT_THAT(partition.Sync(), IsOk());
  EXPECT_EQ(partition.readable_end(ReadLevel::kDurable), 2);
}

TEST_F(PartitionTest, BatchOfTheSizeThatFitsIsAppendedAndNoLargerOne) {
  TopicConfig config;
  config.log.max_message_bytes = 1000;
  ASSERT_THAT(store_->CreateTopic("t", config), IsOk());
  Partition partition = *store_->partition("t", 0);
  ASSERT_EQ(partition.batch_size_max(), 1000);
  RecordBatchBuilder builder(
      BatchOptions{.size_max = partition.batch_size_max()});
  absl::Status status;
  while (status.ok()) status = builder.Append({.value = "v"}, absl::Now());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(partition.Append(builder.Finish()), IsOk());
  RecordBatchBuilder larger;
  ASSERT_THAT(larger.Append({.value = std::string(1000, 'v')}, absl::Now()),
              IsOk());
  EXPECT_THAT(partition.Append(larger.Finish()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(EmptyPartitionTest, RefusesCallsThatReturnAStatus) {
  Partition partition;
  EXPECT_FALSE(partition.valid());
  EXPECT_FALSE(partition);
  const auto refused = StatusIs(absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(partition.Append({.value = "a"}), refused);
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "a"}, absl::Now()), IsOk());
  EXPECT_THAT(partition.Append(builder.Finish()), refused);
  const auto never = [](const auto&) { ADD_FAILURE(); };
  EXPECT_THAT(partition.AppendAsync({.value = "a"}, never), refused);
  ASSERT_THAT(builder.Append({.value = "a"}, absl::Now()), IsOk());
  EXPECT_THAT(partition.AppendAsync(builder.Finish(), never), refused);
  EXPECT_THAT(partition.Read(0), refused);
  EXPECT_THAT(partition.OffsetForTime(absl::Now()), refused);
  EXPECT_THAT(partition.WaitFor(0), refused);
  EXPECT_THAT(partition.WaitDurable(0), refused);
  EXPECT_THAT(partition.NewAppendEvent(), refused);
  EXPECT_THAT(partition.TrimBefore(0), refused);
  EXPECT_THAT(partition.Sync(), refused);
  EXPECT_THAT(partition.Stats(), refused);
}

TEST(EmptyPartitionTest, HasNoNameAndNoOffsets) {
  const Partition partition;
  EXPECT_DEATH(partition.topic(), "default-constructed");
  EXPECT_DEATH(partition.topic_id(), "default-constructed");
  EXPECT_DEATH(partition.index(), "default-constructed");
  EXPECT_DEATH(partition.log_start(), "default-constructed");
  EXPECT_DEATH(partition.durable_end(), "default-constructed");
  EXPECT_DEATH(partition.visible_end(), "default-constructed");
  EXPECT_DEATH(partition.readable_end(), "default-constructed");
  EXPECT_DEATH(partition.segment_count(), "default-constructed");
  EXPECT_DEATH(partition.batch_size_max(), "default-constructed");
}

TEST_F(PartitionTest, IsEmptyUntilItIsAssignedAndOnceItIsMovedFrom) {
  ASSERT_THAT(store_->CreateTopic("t"), IsOk());
  Partition partition;
  partition = *store_->partition("t", 0);
  EXPECT_TRUE(partition.valid());
  EXPECT_TRUE(partition);
  EXPECT_THAT(partition.Append({.value = "a"}), IsOk());
  const Partition moved = std::move(partition);
  EXPECT_TRUE(moved.valid());
  EXPECT_FALSE(partition.valid());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(moved.visible_end(), 1);
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_TRUE(moved.valid());
}

}  // namespace
}  // namespace varve
