// SPDX-License-Identifier: Apache-2.0

// Where `varve consume` begins and stops: --offset and --until.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Records a to f, an hour apart from 2026-11-20T10:00:00Z on.
class ConsumeRangeTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t");
    for (int i = 0; i < 6; ++i) {
      const CommandResult result = runner_.Varve(
          {"produce", "t", "--timestamp", absl::StrCat(kTenMs + i * kHourMs)},
          std::string(1, static_cast<char>('a' + i)) + "\n");
      ASSERT_EQ(result.exit_status, 0) << result.err;
    }
  }

  // What is printed, in one line.
  std::string Consume(std::vector<std::string> options) {
    options.insert(options.begin(), {"consume", "t", "--format", "%s"});
    const CommandResult result = runner_.Varve(options);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }

  std::string Between(const std::string& offset, const std::string& until) {
    return Consume({"--offset", offset, "--until", until});
  }

  static constexpr int64_t kTenMs = 1795168800000;  // 2026-11-20T10:00:00Z
  static constexpr int64_t kHourMs = 3600000;

  CommandRunner runner_;
};

TEST_F(ConsumeRangeTest, UntilIsExclusive) {
  EXPECT_EQ(Consume({"--until", "2"}), "ab");
  EXPECT_EQ(Between("1", "4"), "bcd");
  EXPECT_EQ(Between("3", "3"), "");
  EXPECT_EQ(Between("4", "2"), "");
  EXPECT_EQ(Between("0", "99"), "abcdef");
}

TEST_F(ConsumeRangeTest, UntilTakesTheWordsOfOffset) {
  EXPECT_EQ(Consume({"--until", "end"}), "abcdef");
  EXPECT_EQ(Consume({"--until", "latest"}), "abcdef");
  EXPECT_EQ(Consume({"--until", "earliest"}), "");
  EXPECT_EQ(Consume({"--until", "-2"}), "abcd");
  EXPECT_EQ(Between("beginning", "end"), "abcdef");
  EXPECT_EQ(Consume({"--offset", "end"}), "");
}

TEST_F(ConsumeRangeTest, TimesAreDatesMillisecondsAndRfc3339) {
  EXPECT_EQ(Between("@2026-11-20T12:00:00Z", "@2026-11-20T14:00"), "cd");
  EXPECT_EQ(Between("@1795172400000", "@1795179600000"), "bc");
  EXPECT_EQ(Between("@1795172400001", "@1795179600001"), "cd");
  EXPECT_EQ(Between("@2026-11-20", "@2026-11-21"), "abcdef");
  EXPECT_EQ(Between("@2026-11-21", "end"), "");
  EXPECT_EQ(Consume({"--until", "@2026-11-19"}), "");
  EXPECT_EQ(Consume({"--until", "@2026-11-20T12:00:00.5Z"}), "abc");
}

TEST_F(ConsumeRangeTest, AgoIsCountedFromNow) {
  ASSERT_EQ(
      runner_.Varve({"produce", "t", "--timestamp", "-3d"}, "g\n").exit_status,
      0);
  ASSERT_EQ(
      runner_.Varve({"produce", "t", "--timestamp", "-1d"}, "h\n").exit_status,
      0);
  EXPECT_EQ(Between("6", "@-2d"), "g");
  EXPECT_EQ(Between("6", "@-1w"), "");
  EXPECT_EQ(Between("6", "@-1h"), "gh");
}

TEST_F(ConsumeRangeTest, UntilStopsEachPartition) {
  runner_.CreateTopic("two", {"--partitions", "2"});
  for (const char* partition : {"0", "1"}) {
    for (const char* time : {"1000", "2000", "3000"}) {
      runner_.Varve(
          {"produce", "two", "--partition", partition, "--timestamp", time},
          absl::StrCat(partition, "@", time, " "));
    }
  }
  EXPECT_EQ(
      runner_.Varve({"consume", "two", "--format", "%s", "--until", "@3000"})
          .out,
      "0@1000 0@2000 1@1000 1@2000 ");
  EXPECT_EQ(
      runner_.Varve({"consume", "two", "--format", "%s", "--until", "-1"}).out,
      "0@1000 0@2000 1@1000 1@2000 ");
}

TEST_F(ConsumeRangeTest, OffsetOfSeveralPartitionsIsRefused) {
  runner_.CreateTopic("two", {"--partitions", "2"});
  const CommandResult result =
      runner_.Varve({"consume", "two", "--until", "5"});
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("2 partitions"), HasSubstr("--partition N")));
  EXPECT_EQ(
      runner_.Varve({"consume", "two", "--until", "0", "--partition", "1"})
          .exit_status,
      0);
}

TEST_F(ConsumeRangeTest, FollowerEndsWhereItIsToStop) {
  runner_.StartConsumer(
      {"t", "--follow", "--format", "%s", "--until", "@2026-11-20T17:00"});
  runner_.AwaitConsumerOutput("abcdef");
  EXPECT_FALSE(runner_.ConsumerHasEnded());
  runner_.Varve({"produce", "t", "--timestamp", "2026-11-20T16:30"}, "g\n");
  runner_.AwaitConsumerOutput("abcdefg");
  runner_.Varve({"produce", "t", "--timestamp", "2026-11-20T17:00"}, "h\n");
  const CommandResult result = runner_.EndConsumer(0);
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(result.out, "abcdefg");
}

TEST_F(ConsumeRangeTest, FollowerUntilAnOffsetWaitsForIt) {
  runner_.StartConsumer(
      {"t", "--follow", "--format", "%s", "--offset", "5", "--until", "7"});
  runner_.AwaitConsumerOutput("f");
  runner_.Produce("t", "g\nh\ni\n");
  const CommandResult result = runner_.EndConsumer(0);
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(result.out, "fg");
}

TEST_F(ConsumeRangeTest, FollowerUntilTheEndIsNoFollower) {
  EXPECT_EQ(Consume({"--follow", "--until", "end"}), "abcdef");
}

TEST_F(ConsumeRangeTest, GroupCommitsWhereItStopped) {
  const std::vector<std::string> group = {"--group", "g", "--until"};
  std::vector<std::string> first = group;
  first.push_back("2");
  EXPECT_EQ(Consume(first), "ab");
  std::vector<std::string> second = group;
  second.push_back("@2026-11-20T14:00");
  EXPECT_EQ(Consume(second), "cd");
  EXPECT_EQ(Consume(first), "");
  const CommandResult described =
      runner_.Varve({"groups", "describe", "g", "--json"});
  EXPECT_EQ(nlohmann::json::parse(described.out)["offsets"][0]["offset"], 4);
  EXPECT_EQ(Consume({"--group", "g"}), "ef");
}

TEST_F(ConsumeRangeTest, WhatIsNoPlaceIsRefusedWithTheForms) {
  for (const char* option : {"--offset", "--until"}) {
    for (const char* text :
         {"soon", "@", "@noon", "@-7", "@-1y", "@2026-1-1"}) {
      const CommandResult result =
          runner_.Varve({"consume", "t", option, text});
      EXPECT_EQ(result.exit_status, 2) << text;
      EXPECT_THAT(result.err,
                  HasSubstr(absl::StrCat(option, " ", text, ": neither")));
    }
  }
}

}  // namespace
}  // namespace varve
