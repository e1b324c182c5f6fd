// SPDX-License-Identifier: Apache-2.0

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

class ConsumeGroupTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("orders");
    runner_.Produce("orders", "a\nb\nc\nd\n");
  }

  CommandResult Run(std::vector<std::string> options) {
    options.insert(options.begin(), {"consume", "orders", "--group", "g"});
    return runner_.Varve(options);
  }

  std::string Consume(const std::vector<std::string>& options = {}) {
    const CommandResult result = Run(options);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }

  // What the group has committed, of partition 0.
  json Committed() {
    const CommandResult result =
        runner_.Varve({"groups", "describe", "g", "--json"});
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return json::parse(result.out)["offsets"][0];
  }

  CommandRunner runner_;
};

TEST_F(ConsumeGroupTest, EachRunGoesOnWhereTheLastOneWas) {
  EXPECT_EQ(Consume(), "a\nb\nc\nd\n");
  EXPECT_EQ(Consume(), "");
  runner_.Produce("orders", "e\nf\n");
  EXPECT_EQ(Consume(), "e\nf\n");
  EXPECT_EQ(Committed()["offset"], 6);
  EXPECT_EQ(Committed()["lag"], 0);
  EXPECT_EQ(Committed()["leader_epoch"], 0);
}

TEST_F(ConsumeGroupTest, CountedRecordsAreCommittedOneByOne) {
  EXPECT_EQ(Consume({"--count", "1"}), "a\n");
  EXPECT_EQ(Committed()["offset"], 1);
  EXPECT_EQ(Consume({"--count", "0"}), "");
  EXPECT_EQ(Committed()["offset"], 1);
  EXPECT_EQ(Consume({"--count", "2"}), "b\nc\n");
  EXPECT_EQ(Consume({"--commit-interval", "0"}), "d\n");
  EXPECT_EQ(Committed()["offset"], 4);
}

TEST_F(ConsumeGroupTest, GroupsAreApart) {
  EXPECT_EQ(Consume(), "a\nb\nc\nd\n");
  EXPECT_EQ(runner_.Varve({"consume", "orders", "--group", "h"}).out,
            "a\nb\nc\nd\n");
}

TEST_F(ConsumeGroupTest, EveryPartitionHasItsOffset) {
  runner_.CreateTopic("many", {"--partitions", "3"});
  runner_.Produce("many", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  const CommandResult first =
      runner_.Varve({"consume", "many", "--group", "g"});
  EXPECT_EQ(first.out.size(), 18u);
  EXPECT_THAT(runner_.Varve({"consume", "many", "--group", "g"}).out,
              IsEmpty());
  runner_.Produce("many", "x\n");
  EXPECT_EQ(runner_.Varve({"consume", "many", "--group", "g"}).out, "x\n");
}

TEST_F(ConsumeGroupTest, NewGroupBeginsWhereItIsTold) {
  EXPECT_EQ(Consume({"--reset", "latest"}), "");
  runner_.Produce("orders", "e\n");
  EXPECT_EQ(Consume({"--reset", "earliest"}), "e\n");
}

TEST_F(ConsumeGroupTest, NewGroupFailsWithoutAReset) {
  const CommandResult result = Run({"--reset", "none"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("group \"g\""), HasSubstr("committed no offset"),
                    HasSubstr("--reset earliest or latest")));
}

TEST_F(ConsumeGroupTest, ResetGroupReadsAgain) {
  EXPECT_EQ(Consume(), "a\nb\nc\nd\n");
  EXPECT_EQ(
      runner_.Varve({"groups", "reset", "g", "--topic", "orders", "--to", "2"})
          .exit_status,
      0);
  EXPECT_EQ(Consume(), "c\nd\n");
}

TEST_F(ConsumeGroupTest, OtherWriterIsNamedAsTheReason) {
  runner_.StartProducer("orders");
  const CommandResult result = Run({});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("another writer has this store open"));
  EXPECT_EQ(runner_.EndProducer(), 0);
}

TEST_F(ConsumeGroupTest, OptionsThatContradictEachOtherAreRefused) {
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--offset", "1"},
        {"--follow"},
        {"--reset", "maybe"},
        {"--commit-interval", "-1"}}) {
    EXPECT_EQ(Run(options).exit_status, 2) << options[0];
  }
  EXPECT_EQ(runner_.Varve({"consume", "orders", "--commit-interval", "1"})
                .exit_status,
            2);
  EXPECT_EQ(runner_.Varve({"consume", "orders", "--group", ""}).exit_status, 2);
}

}  // namespace
}  // namespace varve
