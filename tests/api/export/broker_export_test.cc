// SPDX-License-Identifier: Apache-2.0

#include "varve/api/export/broker_export.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/export_fixture.h"
#include "tests/fixture/file_bytes.h"
#include "varve/api/export/export_report.h"
#include "varve/api/export/offsets_csv.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/metadata/topic_partition.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

using Code = absl::StatusCode;

class BrokerExportTest : public ExportFixture {
 protected:
  std::string TargetBytes(const std::string& name) const {
    return ReadBytes(target_.PathOf(name));
  }
  bool TargetHas(const std::string& name) const {
    return std::filesystem::exists(target_.PathOf(name));
  }
};

TEST_F(BrokerExportTest, BrokerHasWhatTheStoreHas) {
  const std::vector<std::string> expected = LogsOf(store_path_);
  const auto report = Export();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(LogsOf(target_.path()), expected);
  EXPECT_THAT(
      expected,
      AllOf(Contains("orders-1 from 11 to 12"), Contains("orders-0 4 -"),
            Contains("keys-0 from 0 to 10"), Contains("keys-0 9 j")));
  EXPECT_EQ(report->path, target_.path());
  EXPECT_EQ(report->kind, ExportKind::kBroker);
  EXPECT_THAT(report->notes, IsEmpty());
  ASSERT_EQ(report->topics.size(), 2);
  EXPECT_EQ(report->topics[0].name, "keys");
  const ExportedTopic& orders = report->topics[1];
  EXPECT_EQ(orders.id, kTheirOrdersId);
  EXPECT_EQ(orders.outcome, ExportOutcome::kExported);
  ASSERT_EQ(orders.partitions.size(), 2);
  EXPECT_EQ(orders.partitions[0].segments, 2);
  EXPECT_EQ(orders.partitions[0].records, 5);
  EXPECT_EQ(orders.partitions[0].end_offset, 5);
  EXPECT_EQ(orders.partitions[0].kept_bytes, 0);
  EXPECT_EQ(orders.partitions[1].log_start, 11);
}

TEST_F(BrokerExportTest, OnlyTheEpochOfABatchIsChanged) {
  ASSERT_THAT(Export(), IsOk());
  EXPECT_EQ(TargetBytes("orders-0/00000000000000000000.log"),
            BrokerBatch(0, {"a", "b"}) + BrokerBatch(2, {"c"}));
  // It was written in epoch 2.
  EXPECT_EQ(TargetBytes("orders-0/00000000000000000003.log"),
            BrokerBatch(3, {"d", ""}, 0));
  EXPECT_EQ(TargetBytes("orders-0/leader-epoch-checkpoint"), "0\n1\n0 0\n");
  EXPECT_EQ(TargetBytes("orders-1/leader-epoch-checkpoint"), "0\n1\n0 11\n");
}

TEST_F(BrokerExportTest, BrokerGetsItsOwnFilesAndNoOthers) {
  const std::string metadata = TargetBytes("orders-0/partition.metadata");
  ASSERT_THAT(Export(), IsOk());
  EXPECT_THAT(
      NamesIn(target_.PathOf("orders-0")),
      ElementsAre("00000000000000000000.index", "00000000000000000000.log",
                  "00000000000000000000.timeindex",
                  "00000000000000000003.index", "00000000000000000003.log",
                  "00000000000000000003.timeindex", "leader-epoch-checkpoint",
                  "partition.metadata"));
  EXPECT_EQ(TargetBytes("orders-0/partition.metadata"), metadata);
  EXPECT_THAT(NamesIn(target_.path()),
              UnorderedElementsAre("keys-0", "log-start-offset-checkpoint",
                                   "meta.properties", "orders-0", "orders-1"));
}

