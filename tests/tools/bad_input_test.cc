// SPDX-License-Identifier: Apache-2.0

// Every mistake that a user gets a message for, on the command line and in the
// input: the message names the thing, the reason and the way out, the exit
// status is not 0, and nothing is lost. bad_store_test.cc has the bad stores.

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"
#include "tests/tools/three_lines_fixture.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

using BadInputTest = ThreeLinesFixture;

struct Mistake {
  const char* name;
  std::vector<std::string> arguments;
  int exit_status;
  std::vector<std::string> message;  // parts of it
  std::string input = "";
};

std::ostream& operator<<(std::ostream& out, const Mistake& mistake) {
  return out << mistake.name;
}

class MistakeTest : public BadInputTest,
                    public testing::WithParamInterface<Mistake> {};

TEST_P(MistakeTest, IsExplainedAndLosesNothing) {
  const CommandResult result =
      runner_.Varve(GetParam().arguments, GetParam().input);
  EXPECT_EQ(result.exit_status, GetParam().exit_status);
  ExpectWellFormed(result.err);
  for (const std::string& part : GetParam().message) {
    EXPECT_THAT(result.err, HasSubstr(part));
  }
  ExpectNothingLost();
  EXPECT_EQ(runner_.Varve({"verify"}).exit_status, 0);
}

std::vector<Mistake> StoreMistakes() {
  return {
      {"NoCommand", {}, 2, {"--help"}},
      {"NoTopicsCommand", {"topics"}, 2, {"varve topics --help"}},
      {"UnknownCommand",
       {"frob", "--x", "y"},
       2,
       {"not understood: frob --x y; see varve --help"}},
      {"ValueMissing",
       {"produce", "t", "--durability"},
       2,
       {"--durability: its value is missing"}},
      {"MetricsOfAnotherProgram",
       {"--data", "/etc", "metrics"},
       1,
       {"/etc: holds ", "choose"}},
      {"UnknownOption", {"verify", "--frob"}, 2, {"--frob", "--help"}},
      {"NoDataDirectory",
       {"--data", "", "topics", "list"},
       2,
       {"--data DIR", "VARVE_DATA"}},
      {"NoStore",
       {"--data", "/no/such", "consume", "t"},
       1,
       {"/no/such: there is no store", "topics create"}},
      {"NoStoreToVerify",
       {"--data", "/no/such", "verify"},
       1,
       {"/no/such: there is no store", "topics create"}},
      {"UnknownTopicConsumed", {"consume", "u"}, 1, {"\"u\"", "topics: t"}},
      {"UnknownTopicProduced", {"produce", "u"}, 1, {"\"u\"", "topics: t"}},
      {"UnknownTopicDescribed",
       {"topics", "describe", "u"},
       1,
       {"\"u\"", "topics: t"}},
      {"TopicExists",
       {"topics", "create", "t"},
       1,
       {"\"t\" exists already", "describe"}},
  };
}

std::vector<Mistake> TopicMistakes() {
  return {
      {"BadTopicName",
       {"topics", "create", "a b"},
       2,
       {"\"a b\"", "' ' at place 2", "a-z"}},
      {"EmptyTopicName", {"topics", "create", ""}, 2, {"empty"}},
      {"LongTopicName",
       {"topics", "create", std::string(250, 'x')},
       2,
       {"250", "249"}},
      {"NoPartitions",
       {"topics", "create", "x", "--partitions", "0"},
       2,
       {"partitions: 0", "1 to 100000"}},
      {"PartitionsNoNumber",
       {"topics", "create", "x", "--partitions", "many"},
       2,
       {"--partitions: \"many\" is not a whole number"}},
      {"BadConfigValue",
       {"topics", "create", "x", "--config", "segment.bytes=1"},
       2,
       {"segment.bytes", "\"1\"", "14 to 2147483647"}},
      {"UnknownConfig",
       {"topics", "create", "x", "--config", "segmnt.bytes=1"},
       2,
       {"segmnt.bytes", "\"segment.bytes\""}},
      {"ConfigThatIsLikeNone",
       {"topics", "create", "x", "--config", "foo=1"},
       2,
       {"no config is named \"foo\"; there are segment.bytes, "}},
      {"UnknownCompressionType",
       {"topics", "create", "x", "--config", "compression.type=brotli"},
       2,
       {"compression.type", "\"brotli\"", "zstd, lz4, snappy, gzip"}},
      {"ConfigWithoutValue",
       {"topics", "create", "x", "--config", "segment.bytes"},
       2,
       {"segment.bytes", "name=value"}},
  };
}

