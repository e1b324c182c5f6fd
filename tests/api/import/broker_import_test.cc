// SPDX-License-Identifier: Apache-2.0

#include "varve/api/import/broker_import.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/import_fixture.h"
#include "varve/api/import/import_report.h"
#include "varve/api/log_store.h"
#include "varve/api/store_copy.h"
#include "varve/log/metadata/lock_conflict.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/system/file_system.h"

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

using Code = absl::StatusCode;

class BrokerImportTest : public ImportFixture {};

TEST_F(BrokerImportTest, StoreHasWhatTheBrokerHas) {
  const std::vector<std::string> expected = ContentsOf(broker_.path());
  const auto report = Import();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(Contents(), expected);
  EXPECT_THAT(
      expected,
      AllOf(Contains("orders-1 from 11 to 12"), Contains("orders-0 4 -"),
            Contains("g keys-0 5 of g"), Contains("h orders-1 1 of h"),
            Contains("keys-0 from 0 to 10"), Contains("keys-0 9 j")));
  EXPECT_THAT(Findings(), IsEmpty());
  ASSERT_EQ(report->topics.size(), 2);
  const ImportedTopic& orders = report->topics[1];
  EXPECT_EQ(orders.name, "orders");
  EXPECT_EQ(orders.id, kOrdersId);
  EXPECT_EQ(orders.outcome, ImportOutcome::kImported);
  EXPECT_EQ(orders.groups, 2);
  EXPECT_EQ(orders.committed_offsets, 3);
  ASSERT_EQ(orders.partitions.size(), 2);
  EXPECT_EQ(orders.partitions[1].log_start, 11);
  EXPECT_EQ(orders.partitions[1].end_offset, 12);
  EXPECT_EQ(orders.partitions[0].segments, 2);
  EXPECT_EQ(orders.partitions[0].records, 5);
  EXPECT_THAT(report->damage, IsEmpty());
  EXPECT_THAT(absl::StrJoin(report->notes, "\n"),
              AllOf(HasSubstr("\"keys\""), Not(HasSubstr("\"orders\""))));
}

TEST_F(BrokerImportTest, BatchesAreTheBrokersOwn) {
  ASSERT_THAT(Import(), IsOk());
  for (const std::string name : {"orders-0", "orders-1", "keys-0"}) {
    for (const std::string& file : NamesIn(broker_.PathOf(name))) {
      if (!file.ends_with(".log")) continue;
      EXPECT_EQ(ReadBytes(absl::StrCat(store_path_, "/", name, "/", file)),
                ReadBytes(absl::StrCat(broker_.PathOf(name), "/", file)));
    }
  }
}

TEST_F(BrokerImportTest, TopicIsWrittenOnInAnEpochOfItsOwn) {
  ASSERT_THAT(Import(), IsOk());
  const auto store = OpenStore();
  EXPECT_TRUE(store->recovery_report().clean);
  auto orders = store->partition("orders", 0);
  ASSERT_THAT(orders, IsOk());
  EXPECT_EQ(orders->topic_id(), kOrdersId);
  const auto where = orders->Append({.value = "e"});
  ASSERT_THAT(where, IsOk());
  EXPECT_EQ(where->offset, 5);
  const auto stats = orders->Stats();
  ASSERT_THAT(stats, IsOk());
  ASSERT_FALSE(stats->epochs.empty());
  EXPECT_EQ(stats->epochs.back().epoch, 3);
  EXPECT_EQ(stats->epochs.back().start_offset, 5);
}

TEST_F(BrokerImportTest, NamedTopicsAloneAreImported) {
  ASSERT_THAT(Import({.topics = {"keys", "keys"}}), IsOk());
  EXPECT_THAT(Topics(), ElementsAre("keys"));
  EXPECT_THAT(Contents(), Not(Contains(HasSubstr("orders"))));
  EXPECT_THAT(Import({.topics = {"other"}}),
              StatusIs(Code::kNotFound, HasSubstr("orders")));
  EXPECT_THAT(Import({.topics = {"__consumer_offsets"}}),
              StatusIs(Code::kInvalidArgument, HasSubstr("broker's own")));
}

TEST_F(BrokerImportTest, ConfigIsThatOfTheCall) {
  ImportOptions options;
  ASSERT_THAT(options.config.Set("cleanup.policy", "compact"), IsOk());
  options.topics = {"keys"};
  const auto report = Import(options);
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->notes, IsEmpty());
  const auto store = OpenStore();
  const auto keys = store->DescribeTopic("keys");
  ASSERT_THAT(keys, IsOk());
  EXPECT_EQ(keys->config.log.cleanup_policy, CleanupPolicy::kCompact);
  options.config.segment_bytes = 1;
  EXPECT_THAT(Import(options), StatusIs(Code::kInvalidArgument));
}

