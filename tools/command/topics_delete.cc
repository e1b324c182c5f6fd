// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/topics_delete.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "varve/api/log_store.h"
#include "varve/api/unfinished_deletion.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/confirmation.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/record_json.h"

namespace varve {
namespace {

struct DeleteOptions {
  std::string name;
  bool yes = false;
};

// The offsets of all partitions; those of one that cannot be opened are not
// counted.
int64_t OffsetCount(LogStore& store, const TopicDescription& topic) {
  int64_t count = 0;
  for (int32_t i = 0; i < topic.config.partitions; ++i) {
    absl::StatusOr<Partition> partition = store.partition(topic.name, i);
    if (partition.ok())
      count += partition->visible_end() - partition->log_start();
  }
  return count;
}

// Errors: NotFound; those of Confirmation::Ask.
absl::Status Ask(LogStore& store, const std::string& name,
                 const Confirmation& confirmation) {
  const absl::StatusOr<TopicDescription> topic = store.DescribeTopic(name);
  if (!topic.ok()) return topic.status();
  return confirmation.Ask(absl::StrCat(
      "delete ", name, " with ", CountOf(topic->config.partitions, "partition"),
      " and ", CountOf(OffsetCount(store, *topic), "record")));
}

absl::Status DeleteIn(LogStore& store, const std::string& name,
                      const Confirmation& confirmation) {
  if (confirmation.asks()) {
    absl::Status status = Ask(store, name, confirmation);
    if (!status.ok()) return status;
  }
  return store.DeleteTopic(name);
}

// The parts of the topic that could not be removed, for a person and for a
// machine.
std::vector<std::string> StillDue(const LogStore& store,
                                  const std::string& name) {
  std::vector<std::string> due;
  for (const UnfinishedDeletion& deletion : store.UnfinishedDeletions()) {
    if (deletion.topic != name) continue;
    if (deletion.has_directories) due.push_back("directories");
    if (deletion.has_offsets) due.push_back("committed offsets");
  }
  return due;
}

void TellDeleted(const GlobalOptions& global, const std::string& name,
                 const std::vector<std::string>& due) {
  if (global.json) {
    Json deleted = {{"deleted", name}};
    if (!due.empty()) deleted["still_due"] = due;
    std::cout << ToLine(deleted) << "\n";
    return;
  }
  std::cout << "deleted " << name << "\n";
  if (due.empty()) return;
  std::cerr << "varve: " << name << ": its " << absl::StrJoin(due, " and ")
            << " could not be removed yet: whatever opens the store next does "
               "it; a new topic of this name is not touched by them\n";
}

int Delete(const GlobalOptions& global, const DeleteOptions& options) {
  const absl::StatusOr<Confirmation> confirmation =
      Confirmation::Prepare(absl::StrCat("delete ", options.name), options.yes);
  if (!confirmation.ok()) return FailWith(confirmation.status());
  auto store = OpenStoreToChange(global, {.what = "the list of topics",
                                          .function = "LogStore::DeleteTopic"});
  if (!store.ok()) return FailWith(store.status());
  absl::Status status = DeleteIn(**store, options.name, *confirmation);
  status.Update((*store)->Close());
  if (!status.ok()) return FailWith(status);
  TellDeleted(global, options.name, StillDue(**store, options.name));
  return kExitSuccess;
}

}  // namespace

void AddTopicsDelete(CLI::App& topics, CommandLine& line) {
  auto options = std::make_shared<DeleteOptions>();
  CLI::App* command =
      topics.add_subcommand("delete", "delete a topic and its records");
  command->fallthrough();
  command->add_option("NAME", options->name, "the topic")->required();
  command->add_flag("--yes", options->yes, "do not ask");
  command->callback([&line, options] {
    line.run = [&line, options] { return Delete(line.global, *options); };
  });
}

}  // namespace varve
