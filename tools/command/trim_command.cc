// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/trim_command.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/read_bounds.h"
#include "varve/api/read_only_store.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/topic_name.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/tools/command/freed_files.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/confirmation.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/offset_spec.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/text_table.h"
#include "varve/tools/shell/topic_target.h"

namespace varve {
namespace {

struct TrimOptions {
  std::string target;
  std::string before;
  bool dry_run = false;
  bool yes = false;
};

// What a trim does in one partition.
struct Trim {
  int32_t partition = 0;
  int64_t log_start = 0;
  int64_t new_start = 0;
  int64_t log_end = 0;
  FreedFiles files;         // that go
  int64_t freed_bytes = 0;  // of them

  int64_t records() const { return new_start - log_start; }
};

// What to trim of a partition, a Partition or a ReadOnlyPartition.
//
// Errors: OutOfRange for an offset past the log's end; those of the partition;
// file errors.
template <typename AnyPartition>
absl::StatusOr<Trim> PlanTrim(const AnyPartition& partition,
                              const OffsetSpec& before,
                              const GlobalOptions& global) {
  const absl::StatusOr<int64_t> offset = before.FindIn(partition);
  if (!offset.ok()) return offset.status();
  const absl::StatusOr<ReadBounds> bounds = BoundsOf(partition);
  if (!bounds.ok()) return bounds.status();
  if (*offset > bounds->visible_end) {
    return absl::OutOfRangeError(absl::StrCat(
        partition.topic(), ", partition ", partition.index(), ": offset ",
        *offset, " is past the end, ", bounds->visible_end));
  }
  const int64_t new_start = std::max(*offset, bounds->log_start);
  absl::StatusOr<FreedFiles> files = FreedFiles::Before(
      new_start, {.topic = partition.topic(), .partition = partition.index()},
      global.data);
  if (!files.ok()) return files.status();
  const absl::StatusOr<int64_t> size = files->Size();
  if (!size.ok()) return size.status();
  return Trim{.partition = partition.index(),
              .log_start = bounds->log_start,
              .new_start = new_start,
              .log_end = bounds->visible_end,
              .files = *std::move(files),
              .freed_bytes = *size};
}

// The same for all partitions that are meant, of a LogStore or a ReadOnlyStore.
template <typename AnyStore>
absl::StatusOr<std::vector<Trim>> PlanTrims(AnyStore& store,
                                            const TopicTarget& target,
                                            const OffsetSpec& before,
                                            const GlobalOptions& global) {
  const absl::StatusOr<TopicDescription> topic =
      store.DescribeTopic(target.topic);
  if (!topic.ok()) return topic.status();
  if (IsInternalTopicName(target.topic)) {
    return absl::InvalidArgumentError(absl::StrCat(
        target.topic, " is the store's own: it keeps that one short itself"));
  }
  absl::Status status = before.CheckPartition(*topic, target.partition);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--before: ", status.message(), "; say TOPIC:PARTITION"));
  }
  const int32_t first = target.partition.value_or(0);
  const int32_t last = target.partition.value_or(topic->config.partitions - 1);
  std::vector<Trim> trims;
  for (int32_t i = first; i <= last; ++i) {
    const auto partition = store.partition(target.topic, i);
    if (!partition.ok()) return partition.status();
    absl::StatusOr<Trim> trim = PlanTrim(*partition, before, global);
    if (!trim.ok()) return trim.status();
    trims.push_back(*std::move(trim));
  }
  return trims;
}

// Asks whether the records are to go, unless none would. Errors: those of
// Confirmation::Ask.
absl::Status Ask(const std::string& topic, const std::vector<Trim>& trims,
                 const Confirmation& confirmation) {
  int64_t going = 0;
  int64_t all = 0;
  for (const Trim& trim : trims) {
    going += trim.records();
    all += trim.log_end - trim.log_start;
  }
  if (going == 0) return absl::OkStatus();
  return confirmation.Ask(absl::StrCat(
      "trim ", topic, ": ", HumanCount(going), " of ", CountOf(all, "record"),
      " in ", CountOf(std::ssize(trims), "partition")));
}

// Trims, and notes what is gone by then. Errors: those of
// Partition::TrimBefore.
absl::Status Run(LogStore& store, const std::string& topic, Trim& trim) {
  absl::StatusOr<Partition> partition = store.partition(topic, trim.partition);
  if (!partition.ok()) return partition.status();
  absl::Status status = partition->TrimBefore(trim.new_start);
  if (!status.ok()) return status;
  const absl::StatusOr<int64_t> left = trim.files.Size();
  if (!left.ok()) return left.status();
  trim.freed_bytes = std::max(trim.freed_bytes - *left, int64_t{0});
  return absl::OkStatus();
}

void Print(const GlobalOptions& global, const std::string& topic,
           const std::vector<Trim>& trims, bool dry_run) {
  TextTable table({{.title = "TOPIC"},
                   {.title = "PARTITION", .align = Align::kRight},
                   {.title = "START", .align = Align::kRight},
                   {.title = "NEW START", .align = Align::kRight},
                   {.title = "END", .align = Align::kRight},
                   {.title = "RECORDS", .align = Align::kRight},
                   {.title = "FREED", .align = Align::kRight}});
  Json list = Json::array();
  int64_t records = 0;
  int64_t freed_bytes = 0;
  for (const Trim& trim : trims) {
    records += trim.records();
    freed_bytes += trim.freed_bytes;
    table.AddRow({topic, absl::StrCat(trim.partition),
                  absl::StrCat(trim.log_start), absl::StrCat(trim.new_start),
                  absl::StrCat(trim.log_end), HumanCount(trim.records()),
                  HumanBytes(trim.freed_bytes)});
    list.push_back({{"partition", trim.partition},
                    {"log_start", trim.log_start},
                    {"new_log_start", trim.new_start},
                    {"log_end", trim.log_end},
                    {"records", trim.records()},
                    {"freed_bytes", trim.freed_bytes}});
  }
  if (global.json) {
    std::cout << ToLine({{"topic", topic},
                         {"dry_run", dry_run},
                         {"records", records},
                         {"freed_bytes", freed_bytes},
                         {"partitions", std::move(list)}})
              << "\n";
    return;
  }
  std::cout << table.ToString()
            << absl::StrCat(dry_run ? "would trim " : "trimmed ",
                            CountOf(records, "record"),
                            dry_run ? ", and free " : ", and freed ",
                            HumanBytes(freed_bytes), "\n");
}

int DryRun(const GlobalOptions& global, const TopicTarget& target,
           const OffsetSpec& before) {
  auto store = OpenStoreReadOnly(global);
  if (!store.ok()) return FailWith(store.status());
  const absl::StatusOr<std::vector<Trim>> trims =
      PlanTrims(**store, target, before, global);
  if (!trims.ok()) return FailWith(trims.status());
  Print(global, target.topic, *trims, /*dry_run=*/true);
  return kExitSuccess;
}

int TrimStore(const GlobalOptions& global, const TopicTarget& target,
              const OffsetSpec& before, const Confirmation& confirmation) {
  auto store = OpenStoreToChange(global, {.what = "where a log starts",
                                          .function = "Partition::TrimBefore"});
  if (!store.ok()) return FailWith(store.status());
  absl::StatusOr<std::vector<Trim>> trims =
      PlanTrims(**store, target, before, global);
  if (!trims.ok()) return FailWith(trims.status());
  absl::Status status;
  if (confirmation.asks()) status = Ask(target.topic, *trims, confirmation);
  if (!status.ok()) return FailWith(status);
  std::vector<Trim> done;
  for (Trim& trim : *trims) {
    status = Run(**store, target.topic, trim);
    if (!status.ok()) break;
    done.push_back(std::move(trim));
  }
  status.Update((*store)->Close());
  // What is gone is said, whatever came after it.
  if (!done.empty()) Print(global, target.topic, done, /*dry_run=*/false);
  return status.ok() ? kExitSuccess : FailWith(status);
}

int TrimTopic(const GlobalOptions& global, const TrimOptions& options) {
  const absl::StatusOr<TopicTarget> target = ParseTopicTarget(options.target);
  if (!target.ok()) return UsageError(target.status().message());
  const absl::StatusOr<OffsetSpec> before =
      OffsetSpec::Parse(options.before, absl::Now());
  if (!before.ok()) {
    return UsageError(absl::StrCat("--before ", before.status().message()));
  }
  if (options.dry_run) return DryRun(global, *target, *before);
  const absl::StatusOr<Confirmation> confirmation =
      Confirmation::Prepare(absl::StrCat("trim ", target->topic), options.yes);
  if (!confirmation.ok()) return FailWith(confirmation.status());
  return TrimStore(global, *target, *before, *confirmation);
}

}  // namespace

