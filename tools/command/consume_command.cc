// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/consume_command.h"

#include <unistd.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/read_options.h"
#include "varve/tools/command/group_consumer.h"
#include "varve/tools/command/topic_consumer.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/offset_spec.h"
#include "varve/tools/shell/record_format.h"
#include "varve/tools/shell/record_printer.h"
#include "varve/tools/shell/stop_signal.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

struct ConsumeOptions {
  std::string topic;
  std::optional<int32_t> partition;  // none: all
  std::string offset = "earliest";
  std::optional<std::string> until;
  int64_t count = std::numeric_limits<int64_t>::max();
  std::string format = "%s\\n";
  std::optional<std::string> reset;
  std::string isolation_level = "read_uncommitted";
  bool follow = false;
  std::optional<std::string> group;
  absl::Duration commit_interval = absl::Seconds(5);
};

// The meaning of the options.
struct Plan {
  OffsetSpec start;
  std::optional<OffsetSpec> until;
  std::optional<RecordFormat> format;  // none: JSON
  Isolation isolation = Isolation::kReadUncommitted;
  OffsetReset reset_at_start = OffsetReset::kNone;
  OffsetReset reset_later = OffsetReset::kEarliest;
};

// The value of `option`. Errors: InvalidArgument, with the option.
absl::StatusOr<OffsetSpec> ParseOffset(std::string_view option,
                                       const std::string& text) {
  absl::StatusOr<OffsetSpec> spec = OffsetSpec::Parse(text, absl::Now());
  if (spec.ok()) return spec;
  return absl::InvalidArgumentError(
      absl::StrCat(option, " ", spec.status().message()));
}

absl::StatusOr<Plan> MakePlan(const GlobalOptions& global,
                              const ConsumeOptions& options) {
  Plan plan;
  absl::StatusOr<OffsetSpec> start = ParseOffset("--offset", options.offset);
  if (!start.ok()) return start.status();
  plan.start = *start;
  if (options.until.has_value()) {
    absl::StatusOr<OffsetSpec> until = ParseOffset("--until", *options.until);
    if (!until.ok()) return until.status();
    plan.until = *until;
  }
  if (!global.json) {
    absl::StatusOr<RecordFormat> format = RecordFormat::Parse(options.format);
    if (!format.ok()) return format.status();
    plan.format = *std::move(format);
  }
  if (options.isolation_level == "read_committed")
    plan.isolation = Isolation::kReadCommitted;
  if (options.reset.has_value()) {
    absl::StatusOr<OffsetReset> reset = ParseOffsetReset(*options.reset);
    if (!reset.ok()) return reset.status();
    plan.reset_at_start = *reset;
    plan.reset_later = *reset;
  }
  return plan;
}

// An offset means something in one partition only.
absl::Status CheckOffsets(const absl::StatusOr<TopicDescription>& topic,
                          const Plan& plan, const ConsumeOptions& options) {
  if (!topic.ok()) return topic.status();
  absl::Status status = plan.start.CheckPartition(*topic, options.partition);
  if (status.ok() && plan.until.has_value()) {
    status = plan.until->CheckPartition(*topic, options.partition);
  }
  if (status.ok()) return status;
  return absl::InvalidArgumentError(
      absl::StrCat(status.message(), "; say --partition N too"));
}

absl::Status ConsumeFrom(const ReadOnlyStore& store, const Plan& plan,
                         const ConsumeOptions& options) {
  if (absl::Status status =
          CheckOffsets(store.DescribeTopic(options.topic), plan, options);
      !status.ok()) {
    return status;
  }
  RecordPrinter printer(STDOUT_FILENO, plan.format, options.count);
  TopicConsumer consumer(&store,
                         {.topic = options.topic,
                          .partition = options.partition,
                          .start =
                              [&plan](const ReadOnlyPartition& partition) {
                                return plan.start.FindIn(partition,
                                                         plan.isolation);
                              },
                          .until = plan.until,
                          .isolation = plan.isolation,
                          .reset_at_start = plan.reset_at_start,
                          .reset_later = plan.reset_later},
                         &printer);
  if (absl::Status status = consumer.Open(); !status.ok()) return status;
  absl::Status status =
      options.follow ? consumer.Follow() : consumer.ConsumeToEnd();
  if (!absl::IsCancelled(status)) status.Update(printer.Flush());
  return status;
}

// A group commits, so it needs the writer's lock.
int ConsumeAsGroup(const GlobalOptions& global, const ConsumeOptions& options,
                   const Plan& plan) {
  auto store = OpenStoreToChange(
      global,
      {.what = "a group's offsets", .function = "LogStore::CommitOffsets"});
  if (!store.ok()) return FailWith(store.status());
  // A signal ends the loop: printed records are committed, the store is closed.
  CatchStopSignals();
  if (absl::Status status =
          CheckOffsets((*store)->DescribeTopic(options.topic), plan, options);
      !status.ok()) {
    return FailWith(status);
  }
  RecordPrinter printer(STDOUT_FILENO, plan.format, options.count);
  GroupConsumer consumer(
      &**store,
      {.topic = options.topic,
       .partition = options.partition,
       .group = *options.group,
       .until = plan.until,
       .isolation = plan.isolation,
       .reset = options.reset.has_value() ? plan.reset_later
                                          : OffsetReset::kEarliest,
       .commit_interval = options.commit_interval},
      &printer);
  absl::Status status = consumer.Run();
  // The reader of the output has seen enough.
  if (absl::IsCancelled(status)) status = absl::OkStatus();
  status.Update((*store)->Close());
  if (!status.ok()) return FailWith(status);
  return StopWasRequested() ? ExitStatusOf(StopSignal()) : kExitSuccess;
}

