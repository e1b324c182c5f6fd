// SPDX-License-Identifier: Apache-2.0

// `varve groups reset`: where a group goes on, and what a dry run says of it.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A topic "t" with ten records in partition 0, at 1000 ms to 10000 ms, and none
// in partition 1; and a group "g" that is at offset 4 of partition 0.
class GroupsResetTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t", {"--partitions", "2"});
    std::string lines;
    for (int i = 0; i < 10; ++i) {
      absl::StrAppend(&lines, R"({"value":"v","timestamp":)", 1000 * (i + 1),
                      "}\n");
    }
    ASSERT_EQ(runner_.Varve({"produce", "t", "--json"}, lines).exit_status, 0);
    Reset({"t:0", "--to", "4"});
  }

  CommandResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"groups", "reset", "g"});
    return runner_.Varve(arguments);
  }

  // What it prints as JSON.
  json Reset(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.exit_status == 0 ? json::parse(result.out) : json();
  }

  // The group's offset in partition 0.
  int64_t Committed() {
    const CommandResult result =
        runner_.Varve({"groups", "describe", "g", "--json"});
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return json::parse(result.out)["offsets"][0]["offset"].get<int64_t>();
  }

  CommandRunner runner_;
};

TEST_F(GroupsResetTest, EveryPlaceIsFound) {
  const std::pair<std::vector<std::string>, int64_t> places[] = {
      {{"earliest"}, 0},
      {{"latest"}, 10},
      {{"7"}, 7},
      {{"-3"}, 7},
      {{"@5000"}, 4},
      {{"@4001"}, 4},
      {{"@1970-01-02"}, 10},
      {{"@1970-01-01T00:00:02Z"}, 1}};
  for (const auto& [words, offset] : places) {
    std::vector<std::string> line = {"t:0", "--to"};
    line.insert(line.end(), words.begin(), words.end());
    EXPECT_EQ(Reset(line)["offsets"][0]["offset"], offset) << words[0];
    EXPECT_EQ(Committed(), offset) << words[0];
  }
}

TEST_F(GroupsResetTest, DryRunShowsTheChangeAndMakesNone) {
  const CommandResult result = Run({"t", "--to", "latest", "--dry-run"});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(result.out,
            "TOPIC  PARTITION  BEFORE  OFFSET  START  END  LAG\n"
            "t              0       4      10      0   10    0\n"
            "t              1       -       0      0    0    0\n");
  EXPECT_THAT(result.err, HasSubstr("nothing was changed"));
  const json dry = Reset({"t:0", "--to", "earliest", "--dry-run"});
  EXPECT_EQ(dry["dry_run"], true);
  EXPECT_EQ(dry["group"], "g");
  EXPECT_EQ(dry["offsets"][0],
            json::parse(R"({"topic":"t","partition":0,"before":4,"offset":0,)"
                        R"("log_start":0,"log_end":10,"lag":10,)"
                        R"("clamped_from":null})"));
  EXPECT_EQ(Committed(), 4);
}

TEST_F(GroupsResetTest, ShiftCountsFromTheCommittedOffset) {
  EXPECT_EQ(Reset({"t:0", "--to", "shift-by", "3"})["offsets"][0]["offset"], 7);
  EXPECT_EQ(Reset({"t:0", "--to", "shift-by", "-2"})["offsets"][0]["offset"],
            5);
  EXPECT_EQ(Committed(), 5);
  EXPECT_EQ(Reset({"--to", "shift-by", "-1", "t:0"})["offsets"][0]["offset"],
            4);
}

TEST_F(GroupsResetTest, ShiftEndsAtTheLogAndSaysSo) {
  const CommandResult up = Run({"t:0", "--to", "shift-by", "100"});
  EXPECT_EQ(up.exit_status, 0);
  EXPECT_THAT(up.err,
              HasSubstr("t, partition 0: 104 is after the log's end: the group "
                        "goes on at 10"));
  EXPECT_EQ(Committed(), 10);
  const json down = Reset({"t:0", "--to", "shift-by", "-100"});
  EXPECT_EQ(down["offsets"][0]["offset"], 0);
  EXPECT_EQ(down["offsets"][0]["clamped_from"], -90);
  EXPECT_EQ(Reset({"t:0", "--to", "shift-by",
                   "9223372036854775807"})["offsets"][0]["offset"],
            10);
  EXPECT_EQ(Reset({"t:0", "--to", "shift-by",
                   "-9223372036854775808"})["offsets"][0]["offset"],
            0);
}

