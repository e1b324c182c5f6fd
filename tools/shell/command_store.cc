// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/command_store.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "varve/api/log_store.h"
#include "varve/tools/shell/exit_status.h"

namespace varve {
namespace {

std::vector<std::string> LinesOf(const RecoveryReport& report) {
  std::vector<std::string> lines;
  for (const PartitionRecoveryReport& partition : report.partitions) {
    for (const RecoveryFinding& finding : partition.findings)
      lines.push_back(finding.ToString());
    if (partition.more_findings > 0) {
      lines.push_back(absl::StrCat(partition.path, ": and ",
                                   partition.more_findings, " more findings"));
    }
    lines.insert(lines.end(), partition.notes.begin(), partition.notes.end());
  }
  lines.insert(lines.end(), report.notes.begin(), report.notes.end());
  return lines;
}

}  // namespace

CommandStore::CommandStore(std::unique_ptr<LogStore> store)
    : store_(std::move(store)) {
  const RecoveryReport report = store_->recovery_report();
  const std::vector<std::string> lines = LinesOf(report);
  if (lines.empty()) return;
  said_.insert(lines.begin(), lines.end());
  PrintError(absl::StrCat(store_->path(), ": recovered: ", report.ToString()));
}

CommandStore::~CommandStore() {
  if (store_ != nullptr) SayWhatWasFound();
}

void CommandStore::SayWhatWasFound() {
  for (const std::string& line : LinesOf(store_->recovery_report())) {
    if (said_.insert(line).second) PrintError(line);
  }
}

}  // namespace varve
