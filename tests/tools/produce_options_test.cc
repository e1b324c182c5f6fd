// SPDX-License-Identifier: Apache-2.0

// What `varve produce` makes of plain lines, by its options.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::nlohmann::json;
using ::testing::HasSubstr;

class ProduceOptionsTest : public testing::Test {
 protected:
  void SetUp() override { runner_.CreateTopic("t"); }

  // The records that `lines` become.
  std::vector<json> Produced(std::vector<std::string> options,
                             const std::string& lines) {
    options.insert(options.begin(), {"produce", "t"});
    const CommandResult produced = runner_.Varve(options, lines);
    EXPECT_EQ(produced.exit_status, 0) << produced.err;
    const CommandResult consumed = runner_.Varve({"consume", "t", "--json"});
    EXPECT_EQ(consumed.exit_status, 0) << consumed.err;
    std::vector<json> records;
    for (const auto& line :
         absl::StrSplit(consumed.out, '\n', absl::SkipEmpty())) {
      records.push_back(json::parse(line));
    }
    return records;
  }

  CommandRunner runner_;
};

TEST_F(ProduceOptionsTest, NullTextMakesNullKeysAndTombstones) {
  const std::vector<json> records = Produced(
      {"--key-separator", ":", "--null", "\\N"}, "a:\\N\n\\N:b\nc:\\N2\n:\n");
  ASSERT_EQ(records.size(), 4);
  EXPECT_EQ(records[0]["key"], "a");
  EXPECT_EQ(records[0]["value"], nullptr);
  EXPECT_EQ(records[1]["key"], nullptr);
  EXPECT_EQ(records[1]["value"], "b");
  EXPECT_EQ(records[2]["value"], "\\N2");
  EXPECT_EQ(records[3]["key"], "");
  EXPECT_EQ(records[3]["value"], "");
}

TEST_F(ProduceOptionsTest, EmptyNullTextIsKcatsDashZ) {
  const std::vector<json> records = Produced({"--null", ""}, "a\n\n");
  ASSERT_EQ(records.size(), 2);
  EXPECT_EQ(records[0]["value"], "a");
  EXPECT_EQ(records[1]["value"], nullptr);
}

TEST_F(ProduceOptionsTest, HeadersAreThoseThatWereGivenInTheirOrder) {
  const std::vector<json> records =
      Produced({"--header", "b=1=2", "--header", "a=", "--header", "b=NULL",
                "--null", "NULL", "--header", "list=[1,2]"},
               "v\n");
  ASSERT_EQ(records.size(), 1);
  EXPECT_EQ(records[0]["headers"],
            json::parse(R"([{"name":"b","value":"1=2"},)"
                        R"({"name":"a","value":""},)"
                        R"({"name":"b","value":null},)"
                        R"({"name":"list","value":"[1,2]"}])"));
}

TEST_F(ProduceOptionsTest, TimestampIsThatOfEveryRecord) {
  const std::pair<std::string, int64_t> times[] = {
      {"2026-11-20", 1795132800000},
      {"@2026-11-20T10:00:00Z", 1795168800000},
      {"1700000000123", 1700000000123},
      {"0", 0}};
  size_t count = 0;
  for (const auto& [text, timestamp_ms] : times) {
    const std::vector<json> records = Produced({"--timestamp", text}, "v\nw\n");
    count += 2;
    ASSERT_EQ(records.size(), count);
    EXPECT_EQ(records[count - 2]["timestamp"], timestamp_ms) << text;
    EXPECT_EQ(records[count - 1]["timestamp"], timestamp_ms) << text;
  }
}

TEST_F(ProduceOptionsTest, ValuesThatMakeNoSenseAreRefused) {
  const std::pair<std::vector<std::string>, std::string> bad[] = {
      {{"--header", "a"}, "--header a: no \"=\" in it; write NAME=VALUE"},
      {{"--header", "=a"}, "--header =a: its name is empty"},
      {{"--timestamp", "noon"}, "--timestamp noon: neither a time"},
      {{"--timestamp", "1969-12-31"}, "--timestamp 1969-12-31: "},
      {{"--timestamp", "-99999w"}, "--timestamp -99999w: "},
      {{"--key-separator", ""}, "--key-separator: it is empty"}};
  for (const auto& [option, message] : bad) {
    std::vector<std::string> line = {"produce", "t"};
    line.insert(line.end(), option.begin(), option.end());
    const CommandResult result = runner_.Varve(line, "v\n");
    EXPECT_EQ(result.exit_status, 2);
    EXPECT_THAT(result.err, HasSubstr(message));
  }
  EXPECT_EQ(runner_.Varve({"consume", "t"}).out, "");
}

}  // namespace
}  // namespace varve
