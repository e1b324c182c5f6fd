// SPDX-License-Identifier: Apache-2.0

// `varve verify` finds damage of a store, and says where.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <string>
#include <thread>

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

// A store with one topic of several segments, each of several batches with
// index entries.
class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t", {"--config", "segment.bytes=6000", "--config",
                              "index.interval.bytes=100", "--config",
                              "max.message.bytes=1000"});
    std::string lines;
    for (int i = 0; i < 1'000; ++i) absl::StrAppend(&lines, "line ", i, "\n");
    runner_.Produce("t", lines);
    partition_ = runner_.data() + "/t-0";
  }

  // Flips one bit of every `step`th byte in turn; each is found, and nothing
  // else is said to be damaged.
  void ExpectFlipsAreFound(const std::string& path, size_t step) {
    const std::string sound = ReadFileOrDie(path);
    for (size_t at = 0; at < sound.size(); at += step) {
      FlipBit(path, at, static_cast<int>(at % 8));
      const CommandResult result = runner_.Varve({"verify"});
      EXPECT_EQ(result.exit_status, 1) << path << " byte " << at;
      EXPECT_THAT(result.out, HasSubstr(path)) << "byte " << at;
      WriteFileOrDie(path, sound);
    }
    EXPECT_EQ(runner_.Varve({"verify"}).exit_status, 0);
  }

  CommandRunner runner_;
  std::string partition_;
};

