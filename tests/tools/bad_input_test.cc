// SPDX-License-Identifier: Apache-2.0

// Every mistake and every bad store that a user gets a message for: the message
// names the thing, the reason and the way out, the exit status is not 0, and
// nothing is lost.

#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A store with a topic "t" of two partitions; its first has the lines a, b, c.
class BadInputTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t", {"--partitions", "2"});
    runner_.Produce("t", "a\nb\nc\n");
  }

  void ExpectNothingLost() {
    const CommandResult result =
        runner_.Varve({"consume", "t", "--partition", "0", "--count", "3"});
    EXPECT_EQ(result.out, "a\nb\nc\n") << result.err;
  }

  CommandRunner runner_;
};

// One line that begins with "varve:", and no jargon.
void ExpectWellFormed(const std::string& err) {
  EXPECT_THAT(err, AllOf(StartsWith("varve: "), EndsWith("\n")));
  for (const char* jargon :
       {"NOT_FOUND", "INVALID_ARGUMENT", "OUT_OF_RANGE", "FAILED_PRECONDITION",
        "DATA_LOSS", "*** Check", "RESOURCE_EXHAUSTED", "terminate called"}) {
    EXPECT_THAT(err, Not(HasSubstr(jargon)));
  }
}

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

TEST_F(BadInputTest, DirectoryOfAnotherProgramIsLeftAlone) {
  const std::string other = runner_.PathTo("other");
  std::filesystem::create_directory(other);
  WriteFileOrDie(other + "/photo.jpg", "x");
  for (const char* command : {"create", "list"}) {
    std::vector<std::string> line = {"--data", other, "topics", command};
    if (std::string(command) == "create") line.push_back("x");
    const CommandResult result = runner_.Varve(line);
    EXPECT_EQ(result.exit_status, 1);
    ExpectWellFormed(result.err);
    EXPECT_THAT(result.err, AllOf(HasSubstr(other), HasSubstr("photo.jpg"),
                                  HasSubstr("choose")));
  }
  const std::filesystem::directory_iterator files(other);
  EXPECT_EQ(std::distance(files, std::filesystem::directory_iterator()), 1);
}

TEST_F(BadInputTest, KafkaBrokersDirectoryIsLeftAlone) {
  const std::string other = runner_.PathTo("broker");
  std::filesystem::create_directory(other);
  WriteFileOrDie(other + "/meta.properties", "version=1\n");
  const CommandResult result =
      runner_.Varve({"--data", other, "topics", "create", "x"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("Kafka broker"), HasSubstr("choose")));
}

TEST_F(BadInputTest, FileIsNoDataDirectory) {
  WriteFileOrDie(runner_.PathTo("file"), "x");
  const CommandResult result = runner_.Varve(
      {"--data", runner_.PathTo("file"), "topics", "create", "x"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("Not a directory"),
                                HasSubstr("choose a directory")));
}

TEST_F(BadInputTest, StoreOfANewerVersionIsNotTouched) {
  const std::string path = runner_.data() + "/varve.topics";
  std::string text = ReadFileOrDie(path);
  text.replace(0, 14, "varve.topics 3");
  WriteFileOrDie(path, text);
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"topics", "list"},
        {"verify"},
        {"topics", "create", "x"}}) {
    const CommandResult result = runner_.Varve(line);
    EXPECT_EQ(result.exit_status, 1);
    ExpectWellFormed(result.err);
    EXPECT_THAT(result.err, AllOf(HasSubstr(path), HasSubstr("newer varve")));
  }
  EXPECT_EQ(ReadFileOrDie(path), text);
}

TEST_F(BadInputTest, SecondWriterIsToldAndTheFirstGoesOn) {
  runner_.StartProducer("t");
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"produce", "t"}, {"topics", "create", "u"}}) {
    const CommandResult result = runner_.Varve(line, "x\n");
    EXPECT_EQ(result.exit_status, 1);
    ExpectWellFormed(result.err);
    EXPECT_THAT(result.err, AllOf(HasSubstr(runner_.data()),
                                  HasSubstr("end the other program")));
  }
  const CommandResult verified = runner_.Varve({"verify"});
  EXPECT_EQ(verified.exit_status, 0);
  EXPECT_THAT(verified.out, HasSubstr("open in another process"));
  EXPECT_EQ(runner_.EndProducer(), 0);
  ExpectNothingLost();
}

TEST_F(BadInputTest, FullFileSystemIsToldAndWhatWasAcknowledgedStays) {
  const CommandResult result = runner_.VarveAfter(
      [] {
        const rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(126);
      },
      {"produce", "t"}, std::string(3'000'000, '\n'));
  EXPECT_EQ(result.exit_status, 1);
  ExpectWellFormed(result.err);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("File too large"), HasSubstr("make room"),
                    HasSubstr("records before that were appended")));
  ExpectNothingLost();
  EXPECT_EQ(runner_.Varve({"verify"}).exit_status, 0);
}

