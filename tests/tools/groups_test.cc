// SPDX-License-Identifier: Apache-2.0

#include <filesystem>
#include <map>
#include <string>
#include <vector>

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

class GroupsTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("orders", {"--partitions", "2"});
    runner_.Produce("orders", "a\nb\nc\nd\ne\nf\ng\nh\n");
  }

  json Described(const std::string& group) {
    const CommandResult result =
        runner_.Varve({"groups", "describe", group, "--json"});
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.exit_status == 0 ? json::parse(result.out) : json();
  }

  void Reset(const std::string& group, const std::string& to) {
    const CommandResult result = runner_.Varve(
        {"groups", "reset", group, "--topic", "orders", "--to", to});
    ASSERT_EQ(result.exit_status, 0) << result.err;
  }

  CommandRunner runner_;
};

TEST_F(GroupsTest, ThereAreNoneAtFirst) {
  const CommandResult list = runner_.Varve({"groups", "list"});
  EXPECT_EQ(list.exit_status, 0);
  EXPECT_THAT(list.out, IsEmpty());
  EXPECT_THAT(list.err, HasSubstr("no group"));
  EXPECT_EQ(runner_.Varve({"groups", "list", "--json"}).out, "[]\n");
}

TEST_F(GroupsTest, ResetGroupIsListedAndDescribed) {
  Reset("grün", "earliest");
  EXPECT_EQ(runner_.Varve({"groups", "list"}).out,
            "GROUP  PARTITIONS  LAG\n"
            "grün            2    8\n");
  const json group = Described("grün");
  EXPECT_EQ(group["group"], "grün");
  ASSERT_EQ(group["offsets"].size(), 2);
  EXPECT_EQ(group["offsets"][1]["topic"], "orders");
  EXPECT_EQ(group["offsets"][1]["partition"], 1);
  EXPECT_EQ(group["offsets"][1]["offset"], 0);
  EXPECT_EQ(group["offsets"][1]["leader_epoch"], -1);
  EXPECT_EQ(group["offsets"][1]["metadata"], "");
  EXPECT_THAT(
      runner_.Varve({"groups", "describe", "grün"}).out,
      AllOf(HasSubstr("TOPIC   PARTITION  OFFSET"), HasSubstr("COMMITTED")));
}

TEST_F(GroupsTest, ResetToTheLatestLeavesNoLag) {
  Reset("g", "latest");
  const json offsets = Described("g")["offsets"];
  EXPECT_EQ(offsets[0]["lag"], 0);
  EXPECT_EQ(offsets[1]["lag"], 0);
  EXPECT_EQ(offsets[0]["offset"].get<int>() + offsets[1]["offset"].get<int>(),
            8);
}

TEST_F(GroupsTest, ResetToAnOffsetThatIsNotThereChangesNothing) {
  Reset("g", "earliest");
  const CommandResult result =
      runner_.Varve({"groups", "reset", "g", "orders:0", "--to", "99"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("offset 99"), HasSubstr("starts at 0")));
  EXPECT_EQ(Described("g")["offsets"][0]["offset"], 0);
  EXPECT_EQ(
      runner_
          .Varve({"groups", "reset", "g", "--topic", "orders", "--to", "soon"})
          .exit_status,
      2);
}

TEST_F(GroupsTest, OffsetsAreDeletedOneByOneAndTogether) {
  Reset("g", "earliest");
  EXPECT_EQ(runner_
                .Varve({"groups", "delete", "g", "--topic", "orders",
                        "--partition", "1"})
                .out,
            "deleted 1 offset of group g\n");
  EXPECT_EQ(Described("g")["offsets"].size(), 1);
  EXPECT_EQ(runner_.Varve({"groups", "delete", "g"}).exit_status, 0);
  const CommandResult again = runner_.Varve({"groups", "delete", "g"});
  EXPECT_EQ(again.exit_status, 1);
  EXPECT_THAT(again.err, HasSubstr("committed no offset"));
}

TEST_F(GroupsTest, AreListedAndDescribedBesideAWriter) {
  Reset("g", "latest");
  runner_.StartProducer("orders");
  EXPECT_EQ(runner_.Varve({"groups", "list"}).out,
            "GROUP  PARTITIONS  LAG\n"
            "g               2    0\n");
  runner_.WriteToProducer("i\nj\nk\n");
  // The producer appends when it likes.
  json offsets;
  do {
    offsets = Described("g")["offsets"];
    ASSERT_EQ(offsets.size(), 2);
  } while (offsets[0]["lag"].get<int>() + offsets[1]["lag"].get<int>() < 3 &&
           !HasFailure());
  EXPECT_EQ(offsets[0]["log_end"].get<int>() + offsets[1]["log_end"].get<int>(),
            11);
  const json list =
      json::parse(runner_.Varve({"groups", "list", "--json"}).out);
  ASSERT_EQ(list.size(), 1);
  EXPECT_EQ(list[0]["group"], "g");
  EXPECT_EQ(list[0]["partitions"], 2);
  EXPECT_EQ(list[0]["lag"], 3);
  EXPECT_EQ(runner_.EndProducer(), 0);
}

// A store that may only be read is enough for them.
TEST_F(GroupsTest, ListAndDescribeChangeNoFile) {
  Reset("g", "earliest");
  const auto files = [&] {
    std::map<std::string, std::string> bytes;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(runner_.data())) {
      bytes[entry.path()] =
          entry.is_directory() ? "" : ReadFileOrDie(entry.path());
    }
    return bytes;
  };
  const auto before = files();
  EXPECT_EQ(Described("g")["offsets"][0]["lag"].get<int>() +
                Described("g")["offsets"][1]["lag"].get<int>(),
            8);
  const CommandResult list = runner_.Varve({"groups", "list"});
  EXPECT_EQ(list.exit_status, 0);
  EXPECT_THAT(list.err, IsEmpty());
  EXPECT_EQ(files(), before);
}

TEST_F(GroupsTest, OpenStoreSaysWhyChangesHaveToWait) {
  runner_.StartProducer("orders");
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"groups", "reset", "g", "--topic", "orders",
                                 "--to", "latest"},
        {"groups", "delete", "g"}}) {
    const CommandResult result = runner_.Varve(line);
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("another writer has it open"),
                      HasSubstr("a group's offsets can change meanwhile")));
  }
  EXPECT_EQ(runner_.EndProducer(), 0);
}

TEST_F(GroupsTest, InternalTopicCannotBeCreated) {
  const CommandResult result =
      runner_.Varve({"topics", "create", "__consumer_offsets"});
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_THAT(result.err, HasSubstr("the store's own"));
}

}  // namespace
}  // namespace varve
