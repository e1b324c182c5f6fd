// SPDX-License-Identifier: Apache-2.0

// `varve consume` beside a producer, `--follow`, and where it begins.

#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FollowTest : public testing::Test {
 protected:
  std::string Consume(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "consume");
    const CommandResult result = runner_.Varve(arguments);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }

  CommandRunner runner_;
};

TEST_F(FollowTest, ReadingCommandsRunBesideAProducer) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "a\n");
  runner_.StartProducer("t");
  EXPECT_EQ(Consume({"t"}), "a\n");
  EXPECT_THAT(runner_.Varve({"topics", "list"}).out, HasSubstr("t "));
  EXPECT_THAT(runner_.Varve({"topics", "describe", "t"}).out,
              HasSubstr("VISIBLE END"));
  EXPECT_EQ(runner_.EndProducer(), 0);
}

TEST_F(FollowTest, RecordsArePrintedAsTheyCome) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "a\n");
  runner_.StartConsumer({"t", "--follow"});
  runner_.AwaitConsumerOutput("a\n");
  runner_.StartProducer("t");
  runner_.WriteToProducer("b\n");
  runner_.AwaitConsumerOutput("a\nb\n");
  runner_.WriteToProducer("c\n");
  runner_.AwaitConsumerOutput("a\nb\nc\n");
  EXPECT_EQ(runner_.EndProducer(), 0);
  for (const char* line : {"d\n", "e\n"}) runner_.Produce("t", line);
  runner_.AwaitConsumerOutput("a\nb\nc\nd\ne\n");
  const CommandResult result = runner_.EndConsumer(SIGINT);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err, "");
}

TEST_F(FollowTest, ProducerThatDiesIsSucceeded) {
  runner_.CreateTopic("t", {"--config", "segment.bytes=1000"});
  runner_.StartConsumer({"t", "-f"});
  std::string all;
  for (int i = 0; i < 4; ++i) {
    runner_.StartProducer("t");
    for (int j = 0; j < 5; ++j) {
      const std::string line =
          absl::StrCat(i, ".", j, std::string(200, 'x'), "\n");
      all += line;
      runner_.WriteToProducer(line);
      runner_.AwaitConsumerOutput(all);
    }
    runner_.KillProducer();
  }
  EXPECT_EQ(runner_.EndConsumer(SIGTERM).exit_status, 0);
  EXPECT_EQ(Consume({"t"}), all);
}

TEST_F(FollowTest, AllPartitionsAreFollowedAndLatestSkipsWhatIsThere) {
  runner_.CreateTopic("t", {"--partitions", "2"});
  runner_.Produce("t", "old\n");
  runner_.StartConsumer({"t", "-f", "--offset", "latest", "--format", "%p%s "});
  // It prints nothing when it is ready.
  while (runner_.ConsumerOutput().empty()) {
    runner_.Varve({"produce", "t", "--partition", "1"}, "b\n");
  }
  runner_.Varve({"produce", "t", "--partition", "0"}, "a\n");
  while (runner_.ConsumerOutput().find("0a ") == std::string::npos) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  const CommandResult result = runner_.EndConsumer(SIGINT);
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("1b "), Not(HasSubstr("old"))));
}

TEST_F(FollowTest, OffsetToStopBeforeIsOfThePartitionThatWasThere) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "a\n");
  runner_.StartConsumer({"t", "-f", "--until", "2", "--format", "%p%s "});
  runner_.AwaitConsumerOutput("0a ");
  ASSERT_EQ(
      runner_.Varve({"topics", "alter", "t", "--partitions", "2"}).exit_status,
      0);
  runner_.Varve({"produce", "t", "--partition", "1"}, "x\n");
  // It looks for new partitions each second.
  absl::SleepFor(absl::Milliseconds(2500));
  runner_.Varve({"produce", "t", "--partition", "0"}, "b\n");
  const CommandResult result = runner_.EndConsumer(0);
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(result.out, "0a 0b ");
}

TEST_F(FollowTest, CountIsReachedWithoutWaiting) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "a\nb\nc\n");
  EXPECT_EQ(Consume({"t", "-f", "--count", "2"}), "a\nb\n");
}

TEST_F(FollowTest, NegativeOffsetsCountFromTheEndOfEachPartition) {
  runner_.CreateTopic("t", {"--partitions", "2"});
  runner_.Varve({"produce", "t", "--partition", "0"}, "a\nb\nc\n");
  runner_.Varve({"produce", "t", "--partition", "1"}, "d\n");
  EXPECT_EQ(Consume({"t", "--offset", "-2"}), "b\nc\nd\n");
  EXPECT_EQ(Consume({"t", "--offset=-1"}), "c\nd\n");
  EXPECT_EQ(Consume({"t", "--offset", "-100"}), "a\nb\nc\nd\n");
}

TEST_F(FollowTest, TimesAreFoundInEachPartition) {
  runner_.CreateTopic("t", {"--partitions", "2"});
  runner_.Varve({"produce", "t", "--partition", "0"}, "a\nb\n");
  absl::SleepFor(absl::Milliseconds(10));
  const std::string between =
      absl::FormatTime(absl::RFC3339_full, absl::Now(), absl::UTCTimeZone());
  absl::SleepFor(absl::Milliseconds(10));
  runner_.Varve({"produce", "t", "--partition", "0"}, "c\n");
  runner_.Varve({"produce", "t", "--partition", "1"}, "d\n");
  EXPECT_EQ(Consume({"t", "--offset", "@" + between}), "c\nd\n");
  EXPECT_EQ(Consume({"t", "--offset", "@-1h"}), "a\nb\nc\nd\n");
  EXPECT_EQ(Consume({"t", "--offset", "@2001-01-01T00:00:00Z", "--count", "1"}),
            "a\n");
  EXPECT_EQ(Consume({"t", "--offset", "@2999-01-01T00:00:00Z"}), "");
}

TEST_F(FollowTest, OffsetThatIsNotThereIsResetOnRequest) {
  runner_.CreateTopic("t");
  runner_.Produce("t", "a\nb\n");
  const CommandResult earliest =
      runner_.Varve({"consume", "t", "--offset", "7", "--reset", "earliest"});
  EXPECT_EQ(earliest.exit_status, 0);
  EXPECT_EQ(earliest.out, "a\nb\n");
  EXPECT_THAT(earliest.err,
              AllOf(HasSubstr("offset 7 is not there"),
                    HasSubstr("ends before 2"), HasSubstr("goes on at 0")));
  EXPECT_EQ(Consume({"t", "--offset", "7", "--reset", "latest"}), "");
}

}  // namespace
}  // namespace varve
