// SPDX-License-Identifier: Apache-2.0

// `varve dump-log` of the store's own files, and of __consumer_offsets.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DumpStoreFilesTest : public testing::Test {
 protected:
  CommandResult Dump(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "dump-log");
    return runner_.Varve(arguments);
  }

  // The lines of a kind that a dump as JSON has.
  std::vector<json> Lines(std::vector<std::string> arguments,
                          const std::string& kind) {
    arguments.push_back("--json");
    const CommandResult result = Dump(arguments);
    EXPECT_EQ(result.exit_status, 0) << result.out << result.err;
    std::vector<json> lines;
    for (const auto& text :
         absl::StrSplit(result.out, '\n', absl::SkipEmpty())) {
      json line = json::parse(text);
      if (line["kind"] == kind) lines.push_back(std::move(line));
    }
    return lines;
  }

  std::string PathOf(const std::string& name) const {
    return runner_.data() + "/" + name;
  }

  // A file with one batch of these records.
  std::string SegmentOf(
      const std::vector<std::pair<std::optional<std::string>,
                                  std::optional<std::string>>>& records) {
    RecordBatchBuilder batch;
    for (const auto& [key, value] : records) {
      CHECK_OK(batch.Append({.key = key, .value = value}, int64_t{5}));
    }
    const std::string path = runner_.PathTo("00000000000000000000.log");
    WriteFileOrDie(path, batch.Finish().bytes());
    return path;
  }

  CommandRunner runner_;
};

TEST_F(DumpStoreFilesTest, TopicsAreListedWithTheirConfigs) {
  runner_.CreateTopic("orders",
                      {"--partitions", "3", "--config", "retention.ms=5000"});
  runner_.CreateTopic("other");
  const CommandResult text = Dump({PathOf("varve.topics")});
  EXPECT_EQ(text.exit_status, 0) << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("topic topic=orders partitions=3 topic_id="),
                    HasSubstr(R"(config={"retention.ms":"5000"})"),
                    HasSubstr("end entries=2")));
  const std::vector<json> topics = Lines({PathOf("varve.topics")}, "topic");
  ASSERT_EQ(topics.size(), 2);
  EXPECT_EQ(topics[0]["topic"], "orders");
  EXPECT_EQ(topics[0]["partitions"], 3);
  EXPECT_EQ(topics[0]["config"], (json{{"retention.ms", "5000"}}));
  EXPECT_EQ(topics[1]["config"], json::object());
}

TEST_F(DumpStoreFilesTest, CheckpointHasLogStartsAndRecoveryPoints) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "a\nb\nc\n");
  ASSERT_EQ(runner_.Varve({"trim", "t", "--before", "2", "--yes"}).exit_status,
            0);
  const std::vector<json> entries =
      Lines({PathOf("varve.checkpoint")}, "checkpoint");
  ASSERT_EQ(entries.size(), 1);
  EXPECT_EQ(entries[0]["topic"], "t");
  EXPECT_EQ(entries[0]["partition"], 0);
  EXPECT_EQ(entries[0]["log_start"], 2);
  EXPECT_EQ(entries[0]["recovery_point"], 3);
}

TEST_F(DumpStoreFilesTest, RetentionSaysWhenItLooked) {
  WriteFileOrDie(runner_.PathTo("varve.retention"),
                 FormatChecksummedText("varve.retention", {"1000 900 70"}));
  EXPECT_THAT(Dump({runner_.PathTo("varve.retention")}).out,
              HasSubstr("retention last_run=1000 believed=900 "
                        "doubted_for_ms=70"));
}

TEST_F(DumpStoreFilesTest, ProducersSaysWhereIdsGoOn) {
  WriteFileOrDie(
      runner_.PathTo("varve.producers"),
      FormatChecksummedText("varve.producers", {"4611686018427390904"}));
  EXPECT_THAT(Dump({runner_.PathTo("varve.producers")}).out,
              HasSubstr("producers next_block=4611686018427390904"));
}

TEST_F(DumpStoreFilesTest, DamagedStoreFilesAreDamage) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "a\n");
  for (const char* name : {"varve.topics", "varve.checkpoint"}) {
    FlipBit(PathOf(name), 20, 1);
    const CommandResult result = Dump({PathOf(name)});
    EXPECT_EQ(result.exit_status, 1) << name;
    EXPECT_THAT(result.out, HasSubstr("DAMAGE what=")) << name;
  }
}

