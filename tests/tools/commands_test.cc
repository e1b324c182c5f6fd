// SPDX-License-Identifier: Apache-2.0

// The commands with good input; bad_input_test.cc and bad_store_test.cc have
// the rest.

#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"
#include "varve/api/partitioner.h"
#include "varve/api/version.h"

namespace varve {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class CommandsTest : public testing::Test {
 protected:
  std::string Consume(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "consume");
    const CommandResult result = runner_.Varve(arguments);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }

  CommandRunner runner_;
};

TEST_F(CommandsTest, HelpAndVersionSucceed) {
  EXPECT_THAT(runner_.Varve({"--help"}).out,
              AllOf(HasSubstr("Examples:"), HasSubstr("dump-log")));
  EXPECT_EQ(runner_.Varve({"--version"}).out,
            absl::StrCat("varve ", Version(), "\n"));
  for (const char* command :
       {"topics", "produce", "consume", "verify", "dump-log"}) {
    EXPECT_EQ(runner_.Varve({command, "--help"}).exit_status, 0) << command;
  }
}

TEST_F(CommandsTest, CreatedTopicIsListedAndDescribed) {
  runner_.CreateTopic("orders",
                      {"--partitions", "3", "--config", "segment.bytes=5000"});
  EXPECT_THAT(runner_.Varve({"topics", "list"}).out,
              AllOf(HasSubstr("orders"), HasSubstr("segment.bytes=5000")));
  const CommandResult described =
      runner_.Varve({"topics", "describe", "orders", "--json"});
  const json topic = json::parse(described.out);
  EXPECT_EQ(topic["partitions"].size(), 3);
  EXPECT_EQ(topic["config"], (json{{"segment.bytes", "5000"}}));
}

TEST_F(CommandsTest, DescribeShowsEveryConfigOnRequest) {
  runner_.CreateTopic("orders");
  EXPECT_THAT(runner_.Varve({"topics", "describe", "orders"}).out,
              HasSubstr("all defaults"));
  EXPECT_THAT(runner_.Varve({"topics", "describe", "orders", "--all"}).out,
              HasSubstr("retention.ms"));
}

TEST_F(CommandsTest, DescribeCountsRecordsAndSegments) {
  runner_.CreateTopic("t", {"--config", "segment.bytes=200"});
  for (int i = 0; i < 3; ++i) runner_.Produce("t", std::string(100, 'x'));
  const json partition =
      json::parse(runner_.Varve({"topics", "describe", "t", "--json"})
                      .out)["partitions"][0];
  EXPECT_EQ(partition["visible_end"], 3);
  EXPECT_EQ(partition["durable_end"], 3);
  EXPECT_EQ(partition["segments"], 3);
}

TEST_F(CommandsTest, LinesKeepEveryByteButTheLineFeed) {
  runner_.CreateTopic("t");
  const std::string text("a\0b\r\n\n\xff last", 12);
  runner_.Produce("t", text);
  EXPECT_EQ(Consume({"t"}), text + "\n");
}

TEST_F(CommandsTest, EmptyInputProducesNothing) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "");
  EXPECT_EQ(Consume({"t"}), "");
}

TEST_F(CommandsTest, FilesAreReadByName) {
  runner_.CreateTopic("t");
  WriteFileOrDie(runner_.PathTo("lines"), "a\nb\n");
  const CommandResult result =
      runner_.Varve({"produce", "t", runner_.PathTo("lines")}, "not this");
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(Consume({"t"}), "a\nb\n");
}

TEST_F(CommandsTest, SummaryNamesRecordsAndDurability) {
  runner_.CreateTopic("t");
  for (const char* durability : {"memory", "interval", "synced"}) {
    const CommandResult result =
        runner_.Varve({"produce", "t", "--durability", durability}, "a\nb\n");
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("2 records"), HasSubstr(durability)));
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(CommandsTest, KeysGoWhereKafkasProducerPutsThem) {
  runner_.CreateTopic("t", {"--partitions", "4"});
  const CommandResult result = runner_.Varve(
      {"produce", "t", "--key-separator", "\\t"}, "a\t1\nb\t2\n\t3\na\t4\tx\n");
  EXPECT_EQ(result.exit_status, 0) << result.err;
  const std::string all = Consume({"t", "--format", "%k|%K|%s\\n"});
  for (const char* line : {"a|1|1\n", "b|1|2\n", "|0|3\n", "a|1|4\tx\n"}) {
    EXPECT_THAT(all, HasSubstr(line));
  }
  for (const char* key : {"a", "b", ""}) {
    EXPECT_THAT(Consume({"t", "--format", "%k@%p "}),
                HasSubstr(absl::StrCat(key, "@", PartitionForKey(key, 4))));
  }
}

TEST_F(CommandsTest, PartitionOptionOverridesTheKeys) {
  runner_.CreateTopic("t", {"--partitions", "2"});
  runner_.Varve({"produce", "t", "--key-separator", ":", "--partition", "1"},
                "a:1\nb:2\n");
  EXPECT_EQ(Consume({"t", "--format", "%p%k%s "}), "1a1 1b2 ");
}

