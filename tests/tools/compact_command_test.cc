// SPDX-License-Identifier: Apache-2.0

// `varve compact`, and what `varve stat` shows of a compacted topic.

#include <algorithm>
#include <string>
#include <string_view>
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
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A topic "accounts" of one partition, with 60 records of the keys a to c in
// small segments. A dirty ratio of 1 is never above the limit, so that nothing
// but the command compacts it.
class CompactCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic(
        "accounts", {"--config", "cleanup.policy=compact", "--config",
                     "segment.bytes=500", "--config", "max.message.bytes=150",
                     "--config", "min.cleanable.dirty.ratio=1"});
    std::string lines;
    for (int i = 0; i < 60; ++i) {
      absl::StrAppend(&lines, std::string(1, "abc"[i % 3]), ":", i, "\n");
    }
    Must({"produce", "accounts", "--key-separator", ":"}, lines);
  }

  std::string Must(std::vector<std::string> arguments,
                   std::string_view input = "") {
    const CommandResult result = runner_.Varve(arguments, input);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }
  json JsonOf(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    return json::parse(Must(std::move(arguments)));
  }
  std::string Records() {
    return Must({"consume", "accounts", "--format", "%o:%k=%s "});
  }

  CommandRunner runner_;
};

TEST_F(CompactCommandTest, LastRecordOfEachKeyStaysAndItSaysWhatWent) {
  const json compacted = JsonOf({"compact", "accounts"});
  EXPECT_EQ(compacted["dry_run"], false);
  ASSERT_EQ(compacted["partitions"].size(), 1);
  const json& partition = compacted["partitions"][0];
  EXPECT_EQ(partition["topic"], "accounts");
  EXPECT_EQ(partition["partition"], 0);
  EXPECT_EQ(partition["dirty_ratio"], 1);
  EXPECT_EQ(partition["was_due"], false);
  EXPECT_EQ(partition["compacted"], true);
  EXPECT_EQ(compacted["records_removed"], partition["records_removed"]);
  EXPECT_EQ(compacted["freed_bytes"], partition["bytes_before"].get<int>() -
                                          partition["bytes_after"].get<int>());
  const std::string records = Records();
  EXPECT_THAT(records, AllOf(HasSubstr("57:a=57 58:b=58 59:c=59"),
                             Not(HasSubstr("0:a=0"))));
  EXPECT_EQ(60 - compacted["records_removed"].get<int>(),
            std::count(records.begin(), records.end(), ' '));
}

TEST_F(CompactCommandTest, DryRunChangesNothing) {
  const std::string before = Records();
  const json dry = JsonOf({"compact", "--dry-run"});
  EXPECT_EQ(dry["dry_run"], true);
  EXPECT_GT(dry["records_removed"], 30);
  EXPECT_EQ(Records(), before);
  EXPECT_THAT(Must({"compact", "accounts", "--dry-run"}),
              ContainsRegex("would remove [0-9]+ records, and free "));
  EXPECT_EQ(JsonOf({"compact"})["records_removed"], dry["records_removed"]);
}

TEST_F(CompactCommandTest, OnlyWhatIsDueWhenThatIsAsked) {
  EXPECT_EQ(JsonOf({"compact", "--due"})["records_removed"], 0);
  Must({"topics", "alter", "accounts", "--config",
        "min.cleanable.dirty.ratio=0.5"});
  const json compacted = JsonOf({"compact", "--due"});
  EXPECT_EQ(compacted["partitions"][0]["was_due"], true);
  EXPECT_GT(compacted["records_removed"], 30);
}

TEST_F(CompactCommandTest, ACleanTopicSaysWhyNothingWent) {
  Must({"compact"});
  EXPECT_THAT(Must({"compact"}),
              AllOf(HasSubstr("removed 0 records, and freed 0 B"),
                    HasSubstr("Only sealed segments are compacted")));
}

TEST_F(CompactCommandTest, TopicsThatAreNotCompactedAreAnError) {
  runner_.CreateTopic("events", {});
  const CommandResult refused = runner_.Varve({"compact", "events"});
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_THAT(refused.err, HasSubstr("its cleanup.policy is delete"));
  EXPECT_THAT(refused.out, IsEmpty());
  const CommandResult missing =
      runner_.Varve({"compact", "accounts", "nothing"});
  EXPECT_EQ(missing.exit_status, 1);
  EXPECT_THAT(missing.err, HasSubstr("nothing"));
  EXPECT_THAT(missing.out, HasSubstr("accounts"));
}

TEST_F(CompactCommandTest, StoreWithoutACompactedTopicSaysSo) {
  CommandRunner other;
  other.CreateTopic("events", {});
  const CommandResult result = other.Varve({"compact"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out,
            "no topic is compacted: none has cleanup.policy=compact\n");
}

TEST_F(CompactCommandTest, StatShowsTheDirtyRatio) {
  runner_.CreateTopic("events", {});
  const json dirty = JsonOf({"stat"})["topics"][0]["partitions"][0];
  EXPECT_EQ(dirty["clean_end"], 0);
  EXPECT_EQ(dirty["clean_bytes"], 0);
  EXPECT_GT(dirty["dirty_bytes"], 0);
  EXPECT_EQ(dirty["dirty_ratio"], 1);
  Must({"compact"});
  const json clean = JsonOf({"stat"})["topics"][0]["partitions"][0];
  EXPECT_GT(clean["clean_end"], 40);
  EXPECT_GT(clean["clean_bytes"], 0);
  EXPECT_EQ(clean["dirty_ratio"], 0);
  const std::string text = Must({"stat"});
  EXPECT_THAT(text, ContainsRegex("TOPIC +PARTITION +CLEAN END +CLEAN +DIRTY "
                                  "+DIRTY RATIO +DUE ABOVE\n"
                                  "accounts +0 +[0-9]+ +[0-9]+ B +0 B +0.00 "
                                  "+1.00\n"));
  EXPECT_EQ(
      JsonOf({"stat", "events"})["topics"][0]["partitions"][0]["dirty_ratio"],
      nullptr);
}

}  // namespace
}  // namespace varve