TEST_F(BrokerImportTest, StoreThatIsThereKeepsWhatItHas) {
  {
    const auto store = OpenStore();
    ASSERT_THAT(store->CreateTopic("mine"), IsOk());
    ASSERT_THAT(store->partition("mine", 0)->Append({.value = "x"}), IsOk());
    ASSERT_THAT(store->CommitOffset("g", "mine", 0, 1), IsOk());
  }
  ASSERT_THAT(Import(), IsOk());
  EXPECT_THAT(Topics(), ElementsAre("keys", "mine", "orders"));
  EXPECT_THAT(Contents(), AllOf(Contains("mine-0 0 x"), Contains("g mine-0 1 "),
                                Contains("g orders-0 3 of g")));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(BrokerImportTest, RepeatedImportChangesNothing) {
  ASSERT_THAT(Import(), IsOk());
  {
    const auto store = OpenStore();
    ASSERT_THAT(store->CommitOffset("g", "orders", 0, 5), IsOk());
  }
  const auto report = Import();
  ASSERT_THAT(report, IsOk());
  for (const ImportedTopic& topic : report->topics)
    EXPECT_EQ(topic.outcome, ImportOutcome::kWasThere);
  EXPECT_THAT(Contents(), Contains("g orders-0 5 "));
}

TEST_F(BrokerImportTest, TopicThatHasGoneOnIsRefused) {
  ASSERT_THAT(Import(), IsOk());
  {
    const auto store = OpenStore();
    ASSERT_THAT(store->partition("orders", 1)->Append({.value = "x"}), IsOk());
  }
  EXPECT_THAT(Import(), StatusIs(Code::kAlreadyExists,
                                 AllOf(HasSubstr("offset 13"), HasSubstr("12"),
                                       HasSubstr("delete"))));
  EXPECT_THAT(Import({.topics = {"keys"}}), IsOk());
}

TEST_F(BrokerImportTest, OtherTopicOfTheNameIsRefusedBeforeAnythingIsCopied) {
  {
    const auto store = OpenStore();
    ASSERT_THAT(store->CreateTopic("orders"), IsOk());
  }
  EXPECT_THAT(Import(), StatusIs(Code::kAlreadyExists, HasSubstr("another")));
  EXPECT_THAT(Topics(), ElementsAre("orders"));
  EXPECT_FALSE(std::filesystem::exists(store_path_ + "/keys-0"));
}

TEST_F(BrokerImportTest, TopicWithOtherRecordsIsRefused) {
  ASSERT_THAT(Import(), IsOk());
  broker_.PutSegment("orders-0", 3, BrokerBatch(3, {"D", ""}, 2));
  EXPECT_THAT(Import(), StatusIs(Code::kAlreadyExists,
                                 HasSubstr("other records in partition 0")));
}

TEST_F(BrokerImportTest, DeletedTopicIsImportedAgainWithTheBrokersOffsets) {
  ASSERT_THAT(Import(), IsOk());
  {
    const auto store = OpenStore();
    ASSERT_THAT(store->partition("orders", 1)->Append({.value = "x"}), IsOk());
    ASSERT_THAT(store->CommitOffset("new", "orders", 1, 13), IsOk());
    ASSERT_THAT(store->DeleteTopic("orders"), IsOk());
  }
  ASSERT_THAT(Import(), IsOk());
  EXPECT_EQ(Contents(), ContentsOf(broker_.path()));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(BrokerImportTest, RunningBrokerIsRefused) {
  broker_.Put(".lock", "");
  auto directory = FileSystem::Posix()->OpenDirectory(broker_.path());
  ASSERT_THAT(directory, IsOk());
  auto lock = (*directory)->OpenFile(".lock", OpenMode::kReadWrite);
  ASSERT_THAT(lock, IsOk());
  ASSERT_THAT((*lock)->Lock(), IsOk());
  const absl::Status refused = Import().status();
  EXPECT_THAT(refused,
              StatusIs(Code::kFailedPrecondition,
                       AllOf(HasSubstr(broker_.path()), HasSubstr("stop"))));
  EXPECT_TRUE(IsLockConflict(refused));
  EXPECT_FALSE(std::filesystem::exists(store_path_));
  *lock = nullptr;
  EXPECT_THAT(Import(), IsOk());
}

TEST_F(BrokerImportTest, BrokerThatIsStartedMeanwhileEndsTheImport) {
  broker_.Put(".lock", "");
  auto directory = FileSystem::Posix()->OpenDirectory(broker_.path());
  ASSERT_THAT(directory, IsOk());
  auto lock = (*directory)->OpenFile(".lock", OpenMode::kReadWrite);
  ASSERT_THAT(lock, IsOk());
  EXPECT_THAT(Import({.progress =
                          [&](const ImportProgressNow& now) {
                            // That it holds it already is what is wanted.
                            if (now.topic == "orders")
                              (*lock)->Lock().IgnoreError();
                          }}),
              StatusIs(Code::kFailedPrecondition, HasSubstr("broker")));
  EXPECT_THAT(Topics(), ElementsAre("keys"));
}

TEST_F(BrokerImportTest, TopicOfWhichPartitionsAreElsewhereIsRefused) {
  broker_.Rename("orders-0", "orders-2");
  EXPECT_THAT(Import(), StatusIs(Code::kFailedPrecondition,
                                 AllOf(HasSubstr("\"orders\" 1, 2"),
                                       HasSubstr("whole"))));
  EXPECT_THAT(Import({.topics = {"keys"}}), IsOk());
}

TEST_F(BrokerImportTest, TooSmallADiskIsSaidBeforeAnythingIsCopied) {
  FaultyFileSystem files;
  files.LimitSpace(4 << 20);
  EXPECT_THAT(Import({}, &files),
              StatusIs(Code::kResourceExhausted, HasSubstr("needs")));
  EXPECT_THAT(Topics(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(store_path_ + "/keys-0"));
  files.UnlimitSpace();
  EXPECT_THAT(Import({}, &files), IsOk());
}

TEST_F(BrokerImportTest, DamageIsRefusedOrKept) {
  std::string damaged = BrokerBatch(2, {"c"});
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a", "b"}) + damaged);
  const absl::Status refused = Import().status();
  EXPECT_THAT(refused, StatusIs(Code::kDataLoss, HasSubstr("orders-0")));
  EXPECT_TRUE(IsRefusedForDamage(refused));
  EXPECT_THAT(Topics(), ElementsAre("keys"));
  const auto report = Import({.damage = DamagedSource::kCopy});
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->damage, ElementsAre(HasSubstr("offset 2")));
  EXPECT_THAT(Topics(), ElementsAre("keys", "orders"));
}

TEST_F(BrokerImportTest, WhatIsNoBrokersIsRefused) {
  ASSERT_THAT(Import(), IsOk());
  EXPECT_THAT(ImportBroker({.broker = store_path_, .store = scratch_ / "b"}),
              StatusIs(Code::kFailedPrecondition, HasSubstr("store of varve")));
  EXPECT_THAT(
      ImportBroker({.broker = scratch_ / "no", .store = scratch_ / "b"}),
      StatusIs(Code::kNotFound));
  std::filesystem::create_directory(scratch_ / "empty");
  EXPECT_THAT(
      ImportBroker({.broker = scratch_ / "empty", .store = scratch_ / "b"}),
      StatusIs(Code::kNotFound, HasSubstr("no broker's log")));
  EXPECT_THAT(ImportBroker(
                  {.broker = broker_.path(), .store = broker_.PathOf("store")}),
              StatusIs(Code::kInvalidArgument, HasSubstr("lies in")));
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "b"));
}

TEST_F(BrokerImportTest, BrokersDirectoryIsNotChanged) {
  const std::vector<std::string> names = NamesIn(broker_.path());
  const std::vector<std::string> files = NamesIn(broker_.PathOf("orders-0"));
  ASSERT_THAT(Import(), IsOk());
  EXPECT_EQ(NamesIn(broker_.path()), names);
  EXPECT_EQ(NamesIn(broker_.PathOf("orders-0")), files);
}

TEST_F(BrokerImportTest, ProgressEndsWithAllBytes) {
  int64_t done = 0;
  int64_t total = 0;
  ASSERT_THAT(Import({.progress =
                          [&](const ImportProgressNow& now) {
                            EXPECT_GE(now.done_bytes, done);
                            EXPECT_GE(now.total_bytes, now.done_bytes);
                            done = now.done_bytes;
                            total = now.total_bytes;
                          }}),
              IsOk());
  EXPECT_GT(done, 0);
  EXPECT_EQ(done, total);
}

}  // namespace
}  // namespace varve
