// SPDX-License-Identifier: Apache-2.0

#include "bench/benchmark_run.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/base/no_destructor.h"
#include "absl/log/check.h"
#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bench/machine_facts.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_directory.h"
#include "benchmark/benchmark.h"

namespace varve::bench {
namespace {

// Memory ordering: relaxed; set before there are other threads.
std::atomic<bool> is_smoke_run = false;

// The program's own options that were given. Set before there are other
// threads.
std::map<std::string, int64_t>& GivenOptions() {
  static absl::NoDestructor<std::map<std::string, int64_t>> given;
  return *given;
}

struct CommandLine {
  std::vector<std::string> arguments;  // for Google Benchmark
  bool is_console = true;
};

// Whether it is one of `names`, with a number: then it is kept.
bool TakeOption(std::string_view argument,
                const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::string_view text = argument;
    int64_t number = 0;
    if (absl::ConsumePrefix(&text, absl::StrCat("--", name, "=")) &&
        absl::SimpleAtoi(text, &number) && number > 0) {
      GivenOptions()[name] = number;
      return true;
    }
  }
  return false;
}

// The defaults come first, so that given options override them.
CommandLine ReadCommandLine(int argc, char** argv,
                            const RunSettings& settings) {
  CommandLine line;
  std::vector<std::string> given;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument == "--smoke") {
      is_smoke_run.store(true, std::memory_order_relaxed);
    } else if (absl::ConsumePrefix(&argument, "--scratch=")) {
      SetScratchParent(std::string(argument));
    } else if (!TakeOption(argument, settings.options)) {
      if (absl::StartsWith(argument, "--benchmark_format="))
        line.is_console = absl::EndsWith(argument, "=console");
      given.emplace_back(argument);
    }
  }
  line.arguments = {argv[0]};
  if (IsSmokeRun()) {
    line.arguments.emplace_back("--benchmark_min_time=0.0001");
  } else {
    line.arguments.emplace_back("--benchmark_min_time=0.1");
    line.arguments.push_back(
        absl::StrCat("--benchmark_repetitions=", settings.repetitions));
    line.arguments.emplace_back("--benchmark_enable_random_interleaving=true");
  }
  line.arguments.insert(line.arguments.end(), given.begin(), given.end());
  return line;
}

// Hands the flags to Google Benchmark; returns false when it did not know them
// all.
bool Initialize(std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, pointers.data());
  return !benchmark::ReportUnrecognizedArguments(count, pointers.data());
}

// The thread that waits for the signals removes the files.
void RemoveFilesWhenInterrupted() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &signals, nullptr), 0);
  std::thread([signals] {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) return;
    RemoveScratchRoot();
    _exit(128 + signal);
  }).detach();
}

void PrintSummary(const RatioReporter& reporter, std::ostream& out) {
  const std::vector<std::string> lines = reporter.Summary();
  if (lines.empty()) return;
  out << "\nRatios of medians"
      << (IsSmokeRun() ? " (a smoke run: they mean nothing)" : "") << ":\n";
  for (const std::string& line : lines) out << "  " << line << '\n';
  out << "Cores, again: " << CorePingText() << '\n';
}

}  // namespace

bool IsSmokeRun() { return is_smoke_run.load(std::memory_order_relaxed); }

int64_t OptionOr(std::string_view name, int64_t full, int64_t smoke) {
  const auto given = GivenOptions().find(std::string(name));
  return given != GivenOptions().end() ? given->second : Scaled(full, smoke);
}

int RunBenchmarks(int argc, char** argv, void (*register_all)(),
                  const std::vector<Ratio>& ratios,
                  const RunSettings& settings) {
  absl::SetMinLogLevel(absl::LogSeverityAtLeast::kWarning);
  absl::InitializeLog();
  CommandLine line = ReadCommandLine(argc, argv, settings);
  if (!Initialize(line.arguments)) return 2;
  RemoveFilesWhenInterrupted();
  for (const MachineFact& fact : FindMachineFacts(ScratchRoot())) {
    benchmark::AddCustomContext(fact.name, fact.value);
  }
  register_all();
  RatioReporter reporter(benchmark::CreateDefaultDisplayReporter(),
                         line.is_console ? RatioReporter::Rows::kMedians
                                         : RatioReporter::Rows::kAll,
                         ratios);
  const size_t run_count = benchmark::RunSpecifiedBenchmarks(&reporter);
  PrintSummary(reporter, line.is_console ? std::cout : std::cerr);
  benchmark::Shutdown();
  RemoveScratchRoot();
  return run_count == 0 ? 1 : 0;
}

}  // namespace varve::bench
