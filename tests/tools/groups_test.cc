// SPDX-License-Identifier: Apache-2.0

#include <string>

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
  const CommandResult result = runner_.Varve(
      {"groups", "reset", "g", "--topic", "orders", "--to", "99"});
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

TEST_F(GroupsTest, OpenStoreSaysWhyTheyHaveToWait) {
  runner_.StartProducer("orders");
  const CommandResult result = runner_.Varve({"groups", "list"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("another writer has this store open"));
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