void AddTrimCommand(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<TrimOptions>();
  CLI::App* trim =
      app.add_subcommand("trim", "delete the first records of a topic");
  trim->fallthrough();
  trim->add_option("TARGET", options->target,
                   "TOPIC, or TOPIC:PARTITION for one partition alone")
      ->required()
      ->type_name("");
  trim->add_option("--before", options->before,
                   "the first record that stays: an offset, @TIME, -N for the "
                   "last N, or latest for none")
      ->required()
      ->type_name("OFFSET");
  trim->add_flag("--dry-run", options->dry_run,
                 "show how much would go, and change nothing; may run beside a "
                 "writer");
  trim->add_flag("--yes", options->yes, "do not ask");
  trim->footer(
      "RECORDS counts offsets. Records are gone for readers at once; the disk "
      "is freed a\n"
      "segment file at a time, so that FREED may be 0 B, and more comes with "
      "later trims.\n"
      "Needs the store for itself, but for --dry-run. Asks on a terminal, and "
      "wants --yes\n"
      "elsewhere.\n"
      "-7 keeps the last seven records of each partition, and @-7d those of "
      "the "
      "last seven\n"
      "days: the first one of that time, and all after it. \"varve consume "
      "--help\" has the\n"
      "forms of @TIME.\n"
      "Examples:\n"
      "  varve trim orders --before @-7d --dry-run\n"
      "  varve trim orders:0 --before 100000 --yes");
  trim->callback([&line, options] {
    line.run = [&line, options] { return TrimTopic(line.global, *options); };
  });
}

}  // namespace varve
