// SPDX-License-Identifier: Apache-2.0

// Topics of a store exported to a Kafka broker's directory, on the command
// line.

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/file_bytes.h"
#include "tests/tools/command_runner.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExportCommandTest : public testing::Test {
 protected:
  ExportCommandTest() {
    EXPECT_EQ(runner_.Varve({"topics", "create", "orders", "--partitions", "2"})
                  .exit_status,
              0);
    WriteBytes(runner_.PathTo("lines"), "paid\nsent\n");
    EXPECT_EQ(runner_
                  .Varve({"produce", "orders", "--partition", "1",
                          runner_.PathTo("lines")})
                  .exit_status,
              0);
    EXPECT_EQ(
        runner_.Varve({"groups", "reset", "it's", "orders:1", "--to", "1"})
            .exit_status,
        0);
    for (const std::string partition : {"orders-0", "orders-1"}) {
      broker_.AddPartition(partition, TopicId(1, 2));
      broker_.PutSegment(partition, 0, "");
    }
    broker_.MarkCleanlyStopped();
  }

  CommandRunner runner_;
  const BrokerDirectory broker_{runner_.PathTo("broker")};
};

TEST_F(ExportCommandTest, TopicIsExportedOnceAndThenFoundToBeThere) {
  const std::string csv = runner_.PathTo("offsets.csv");
  const CommandResult first =
      runner_.Varve({"export", broker_.path(), "orders", "--offsets", csv});
  EXPECT_EQ(first.exit_status, 0) << first.err;
  EXPECT_THAT(first.err, IsEmpty());
  EXPECT_THAT(first.out, AllOf(HasSubstr("orders: 2 partitions, 2 records"),
                               HasSubstr("1 topic"), HasSubstr("all checked"),
                               HasSubstr("1 committed offset of 1 group"),
                               HasSubstr("--from-file " + csv +
                                         " --execute --group 'it'\\''s'\n")));
  EXPECT_EQ(ReadBytes(csv), "orders,1,1\n");
  EXPECT_EQ(runner_.Varve({"--data", broker_.path(), "consume", "orders"}).out,
            "paid\nsent\n");
  const CommandResult second = runner_.Varve({"export", broker_.path()});
  EXPECT_EQ(second.exit_status, 0) << second.err;
  EXPECT_THAT(second.out, AllOf(HasSubstr("orders: was exported before"),
                                HasSubstr("--offsets FILE")));
}

TEST_F(ExportCommandTest, JsonSaysWhatWasExported) {
  const CommandResult result =
      runner_.Varve({"--json", "export", broker_.path()});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
  const json report = json::parse(result.out);
  EXPECT_EQ(report["store"], runner_.data());
  EXPECT_EQ(report["directory"], broker_.path());
  EXPECT_EQ(report["is_broker"], true);
  EXPECT_THAT(report["notes"], IsEmpty());
  ASSERT_EQ(report["topics"].size(), 1);
  const json& topic = report["topics"][0];
  EXPECT_EQ(topic["topic"], "orders");
  EXPECT_EQ(topic["id"], TopicId(1, 2).ToText());
  EXPECT_EQ(topic["exported"], true);
  EXPECT_EQ(topic["partitions"][1]["records"], 2);
  EXPECT_EQ(topic["partitions"][1]["end_offset"], 2);
  EXPECT_EQ(report["offsets"], json::parse(R"([{"group": "it's",
      "topic": "orders", "partition": 1, "offset": 1}])"));
}

TEST_F(ExportCommandTest, OtherDirectoryIsMade) {
  const std::string out = runner_.PathTo("new/out");
  const CommandResult result = runner_.Varve({"--json", "export", out});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_EQ(report["is_broker"], false);
  EXPECT_TRUE(report["topics"][0]["id"].is_null());
  EXPECT_FALSE(std::filesystem::exists(out + "/orders-1/partition.metadata"));
}

TEST_F(ExportCommandTest, WhatDoesNotFitIsRefused) {
  broker_.Remove("orders-1");
  const CommandResult result = runner_.Varve({"export", broker_.path()});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("has partition 0 of topic \"orders\""),
                    HasSubstr("the store has 2")));
}

TEST_F(ExportCommandTest, OffsetsThatCannotBeWrittenAreAnError) {
  const CommandResult result = runner_.Varve(
      {"export", broker_.path(), "--offsets", runner_.PathTo("no/such/file")});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("no/such"));
}

TEST_F(ExportCommandTest, BadArgumentsAreUsageErrors) {
  EXPECT_EQ(runner_.Varve({"export"}).exit_status, 2);
  EXPECT_EQ(runner_.Varve({"export", broker_.path(), "__consumer_offsets"})
                .exit_status,
            2);
}

}  // namespace
}  // namespace varve