TEST_F(CommandsTest, ConsumeBeginsAndEndsWhereItIsTold) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "a\nb\nc\nd\n");
  EXPECT_EQ(Consume({"t", "--offset", "1", "--count", "2"}), "b\nc\n");
  EXPECT_EQ(Consume({"t", "--offset", "earliest", "--count", "1"}), "a\n");
  EXPECT_EQ(Consume({"t", "--offset", "latest"}), "");
  EXPECT_EQ(Consume({"t", "--offset", "4"}), "");
  EXPECT_EQ(Consume({"t", "--count", "0"}), "");
}

TEST_F(CommandsTest, PartitionsComeOneAfterAnother) {
  runner_.CreateTopic("t", {"--partitions", "2"});
  runner_.Varve({"produce", "t", "--partition", "1"}, "b\n");
  runner_.Varve({"produce", "t", "--partition", "0"}, "a\n");
  EXPECT_EQ(Consume({"t", "--format", "%p%s "}), "0a 1b ");
  EXPECT_EQ(Consume({"t", "--count", "1"}), "a\n");
}

TEST_F(CommandsTest, JsonIsOneObjectALine) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "text\n\xff\n");
  const std::vector<std::string> lines =
      absl::StrSplit(Consume({"t", "--json"}), '\n');
  ASSERT_EQ(lines.size(), 3);
  EXPECT_EQ(json::parse(lines[0])["value"], "text");
  EXPECT_EQ(json::parse(lines[0])["key"], nullptr);
  EXPECT_EQ(json::parse(lines[1])["value_base64"], "/w==");
}

TEST_F(CommandsTest, ReaderThatGoesAwayIsNoError) {
  runner_.CreateTopic("t");
  std::string lines;
  for (int i = 0; i < 500'000; ++i) lines += "some line of text\n";
  runner_.Produce("t", lines);
  const CommandResult result = runner_.VarveAfter(
      [] {
        int ends[2];
        if (pipe(ends) != 0 || dup2(ends[1], STDOUT_FILENO) < 0) _exit(126);
        close(ends[0]);
        close(ends[1]);
      },
      {"consume", "t"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err, "");
}

TEST_F(CommandsTest, DataOptionIsStrongerThanTheEnvironment) {
  const std::string other = runner_.PathTo("other");
  EXPECT_EQ(
      runner_.Varve({"--data", other, "topics", "create", "x"}).exit_status, 0);
  EXPECT_EQ(runner_.Varve({"topics", "list", "--data", other}).exit_status, 0);
  EXPECT_EQ(runner_.Varve({"topics", "list"}).exit_status, 1);
}

TEST_F(CommandsTest, SlowInputIsAppendedAsItComes) {
  runner_.CreateTopic("t");
  runner_.StartProducer("t");
  runner_.WriteToProducer("a\nb\nhalf");
  json report;
  for (int i = 0; i < 1000 && report["records"] != 2; ++i) {
    report = json::parse(runner_.Varve({"verify", "--json"}).out);
  }
  EXPECT_EQ(report["records"], 2);
  EXPECT_EQ(runner_.EndProducer(), 0);
  EXPECT_EQ(Consume({"t"}), "a\nb\nhalf\n");
}

TEST_F(CommandsTest, QuickstartRunsToItsThreeCommands) {
  WriteFileOrDie(runner_.PathTo("text"), "some words\nof a text\n\nthe end");
  const CommandResult result = runner_.Quickstart({runner_.PathTo("text")});
  ASSERT_EQ(result.exit_status, 0) << result.err;
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n');
  ASSERT_GE(lines.size(), 4);
  EXPECT_LT(lines.size(), 60);
  const std::string varve = "   ./dev varve --data " + runner_.data();
  EXPECT_EQ(lines[lines.size() - 4], varve + " topics describe text");
  EXPECT_EQ(lines[lines.size() - 3], varve + " consume text --count 5");
  EXPECT_EQ(lines[lines.size() - 2], varve + " verify");
  EXPECT_THAT(result.out, HasSubstr("all there, all equal"));
  EXPECT_THAT(result.out, HasSubstr("the last one of every key among them"));
  EXPECT_EQ(result.out.find('\033'), std::string::npos);
  EXPECT_EQ(runner_.Varve({"verify"}).exit_status, 0);
}

TEST_F(CommandsTest, QuickstartFindsTextByItself) {
  const CommandResult result = runner_.Quickstart({});
  EXPECT_EQ(result.exit_status, 0) << result.err;
}

TEST_F(CommandsTest, QuickstartLeavesADirectoryThatIsInUseAlone) {
  runner_.CreateTopic("mine");
  WriteFileOrDie(runner_.PathTo("text"), "a\nb\n");
  const std::string elsewhere = runner_.PathTo("");
  setenv("TMPDIR", elsewhere.c_str(), 1);
  const CommandResult result = runner_.Quickstart({runner_.PathTo("text")});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("is left alone"));
  EXPECT_THAT(runner_.Varve({"topics", "list", "--json"}).out,
              HasSubstr("mine"));
}

TEST_F(CommandsTest, QuickstartNamesAFileItCannotRead) {
  const CommandResult result = runner_.Quickstart({"/no/such/file"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("/no/such/file: open: No such file"));
}

}  // namespace
}  // namespace varve