// Text with a right checksum, whatever is in it.
TEST_F(DumpStoreFilesTest, HostileTextIsDamageAndEndsNoProcess) {
  const std::string lines[] = {
      "",
      "x",
      "\xff\xfe",
      "topic",
      "topic t 2147483647 AAECAwQFBgcICQoLDA0ODw",
      "topic t -1 AAECAwQFBgcICQoLDA0ODw",
      "topic t 1 AAAAAAAAAAAAAAAAAAAAAA",
      "deleted t 1 x",
      "t 0 9223372036854775807 9223372036854775807",
      "t 0 5 4",
      "t -1 0 0",
      "-9223372036854775808 9223372036854775807 9223372036854775807",
      "1 2 -1",
      std::string(100'000, ' ')};
  for (const std::string name : {"varve.topics", "varve.checkpoint",
                                 "varve.retention", "varve.producers"}) {
    const std::string path = runner_.PathTo(name);
    for (const std::string& line : lines) {
      WriteFileOrDie(path, FormatChecksummedText(name, {line, line}));
      EXPECT_LE(Dump({path}).exit_status, 1) << name << ": " << line;
      WriteFileOrDie(path, FormatChecksummedText(name, {line}));
      EXPECT_LE(Dump({path, "--json"}).exit_status, 1) << name << ": " << line;
    }
    WriteFileOrDie(path, FormatChecksummedText(name, {}, /*version=*/99));
    EXPECT_THAT(Dump({path}).out, HasSubstr("newer varve"));
  }
}

TEST_F(DumpStoreFilesTest, CommittedOffsetsAreDecodedWhereTheyLie) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "a\nb\n");
  ASSERT_EQ(runner_.Varve({"consume", "t", "--group", "grün"}).exit_status, 0);
  ASSERT_EQ(runner_.Varve({"groups", "delete", "grün"}).exit_status, 0);
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(runner_.data())) {
    const std::string path = entry.path().string();
    if (absl::StrContains(path, "/__consumer_offsets-") &&
        absl::EndsWith(path, ".log")) {
      files.push_back(path);
    }
  }
  ASSERT_FALSE(files.empty());
  EXPECT_THAT(Dump(files).out, Not(HasSubstr("group=")));
  files.push_back("--records");
  const std::vector<json> commits = Lines(files, "commit");
  ASSERT_EQ(commits.size(), 1);
  EXPECT_EQ(commits[0]["group"], "grün");
  EXPECT_EQ(commits[0]["topic"], "t");
  EXPECT_EQ(commits[0]["partition"], 0);
  EXPECT_EQ(commits[0]["committed"], 2);
  EXPECT_EQ(commits[0]["leader_epoch"], 0);
  EXPECT_EQ(commits[0]["metadata"], "");
  EXPECT_GT(commits[0]["commit_timestamp"], 0);
  EXPECT_EQ(commits[0]["topic_id"].get<std::string>().size(), 22);
  const std::vector<json> tombstones = Lines(files, "tombstone");
  ASSERT_EQ(tombstones.size(), 1);
  EXPECT_EQ(tombstones[0]["group"], "grün");
  EXPECT_EQ(tombstones[0]["partition"], 0);
}

TEST_F(DumpStoreFilesTest, CommitOutsideItsDirectoryIsDecodedOnRequest) {
  const std::string path = SegmentOf(
      {{FormatOffsetCommitKey({.group = "g", .topic = "t", .partition = 7}),
        FormatOffsetCommitValue({.offset = 42,
                                 .leader_epoch = 3,
                                 .metadata = "some text",
                                 .commit_timestamp_ms = 1700000000020,
                                 .topic_id = TopicId(1, 2)})}});
  EXPECT_THAT(Dump({"--records", path}).out, Not(HasSubstr("group=")));
  const CommandResult result = Dump({"--offsets-decoder", path});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(
      result.out,
      AllOf(HasSubstr("  commit offset=0 timestamp=5 group=g topic=t "
                      "partition=7 committed=42 leader_epoch=3 "
                      "metadata=\"some text\" commit_timestamp=1700000000020 "
                      "commit_time=2023-11-14T22:13:20.020Z topic_id="),
            HasSubstr(TopicId(1, 2).ToText())));
}

TEST_F(DumpStoreFilesTest, RecordsThatAreNoCommitsAreShownAsTheyAre) {
  const std::string key =
      FormatOffsetCommitKey({.group = "g", .topic = "t", .partition = 7});
  const std::string of_a_group("\0\2\0\1g", 5);
  const CommandResult sound = Dump(
      {"--offsets-decoder",
       SegmentOf({{of_a_group, "members"}, {key, std::string("\0\5", 2)}})});
  EXPECT_EQ(sound.exit_status, 0) << sound.out;
  EXPECT_THAT(sound.out,
              AllOf(HasSubstr("value=members"), HasSubstr("  note what="),
                    HasSubstr("has version 5")));
  const CommandResult bad = Dump(
      {"--offsets-decoder",
       SegmentOf({{std::nullopt, "v"}, {"\1", "v"}, {key, ""}, {key, "v"}})});
  EXPECT_EQ(bad.exit_status, 1);
  EXPECT_THAT(bad.out, AllOf(HasSubstr("offset 0: its key is null"),
                             HasSubstr("offset 1: an offset commit's key"),
                             HasSubstr("offset 2: an offset commit's value"),
                             HasSubstr("offset 3: an offset commit's value"),
                             HasSubstr("end position=")));
}

TEST_F(DumpStoreFilesTest, EveryCutOfAKeyAndAValueIsSurvived) {
  const std::string key =
      FormatOffsetCommitKey({.group = "g", .topic = "t", .partition = 7});
  const std::string value = FormatOffsetCommitValue(
      {.offset = 42, .metadata = "m", .topic_id = TopicId(1, 2)});
  std::vector<std::pair<std::optional<std::string>, std::optional<std::string>>>
      records;
  for (size_t size = 0; size < key.size(); ++size) {
    records.emplace_back(key.substr(0, size), value);
  }
  for (size_t size = 0; size < value.size(); ++size) {
    records.emplace_back(key, value.substr(0, size));
  }
  for (size_t at = 0; at < value.size(); ++at) {
    std::string wrong = value;
    wrong[at] = '\xff';
    records.emplace_back(key, wrong);
  }
  const std::string path = SegmentOf(records);
  const CommandResult result = Dump({"--offsets-decoder", path, "--json"});
  EXPECT_EQ(result.exit_status, 1) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\"kind\":\"end\""));
}

TEST_F(DumpStoreFilesTest, UnknownFileIsToldWhatThereIs) {
  WriteFileOrDie(runner_.PathTo("varve.reserve"), "x");
  const CommandResult result = Dump({runner_.PathTo("varve.reserve")});
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("varve.topics"), HasSubstr("varve.retention")));
}

}  // namespace
}  // namespace varve
