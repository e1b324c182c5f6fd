// SPDX-License-Identifier: Apache-2.0

// Commands that write, ended by a signal: lines that were read are in the
// store, the store is closed cleanly, and a message says so.

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "absl/strings/numbers.h"
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
using ::testing::IsEmpty;

class StopSignalTest : public testing::Test {
 protected:
  void SetUp() override { runner_.CreateTopic("t"); }

  void AwaitConsumed(const std::string& text) {
    runner_.StartConsumer({"t", "--follow"});
    runner_.AwaitConsumerOutput(text);
    EXPECT_EQ(runner_.EndConsumer(SIGTERM).exit_status, 0);
  }

  // Closed cleanly: the next open recovers nothing, and there is no new epoch.
  void ExpectClosedCleanly() {
    EXPECT_TRUE(
        std::filesystem::exists(runner_.data() + "/.kafka_cleanshutdown"));
    const CommandResult verified = runner_.Varve({"verify"});
    EXPECT_EQ(verified.exit_status, 0);
    EXPECT_THAT(verified.out, HasSubstr("closed cleanly"));
  }

  CommandRunner runner_;
};

class ProduceSignalTest : public StopSignalTest,
                          public testing::WithParamInterface<int> {};

TEST_P(ProduceSignalTest, WholeLinesAreAppendedAndCounted) {
  runner_.StartProducer("t");
  runner_.WriteToProducer("one\ntwo\nhal");
  AwaitConsumed("one\ntwo\n");
  runner_.SignalProducer(GetParam());
  const CommandResult result = runner_.AwaitProducer();
  EXPECT_EQ(result.exit_status, 128 + GetParam());
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("produced 2 records"),
                    HasSubstr(absl::StrCat("ended by signal ", GetParam())),
                    HasSubstr("3 bytes of a line without its end")));
  ExpectClosedCleanly();
  EXPECT_EQ(runner_.Varve({"consume", "t"}).out, "one\ntwo\n");
}

TEST_P(ProduceSignalTest, SecondRunGoesOnInTheSameEpoch) {
  for (int run = 0; run < 2; ++run) {
    runner_.StartProducer("t");
    runner_.WriteToProducer("a\n");
    AwaitConsumed(run == 0 ? "a\n" : "a\na\n");
    runner_.SignalProducer(GetParam());
    EXPECT_EQ(runner_.AwaitProducer().exit_status, 128 + GetParam());
  }
  const json described =
      json::parse(runner_.Varve({"topics", "describe", "t", "--json"}).out);
  EXPECT_EQ(described["partitions"][0]["epochs"].size(), 1) << described;
}

TEST_P(ProduceSignalTest, JsonNamesTheSignal) {
  runner_.StartProducer("t", {"--json"});
  runner_.WriteToProducer("{\"value\":\"one\"}\n");
  AwaitConsumed("one\n");
  runner_.SignalProducer(GetParam());
  const json summary = json::parse(runner_.AwaitProducer().out);
  EXPECT_EQ(summary["signal"], GetParam());
  EXPECT_EQ(summary["records"], 1);
}

TEST_P(ProduceSignalTest, OneThatIsIgnoredStaysIgnored) {
  const int number = GetParam();
  runner_.StartProducer("t", {}, [number] { signal(number, SIG_IGN); });
  runner_.WriteToProducer("one\n");
  AwaitConsumed("one\n");
  runner_.SignalProducer(number);
  runner_.WriteToProducer("two\n");
  EXPECT_EQ(runner_.EndProducer(), 0);
  EXPECT_EQ(runner_.Varve({"consume", "t"}).out, "one\ntwo\n");
}

INSTANTIATE_TEST_SUITE_P(All, ProduceSignalTest,
                         testing::Values(SIGINT, SIGTERM, SIGHUP));

TEST_F(StopSignalTest, GroupCommitsWhatItPrinted) {
  constexpr int kLines = 300'000;
  std::string lines;
  for (int i = 0; i < kLines; ++i) absl::StrAppend(&lines, i, "\n");
  runner_.Produce("t", lines);
  runner_.StartConsumer({"t", "--group", "g"});
  while (runner_.ConsumerOutput().empty() && !runner_.ConsumerHasEnded()) {
  }
  const CommandResult result = runner_.EndConsumer(SIGTERM);
  // The command may have ended first.
  EXPECT_THAT(result.exit_status, testing::AnyOf(0, 128 + SIGTERM));
  EXPECT_THAT(result.err, IsEmpty());
  ExpectClosedCleanly();
  const auto printed = std::count(result.out.begin(), result.out.end(), '\n');
  const json group =
      json::parse(runner_.Varve({"groups", "describe", "g", "--json"}).out);
  EXPECT_EQ(group["offsets"][0]["offset"], printed);
}

}  // namespace
}  // namespace varve