TEST_F(BrokerExportTest, CheckpointsSayNothingThatIsNotTrue) {
  target_.PutRecoveryPoints({{"orders", 0, 7}, {"other", 3, 8}});
  target_.PutLogStarts({{"orders", 0, 9}, {"orders", 1, 3}, {"other", 3, 4}});
  target_.Put("cleaner-offset-checkpoint", "0\n1\nkeys 0 6\n");
  target_.Put("replication-offset-checkpoint", "0\n1\nother 3 8\n");
  ASSERT_THAT(Export(), IsOk());
  EXPECT_EQ(TargetBytes("recovery-point-offset-checkpoint"),
            "0\n1\nother 3 8\n");
  EXPECT_EQ(TargetBytes("log-start-offset-checkpoint"),
            "0\n2\nother 3 4\norders 1 11\n");
  EXPECT_EQ(TargetBytes("cleaner-offset-checkpoint"), "0\n0\n");
  EXPECT_EQ(TargetBytes("replication-offset-checkpoint"), "0\n1\nother 3 8\n");
  // So that the broker checks what it finds.
  EXPECT_FALSE(TargetHas(".kafka_cleanshutdown"));
}

TEST_F(BrokerExportTest, OtherDirectoryHasPartitionsOfNoTopic) {
  const std::string out = scratch_ / "new/out";
  const auto report = ExportTo(out);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->kind, ExportKind::kPlain);
  EXPECT_TRUE(report->topics[0].id.is_none());
  EXPECT_THAT(NamesIn(out),
              UnorderedElementsAre(".lock", "keys-0", "orders-0", "orders-1",
                                   "log-start-offset-checkpoint"));
  EXPECT_THAT(NamesIn(out + "/orders-1"), Not(Contains("partition.metadata")));
  EXPECT_EQ(LogsOf(out), LogsOf(store_path_));
  const auto again = ExportTo(out);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->topics[1].outcome, ExportOutcome::kWasThere);
}

TEST_F(BrokerExportTest, NamedTopicsAloneAreExported) {
  ASSERT_THAT(Export({.topics = {"keys", "keys"}}), IsOk());
  EXPECT_EQ(TargetBytes("orders-0/00000000000000000000.log"), "");
  EXPECT_THAT(Export({.topics = {"other"}}),
              StatusIs(Code::kNotFound, HasSubstr("orders")));
  EXPECT_THAT(Export({.topics = {"__consumer_offsets"}}),
              StatusIs(Code::kInvalidArgument, HasSubstr("Kafka's protocol")));
}

TEST_F(BrokerExportTest, RepeatedExportChangesNothing) {
  ASSERT_THAT(Export(), IsOk());
  const std::map<std::string, std::string> before =
      FilesOf(target_.PathOf("orders-0"));
  const auto report = Export();
  ASSERT_THAT(report, IsOk());
  for (const ExportedTopic& topic : report->topics) {
    EXPECT_EQ(topic.outcome, ExportOutcome::kWasThere);
    EXPECT_THAT(topic.partitions, IsEmpty());
  }
  EXPECT_EQ(FilesOf(target_.PathOf("orders-0")), before);
}

TEST_F(BrokerExportTest, StoreInUseIsExportedAsFarAsItIsVisible) {
  const auto store = OpenStore();
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(store->partition("orders", 0)
                    ->Append({.value = "new"}, Durability::kMemory),
                IsOk());
  }
  ASSERT_THAT(Export(), IsOk());
  const std::vector<std::string> expected = LogsOf(store_path_);
  EXPECT_THAT(expected, Contains("orders-0 7 new"));
  EXPECT_EQ(LogsOf(target_.path()), expected);
  EXPECT_EQ(TargetBytes("orders-0/leader-epoch-checkpoint"), "0\n1\n0 0\n");
  // It has gone on since.
  ASSERT_THAT(store->partition("orders", 0)->Append({.value = "x"}), IsOk());
  EXPECT_THAT(Export(), StatusIs(Code::kAlreadyExists,
                                 AllOf(HasSubstr("orders-0"),
                                       HasSubstr("create it again"))));
}

