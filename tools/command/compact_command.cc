// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/compact_command.h"

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
#include "absl/strings/str_format.h"
#include "varve/api/compaction/topic_compaction.h"
#include "varve/api/duty/maintenance_pause.h"
#include "varve/api/log_store.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/log_config.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/progress_meter.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/text_table.h"

namespace varve {
namespace {

struct CompactArguments {
  std::vector<std::string> topics;
  bool due = false;
  bool dry_run = false;
};

// What one topic's partitions have come to, by their numbers.
struct CompactedTopic {
  std::string topic;
  std::vector<PartitionCompacted> partitions;
};

// Adds what another call has done to the same partitions.
void Add(const std::vector<PartitionCompacted>& more,
         std::vector<PartitionCompacted>& all) {
  for (size_t i = 0; i < std::min(more.size(), all.size()); ++i) {
    if (!more[i].compacted) continue;
    all[i].bytes_before += more[i].bytes_before;
    all[i].bytes_after += more[i].bytes_after;
    all[i].records_removed += more[i].records_removed;
    all[i].clean_end = more[i].clean_end;
  }
}

bool HasMore(const std::vector<PartitionCompacted>& partitions) {
  return std::any_of(
      partitions.begin(), partitions.end(),
      [](const PartitionCompacted& partition) { return partition.has_more; });
}

// Compacts a topic as far as it goes: with more keys than the map has room for
// that takes several calls.
//
// Errors: those of LogStore::CompactTopic.
absl::StatusOr<CompactedTopic> Compact(LogStore& store,
                                       const std::string& topic,
                                       const CompactArguments& arguments) {
  ProgressMeter meter;
  const CompactOptions options = {
      .when = arguments.due ? CompactWhen::kDue : CompactWhen::kDirty,
      .dry_run = arguments.dry_run,
      .progress = [&](const CompactProgress& progress) {
        if (!meter.IsDue()) return;
        meter.Show(absl::StrCat(topic, ", partition ", progress.partition, ": ",
                                HumanBytes(progress.bytes_read), " of ",
                                HumanBytes(progress.bytes_to_read)));
      }};
  auto compacted = store.CompactTopic(topic, options);
  if (!compacted.ok()) return compacted.status();
  CompactedTopic all = {.topic = topic, .partitions = *compacted};
  while (!arguments.dry_run && HasMore(*compacted)) {
    compacted = store.CompactTopic(topic, options);
    if (!compacted.ok()) return compacted.status();
    Add(*compacted, all.partitions);
  }
  return all;
}

// The topics that are compacted, of the store's own, too.
std::vector<std::string> CompactedTopics(const LogStore& store) {
  std::vector<std::string> topics;
  for (const TopicDescription& topic : store.ListTopics()) {
    if (topic.config.log.cleanup_policy != CleanupPolicy::kDelete)
      topics.push_back(topic.name);
  }
  return topics;
}

Json ToJson(const std::string& topic, const PartitionCompacted& partition) {
  return {{"topic", topic},
          {"partition", partition.partition},
          {"dirty_ratio", partition.dirty_ratio},
          {"was_due", partition.was_due},
          {"compacted", partition.compacted},
          {"bytes_before", partition.bytes_before},
          {"bytes_after", partition.bytes_after},
          {"records_removed", partition.records_removed}};
}

void Print(const GlobalOptions& global, const std::vector<CompactedTopic>& done,
           bool dry_run) {
  if (done.empty() && !global.json) {
    std::cout << "no topic is compacted: none has cleanup.policy=compact\n";
    return;
  }
  TextTable table({{.title = "TOPIC"},
                   {.title = "PARTITION", .align = Align::kRight},
                   {.title = "DIRTY RATIO", .align = Align::kRight},
                   {.title = "DUE"},
                   {.title = "BEFORE", .align = Align::kRight},
                   {.title = "AFTER", .align = Align::kRight},
                   {.title = "REMOVED", .align = Align::kRight}});
  Json list = Json::array();
  int64_t records = 0;
  int64_t freed_bytes = 0;
  bool any = false;
  for (const auto& [topic, partitions] : done) {
    for (const PartitionCompacted& partition : partitions) {
      any = any || partition.compacted;
      records += partition.records_removed;
      freed_bytes += partition.bytes_before - partition.bytes_after;
      table.AddRow({topic, absl::StrCat(partition.partition),
                    absl::StrFormat("%.2f", partition.dirty_ratio),
                    partition.was_due ? "yes" : "no",
                    HumanBytes(partition.bytes_before),
                    HumanBytes(partition.bytes_after),
                    HumanCount(partition.records_removed)});
      list.push_back(ToJson(topic, partition));
    }
  }
  if (global.json) {
    std::cout << ToLine({{"dry_run", dry_run},
                         {"records_removed", records},
                         {"freed_bytes", freed_bytes},
                         {"partitions", std::move(list)}})
              << "\n";
    return;
  }
  std::cout << table.ToString()
            << absl::StrCat(
                   dry_run ? "would remove " : "removed ",
                   CountOf(records, "record"),
                   dry_run ? ", and free " : ", and freed ",
                   HumanBytes(std::max(freed_bytes, int64_t{0})), "\n",
                   any ? ""
                       : "Only sealed segments are compacted: segment.bytes "
                         "and segment.ms say when one is.\n");
}

int CompactStore(const GlobalOptions& global,
                 const CompactArguments& arguments) {
  auto store =
      OpenStoreToChange(global, {.what = "what the log of a topic keeps",
                                 .function = "LogStore::CompactTopic"});
  if (!store.ok()) return FailWith(store.status());
  // Nothing else is to go meanwhile, nor at the close.
  MaintenancePause pause;
  if (arguments.dry_run) pause = (*store)->PauseMaintenance();
  const std::vector<std::string> topics =
      arguments.topics.empty() ? CompactedTopics(**store) : arguments.topics;
  std::vector<CompactedTopic> done;
  absl::Status status;
  for (const std::string& topic : topics) {
    absl::StatusOr<CompactedTopic> compacted =
        Compact(**store, topic, arguments);
    status = compacted.status();
    if (!status.ok()) break;
    done.push_back(*std::move(compacted));
  }
  // With the pause: without it a close deletes and compacts what is due.
  status.Update((*store)->Close());
  // What is done is said, whatever came after it.
  if (status.ok() || !done.empty()) Print(global, done, arguments.dry_run);
  return status.ok() ? kExitSuccess : FailWith(status);
}

}  // namespace

void AddCompactCommand(CLI::App& app, CommandLine& line) {
  auto arguments = std::make_shared<CompactArguments>();
  CLI::App* compact = app.add_subcommand(
      "compact", "keep the last record of each key, in compacted topics");
  compact->fallthrough();
  compact
      ->add_option("TOPIC", arguments->topics,
                   "topics with cleanup.policy=compact or compact,delete; all "
                   "of them without it")
      ->type_name("");
  compact->add_flag("--dry-run", arguments->dry_run,
                    "show how much would go, and change nothing");
  compact->add_flag("--due", arguments->due,
                    "only partitions that the background would compact, too");
  compact->footer(
      "The background of a program that has the store open does this by "
      "itself, when more\n"
      "of a partition than min.cleanable.dirty.ratio is dirty: not compacted "
      "yet. \"varve stat\"\n"
      "shows that beside the program. Only sealed segments are compacted. "
      "BEFORE and AFTER\n"
      "are the bytes of the segments that are written again; offsets stay. A "
      "record without\n"
      "a value removes its key, and goes itself delete.retention.ms after the "
      "compaction that\n"
      "first found it to be the last of its key.\n"
      "Needs the store for itself. It may be interrupted: what is done stays.\n"
      "Examples:\n"
      "  varve compact --dry-run\n"
      "  varve compact accounts");
  compact->callback([&line, arguments] {
    line.run = [&line, arguments] {
      return CompactStore(line.global, *arguments);
    };
  });
}

}  // namespace varve
