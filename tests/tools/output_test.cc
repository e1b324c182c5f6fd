// SPDX-License-Identifier: Apache-2.0

// Every command reports output that cannot be written, but not output whose
// reader has closed the pipe.

#include <fcntl.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Line = std::vector<std::string>;

class OutputTest : public testing::Test {
 protected:
  // Every command that prints, each on a store of its own making.
  void ForEachCommand(const std::function<void()>& before,
                      const std::function<void(const CommandResult&)>& check) {
    runner_.CreateTopic("t");
    runner_.Produce("t", "a\nb\nc\n");
    ASSERT_EQ(runner_.Varve({"consume", "t", "--group", "g"}).exit_status, 0);
    for (const Line& line : Commands()) {
      SCOPED_TRACE(absl::StrJoin(line, " "));
      check(runner_.VarveAfter(before, line, "{\"value\":\"d\"}\n"));
    }
    EXPECT_EQ(runner_.Varve({"verify"}).exit_status, 0);
  }

  std::vector<Line> Commands() const {
    return {
        {"--help"},
        {"--version"},
        {"topics", "create", "--help"},
        {"topics", "create", "u"},
        {"topics", "create", "v", "--json"},
        {"topics", "list"},
        {"topics", "list", "--json"},
        {"topics", "describe", "t"},
        {"topics", "describe", "t", "--json"},
        {"topics", "alter", "t", "--config", "segment.bytes=100000"},
        {"topics", "delete", "u", "--yes"},
        {"produce", "t", "--json"},
        {"consume", "t"},
        {"consume", "t", "--json"},
        {"consume", "t", "--group", "h"},
        {"consume", "t", "--follow", "--count", "1"},
        {"groups", "list"},
        {"groups", "describe", "g"},
        {"groups", "describe", "g", "--json"},
        {"groups", "reset", "g", "--topic", "t", "--to", "earliest"},
        {"groups", "reset", "g", "t", "--to", "-1", "--dry-run", "--json"},
        {"groups", "delete", "g"},
        {"trim", "t", "--before", "1", "--dry-run"},
        {"trim", "t", "--before", "1", "--yes"},
        {"trim", "t", "--before", "2", "--yes", "--json"},
        {"verify"},
        {"verify", "--json"},
        {"metrics"},
        {"metrics", "--prometheus"},
        {"metrics", "--json"},
        {"stat"},
        {"stat", "--json"},
        {"stat", "--watch", "0.1"},
        {"dump-log", SegmentPath(runner_.data() + "/t-0", ".log")},
        {"dump-log", "--json", SegmentPath(runner_.data() + "/t-0", ".log")},
        {"completion", "bash"},
        {"completion", "zsh"},
        {"man"},
    };
  }

  CommandRunner runner_;
};

TEST_F(OutputTest, FullDiskIsToldByEveryCommand) {
  ForEachCommand(
      [] {
        if (dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO) < 0) _exit(126);
      },
      [](const CommandResult& result) {
        EXPECT_EQ(result.exit_status, 1);
        EXPECT_THAT(result.err,
                    AllOf(StartsWith("varve: "),
                          HasSubstr("the output: write: No space left")));
      });
}

TEST_F(OutputTest, ClosedOutputIsToldByEveryCommand) {
  ForEachCommand([] { close(STDOUT_FILENO); },
                 [](const CommandResult& result) {
                   EXPECT_EQ(result.exit_status, 1);
                   EXPECT_THAT(result.err, HasSubstr("Bad file descriptor"));
                 });
}

TEST_F(OutputTest, ReaderThatIsGoneIsNoFailureOfAnyCommand) {
  ForEachCommand(
      [] {
        int ends[2];
        if (pipe(ends) != 0 || dup2(ends[1], STDOUT_FILENO) < 0) _exit(126);
        close(ends[0]);
        close(ends[1]);
      },
      [](const CommandResult& result) {
        EXPECT_EQ(result.exit_status, 0);
        EXPECT_THAT(result.err, IsEmpty());
      });
}

// No file of a store gets the number of a standard descriptor: output would be
// written into it.
TEST_F(OutputTest, ProgramWithoutDescriptorsHarmsNothing) {
  runner_.CreateTopic("t");
  WriteFileOrDie(runner_.PathTo("lines"), "a\nb\n");
  const CommandResult result = runner_.VarveAfter(
      [] {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
      },
      {"produce", "t", runner_.PathTo("lines")});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(runner_.Varve({"consume", "t"}).out, "a\nb\n");
  const CommandResult verified = runner_.Varve({"verify"});
  EXPECT_EQ(verified.exit_status, 0) << verified.out;
}

TEST_F(OutputTest, InputThatIsClosedIsTold) {
  runner_.CreateTopic("t");
  const CommandResult result =
      runner_.VarveAfter([] { close(STDIN_FILENO); }, {"produce", "t"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("stdin: read: Bad file descriptor"));
}

}  // namespace
}  // namespace varve