int Consume(const GlobalOptions& global, const ConsumeOptions& options) {
  absl::StatusOr<Plan> plan = MakePlan(global, options);
  if (!plan.ok()) return UsageError(plan.status().message());
  if (options.group.has_value()) return ConsumeAsGroup(global, options, *plan);
  auto store = OpenStoreReadOnly(global);
  if (!store.ok()) return FailWith(store.status());
  if (options.follow) CatchStopSignals();
  absl::Status status = ConsumeFrom(**store, *plan, options);
  // The reader of the output has seen enough.
  if (status.ok() || absl::IsCancelled(status)) return kExitSuccess;
  return FailWith(status);
}

// Which records are printed. Returns `--offset`.
CLI::Option* AddRangeOptions(CLI::App& consume,
                             const std::shared_ptr<ConsumeOptions>& options) {
  AddNumber32(
      consume, "--partition",
      [options](int32_t number) { options->partition = number; },
      "of this one alone (all, one after another)");
  CLI::Option* offset =
      consume
          .add_option(
              "--offset", options->offset,
              "where to begin: a number; -N, the last N of each partition; "
              "@TIME; earliest or latest")
          ->capture_default_str()
          ->type_name("OFFSET");
  consume
      .add_option("--until", options->until,
                  "where to stop, before that record: a number, -N, @TIME, or "
                  "end, which is where the log ends now")
      ->type_name("OFFSET");
  AddWholeNumber(
      consume, "--count", 0, std::numeric_limits<int64_t>::max(),
      [options](int64_t count) { options->count = count; },
      "records at most (all)");
  return offset;
}

}  // namespace

void AddConsumeCommand(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<ConsumeOptions>();
  CLI::App* consume =
      app.add_subcommand("consume", "print the records of a topic");
  consume->fallthrough();
  consume->add_option("TOPIC", options->topic, "what to read")->required();
  CLI::Option* offset = AddRangeOptions(*consume, options);
  CLI::Option* follow =
      consume->add_flag("-f,--follow", options->follow,
                        "go on at the end, with what comes, until interrupted");
  consume
      ->add_option("--reset", options->reset,
                   "when the next record is not there (any more): go on at the "
                   "earliest or latest one, or none: fail. Default: none for "
                   "--offset, earliest for records deleted meanwhile")
      ->type_name("POLICY");
  consume
      ->add_option("--isolation-level", options->isolation_level,
                   "which records of transactions to print: all, or those of "
                   "committed ones alone, up to the first that is open")
      ->check(CLI::IsMember({"read_uncommitted", "read_committed"}))
      ->capture_default_str();
  CLI::Option* group =
      consume
          ->add_option("--group", options->group,
                       "go on where this consumer group was, and commit how "
                       "far it came; not beside another writer")
          ->excludes(offset)
          ->excludes(follow)
          ->type_name("NAME");
  AddSeconds(
      *consume, "--commit-interval",
      {.min = absl::ZeroDuration(), .max = absl::Hours(24)},
      [options](absl::Duration time) { options->commit_interval = time; },
      "how often to commit meanwhile")
      ->default_str("5")
      ->needs(group);
  consume->add_option("--format", options->format, "how to print a record")
      ->capture_default_str();
  consume->footer(
      "It reads beside the program that writes, if there is one, and stops at "
      "the end of\n"
      "the log unless it follows; then it takes the partitions in turns.\n"
      "@TIME is the first record of that time or later: @2026-11-20T10:00:00Z "
      "or a date,\n"
      "@2026-11-20, in UTC unless a zone is said; milliseconds since 1970, "
      "@1795168800000;\n"
      "or ago, @-90s @-2h30m @-7d, in ms s m h d w.\n"
      "Format: %s value, %k key, %o offset, %p partition, %t topic, %T "
      "timestamp in ms,\n"
      "  %h headers, %S and %K sizes of value and key (-1 for null), %% a "
      "percent sign;\n"
      "  \\n \\t \\r \\\\ \\xNN. --json prints one object a line instead.\n"
      "Examples:\n"
      "  varve consume orders --partition 0 --offset 1000 --count 10\n"
      "  varve consume orders --offset @-1h --format '%p %o %k: %s\\n'\n"
      "  varve consume orders --offset @2026-11-20 --until @2026-11-21\n"
      "  varve consume orders --offset -10 --follow\n"
      "  varve consume orders --group billing --count 100");
  consume->callback([&line, options] {
    line.run = [&line, options] { return Consume(line.global, *options); };
  });
}

}  // namespace varve
