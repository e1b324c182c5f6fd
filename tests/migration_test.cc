// SPDX-License-Identifier: Apache-2.0

// The program examples/migration copies topics into another store, with all
// that their records have, and goes on where it was.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/program_output.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kStartMs = 1'600'000'000'000;

using Text = std::optional<std::string>;
// Offset, timestamp, key, value, headers.
using StoredRecord = std::tuple<int64_t, int64_t, Text, Text,
                                std::vector<std::pair<std::string, Text>>>;

std::unique_ptr<LogStore> Open(const std::string& path) {
  auto store = LogStore::Open(path);
  EXPECT_THAT(store, IsOk());
  return *std::move(store);
}

Partition PartitionOf(LogStore& store, std::string_view topic, int32_t index) {
  auto partition = store.partition(topic, index);
  EXPECT_THAT(partition, IsOk());
  return *partition;
}

std::vector<StoredRecord> RecordsOf(const Partition& partition) {
  std::vector<StoredRecord> records;
  Cursor cursor(partition, partition.log_start());
  while (const RecordView* record = cursor.Next()) {
    std::vector<std::pair<std::string, Text>> headers;
    for (const Header& header : record->headers())
      headers.emplace_back(header.key, header.value);
    records.emplace_back(record->offset(), record->timestamp_ms(),
                         record->key(), record->value(), std::move(headers));
  }
  EXPECT_THAT(cursor.status(), IsOk());
  return records;
}

class MigrationTest : public testing::Test {
 protected:
  // What a run prints, with its errors; its exit status is in `status_`.
  std::string Run() {
    return OutputOf(absl::StrCat("examples/migration ", source_, " ",
                                 destination_, " 2>&1"),
                    &status_);
  }

  // Two topics: one of two partitions, of which the first begins within a
  // batch, and one that stamps and would delete.
  void WriteSource() {
    const auto store = Open(source_);
    ASSERT_THAT(store->CreateTopic("orders", {.partitions = 2}), IsOk());
    TopicConfig stamped;
    stamped.log.message_timestamp_type = TimestampType::kLogAppendTime;
    stamped.log.message_timestamp_before_max_ms = 1000;
    stamped.log.retention_ms = 3'600'000;
    ASSERT_THAT(store->CreateTopic("stamped", stamped), IsOk());
    Partition orders = PartitionOf(*store, "orders", 0);
    for (int32_t size : {4, 3, 1}) AppendBatch(size, orders);
    ASSERT_THAT(orders.TrimBefore(5), IsOk());
    Partition others = PartitionOf(*store, "orders", 1);
    ASSERT_THAT(others.Append({.value = "other"}), IsOk());
    Partition times = PartitionOf(*store, "stamped", 0);
    ASSERT_THAT(times.Append({.value = "now"}), IsOk());
    ASSERT_THAT(store->CommitOffset("billing", "orders", 0, 6), IsOk());
    ASSERT_THAT(store->Close(), IsOk());
  }

  // Records with and without keys, values and headers, of increasing times.
  void AppendBatch(int32_t size, Partition& to) {
    RecordBatchBuilder batch;
    for (int32_t i = 0; i < size; ++i, ++appended_) {
      const std::string value = absl::StrCat("value ", appended_);
      const Header headers[] = {{.key = "index", .value = value},
                                {.key = "index", .value = ""},
                                {.key = "none"}};
      Record record = {.value = value};
      if (i % 2 == 0) record = {.key = value, .headers = headers};
      ASSERT_THAT(batch.Append(record, kStartMs + appended_), IsOk());
    }
    ASSERT_THAT(to.Append(batch.Finish()), IsOk());
  }

  void ExpectEqualStores() {
    const auto source = Open(source_);
    const auto destination = Open(destination_);
    for (const auto& [topic, index] :
         {std::pair("orders", 0), std::pair("orders", 1),
          std::pair("stamped", 0)}) {
      const Partition from = PartitionOf(*source, topic, index);
      const Partition to = PartitionOf(*destination, topic, index);
      EXPECT_EQ(to.log_start(), from.log_start()) << topic << index;
      EXPECT_EQ(RecordsOf(to), RecordsOf(from)) << topic << index;
      EXPECT_THAT(RecordsOf(to), testing::Not(IsEmpty())) << topic << index;
      EXPECT_EQ(destination->DescribeTopic(topic)->config,
                source->DescribeTopic(topic)->config);
    }
  }

  ScratchDirectory scratch_;
  const std::string source_ = scratch_ / "source";
  const std::string destination_ = scratch_ / "destination";
  int32_t appended_ = 0;
  int status_ = -1;
};

TEST_F(MigrationTest, TopicsAndGroupsAreTheSameAfterwards) {
  WriteSource();
  EXPECT_EQ(Run(),
            "orders: 3 batches copied, all equal\n"
            "stamped: 1 batches copied, all equal\n");
  EXPECT_EQ(status_, 0);
  ExpectEqualStores();
  const auto destination = Open(destination_);
  EXPECT_THAT(RecordsOf(PartitionOf(*destination, "orders", 0)), SizeIs(3));
  const auto done = destination->CommittedOffset("billing", "orders", 0);
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->offset, 6);
}

TEST_F(MigrationTest, NextRunGoesOnWhereTheDestinationEnds) {
  WriteSource();
  Run();
  {
    const auto store = Open(source_);
    Partition orders = PartitionOf(*store, "orders", 0);
    AppendBatch(2, orders);
    ASSERT_THAT(orders.TrimBefore(7), IsOk());
    ASSERT_THAT(store->CommitOffset("billing", "orders", 0, 10), IsOk());
    ASSERT_THAT(store->AddPartitions("orders", 3), IsOk());
    Partition third = PartitionOf(*store, "orders", 2);
    AppendBatch(5, third);
  }
  EXPECT_EQ(Run(),
            "orders: 2 batches copied, all equal\n"
            "stamped: 0 batches copied, all equal\n");
  EXPECT_EQ(status_, 0);
  ExpectEqualStores();
  const auto destination = Open(destination_);
  EXPECT_THAT(RecordsOf(PartitionOf(*destination, "orders", 2)), SizeIs(5));
  const auto done = destination->CommittedOffset("billing", "orders", 0);
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->offset, 10);
}

TEST_F(MigrationTest, RecordsOfItsOwnAreNotMixedWithThoseOfTheSource) {
  WriteSource();
  {
    const auto store = Open(destination_);
    ASSERT_THAT(store->CreateTopic("orders", {.partitions = 2}), IsOk());
    Partition orders = PartitionOf(*store, "orders", 0);
    for (int i = 0; i < 5; ++i)
      ASSERT_THAT(orders.Append({.value = "mine"}), IsOk());
  }
  EXPECT_THAT(Run(), HasSubstr("the destination has other records"));
  EXPECT_EQ(status_, 1);
  const auto destination = Open(destination_);
  EXPECT_THAT(RecordsOf(PartitionOf(*destination, "orders", 0)), SizeIs(5));
}

TEST_F(MigrationTest, RecordsThatDifferAreFound) {
  WriteSource();
  {
    const auto store = Open(destination_);
    ASSERT_THAT(store->CreateTopic("orders", {.partitions = 2}), IsOk());
    Partition others = PartitionOf(*store, "orders", 1);
    ASSERT_THAT(others.Append({.value = "mine!"}), IsOk());
  }
  EXPECT_THAT(Run(), HasSubstr("orders-1 differs at offset 0"));
  EXPECT_EQ(status_, 1);
}

}  // namespace
}  // namespace varve
