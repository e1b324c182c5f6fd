// SPDX-License-Identifier: Apache-2.0

#include <signal.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::AnyOf;
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

  // The group's committed offset of partition 0.
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

class KilledGroupTest : public ConsumeGroupTest {
 protected:
  static constexpr int kPartitions = 2;
  static constexpr int64_t kRecords = 5000;  // in each

  void SetUp() override {
    runner_.CreateTopic("long", {"--partitions", absl::StrCat(kPartitions)});
    for (int p = 0; p < kPartitions; ++p) {
      std::string lines;
      for (int64_t i = 0; i < kRecords; ++i)
        absl::StrAppend(&lines, LineOf(p, i), "\n");
      const CommandResult result = runner_.Varve(
          {"produce", "long", "--partition", absl::StrCat(p)}, lines);
      ASSERT_EQ(result.exit_status, 0) << result.err;
    }
  }

  static std::string LineOf(int partition, int64_t offset) {
    return absl::StrCat(partition, " ", offset, " ", std::string(1000, 'x'));
  }

  // Takes the output of a run, from the group's position on: whole lines, in
  // order.
  void TakePrinted(std::string_view out) {
    printed_ = committed_;
    for (size_t end = 0; (end = out.find('\n')) != out.npos;) {
      const int partition = out.front() - '0';
      ASSERT_TRUE(partition == 0 || partition == 1);
      int64_t& next = printed_[static_cast<size_t>(partition)];
      ASSERT_EQ(out.substr(0, end), LineOf(partition, next));
      ++next;
      out.remove_prefix(end + 1);
    }
  }

  // Takes the committed offsets, which are not past the printed records.
  void TakeCommitted() {
    const CommandResult result =
        runner_.Varve({"groups", "describe", group_, "--json"});
    // The group may have committed nothing yet.
    if (result.exit_status != 0) return;
    const json group = json::parse(result.out);
    for (const json& offset : group["offsets"]) {
      const auto partition = offset["partition"].get<size_t>();
      const auto now = offset["offset"].get<int64_t>();
      EXPECT_GE(now, committed_[partition]);
      EXPECT_LE(now, printed_[partition]);
      committed_[partition] = now;
    }
  }

  void UseGroup(std::string group) {
    group_ = std::move(group);
    committed_ = {};
    printed_ = {};
  }

  std::string group_;
  std::array<int64_t, kPartitions> committed_ = {};
  std::array<int64_t, kPartitions> printed_ = {};
};

TEST_F(KilledGroupTest, NothingIsLostAndOnlyWhatWasNotCommittedComesAgain) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::minstd_rand random(seed);
  UseGroup("g");
  for (int killed = 0, run = 0; killed < 4 && !HasFailure(); ++run) {
    ASSERT_LT(run, 100) << "no run lasted until it was killed";
    runner_.StartConsumer(
        {"long", "--group", group_, "--commit-interval", "0"});
    // It prints a mebibyte, commits, prints the next one.
    while (!runner_.ConsumerHasPrinted() && !runner_.ConsumerHasEnded())
      absl::SleepFor(absl::Milliseconds(1));
    absl::SleepFor(absl::Microseconds(random() % 20'000));
    const CommandResult result = runner_.EndConsumer(SIGKILL);
    ASSERT_THAT(result.exit_status, AnyOf(0, 128 + SIGKILL)) << result.err;
    TakePrinted(result.out);
    TakeCommitted();
    if (result.exit_status != 0) ++killed;
    // A group that is at the end has nothing to be killed at.
    if (result.exit_status == 0) UseGroup(absl::StrCat("g", run));
  }
  const CommandResult rest =
      runner_.Varve({"consume", "long", "--group", group_});
  EXPECT_EQ(rest.exit_status, 0) << rest.err;
  TakePrinted(rest.out);
  for (int64_t printed : printed_) EXPECT_EQ(printed, kRecords);
  TakeCommitted();
  for (int64_t committed : committed_) EXPECT_EQ(committed, kRecords);
}

TEST_F(ConsumeGroupTest, OtherWriterIsNamedAsTheReason) {
  runner_.StartProducer("orders");
  const CommandResult result = Run({});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("another writer has it open"));
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