TEST_F(BrokerExportTest, EmptyLogBeginsWhereTheStoreGoesOn) {
  {
    const auto store = OpenStore();
    ASSERT_THAT(store->CreateTopic("new"), IsOk());
    ASSERT_THAT(store->partition("keys", 0)->TrimBefore(10), IsOk());
  }
  AddEmpty("new-0", TopicId(5, 6));
  ASSERT_THAT(Export(), IsOk());
  EXPECT_THAT(LogsOf(target_.path()), AllOf(Contains("keys-0 from 10 to 10"),
                                            Contains("new-0 from 0 to 0")));
  EXPECT_FALSE(TargetHas("new-0/leader-epoch-checkpoint"));
  EXPECT_EQ(TargetBytes("new-0/00000000000000000000.log"), "");
  const auto again = Export();
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->topics[0].outcome, ExportOutcome::kWasThere);
}

TEST_F(BrokerExportTest, TransactionThatNobodyHasEndedIsSaid) {
  broker_.AddPartition("open-0", TopicId(7, 8));
  broker_.PutSegment("open-0", 0,
                     BrokerBatch(0, {"a"}) +
                         BrokerBatch(1, {"b"}, 0,
                                     {.producer_id = 5,
                                      .producer_epoch = 0,
                                      .base_sequence = 0,
                                      .transactional = Transactional::kYes}));
  broker_.PutRecoveryPoints({{"open", 0, 2}});
  ASSERT_THAT(Import({.topics = {"open"}}), IsOk());
  AddEmpty("open-0", TopicId(9, 9));
  const auto report = Export({.topics = {"open"}});
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->notes,
              ElementsAre(AllOf(HasSubstr("offset 1"), HasSubstr("abort"))));
  EXPECT_THAT(NamesIn(target_.PathOf("open-0")),
              Contains("00000000000000000002.snapshot"));
}

TEST_F(BrokerExportTest, CommittedOffsetsAreSaidAndFormatted) {
  const auto report = Export({.topics = {"orders"}});
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->offsets,
              ElementsAre(ExportedOffset{"g", {"orders", 0}, 3},
                          ExportedOffset{"h", {"orders", 0}, 3},
                          ExportedOffset{"h", {"orders", 1}, 1}));
  EXPECT_EQ(OffsetsCsv(report->offsets),
            "g,orders,0,3\nh,orders,0,3\nh,orders,1,1\n");
  std::vector<ExportedOffset> odd = {
      {.group = "a, \"b\"", .partition = {"t", 1}, .offset = 2}};
  EXPECT_EQ(OffsetsCsv(odd), "t,1,2\n");
  odd.push_back({.group = "c", .partition = {"t", 1}, .offset = 3});
  EXPECT_EQ(OffsetsCsv(odd), "\"a, \"\"b\"\"\",t,1,2\nc,t,1,3\n");
  EXPECT_EQ(OffsetsCsv({}), "");
}

TEST_F(BrokerExportTest, OffsetsOfAGroupThatNoLineCanNameAreLeftOut) {
  {
    const auto store = OpenStore();
    ASSERT_THAT(store->CommitOffset("two\nlines", "keys", 0, 4), IsOk());
  }
  const auto report = Export({.topics = {"keys"}});
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->offsets,
              ElementsAre(ExportedOffset{"g", {"keys", 0}, 5}));
  EXPECT_THAT(report->notes, ElementsAre(HasSubstr("line break")));
}

TEST_F(BrokerExportTest, ProgressEndsWithAllBytes) {
  int64_t done = 0;
  int64_t total = 0;
  ASSERT_THAT(Export({.progress =
                          [&](const ExportProgressNow& now) {
                            EXPECT_GE(now.done_bytes, done);
                            EXPECT_GE(now.total_bytes, now.done_bytes);
                            done = now.done_bytes;
                            total = now.total_bytes;
                          }}),
              IsOk());
  EXPECT_GT(done, 0);
  EXPECT_EQ(done, total);
}

TEST_F(BrokerExportTest, StoreIsNotChanged) {
  const std::vector<std::string> names = NamesIn(store_path_);
  const auto files = FilesOf(store_path_ + "/orders-0");
  ASSERT_THAT(Export(), IsOk());
  EXPECT_EQ(NamesIn(store_path_), names);
  EXPECT_EQ(FilesOf(store_path_ + "/orders-0"), files);
}

}  // namespace
}  // namespace varve
