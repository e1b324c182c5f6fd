// SPDX-License-Identifier: Apache-2.0

// varve topics alter and delete.

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Allows no file larger than the small ones.
void LeaveNoRoom() {
  const rlimit limit = {.rlim_cur = 4000, .rlim_max = 4000};
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(126);
  // A write that is too long is an error, as on a full disk.
  signal(SIGXFSZ, SIG_IGN);
}

class TopicsChangeTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("orders", {"--config", "segment.bytes=5000"});
  }

  json Described() {
    return json::parse(
        runner_.Varve({"topics", "describe", "orders", "--json"}).out);
  }

  CommandRunner runner_;
};

TEST_F(TopicsChangeTest, AlterSetsResetsAndAddsPartitions) {
  const CommandResult altered = runner_.Varve(
      {"topics", "alter", "orders", "--config", "retention.ms=1000", "--config",
       "flush.ms=9", "--reset-config", "segment.bytes", "--partitions", "3"});
  EXPECT_EQ(altered.exit_status, 0) << altered.err;
  EXPECT_EQ(altered.out,
            "altered orders: 3 partitions, flush.ms=9, retention.ms=1000\n");
  EXPECT_EQ(Described()["config"],
            (json{{"flush.ms", "9"}, {"retention.ms", "1000"}}));
  EXPECT_EQ(Described()["partitions"].size(), 3);
}

TEST_F(TopicsChangeTest, AlterPrintsJsonForMachines) {
  const json altered = json::parse(
      runner_
          .Varve({"topics", "alter", "orders", "--partitions", "2", "--json"})
          .out);
  EXPECT_EQ(altered, (json{{"topic", "orders"},
                           {"partitions", 2},
                           {"config", {{"segment.bytes", "5000"}}}}));
}

TEST_F(TopicsChangeTest, MistakesOfAlterAreExplainedAndChangeNothing) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes =
      {{{}, "nothing to change"},
       {{"--config", "flush.ms"}, "write name=value"},
       {{"--config", "flush.ms=9", "--config", "segment.bytes=1"}, "from 14"},
       {{"--reset-config", "flush.msec"}, "nearest name is \"flush.ms\""},
       {{"--config", "flush.ms=9", "--partitions", "0"}, "cannot have 0"}};
  for (const auto& [options, text] : mistakes) {
    std::vector<std::string> line = {"topics", "alter", "orders"};
    line.insert(line.end(), options.begin(), options.end());
    const CommandResult result = runner_.Varve(line);
    EXPECT_EQ(result.exit_status, 2) << text;
    EXPECT_THAT(result.err, HasSubstr(text));
  }
  EXPECT_EQ(Described()["config"], (json{{"segment.bytes", "5000"}}));
  const CommandResult unknown =
      runner_.Varve({"topics", "alter", "order", "--partitions", "2"});
  EXPECT_EQ(unknown.exit_status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("topics: orders"));
}

TEST_F(TopicsChangeTest, DeleteWithoutATerminalWantsYes) {
  const CommandResult refused =
      runner_.Varve({"topics", "delete", "orders"}, "y\n");
  EXPECT_EQ(refused.exit_status, 2);
  EXPECT_EQ(refused.err,
            "varve: delete orders: there is no terminal to ask on; --yes says "
            "that it is meant\n");
  EXPECT_THAT(runner_.Varve({"topics", "list"}).out, HasSubstr("orders"));
}

TEST_F(TopicsChangeTest, DeletedTopicIsGoneAndItsNameIsFree) {
  runner_.Produce("orders", "one\ntwo\n");
  const CommandResult deleted =
      runner_.Varve({"topics", "delete", "orders", "--yes"});
  EXPECT_EQ(deleted.exit_status, 0) << deleted.err;
  EXPECT_EQ(deleted.out, "deleted orders\n");
  EXPECT_THAT(runner_.Varve({"topics", "list"}).out, Not(HasSubstr("orders")));
  EXPECT_EQ(runner_.Varve({"topics", "delete", "orders", "--yes"}).exit_status,
            1);
  runner_.CreateTopic("orders");
  EXPECT_EQ(runner_.Varve({"consume", "orders"}).out, "");
  EXPECT_EQ(runner_.Varve({"verify"}).exit_status, 0);
}

// The file size limit acts like a full disk.
TEST_F(TopicsChangeTest, DeletionSaysWhatItCouldNotRemoveAndItIsRemovedLater) {
  runner_.Produce("orders", "old-1\nold-2\n");
  ASSERT_EQ(runner_.Varve({"consume", "orders", "--group", "g"}).exit_status,
            0);
  const CommandResult deleted =
      runner_.VarveAfter(LeaveNoRoom, {"topics", "delete", "orders", "--yes"});
  EXPECT_EQ(deleted.exit_status, 0) << deleted.err;
  EXPECT_EQ(deleted.out, "deleted orders\n");
  EXPECT_THAT(deleted.err,
              HasSubstr("orders: its committed offsets could not be removed"));
  EXPECT_EQ(runner_.Varve({"groups", "describe", "g"}).exit_status, 1);
  runner_.CreateTopic("orders");
  runner_.Produce("orders", "new-1\nnew-2\nnew-3\n");
  EXPECT_EQ(runner_.Varve({"consume", "orders", "--group", "g"}).out,
            "new-1\nnew-2\nnew-3\n");
}

TEST_F(TopicsChangeTest, DeletionSaysWhatItCouldNotRemoveToMachinesToo) {
  runner_.Produce("orders", "old-1\n");
  ASSERT_EQ(runner_.Varve({"consume", "orders", "--group", "g"}).exit_status,
            0);
  EXPECT_EQ(
      json::parse(runner_
                      .VarveAfter(LeaveNoRoom, {"topics", "delete", "orders",
                                                "--yes", "--json"})
                      .out),
      (json{{"deleted", "orders"},
            {"still_due", json::array({"committed offsets"})}}));
}

TEST_F(TopicsChangeTest, InternalTopicIsNotDeleted) {
  const CommandResult result =
      runner_.Varve({"topics", "delete", "__consumer_offsets", "--yes"});
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("internal"), HasSubstr("__")));
}

}  // namespace
}  // namespace varve
