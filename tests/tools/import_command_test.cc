// SPDX-License-Identifier: Apache-2.0

// A Kafka broker's directory on the command line: read in place, and imported.

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/fixture/broker_directory.h"
#include "tests/tools/command_runner.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ImportCommandTest : public testing::Test {
 protected:
  ImportCommandTest() {
    broker_.AddPartition("orders-0", TopicId(1, 2));
    broker_.PutSegment("orders-0", 5, BrokerBatch(5, {"paid", "sent"}));
    broker_.AddPartition("orders-1", TopicId(1, 2));
    broker_.PutSegment("orders-1", 0, "");
    broker_.AddPartition("half-1", TopicId(3, 4));
    broker_.PutSegment("half-1", 0, BrokerBatch(0, {"x"}));
    broker_.PutRecoveryPoints({{"orders", 0, 7}, {"half", 1, 1}});
    broker_.MarkCleanlyStopped();
  }

  CommandResult InPlace(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--data", broker_.path()});
    return runner_.Varve(arguments);
  }

  CommandRunner runner_;
  const BrokerDirectory broker_{runner_.PathTo("broker")};
};

TEST_F(ImportCommandTest, BrokersDirectoryIsReadInPlace) {
  EXPECT_EQ(InPlace({"consume", "orders"}).out, "paid\nsent\n");
  EXPECT_EQ(InPlace({"consume", "half"}).out, "x\n");
  const CommandResult list = InPlace({"topics", "list"});
  EXPECT_EQ(list.exit_status, 0) << list.err;
  EXPECT_THAT(list.out, AllOf(HasSubstr("orders"), HasSubstr("not known")));
  const CommandResult describe = InPlace({"topics", "describe", "half"});
  EXPECT_EQ(describe.exit_status, 0) << describe.err;
  EXPECT_THAT(describe.out, HasSubstr("config      not known"));
  const json half =
      json::parse(InPlace({"topics", "describe", "half", "--json"}).out);
  EXPECT_TRUE(half["config"].is_null());
  ASSERT_EQ(half["partitions"].size(), 1);
  EXPECT_EQ(half["partitions"][0]["partition"], 1);
  EXPECT_EQ(InPlace({"stat", "half"}).exit_status, 0);
  const CommandResult verify = InPlace({"verify"});
  EXPECT_EQ(verify.exit_status, 0) << verify.out << verify.err;
  EXPECT_THAT(verify.out, HasSubstr("OK"));
}

TEST_F(ImportCommandTest, PartitionThatIsElsewhereIsSaid) {
  const CommandResult result = InPlace({"consume", "half", "--partition", "0"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("this broker"), HasSubstr("has 1")));
}

TEST_F(ImportCommandTest, CommandsThatChangeAStoreAreRefused) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"topics", "create", "x"},
           {"topics", "delete", "orders", "--yes"},
           {"trim", "orders", "--before", "6", "--yes"}}) {
    const CommandResult result = InPlace(arguments);
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("Kafka broker"), HasSubstr("import")));
  }
}

TEST_F(ImportCommandTest, TopicIsImportedOnceAndThenFoundToBeThere) {
  const CommandResult first =
      runner_.Varve({"import", broker_.path(), "orders", "--config",
                     "retention.ms=3155760000000"});
  EXPECT_EQ(first.exit_status, 0) << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("orders: 2 partitions, 2 records"),
                               HasSubstr("1 topic"), HasSubstr("all checked")));
  EXPECT_EQ(runner_.Varve({"consume", "orders"}).out, "paid\nsent\n");
  EXPECT_THAT(runner_.Varve({"topics", "describe", "orders"}).out,
              HasSubstr("3155760000000"));
  const CommandResult second =
      runner_.Varve({"import", broker_.path(), "orders"});
  EXPECT_EQ(second.exit_status, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("orders: was imported before"));
}

TEST_F(ImportCommandTest, JsonSaysWhatCame) {
  const CommandResult result =
      runner_.Varve({"--json", "import", broker_.path(), "orders"});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
  const json report = json::parse(result.out);
  EXPECT_EQ(report["store"], runner_.data());
  EXPECT_EQ(report["broker"], broker_.path());
  EXPECT_EQ(report["ok"], true);
  ASSERT_EQ(report["topics"].size(), 1);
  const json& topic = report["topics"][0];
  EXPECT_EQ(topic["topic"], "orders");
  EXPECT_EQ(topic["imported"], true);
  EXPECT_EQ(topic["partitions"][0]["log_start"], 5);
  EXPECT_EQ(topic["partitions"][0]["end_offset"], 7);
  EXPECT_EQ(topic["partitions"][0]["kept_bytes"], 0);
}

TEST_F(ImportCommandTest, WithoutNamesATopicThatIsNotWholeIsSaid) {
  const CommandResult result = runner_.Varve({"import", broker_.path()});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("\"half\" 1"), Not(HasSubstr("\"orders\""))));
}

TEST_F(ImportCommandTest, RunningBrokerIsRefused) {
  broker_.Put(".lock", "");
  auto directory = FileSystem::Posix()->OpenDirectory(broker_.path());
  ASSERT_TRUE(directory.ok());
  auto lock = (*directory)->OpenFile(".lock", OpenMode::kReadWrite);
  ASSERT_TRUE(lock.ok());
  ASSERT_TRUE((*lock)->Lock().ok());
  const CommandResult result =
      runner_.Varve({"import", broker_.path(), "orders"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("a broker has it open"));
  EXPECT_EQ(InPlace({"consume", "orders"}).out, "paid\nsent\n");
}

TEST_F(ImportCommandTest, DamageNamesTheOption) {
  std::string damaged = BrokerBatch(5, {"paid", "sent"});
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  broker_.PutSegment("orders-0", 5, damaged);
  const CommandResult refused =
      runner_.Varve({"import", broker_.path(), "orders"});
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_THAT(refused.err, HasSubstr("--keep-damage"));
  const CommandResult kept =
      runner_.Varve({"import", broker_.path(), "orders", "--keep-damage"});
  EXPECT_EQ(kept.exit_status, 0) << kept.err;
  EXPECT_THAT(kept.out, HasSubstr("DAMAGE"));
}

TEST_F(ImportCommandTest, BadArgumentsAreUsageErrors) {
  EXPECT_EQ(runner_.Varve({"import"}).exit_status, 2);
  EXPECT_EQ(
      runner_.Varve({"import", broker_.path(), "--config", "x"}).exit_status,
      2);
  EXPECT_EQ(
      runner_.Varve({"import", broker_.path(), "--config", "x=1"}).exit_status,
      2);
}

}  // namespace
}  // namespace varve
