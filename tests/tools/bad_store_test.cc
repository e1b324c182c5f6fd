// SPDX-License-Identifier: Apache-2.0

// Every store, directory and disk that a user gets a message for: it names the
// thing, the reason and the way out, the exit status is not 0, and nothing is
// lost.

#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"
#include "tests/tools/three_lines_fixture.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using BadStoreTest = ThreeLinesFixture;

TEST_F(BadStoreTest, DirectoryOfAnotherProgramIsLeftAlone) {
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

TEST_F(BadStoreTest, KafkaBrokersDirectoryIsLeftAlone) {
  const std::string other = runner_.PathTo("broker");
  std::filesystem::create_directory(other);
  WriteFileOrDie(other + "/meta.properties", "version=1\n");
  const CommandResult result =
      runner_.Varve({"--data", other, "topics", "create", "x"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("Kafka broker"), HasSubstr("choose")));
}

TEST_F(BadStoreTest, FileIsNoDataDirectory) {
  WriteFileOrDie(runner_.PathTo("file"), "x");
  const CommandResult result = runner_.Varve(
      {"--data", runner_.PathTo("file"), "topics", "create", "x"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("Not a directory"),
                                HasSubstr("choose a directory")));
}

TEST_F(BadStoreTest, StoreOfANewerVersionIsNotTouched) {
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

TEST_F(BadStoreTest, NameOfADirectoryIsNotTakenForAReason) {
  const std::string other = runner_.PathTo("another writer");
  std::filesystem::create_directory(other);
  WriteFileOrDie(other + "/photo.jpg", "x");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"groups", "delete", "g"},
        {"topics", "create", "x"}}) {
    std::vector<std::string> line = {"--data", other};
    line.insert(line.end(), command.begin(), command.end());
    const CommandResult result = runner_.Varve(line);
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("photo.jpg"), Not(HasSubstr("meanwhile")),
                      Not(HasSubstr("end the other program"))));
  }
}

TEST_F(BadStoreTest, SecondWriterIsToldAndTheFirstGoesOn) {
  runner_.StartProducer("t");
  struct Change {
    std::vector<std::string> line;
    std::string what;
    std::string function;
  };
  const Change changes[] = {
      {{"topics", "create", "u"},
       "the list of topics",
       "LogStore::CreateTopic"},
      {{"topics", "alter", "t", "--partitions", "3"},
       "a topic's configs and partitions",
       "LogStore::AlterTopic"},
      {{"topics", "delete", "t", "--yes"},
       "the list of topics",
       "LogStore::DeleteTopic"},
      {{"produce", "t"}, "where a log ends", "Partition::Append"},
      {{"trim", "t", "--before", "latest", "--yes"},
       "where a log starts",
       "Partition::TrimBefore"},
      {{"consume", "t", "--group", "g"},
       "a group's offsets",
       "LogStore::CommitOffsets"},
      {{"groups", "reset", "g", "t", "--to", "latest"},
       "a group's offsets",
       "LogStore::CommitOffsets"},
      {{"groups", "delete", "g"},
       "a group's offsets",
       "LogStore::DeleteOffsets"}};
  for (const Change& change : changes) {
    const CommandResult result = runner_.Varve(change.line, "x\n");
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(
        result.err,
        absl::StrCat(
            "varve: ", runner_.data(),
            ": another writer has it open, or copies to it; one process "
            "writes at a time; ",
            change.what, " can change meanwhile through that one alone, by ",
            change.function,
            "; end the other program first, or choose another --data\n"));
  }
  const CommandResult verified = runner_.Varve({"verify"});
  EXPECT_EQ(verified.exit_status, 0);
  EXPECT_THAT(verified.out, HasSubstr("open in another process"));
  EXPECT_EQ(runner_.EndProducer(), 0);
  ExpectNothingLost();
}

TEST_F(BadStoreTest, FullFileSystemIsToldAndWhatWasAcknowledgedStays) {
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
class MountedTest : public BadStoreTest {
 protected:
  void SetUp() override {
    BadStoreTest::SetUp();
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

class SpoiltFileTest : public BadStoreTest,
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
