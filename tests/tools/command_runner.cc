// SPDX-License-Identifier: Apache-2.0

#include "tests/tools/command_runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

// The path where Bazel puts a program that a test may run.
std::string ProgramPath(const std::string& program) {
  const char* root = getenv("TEST_SRCDIR");
  const char* workspace = getenv("TEST_WORKSPACE");
  CHECK(root != nullptr && workspace != nullptr) << "not run by Bazel";
  return absl::StrCat(root, "/", workspace, "/tools/", program);
}

int WaitFor(pid_t child) {
  int how = 0;
  while (waitpid(child, &how, 0) < 0) CHECK_EQ(errno, EINTR);
  return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

void Redirect(const std::string& path, int flags, int descriptor) {
  const int opened = open(path.c_str(), flags, 0600);
  if (opened < 0 || dup2(opened, descriptor) < 0) _exit(126);
}

}  // namespace

CommandRunner::CommandRunner() : data_(scratch_ / "data") {}

pid_t CommandRunner::Start(const Launch& launch) const {
  std::vector<char*> arguments;
  for (const std::string& argument : launch.command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  // It is made before the fork: the child of a program with threads may not
  // allocate.
  std::string data = "VARVE_DATA=" + data_;
  std::vector<char*> environment = {data.data()};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!absl::StartsWith(*variable, "VARVE_DATA=")) {
      environment.push_back(*variable);
    }
  }
  environment.push_back(nullptr);
  const pid_t child = fork();
  CHECK_GE(child, 0);
  if (child > 0) return child;
  // The program that runs the tests may ignore them.
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_DFL);
  Redirect(launch.input_path, O_RDONLY, STDIN_FILENO);
  Redirect(launch.output_path, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  Redirect(launch.error_path, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  if (launch.before) launch.before();
  execve(arguments[0], arguments.data(), environment.data());
  _exit(127);
}

CommandResult CommandRunner::Varve(const std::vector<std::string>& arguments,
                                   std::string_view input) {
  return RunAfter(nullptr, "varve", arguments, input);
}

CommandResult CommandRunner::VarveAfter(
    const std::function<void()>& before,
    const std::vector<std::string>& arguments, std::string_view input) {
  return RunAfter(before, "varve", arguments, input);
}

CommandResult CommandRunner::Quickstart(
    const std::vector<std::string>& arguments) {
  return RunAfter(nullptr, "quickstart/quickstart", arguments, "");
}

CommandResult CommandRunner::RunAfter(const std::function<void()>& before,
                                      const std::string& program,
                                      const std::vector<std::string>& arguments,
                                      std::string_view input) {
  Launch launch = {.command = {ProgramPath(program)},
                   .input_path = PathTo("stdin"),
                   .output_path = PathTo("stdout"),
                   .error_path = PathTo("stderr"),
                   .before = before};
  launch.command.insert(launch.command.end(), arguments.begin(),
                        arguments.end());
  WriteFileOrDie(launch.input_path, input);
  unlink(launch.output_path.c_str());
  unlink(launch.error_path.c_str());
  const int status = WaitFor(Start(launch));
  return {.exit_status = status,
          .out = ReadFileOrDie(launch.output_path),
          .err = ReadFileOrDie(launch.error_path)};
}

void CommandRunner::StartProducer(const std::string& topic,
                                  const std::vector<std::string>& options,
                                  const std::function<void()>& before) {
  const std::string fifo = PathTo("fifo");
  unlink(fifo.c_str());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Launch launch = {.command = {ProgramPath("varve"), "produce", topic},
                   .input_path = fifo,
                   .output_path = PathTo("producer.out"),
                   .error_path = PathTo("producer.err"),
                   .before = before};
  launch.command.insert(launch.command.end(), options.begin(), options.end());
  producer_ = Start(launch);
  // It opens when the child has opened its end; the lock comes a moment later.
  producer_input_ = open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(producer_input_, 0);
  for (int i = 0; i < 1000; ++i) {
    const CommandResult probe = Varve({"verify"});
    if (absl::StrContains(probe.out, "open in another process")) return;
    absl::SleepFor(absl::Milliseconds(5));
  }
  FAIL() << "the producer does not open the store";
}

void CommandRunner::WriteToProducer(std::string_view lines) const {
  while (!lines.empty()) {
    const ssize_t written = write(producer_input_, lines.data(), lines.size());
    ASSERT_GT(written, 0);
    lines.remove_prefix(static_cast<size_t>(written));
  }
}

int CommandRunner::EndProducer() {
  close(producer_input_);
  return WaitFor(std::exchange(producer_, -1));
}

void CommandRunner::SignalProducer(int signal) const {
  ASSERT_EQ(kill(producer_, signal), 0);
}

CommandResult CommandRunner::AwaitProducer() {
  const int status = WaitFor(std::exchange(producer_, -1));
  close(producer_input_);
  return {.exit_status = status,
          .out = ReadFileOrDie(PathTo("producer.out")),
          .err = ReadFileOrDie(PathTo("producer.err"))};
}

void CommandRunner::KillProducer() {
  ASSERT_EQ(kill(producer_, SIGKILL), 0);
  EndProducer();
}

void CommandRunner::StartConsumer(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"consume"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  StartProgram(command);
}

void CommandRunner::StartProgram(const std::vector<std::string>& arguments) {
  Launch launch = {.command = {ProgramPath("varve")},
                   .input_path = "/dev/null",
                   .output_path = PathTo("consumer.out"),
                   .error_path = PathTo("consumer.err"),
                   .before = nullptr};
  launch.command.insert(launch.command.end(), arguments.begin(),
                        arguments.end());
  WriteFileOrDie(launch.output_path, "");
  consumer_ = Start(launch);
}

std::string CommandRunner::ConsumerOutput() const {
  return ReadFileOrDie(PathTo("consumer.out"));
}

bool CommandRunner::ConsumerHasPrinted() const {
  return std::filesystem::file_size(PathTo("consumer.out")) > 0;
}

void CommandRunner::StopConsumer() const {
  ASSERT_EQ(kill(consumer_, SIGSTOP), 0);
  siginfo_t info = {};
  ASSERT_EQ(
      waitid(P_PID, static_cast<id_t>(consumer_), &info, WSTOPPED | WNOWAIT),
      0);
}

void CommandRunner::ContinueConsumer() const {
  ASSERT_EQ(kill(consumer_, SIGCONT), 0);
}

bool CommandRunner::ConsumerHasEnded() const {
  siginfo_t info = {};
  CHECK_EQ(waitid(P_PID, static_cast<id_t>(consumer_), &info,
                  WEXITED | WNOHANG | WNOWAIT),
           0);
  return info.si_pid == consumer_;
}

void CommandRunner::AwaitConsumerOutput(std::string_view text) const {
  std::string out;
  for (int i = 0; i < 4000; ++i) {
    out = ConsumerOutput();
    if (out == text) return;
    absl::SleepFor(absl::Milliseconds(5));
  }
  FAIL() << "the consumer has printed " << out << ", not " << text;
}

CommandResult CommandRunner::EndConsumer(int signal) {
  if (signal != 0) {
    EXPECT_EQ(kill(consumer_, signal), 0);
  }
  const int status = WaitFor(std::exchange(consumer_, -1));
  return {.exit_status = status,
          .out = ConsumerOutput(),
          .err = ReadFileOrDie(PathTo("consumer.err"))};
}

void CommandRunner::CreateTopic(const std::string& name,
                                const std::vector<std::string>& options) {
  std::vector<std::string> arguments = {"topics", "create", name};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const CommandResult result = Varve(arguments);
  ASSERT_EQ(result.exit_status, 0) << result.err;
}

void CommandRunner::Produce(const std::string& topic, std::string_view lines) {
  const CommandResult result = Varve({"produce", topic}, lines);
  ASSERT_EQ(result.exit_status, 0) << result.err;
}

std::string ReadFileOrDie(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file) << path;
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

void WriteFileOrDie(const std::string& path, std::string_view bytes) {
  // A new file: ext4 syncs one that is cut to nothing and written again.
  unlink(path.c_str());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  CHECK(file.flush()) << path;
}

void FlipBit(const std::string& path, size_t position, int bit) {
  std::string bytes = ReadFileOrDie(path);
  CHECK_LT(position, bytes.size()) << path;
  bytes[position] = static_cast<char>(bytes[position] ^ (1 << bit));
  WriteFileOrDie(path, bytes);
}

std::string SegmentPath(const std::string& partition_directory,
                        const std::string& suffix) {
  return absl::StrCat(partition_directory, "/00000000000000000000", suffix);
}

}  // namespace varve
