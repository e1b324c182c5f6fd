// SPDX-License-Identifier: Apache-2.0

// Numbers on the command line are decimal, whatever they look like elsewhere.

#include "varve/tools/shell/whole_number.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kNoNumbers[] = {
    "",    "-",   "+1",  " 1",       "1 ",  "0x10", "1e3", "1.0",
    "1_0", "1,0", "nan", "infinity", "--1", "1-",   "\t1", "0b1",
    "１",  "１0", "1k",  "1\n",      "one", "0-1",  "00x1"};

TEST(WholeNumberTest, LeadingZerosMeanNothing) {
  EXPECT_THAT(ParseWholeNumber("010"), IsOkAndHolds(10));
  EXPECT_THAT(ParseWholeNumber("-010"), IsOkAndHolds(-10));
  EXPECT_THAT(ParseWholeNumber("09"), IsOkAndHolds(9));
  EXPECT_THAT(ParseWholeNumber("0"), IsOkAndHolds(0));
}

TEST(WholeNumberTest, WhatIsNotDecimalDigitsIsRefused) {
  for (const std::string_view text : kNoNumbers) {
    EXPECT_THAT(ParseWholeNumber(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("is not a whole number from")))
        << text;
  }
}

TEST(WholeNumberTest, BoundsAreIncludedAndWhatIsBeyondIsRefused) {
  EXPECT_THAT(ParseWholeNumber("9223372036854775807"),
              IsOkAndHolds(std::numeric_limits<int64_t>::max()));
  EXPECT_THAT(ParseWholeNumber("-9223372036854775808"),
              IsOkAndHolds(std::numeric_limits<int64_t>::min()));
  for (const std::string_view text :
       {"9223372036854775808", "-9223372036854775809",
        "99999999999999999999999999999999"}) {
    EXPECT_THAT(ParseWholeNumber(text),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
  EXPECT_THAT(ParseWholeNumber("3", 1, 3), IsOkAndHolds(3));
  EXPECT_THAT(ParseWholeNumber("4", 1, 3),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("\"4\" is not a whole number from 1 to 3")));
}

TEST(WholeNumberTest, SecondsAreFiniteAndPlain) {
  const DurationRange range = {.min = absl::ZeroDuration(),
                               .max = absl::Hours(24)};
  EXPECT_THAT(ParseSeconds("0.25", range),
              IsOkAndHolds(absl::Milliseconds(250)));
  EXPECT_THAT(ParseSeconds("010", range), IsOkAndHolds(absl::Seconds(10)));
  EXPECT_THAT(ParseSeconds("86400", range), IsOkAndHolds(absl::Hours(24)));
  for (const std::string& text :
       {std::string("nan"), std::string("NaN"), std::string("inf"),
        std::string("-inf"), std::string("1e2"), std::string("0x1p3"),
        std::string("+1"), std::string(" 1"), std::string("1 "),
        std::string("-1"), std::string("."), std::string(""),
        std::string("1.2.3"), std::string("86401"), std::string(400, '9')}) {
    EXPECT_THAT(
        ParseSeconds(text, range),
        StatusIs(absl::StatusCode::kInvalidArgument,
                 HasSubstr("is not a number of seconds from 0 to 86400")))
        << text;
  }
}

class NumberOptionTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t", {"--partitions", "010"});
    runner_.Produce("t", "a\nb\nc\n");
  }
  CommandRunner runner_;
};

