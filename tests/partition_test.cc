// SPDX-License-Identifier: Apache-2.0

// What the handle on a partition says of it.

#include "api/partition.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/clock.h"
#include "api/log_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "log/durability.h"
#include "log/read_options.h"
#include "log/record_batch_builder.h"
#include "tests/scratch_directory.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

class PartitionTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = LogStore::Open(scratch_ / "store");
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }

  ScratchDirectory scratch_;
  std::unique_ptr<LogStore> store_;
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

}  // namespace
}  // namespace varve