std::vector<Mistake> ConsumeMistakes() {
  return {
      {"PartitionOutOfRangeConsumed",
       {"consume", "t", "--partition", "2"},
       1,
       {"partition 2", "0 to 1"}},
      {"PartitionOutOfRangeProduced",
       {"produce", "t", "--partition", "2"},
       1,
       {"partition 2", "0 to 1"},
       "x\n"},
      {"NegativePartition",
       {"consume", "t", "--partition", "-1"},
       1,
       {"partition -1"}},
      {"OffsetOutOfRange",
       {"consume", "t", "--partition", "0", "--offset", "4"},
       1,
       {"offset 4", "0", "3"}},
      {"OffsetNoNumber",
       {"consume", "t", "--offset", "first"},
       2,
       {"first", "earliest or latest"}},
      {"OffsetBadTime",
       {"consume", "t", "--offset", "@yesterday"},
       2,
       {"@yesterday", "2026-11-20T10:00:00Z", "-1h30m"}},
      {"OffsetBadDate",
       {"consume", "t", "--offset", "@2026-02-30"},
       2,
       {"--offset @2026-02-30", "2026-11-20", "milliseconds", "-7d"}},
      {"OffsetTooLong",
       {"consume", "t", "--offset", "-9223372036854775808"},
       2,
       {"-9223372036854775808", "earliest or latest"}},
      {"UnknownReset",
       {"consume", "t", "--reset", "now"},
       2,
       {"--reset now", "earliest", "none"}},
      {"OffsetOutOfRangeWithoutReset",
       {"consume", "t", "--partition", "0", "--offset", "4", "--reset", "none"},
       1,
       {"offset 4", "0", "3"}},
      {"OffsetWithoutPartition",
       {"consume", "t", "--offset", "1"},
       2,
       {"2 partitions", "--partition"}},
      {"CountNegative", {"consume", "t", "--count", "-1"}, 2, {"--count"}},
      {"BadToken", {"consume", "t", "--format", "%z"}, 2, {"%z", "%s"}},
      {"BadEscape", {"consume", "t", "--format", "\\z"}, 2, {"\\z", "\\n"}},
  };
}

std::vector<Mistake> ProduceMistakes() {
  return {
      {"BadDurability",
       {"produce", "t", "--durability", "maybe"},
       2,
       {"--durability", "maybe", "synced"}},
      {"UnknownCodec",
       {"produce", "t", "--compression", "brotli"},
       2,
       {"--compression", "brotli", "{none,gzip,snappy,lz4,zstd}"},
       "x\n"},
      {"LevelThatTheCodecDoesNotHave",
       {"produce", "t", "--compression", "gzip", "--compression-level", "10"},
       2,
       {"--compression-level 10: ", "9"},
       "x\n"},
      {"LevelOfACodecWithoutLevels",
       {"produce", "t", "--compression", "snappy", "--compression-level", "1"},
       2,
       {"--compression-level 1: snappy has no levels"},
       "x\n"},
      {"LevelOfNoCodec",
       {"produce", "t", "--compression", "none", "--compression-level", "1"},
       2,
       {"--compression-level 1: --compression none compresses nothing"},
       "x\n"},
      {"LevelWithoutACodec",
       {"produce", "t", "--compression-level", "1"},
       2,
       {"--compression-level requires --compression; see"},
       "x\n"},
      {"EmptySeparator",
       {"produce", "t", "--key-separator", ""},
       2,
       {"--key-separator", "empty"}},
      {"MissingInput",
       {"produce", "t", "/no/such"},
       1,
       {"/no/such: open: No such file", "stdin"}},
      {"InputIsADirectory", {"produce", "t", "/"}, 1, {"/: read: Is a dir"}},
      {"LineThatIsNoJson",
       {"produce", "t", "--json"},
       1,
       {"stdin: line 2: not JSON", "1 record before that was appended"},
       "{\"value\":\"d\"}\nd\n"},
      {"LineWithoutSeparator",
       {"produce", "t", "--key-separator", ":"},
       1,
       {"stdin: line 2", "\":\"", "1 record before that was appended"},
       "k:v\nno separator\nl:w\n"},
      {"OversizedLine",
       {"produce", "t"},
       1,
       {"stdin: line 3", "max.message.bytes", "2 records before that were"},
       absl::StrCat("d\ne\n", std::string(2'000'000, 'x'), "\nf\n")},
      {"OversizedRecord",
       {"produce", "t"},
       1,
       {"stdin: line 2", "max.message.bytes", "1 record before that was"},
       absl::StrCat("d\n", std::string(1'048'570, 'x'), "\nf\n")},
      {"DumpOfNothing", {"dump-log", "/no/such.log"}, 1, {"/no/such.log"}},
      {"DumpOfSomethingElse", {"dump-log", "/bin/sh"}, 2, {"/bin/sh", ".log"}},
  };
}

INSTANTIATE_TEST_SUITE_P(Store, MistakeTest, testing::ValuesIn(StoreMistakes()),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Topic, MistakeTest, testing::ValuesIn(TopicMistakes()),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Consume, MistakeTest,
                         testing::ValuesIn(ConsumeMistakes()),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Produce, MistakeTest,
                         testing::ValuesIn(ProduceMistakes()),
                         [](const auto& info) { return info.param.name; });

TEST_F(BadInputTest, LinesBeforeABadOneAreThere) {
  runner_.Varve({"produce", "t"},
                absl::StrCat("d\ne\n", std::string(2'000'000, 'x'), "\nf\n"));
  EXPECT_EQ(runner_.Varve({"consume", "t"}).out, "a\nb\nc\nd\ne\n");
}

}  // namespace
}  // namespace varve