TEST_F(VerifyTest, SoundStoreIsCountedAndSucceeds) {
  const CommandResult result = runner_.Varve({"verify", "--json"});
  EXPECT_EQ(result.exit_status, 0);
  const json report = json::parse(result.out);
  EXPECT_EQ(report["ok"], true);
  EXPECT_EQ(report["state"], "closed");
  EXPECT_EQ(report["records"], 1'000);
  EXPECT_GT(report["segments"], 2);
  EXPECT_GT(report["index_entries"], 10);
  EXPECT_EQ(report["findings"].size(), 0) << report["findings"];
}

TEST_F(VerifyTest, FlippedBitInTheLogIsFound) {
  ExpectFlipsAreFound(SegmentPath(partition_, ".log"), 37);
}

TEST_F(VerifyTest, FlippedBitInTheOffsetIndexIsFound) {
  ExpectFlipsAreFound(SegmentPath(partition_, ".index"), 1);
}

TEST_F(VerifyTest, FlippedBitInTheTimeIndexIsFound) {
  ExpectFlipsAreFound(SegmentPath(partition_, ".timeindex"), 1);
}

TEST_F(VerifyTest, FlippedBitInTheLeaderEpochsIsFound) {
  ExpectFlipsAreFound(partition_ + "/leader-epoch-checkpoint", 1);
}

TEST_F(VerifyTest, FlippedBitInTheCheckpointIsFound) {
  const std::string path = runner_.data() + "/varve.checkpoint";
  const std::string sound = ReadFileOrDie(path);
  // A higher version, in the first line, is another store's, not damage.
  for (size_t at = 0; at < sound.size(); ++at) {
    FlipBit(path, at, 2);
    const CommandResult result = runner_.Varve({"verify"});
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_THAT(result.out + result.err, HasSubstr(path));
    WriteFileOrDie(path, sound);
  }
}

TEST_F(VerifyTest, FlippedBitInTheTopicsIsFound) {
  const std::string path = runner_.data() + "/varve.topics";
  const std::string sound = ReadFileOrDie(path);
  for (size_t at = 0; at < sound.size(); ++at) {
    FlipBit(path, at, 2);
    const CommandResult result = runner_.Varve({"verify"});
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_THAT(result.out + result.err, HasSubstr(path));
    WriteFileOrDie(path, sound);
  }
}

TEST_F(VerifyTest, FindingNamesPathPositionOffsetExpectedAndFound) {
  FlipBit(SegmentPath(partition_, ".log"), 100, 0);
  const CommandResult result = runner_.Varve({"verify", "--json"});
  EXPECT_EQ(result.exit_status, 1);
  const json finding = json::parse(result.out)["findings"][0];
  EXPECT_EQ(finding["severity"], "damage");
  EXPECT_EQ(finding["path"], SegmentPath(partition_, ".log"));
  EXPECT_EQ(finding["position"], 0);
  EXPECT_EQ(finding["offset"], 0);
  EXPECT_THAT(finding["what"].get<std::string>(),
              HasSubstr("the log goes on at position"));
  EXPECT_NE(finding["found"], "");
}

TEST_F(VerifyTest, LostSegmentIsFound) {
  const std::string log = SegmentPath(partition_, ".log");
  std::filesystem::remove(log);
  const CommandResult result = runner_.Varve({"verify"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out, HasSubstr("missing at the log start"));
}

TEST_F(VerifyTest, LostPartitionIsFound) {
  std::filesystem::remove_all(partition_);
  const CommandResult result = runner_.Varve({"verify"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out, HasSubstr(partition_));
}

TEST_F(VerifyTest, SwappedSegmentsAreFound) {
  std::string second;
  for (const auto& entry : std::filesystem::directory_iterator(partition_)) {
    const std::string path = entry.path().string();
    if (entry.path().extension() == ".log" &&
        path != SegmentPath(partition_, ".log")) {
      second = path;
    }
  }
  const std::string first = SegmentPath(partition_, ".log");
  const std::string bytes = ReadFileOrDie(first);
  WriteFileOrDie(first, ReadFileOrDie(second));
  WriteFileOrDie(second, bytes);
  const CommandResult result = runner_.Varve({"verify"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr(first), HasSubstr(second),
                                HasSubstr("does not continue the log")));
}

TEST_F(VerifyTest, MissingIndexIsANote) {
  std::filesystem::remove(SegmentPath(partition_, ".index"));
  const CommandResult result = runner_.Varve({"verify"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.out, HasSubstr("note"));
}

TEST_F(VerifyTest, StrangeFilesAreNotes) {
  WriteFileOrDie(partition_ + "/notes.txt", "x");
  WriteFileOrDie(partition_ + "/cut-00000000000000000000-0", "x");
  WriteFileOrDie(runner_.data() + "/readme", "x");
  const CommandResult result = runner_.Varve({"verify", "--json"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(json::parse(result.out)["findings"].size(), 3) << result.out;
}

TEST_F(VerifyTest, TornTailOfAStoreThatWasNotClosedIsANote) {
  std::filesystem::remove(runner_.data() + "/.kafka_cleanshutdown");
  std::filesystem::remove(runner_.data() + "/varve.checkpoint");
  std::string last;
  for (const auto& entry : std::filesystem::directory_iterator(partition_)) {
    if (entry.path().extension() == ".log") {
      last = std::max(last, entry.path().string());
    }
  }
  const std::string bytes = ReadFileOrDie(last);
  WriteFileOrDie(last,
                 bytes.substr(0, bytes.size() - 5) + std::string(3000, '\0'));
  const CommandResult result = runner_.Varve({"verify"});
  EXPECT_EQ(result.exit_status, 0) << result.out;
  EXPECT_THAT(result.out, AllOf(HasSubstr("torn tail"),
                                HasSubstr("the next open will recover it")));
}

TEST_F(VerifyTest, BusyWriterBesideItLeavesNoDamage) {
  runner_.StartProducer("t");
  std::atomic<bool> done = false;
  std::thread writer([&] {
    const std::string lines = absl::StrCat(std::string(300, 'x'), "\n");
    while (!done) runner_.WriteToProducer(lines);
  });
  for (int i = 0; i < 40; ++i) {
    const CommandResult result = runner_.Varve({"verify"});
    EXPECT_EQ(result.exit_status, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("open in another process"));
  }
  done = true;
  writer.join();
  EXPECT_EQ(runner_.EndProducer(), 0);
  const json report = json::parse(runner_.Varve({"verify", "--json"}).out);
  EXPECT_EQ(report["state"], "closed");
  EXPECT_EQ(report["ok"], true);
}

TEST_F(VerifyTest, NothingIsChanged) {
  FlipBit(SegmentPath(partition_, ".log"), 100, 0);
  const auto snapshot = [&] {
    std::string all;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(runner_.data())) {
      if (!entry.is_regular_file()) continue;
      absl::StrAppend(&all, entry.path().string(), "\n",
                      ReadFileOrDie(entry.path().string()));
    }
    return all;
  };
  const std::string before = snapshot();
  runner_.Varve({"verify"});
  EXPECT_EQ(snapshot(), before);
}

}  // namespace
}  // namespace varve