// A file system of the test's own, if it may have one.
class MountedTest : public BadInputTest {
 protected:
  void SetUp() override {
    BadInputTest::SetUp();
    place_ = runner_.PathTo("mounted");
    std::filesystem::create_directory(place_);
    mounted_ = mount("none", place_.c_str(), "tmpfs", 0, "size=4m") == 0;
    if (!mounted_) GTEST_SKIP() << "may not mount";
  }
  void TearDown() override {
    if (mounted_) umount2(place_.c_str(), MNT_DETACH);
  }

  std::string place_;
  bool mounted_ = false;
};

TEST_F(MountedTest, FullDiskIsToldAndEveryAcknowledgedRecordIsThere) {
  const std::string data = place_ + "/data";
  runner_.Varve({"--data", data, "topics", "create", "t"});
  std::string lines;
  for (int i = 0; i < 300'000; ++i) absl::StrAppend(&lines, "line ", i, "\n");
  const CommandResult full =
      runner_.Varve({"--data", data, "produce", "t"}, lines);
  EXPECT_EQ(full.exit_status, 1);
  ExpectWellFormed(full.err);
  EXPECT_THAT(full.err,
              AllOf(HasSubstr("No space left"), HasSubstr("make room")));
  EXPECT_EQ(runner_.Varve({"--data", data, "verify"}).exit_status, 0);
  ASSERT_EQ(mount("none", place_.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  const CommandResult all = runner_.Varve({"--data", data, "consume", "t"});
  EXPECT_EQ(all.exit_status, 0) << all.err;
  EXPECT_GT(all.out.size(), 100'000);
  EXPECT_EQ(all.out, lines.substr(0, all.out.size()));
}

TEST_F(MountedTest, ReadOnlyDiskIsToldAndCanBeVerified) {
  const std::string data = place_ + "/data";
  runner_.Varve({"--data", data, "topics", "create", "t"});
  ASSERT_EQ(mount("none", place_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, ""),
            0);
  const CommandResult result =
      runner_.Varve({"--data", data, "produce", "t"}, "x\n");
  EXPECT_EQ(result.exit_status, 1);
  ExpectWellFormed(result.err);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("Read-only file system"),
                    HasSubstr("allowed to read it, and to write it")));
  EXPECT_EQ(runner_.Varve({"--data", data, "verify"}).exit_status, 0);
}

// The files of a store, each damaged in some way: the next open either fails
// and says so, or repairs it; it neither crashes nor loses other records.
struct Spoilt {
  const char* name;
  const char* file;
  const char* contents;
};

class SpoiltFileTest : public BadInputTest,
                       public testing::WithParamInterface<Spoilt> {};

TEST_P(SpoiltFileTest, IsToldByVerifyAndNeverCrashes) {
  const std::string path = absl::StrCat(runner_.data(), "/", GetParam().file);
  WriteFileOrDie(path, GetParam().contents);
  const CommandResult verified = runner_.Varve({"verify"});
  EXPECT_EQ(verified.exit_status, 1) << verified.out;
  EXPECT_THAT(verified.out, HasSubstr(path));
  const CommandResult consumed = runner_.Varve({"consume", "t"});
  EXPECT_LE(consumed.exit_status, 1) << consumed.err;
  if (consumed.exit_status != 0) ExpectWellFormed(consumed.err);
  if (consumed.exit_status == 0) {
    EXPECT_EQ(consumed.out, "a\nb\nc\n");
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, SpoiltFileTest,
    testing::Values(
        Spoilt{"EmptyTopics", "varve.topics", ""},
        Spoilt{"ShortTopics", "varve.topics", "varve.topics 1\n"},
        Spoilt{"SwappedTopics", "varve.topics",
               "varve.checkpoint 1\ncrc32c 00000000\n"},
        Spoilt{"GarbageTopics", "varve.topics", "\xff\xfe\x01"},
        Spoilt{"EmptyCheckpoint", "varve.checkpoint", ""},
        Spoilt{"GarbageCheckpoint", "varve.checkpoint", "\x01\x02"},
        Spoilt{"EmptyLog", "t-0/00000000000000000000.log", ""},
        Spoilt{"ShortLog", "t-0/00000000000000000000.log", "short"},
        Spoilt{"GarbageEpochs", "t-0/leader-epoch-checkpoint", "garbage"},
        Spoilt{"ShortEpochs", "t-0/leader-epoch-checkpoint", "0\n1\n0"},
        Spoilt{"GarbageMetadata", "t-0/partition.metadata", "garbage"},
        Spoilt{"GarbageIndex", "t-0/00000000000000000000.index", "garbage!"},
        Spoilt{"ShortTimeIndex", "t-0/00000000000000000000.timeindex", "abc"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace varve
