// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/monitor/stat_command.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/read_only_store.h"
#include "varve/tools/monitor/store_stat.h"
#include "varve/tools/monitor/store_stat_text.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/stop_signal.h"
#include "varve/tools/shell/topic_target.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

// The default of watch(1).
constexpr absl::Duration kWatchDefault = absl::Seconds(2);
constexpr DurationRange kWatchRange = {.min = absl::Milliseconds(100),
                                       .max = absl::Hours(24)};

struct StatOptions {
  std::vector<std::string> targets;
  bool include_internal = false;
  bool watch = false;
  std::string watch_seconds;  // as it was typed; empty: the default
  absl::Duration watch_interval = kWatchDefault;
};

absl::StatusOr<std::vector<TopicTarget>> TargetsOf(const StatOptions& options) {
  std::vector<TopicTarget> targets;
  targets.reserve(options.targets.size());
  for (const std::string& text : options.targets) {
    absl::StatusOr<TopicTarget> target = ParseTopicTarget(text);
    if (!target.ok()) return target.status();
    targets.push_back(*std::move(target));
  }
  return targets;
}

// Prints the store as it is now. On a terminal that is watched, replaces the
// previous output; otherwise follows it.
int PrintOnce(const ReadOnlyStore& store, const GlobalOptions& global,
              const StatOptions& options,
              const std::vector<TopicTarget>& targets) {
  const absl::StatusOr<StoreStat> stat =
      CollectStoreStat(store, global, targets,
                       options.include_internal ? InternalTopics::kInclude
                                                : InternalTopics::kExclude);
  if (!stat.ok()) return FailWith(stat.status());
  std::string text = global.json ? ToLine(ToJson(*stat)) + "\n" : ToText(*stat);
  if (options.watch && !global.json) {
    const bool redraws = isatty(STDOUT_FILENO) == 1;
    text = redraws ? absl::StrCat("\033[H\033[2J", text) : text + "\n";
  }
  std::cout << text << std::flush;
  for (const absl::Status& failure : stat->failures)
    PrintError(ErrorText(failure));
  return stat->failures.empty() ? kExitSuccess : kExitFailure;
}

// Prints until a signal comes, or the output has no reader any more.
int Watch(const ReadOnlyStore& store, const GlobalOptions& global,
          const StatOptions& options, const std::vector<TopicTarget>& targets) {
  CatchStopSignals();
  int result = kExitSuccess;
  while (!StopWasRequested() && std::cout.good()) {
    result = PrintOnce(store, global, options, targets);
    const absl::Time next = absl::Now() + options.watch_interval;
    while (!StopWasRequested() && absl::Now() < next) {
      absl::SleepFor(std::min(next - absl::Now(), absl::Milliseconds(50)));
    }
  }
  return result;
}

int Stat(const GlobalOptions& global, StatOptions options) {
  const absl::StatusOr<std::vector<TopicTarget>> targets = TargetsOf(options);
  if (!targets.ok()) return FailWith(targets.status());
  if (!options.watch_seconds.empty()) {
    const absl::StatusOr<absl::Duration> interval =
        ParseSeconds(options.watch_seconds, kWatchRange);
    if (!interval.ok()) {
      return UsageError(absl::StrCat("--watch: ", interval.status().message()));
    }
    options.watch_interval = *interval;
  }
  const auto store = OpenStoreReadOnly(global);
  if (!store.ok()) return FailWith(store.status());
  return options.watch ? Watch(**store, global, options, *targets)
                       : PrintOnce(**store, global, options, *targets);
}

}  // namespace

void AddStatCommand(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<StatOptions>();
  CLI::App* stat = app.add_subcommand(
      "stat", "show offsets, sizes, epochs and times of partitions");
  stat->fallthrough();
  stat->add_option("TARGET", options->targets,
                   "TOPIC or TOPIC:PARTITION; all topics without it")
      ->type_name("");
  stat->add_flag("--include-internal", options->include_internal,
                 "show topics of the store's own too, __consumer_offsets");
  CLI::Option* watch =
      stat->add_option("--watch", options->watch_seconds,
                       "show it again and again, until interrupted: every 2 "
                       "seconds if not said otherwise. Put it behind the "
                       "topics")
          ->expected(0, 1)
          ->default_str("2")
          ->type_name("SECONDS");
  stat->footer(
      "May run beside the writer. LOG START, DURABLE END (a second late at "
      "most) and\n"
      "VISIBLE END are offsets; BATCHES is what the records take, ON DISK the "
      "blocks of\n"
      "all files. UNSYNCED and PINS only the writer knows: they are as of its "
      "last\n"
      "snapshot, and ? when that is older than 30 seconds. COMPRESSION.TYPE is "
      "the config of\n"
      "the topics that do not keep batches as they come. Of topics that are "
      "compacted by\n"
      "key, CLEAN END is where what is compacted ends, and DIRTY RATIO the "
      "part of CLEAN\n"
      "and DIRTY, sealed segments, that is to be compacted: in the background "
      "when it is\n"
      "above min.cleanable.dirty.ratio.\n"
      "Examples:\n"
      "  varve stat\n"
      "  varve stat orders:0 --json\n"
      "  varve stat orders --watch 5");
  stat->callback([&line, options, watch] {
    options->watch = watch->count() > 0;
    line.run = [&line, options] { return Stat(line.global, *options); };
  });
}

}  // namespace varve
