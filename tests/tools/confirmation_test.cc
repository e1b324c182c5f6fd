// SPDX-License-Identifier: Apache-2.0

// Commands that ask before they delete: on a terminal, and without one.

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A terminal of the test's own.
class Terminal {
 public:
  Terminal() : screen_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (screen_ < 0 || grantpt(screen_) != 0 || unlockpt(screen_) != 0) return;
    const char* name = ptsname(screen_);
    if (name != nullptr) program_ = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  }
  ~Terminal() {
    if (program_ >= 0) close(program_);
    if (screen_ >= 0) close(screen_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool is_there() const { return program_ >= 0; }

  void Type(std::string_view text) const {
    ASSERT_EQ(write(screen_, text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }
  // Makes it stdin and stderr of this process.
  void Take() const {
    if (dup2(program_, STDIN_FILENO) < 0 || dup2(program_, STDERR_FILENO) < 0)
      _exit(126);
  }
  // What it shows, up to `end`.
  std::string ShownUpTo(std::string_view end) const {
    std::string shown;
    pollfd polled = {.fd = screen_, .events = POLLIN, .revents = 0};
    while (!absl::StrContains(shown, end) && poll(&polled, 1, 10'000) == 1) {
      char bytes[256];
      const ssize_t size = read(screen_, bytes, sizeof bytes);
      if (size <= 0) break;
      shown.append(bytes, static_cast<size_t>(size));
    }
    return shown;
  }

 private:
  int screen_;
  int program_ = -1;
};

// A topic "t" of two partitions, with three records in the first.
class ConfirmationTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t", {"--partitions", "2"});
    const CommandResult result =
        runner_.Varve({"produce", "t", "--partition", "0"}, "a\nb\nc\n");
    ASSERT_EQ(result.exit_status, 0) << result.err;
  }

  CommandResult RunOn(const Terminal& terminal,
                      const std::vector<std::string>& line) {
    return runner_.VarveAfter([&terminal] { terminal.Take(); }, line);
  }
  // What is in each file of the store.
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> bytes;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(runner_.data())) {
      if (entry.is_regular_file())
        bytes[entry.path()] = ReadFileOrDie(entry.path());
    }
    return bytes;
  }
  std::string Records() { return runner_.Varve({"consume", "t"}).out; }

  CommandRunner runner_;
};

TEST_F(ConfirmationTest, TrimAsksOnATerminalAndTakesNoForNo) {
  const Terminal terminal;
  if (!terminal.is_there()) GTEST_SKIP() << "there are no terminals here";
  terminal.Type("no\n");
  CommandResult result = RunOn(terminal, {"trim", "t", "--before", "-1"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(terminal.ShownUpTo("nothing was changed"),
              AllOf(HasSubstr("trim t: 2 of 3 records in 2 partitions? [y/N] "),
                    HasSubstr("nothing was changed")));
  EXPECT_EQ(Records(), "a\nb\nc\n");
  terminal.Type("y\n");
  result = RunOn(terminal, {"trim", "t", "--before", "-1"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.out, HasSubstr("trimmed 2 records"));
  EXPECT_EQ(Records(), "c\n");
}

TEST_F(ConfirmationTest, DeleteAsksOnATerminalAndTakesNoForNo) {
  const Terminal terminal;
  if (!terminal.is_there()) GTEST_SKIP() << "there are no terminals here";
  terminal.Type("\n");
  EXPECT_EQ(RunOn(terminal, {"topics", "delete", "t"}).exit_status, 1);
  EXPECT_THAT(terminal.ShownUpTo("nothing was changed"),
              HasSubstr("delete t with 2 partitions and 3 records? [y/N] "));
  EXPECT_EQ(Records(), "a\nb\nc\n");
  terminal.Type("yes\n");
  EXPECT_EQ(RunOn(terminal, {"topics", "delete", "t"}).exit_status, 0);
  EXPECT_EQ(runner_.Varve({"topics", "describe", "t"}).exit_status, 1);
}

TEST_F(ConfirmationTest, TrimThatDeletesNothingDoesNotAskOnATerminal) {
  const Terminal terminal;
  if (!terminal.is_there()) GTEST_SKIP() << "there are no terminals here";
  const CommandResult result =
      RunOn(terminal, {"trim", "t", "--before", "earliest"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.out, HasSubstr("trimmed 0 records"));
}

TEST_F(ConfirmationTest, TrimWithoutATerminalWantsYes) {
  for (const char* before : {"2", "earliest"}) {
    const CommandResult refused =
        runner_.Varve({"trim", "t:0", "--before", before}, "y\n");
    EXPECT_EQ(refused.exit_status, 2);
    EXPECT_EQ(refused.out, "");
    EXPECT_EQ(refused.err,
              "varve: trim t: there is no terminal to ask on; --yes says that "
              "it is meant\n");
  }
  EXPECT_EQ(Records(), "a\nb\nc\n");
  EXPECT_EQ(
      runner_.Varve({"trim", "t:0", "--before", "2", "--yes"}).exit_status, 0);
  EXPECT_EQ(Records(), "c\n");
}

TEST_F(ConfirmationTest, DryRunWithoutATerminalDoesNotAsk) {
  const CommandResult result =
      runner_.Varve({"trim", "t", "--before", "latest", "--dry-run"});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(Records(), "a\nb\nc\n");
}

TEST_F(ConfirmationTest, WhoCannotBeAskedDoesNotOpenTheStore) {
  // A store that is opened after this is recovered, and says so.
  runner_.StartProducer("t");
  runner_.KillProducer();
  const std::vector<std::string> lines[] = {{"trim", "t", "--before", "latest"},
                                            {"topics", "delete", "t"}};
  const auto expect_refused = [&](const std::vector<std::string>& line,
                                  const std::string& what) {
    const CommandResult result = runner_.Varve(line);
    EXPECT_EQ(result.exit_status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, what +
                              ": there is no terminal to ask on; --yes says "
                              "that it is meant\n");
  };
  const std::map<std::string, std::string> before = Files();
  expect_refused(lines[0], "varve: trim t");
  expect_refused(lines[1], "varve: delete t");
  EXPECT_EQ(Files(), before);
  // One that takes the lock says that it cannot have it.
  runner_.StartProducer("t");
  expect_refused(lines[0], "varve: trim t");
  expect_refused(lines[1], "varve: delete t");
  EXPECT_EQ(runner_.EndProducer(), 0);
  EXPECT_EQ(Records(), "a\nb\nc\n");
}

}  // namespace
}  // namespace varve
