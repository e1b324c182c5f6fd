// SPDX-License-Identifier: Apache-2.0

#include "varve/api/compaction/compaction_pass.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/duty/duty_notices.h"
#include "varve/api/partitions/retention_notices.h"
#include "varve/log/compaction/compaction_policy.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_compaction.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

static_assert(OffsetMap::kMemoryBytesMin == 576 &&
                  OffsetMap::kMemoryBytesMax == int64_t{48} << 30,
              "as StoreOptions::compaction_map_bytes says");

bool IsCompacted(const LogConfig& config) {
  return config.cleanup_policy != CleanupPolicy::kDelete;
}

bool CompactionPass::HasWork() const {
  const std::vector<Topic> topics = store_.topics();
  return std::any_of(topics.begin(), topics.end(), [](const Topic& topic) {
    return IsCompacted(topic.config.log);
  });
}

bool CompactionPass::RunDue(const Wait& wait) {
  for (const Topic& topic : store_.topics()) {
    if (IsCompacted(topic.config.log)) OpenUnseen(topic);
  }
  for (const Due& due : Find()) {
    if (!wait(absl::ZeroDuration())) return false;
    const absl::StatusOr<CompactionReport> report = due.log->compaction().Run(
        RequestFor(CompactionRequest::When::kDue, wait));
    if (absl::IsCancelled(report.status())) continue;
    if (!report.ok()) NoteFailed(*due.log, report.status());
  }
  return wait(absl::ZeroDuration());
}

absl::StatusOr<CompactionReport> CompactionPass::RunPartition(
    std::string_view topic, int32_t partition, CompactionRequest::When when,
    const Wait& wait) {
  absl::StatusOr<std::shared_ptr<PartitionLog>> log =
      store_.partitions->Open(topic, partition);
  if (!log.ok()) return log.status();
  return (*log)->compaction().Run(RequestFor(when, wait));
}

void CompactionPass::OpenUnseen(const Topic& topic) {
  for (const int32_t partition : topic.PartitionNumbers()) {
    {
      absl::MutexLock lock(&mu_);
      if (!seen_.emplace(topic.name, partition).second) continue;
    }
    const absl::Status status =
        store_.partitions->Open(topic.name, partition).status();
    if (status.ok()) continue;
    NoteDutyFailure(store_.environment, *store_.meters,
                    absl::StrCat(PartitionDirectoryName(topic.name, partition),
                                 ": compaction"),
                    status);
  }
}

std::vector<CompactionPass::Due> CompactionPass::Find() {
  std::vector<Due> due;
  for (std::shared_ptr<PartitionLog>& log : store_.partitions->opened()) {
    if (!IsCompacted(log->config()) || HasFailedLately(*log)) continue;
    const absl::StatusOr<CompactionDecision> decision =
        log->compaction().Look();
    if (!decision.ok()) {
      // One that was closed or deleted meanwhile is none of ours.
      if (!absl::IsFailedPrecondition(decision.status()) &&
          !absl::IsNotFound(decision.status())) {
        NoteFailed(*log, decision.status());
      }
    } else if (decision->is_due()) {
      due.push_back({.log = std::move(log),
                     .dirty_ratio = decision->range.dirty_ratio()});
    }
  }
  std::stable_sort(due.begin(), due.end(), [](const Due& a, const Due& b) {
    return a.dirty_ratio > b.dirty_ratio;
  });
  return due;
}

CompactionRequest CompactionPass::RequestFor(CompactionRequest::When when,
                                             const Wait& wait) const {
  return {.when = when,
          .map_memory_bytes = store_.map_memory_bytes,
          .pace = {.bytes_per_second = store_.bytes_per_second, .wait = wait}};
}

bool CompactionPass::HasFailedLately(const PartitionLog& log) {
  absl::MutexLock lock(&mu_);
  const auto failed = retry_at_.find(log.path());
  if (failed == retry_at_.end()) return false;
  if (store_.environment.clock->Steady() < failed->second) return true;
  retry_at_.erase(failed);
  return false;
}

void CompactionPass::NoteFailed(const PartitionLog& log,
                                const absl::Status& status) {
  {
    absl::MutexLock lock(&mu_);
    retry_at_[log.path()] = store_.environment.clock->Steady() + kRetryAfter;
  }
  NoteDutyFailure(store_.environment, *store_.meters,
                  absl::StrCat(DirectoryNameOf(log), ": compaction"), status);
}

}  // namespace varve