TEST_F(GroupsResetTest, ShiftNeedsACommittedOffset) {
  const CommandResult result = Run({"t", "--to", "shift-by", "1"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("t, partition 1"),
                    HasSubstr("nothing to shift from"), HasSubstr("earliest")));
  EXPECT_EQ(Committed(), 4);
}

TEST_F(GroupsResetTest, OffsetOutOfTheLogIsRefusedByADryRunToo) {
  for (const char* dry : {"--dry-run", "--json"}) {
    const CommandResult result = Run({"t:0", "--to", "11", dry});
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("offset 11 is not there"),
                      HasSubstr("starts at 0"), HasSubstr("ends before 10")));
  }
  EXPECT_EQ(Committed(), 4);
}

TEST_F(GroupsResetTest, OffsetOfATopicWithSeveralPartitionsWantsOneOfThem) {
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"t", "--to", "7"},
        {"t", "--to", "7", "--dry-run"},
        {"--topic", "t", "--to", "7"}}) {
    const CommandResult result = Run(line);
    EXPECT_EQ(result.exit_status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err,
              "varve: --to: 7 is an offset, and t has 2 partitions, each with "
              "offsets of its own; say TOPIC:PARTITION\n");
  }
  EXPECT_EQ(Committed(), 4);
  // Other places are found in each.
  EXPECT_EQ(Reset({"t", "--to", "-3"})["offsets"][0]["offset"], 7);
  EXPECT_EQ(Reset({"t", "--to", "shift-by", "1"})["offsets"].size(), 2);
}

TEST_F(GroupsResetTest, OffsetOfATopicWithOnePartitionIsItsOffset) {
  runner_.CreateTopic("one");
  runner_.Produce("one", "a\nb\nc\n");
  EXPECT_EQ(Reset({"one", "--to", "2"})["offsets"][0]["offset"], 2);
}

TEST_F(GroupsResetTest, TopicMayBeNamedInTwoWaysButOnce) {
  EXPECT_EQ(Reset({"--topic", "t", "--partition", "0", "--to", "2"})["offsets"]
                .size(),
            1);
  EXPECT_EQ(Committed(), 2);
  EXPECT_EQ(Run({"t", "--topic", "t", "--to", "2"}).exit_status, 2);
  EXPECT_EQ(Run({"t", "--partition", "0", "--to", "2"}).exit_status, 2);
  const CommandResult none = Run({"--to", "2"});
  EXPECT_EQ(none.exit_status, 2);
  EXPECT_THAT(none.err, HasSubstr("TOPIC is required"));
}

TEST_F(GroupsResetTest, TopicMayHaveTheNameOfACommand) {
  runner_.CreateTopic("list");
  const CommandResult result = Run({"list", "--to", "earliest"});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("list           0       -       0"));
}

TEST_F(GroupsResetTest, MistakesAreExplained) {
  const std::pair<std::vector<std::string>, std::string> mistakes[] = {
      {{"t", "--to", "soon"}, "--to soon: neither a number"},
      {{"t", "--to", "@soon"}, "--to @soon: neither a time"},
      {{"t", "--to", "shift-by"}, "--to shift-by: by how many records?"},
      {{"t", "--to", "earliest", "5"}, "not understood: 5"},
      {{"t", "--to", "1", "--to", "2"}, "--to takes one place"},
      {{"t:x", "--to", "1"}, "TOPIC:PARTITION"}};
  for (const auto& [line, message] : mistakes) {
    const CommandResult result = Run(line);
    EXPECT_EQ(result.exit_status, 2) << message;
    EXPECT_THAT(result.err, HasSubstr(message));
  }
  EXPECT_EQ(Run({"u", "--to", "earliest"}).exit_status, 1);
  EXPECT_EQ(Run({"t:2", "--to", "earliest"}).exit_status, 1);
  EXPECT_EQ(Committed(), 4);
}

TEST_F(GroupsResetTest, OpenStoreIsToldWithTheWayOut) {
  runner_.StartProducer("t");
  const CommandResult result = Run({"t", "--to", "earliest", "--dry-run"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, AllOf(HasSubstr("another writer has it open"),
                                HasSubstr("LogStore::CommitOffsets"),
                                HasSubstr("end the other program"),
                                Not(HasSubstr("FAILED_PRECONDITION"))));
  EXPECT_EQ(runner_.EndProducer(), 0);
}

}  // namespace
}  // namespace varve