TEST_F(NumberOptionTest, OctalLooksAreDecimalEverywhere) {
  const auto partitions = [&] {
    const CommandResult list = runner_.Varve({"topics", "list", "--json"});
    return nlohmann::json::parse(list.out)[0]["partitions"];
  };
  EXPECT_EQ(partitions(), 10);
  EXPECT_EQ(runner_.Varve({"topics", "alter", "t", "--partitions", "0012"})
                .exit_status,
            0);
  EXPECT_EQ(partitions(), 12);
  EXPECT_EQ(
      runner_.Varve({"produce", "t", "--partition", "011"}, "x\n").exit_status,
      0);
  EXPECT_EQ(runner_.Varve({"consume", "t", "--partition", "011"}).out, "x\n");
  EXPECT_EQ(runner_
                .Varve({"consume", "t", "--partition", "00", "--offset", "01",
                        "--count", "02"})
                .out,
            "b\nc\n");
  EXPECT_THAT(runner_.Varve({"stat", "t:011"}).out, HasSubstr("11"));
}

TEST_F(NumberOptionTest, WhatIsNoNumberIsRefusedByEveryOptionThatTakesOne) {
  const std::vector<std::vector<std::string>> options = {
      {"topics", "create", "u", "--partitions"},
      {"topics", "alter", "t", "--partitions"},
      {"produce", "t", "--partition"},
      {"consume", "t", "--partition"},
      {"consume", "t", "--count"},
      {"consume", "t", "--offset"},
      {"consume", "t", "--until"},
      {"trim", "t:0", "--before"},
      {"consume", "t", "--group", "g", "--commit-interval"},
      {"groups", "reset", "g", "--topic", "t", "--partition"},
      {"groups", "delete", "g", "--topic", "t", "--partition"},
      {"groups", "reset", "g", "--topic", "t", "--to"},
      {"stat", "--watch"}};
  for (const std::vector<std::string>& option : options) {
    for (const char* text :
         {"0x1", "+1", " 1", "1e1", "nan", "inf", "99999999999999999999"}) {
      std::vector<std::string> line = option;
      line.push_back(text);
      const CommandResult result = runner_.Varve(line);
      EXPECT_EQ(result.exit_status, 2) << option.back() << " " << text;
      EXPECT_THAT(result.err, AllOf(StartsWith("varve: "),
                                    HasSubstr(option.back()), HasSubstr(text)));
    }
  }
}

TEST_F(NumberOptionTest, TimesAndPartitionsThatAreNoneAreRefused) {
  for (const char* offset :
       {"@-inf", "@inf", "@infinite-past", "@infinite-future", "@nan",
        "@-99999999999999999h"}) {
    const CommandResult result =
        runner_.Varve({"consume", "t", "--offset", offset});
    EXPECT_EQ(result.exit_status, 2) << offset;
    EXPECT_THAT(result.err, HasSubstr(offset));
  }
  for (const char* target : {"t:+1", "t: 1", "t:0x1", "t:", "t:-1"}) {
    const CommandResult result = runner_.Varve({"stat", target});
    EXPECT_EQ(result.exit_status, 2) << target;
    EXPECT_THAT(result.err, HasSubstr("TOPIC:PARTITION"));
  }
}

TEST_F(NumberOptionTest, MissingArgumentsAreNamedAsTheHelpNamesThem) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> lines = {
      {{"produce"}, "TOPIC is required"},
      {{"consume"}, "TOPIC is required"},
      {{"topics", "create"}, "NAME is required"},
      {{"topics", "describe"}, "NAME is required"},
      {{"topics", "alter"}, "NAME is required"},
      {{"topics", "delete"}, "NAME is required"},
      {{"groups", "describe"}, "GROUP is required"},
      {{"groups", "delete"}, "GROUP is required"},
      {{"groups", "reset", "g"}, "--to is required"},
      {{"groups", "reset", "g", "--to", "latest"}, "TOPIC is required"},
      {{"trim", "--before", "latest"}, "TARGET is required"},
      {{"completion"}, "SHELL is required"},
      {{"dump-log"}, "FILE is required"}};
  for (const auto& [line, message] : lines) {
    const CommandResult result = runner_.Varve(line);
    EXPECT_EQ(result.exit_status, 2);
    EXPECT_THAT(result.err, StartsWith("varve: " + message));
  }
}

}  // namespace
}  // namespace varve
