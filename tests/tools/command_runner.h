// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_TOOLS_COMMAND_RUNNER_H_
#define VARVE_TESTS_TOOLS_COMMAND_RUNNER_H_

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fixture/scratch_directory.h"

namespace varve {

// The result of a program.
struct CommandResult {
  int exit_status = -1;  // 128 + the signal, if one ended it
  std::string out;
  std::string err;
};

// Runs the real programs of tools/, as a shell would, with a data directory of
// its own in VARVE_DATA.
class CommandRunner {
 public:
  CommandRunner();

  const std::string& data() const { return data_; }
  // A path for a file of the test's own.
  std::string PathTo(const std::string& name) const { return scratch_ / name; }

  // Runs `varve` with these arguments to its end.
  CommandResult Varve(const std::vector<std::string>& arguments,
                      std::string_view input = "");
  // Runs `varve` with `before` called in the child, to set limits or users.
  CommandResult VarveAfter(const std::function<void()>& before,
                           const std::vector<std::string>& arguments,
                           std::string_view input = "");
  // Runs `quickstart`.
  CommandResult Quickstart(const std::vector<std::string>& arguments);

  // Starts `varve produce TOPIC`, and returns when it has the store open and
  // waits for input. `before` is called in the child.
  void StartProducer(const std::string& topic,
                     const std::vector<std::string>& options = {},
                     const std::function<void()>& before = nullptr);
  // More input for it.
  void WriteToProducer(std::string_view lines) const;
  // Ends its input, and returns its exit status.
  int EndProducer();
  // Sends it a signal, and leaves its input open.
  void SignalProducer(int signal) const;
  // Waits for its end after that.
  CommandResult AwaitProducer();

  // Kills it with SIGKILL, as a crash does.
  void KillProducer();

  // Starts `varve consume` with these arguments, and returns at once.
  void StartConsumer(const std::vector<std::string>& arguments);
  // Starts `varve` with any command; its output is read as the consumer's.
  void StartProgram(const std::vector<std::string>& arguments);
  // What it has printed so far.
  std::string ConsumerOutput() const;
  // Whether it has printed anything: does not read it.
  bool ConsumerHasPrinted() const;
  // Whether it has ended by itself.
  bool ConsumerHasEnded() const;
  // Waits until that is `text`, or fails the test.
  void AwaitConsumerOutput(std::string_view text) const;
  // Pauses it, which is done on return, and continues it.
  void StopConsumer() const;
  void ContinueConsumer() const;
  // Sends it a signal, 0 for none, and waits for its end.
  CommandResult EndConsumer(int signal);

  // Creates a topic, or fails the test.
  void CreateTopic(const std::string& name,
                   const std::vector<std::string>& options = {});
  // Produces `lines` to a topic, or fails the test.
  void Produce(const std::string& topic, std::string_view lines);

 private:
  struct Launch {
    std::vector<std::string> command;
    std::string input_path;
    std::string output_path;
    std::string error_path;
    std::function<void()> before;
  };

  CommandResult RunAfter(const std::function<void()>& before,
                         const std::string& program,
                         const std::vector<std::string>& arguments,
                         std::string_view input);
  pid_t Start(const Launch& launch) const;

  ScratchDirectory scratch_;
  std::string data_;
  pid_t producer_ = -1;
  int producer_input_ = -1;
  pid_t consumer_ = -1;
};

std::string ReadFileOrDie(const std::string& path);
void WriteFileOrDie(const std::string& path, std::string_view bytes);

// Changes one bit of one byte.
void FlipBit(const std::string& path, size_t position, int bit);

// The file of a partition's first segment with this suffix, ".log" …
std::string SegmentPath(const std::string& partition_directory,
                        const std::string& suffix);

}  // namespace varve

#endif  // VARVE_TESTS_TOOLS_COMMAND_RUNNER_H_
