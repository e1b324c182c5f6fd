// SPDX-License-Identifier: Apache-2.0

// A cursor that reads on, and a set that looks for news, allocate nothing.

#include <cstdint>
#include <string>

#include "absl/status/status_matchers.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/allocations.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/cursor.h"
#include "varve/api/cursor_set.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr int64_t kBatches = 200;
constexpr int kBatchRecords = 10;

class CursorAllocationTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    TopicConfig config;
    config.log.segment_bytes = 64 << 10;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
    for (int64_t i = 0; i < kBatches; ++i) AppendBatch();
    ASSERT_GT(Orders().segment_count(), 2);
  }
  StoreOptions Options() override {
    StoreOptions options;
    options.background = Background::kNone;
    return options;
  }
  void AppendBatch() {
    const std::string value(100, 'v');
    RecordBatchBuilder builder;
    for (int i = 0; i < kBatchRecords; ++i) {
      ASSERT_THAT(builder.Append({.value = value}, absl::Now()), IsOk());
    }
    ASSERT_THAT(Orders().Append(builder.Finish(), Durability::kMemory), IsOk());
  }
  static int64_t Drain(Cursor& cursor) {
    int64_t count = 0;
    while (cursor.Next() != nullptr) ++count;
    return count;
  }
};

TEST_F(CursorAllocationTest, ReadingOnAndLookingAtTheEndAllocateNothing) {
  Cursor first(Orders(), 0);
  ASSERT_EQ(Drain(first), kBatches * kBatchRecords);  // opens the segments
  Cursor cursor(Orders(), 0, {.read = {.max_bytes = 4096}});
  const int64_t before = Allocations::made;
  const int64_t count = Drain(cursor);
  for (int i = 0; i < 10; ++i) cursor.Next();
  const int64_t allocated = Allocations::made - before;
  EXPECT_EQ(count, kBatches * kBatchRecords);
  EXPECT_EQ(allocated, 0);
}

TEST_F(CursorAllocationTest, SetThatFindsAndFindsNothingAllocatesNothing) {
  CursorSet set;
  Cursor* cursor = set.Add(Cursor(Orders(), Orders().visible_end()));
  ASSERT_EQ(set.Wait(), nullptr);
  for (int i = 0; i < 10; ++i) {
    AppendBatch();
    const int64_t before = Allocations::made;
    Cursor* const found = set.Wait();
    const int64_t count = Drain(*cursor);
    Cursor* const nothing = set.Wait();
    const int64_t allocated = Allocations::made - before;
    EXPECT_EQ(found, cursor);
    EXPECT_EQ(count, kBatchRecords);
    EXPECT_EQ(nothing, nullptr);
    EXPECT_EQ(allocated, 0);
  }
}

}  // namespace
}  // namespace varve
