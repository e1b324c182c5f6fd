// SPDX-License-Identifier: Apache-2.0

#include "varve/api/compaction/compaction_pass.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
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
#include "varve/api/compaction/compaction_meters.h"
#include "varve/api/duty/duty_notices.h"
#include "varve/api/partitions/retention_notices.h"
#include "varve/log/compaction/cleanable_range.h"
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

bool CompactionPass::NoteSegmentBegun(const PartitionLog& log) {
  if (!IsCompacted(log.config())) return false;
  segment_begun_.store(true, std::memory_order_relaxed);
  return true;
}

bool CompactionPass::RunDue(const Wait& wait) {
  for (const Topic& topic : store_.topics()) {
    if (IsCompacted(topic.config.log)) OpenUnseen(topic);
  }
  for (const Due& due : Find()) {
    if (!wait(absl::ZeroDuration())) return false;
    RunOn(*due.log, wait);
  }
  return wait(absl::ZeroDuration());
}

void CompactionPass::RunSmall() {
  int64_t bytes_left = kSmallBytes;
  for (const Due& due : Find()) {
    if (due.bytes_to_read > bytes_left) continue;
    bytes_left -= due.bytes_to_read;
    RunOn(*due.log, nullptr);
  }
}

// `wait` may be null: the compaction neither waits nor is stopped.
void CompactionPass::RunOn(PartitionLog& log, const Wait& wait) {
  const absl::Status status = Run(log, {.pace = {.wait = wait}}).status();
  if (!status.ok() && !absl::IsCancelled(status)) NoteFailed(log, status);
}

absl::StatusOr<CompactionReport> CompactionPass::RunPartition(
    std::string_view topic, int32_t partition, CompactionRequest request) {
  absl::StatusOr<std::shared_ptr<PartitionLog>> log =
      store_.partitions->Open(topic, partition);
  if (!log.ok()) return log.status();
  return Run(**log, std::move(request));
}

absl::Status CompactionPass::CheckPins() const {
  if (store_.pinned_deleted_bytes_max < 0) return absl::OkStatus();
  const int64_t held = store_.pinned_deleted_bytes();
  if (held <= store_.pinned_deleted_bytes_max) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "views hold ", held,
      " bytes of deleted segments, and pinned_deleted_bytes_max is ",
      store_.pinned_deleted_bytes_max, ": drop views that are done with"));
}

absl::StatusOr<CompactionReport> CompactionPass::Run(
    PartitionLog& log, CompactionRequest request) {
  if (request.effect == CompactionRequest::Effect::kReplace) {
    if (absl::Status status = CheckPins(); !status.ok()) return status;
  }
  request.map_memory_bytes = store_.map_memory_bytes;
  request.pace.bytes_per_second = store_.bytes_per_second;
  const absl::Time begin = store_.environment.clock->Steady();
  absl::StatusOr<CompactionReport> report = log.compaction().Run(request);
  if (report.ok() && report->result.has_value() &&
      request.effect == CompactionRequest::Effect::kReplace) {
    meters_.Note(*report, store_.environment.clock->Steady() - begin);
  }
  return report;
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

// Seals the active segment first, if it is time.
absl::StatusOr<CompactionDecision> CompactionPass::Look(PartitionLog& log) {
  absl::StatusOr<CompactionDecision> decision = log.compaction().Look();
  if (!decision.ok() || !decision->seals) return decision;
  absl::Status status = log.Roll();
  // Before that its files are not compacted.
  if (status.ok()) status = log.Sync();
  if (!status.ok()) return status;
  return log.compaction().Look();
}

std::vector<CompactionPass::Due> CompactionPass::Find() {
  std::vector<Due> due;
  CompactionMeters::Found found;
  for (std::shared_ptr<PartitionLog>& log : store_.partitions->opened()) {
    if (!IsCompacted(log->config())) continue;
    if (HasFailedLately(*log)) {
      ++found.failing_partitions;
      continue;
    }
    const absl::StatusOr<CompactionDecision> decision = Look(*log);
    if (!decision.ok()) {
      // One that was closed or deleted meanwhile is none of ours.
      if (!absl::IsFailedPrecondition(decision.status()) &&
          !absl::IsNotFound(decision.status())) {
        NoteFailed(*log, decision.status());
        ++found.failing_partitions;
      }
      continue;
    }
    const CleanableRange& range = decision->range;
    found.dirty_ratio_max =
        std::max(found.dirty_ratio_max, range.dirty_ratio());
    if (!decision->is_due()) continue;
    due.push_back(
        {.log = std::move(log),
         .dirty_ratio = range.dirty_ratio(),
         .bytes_to_read = range.clean_bytes + 2 * range.cleanable_bytes});
  }
  found.due_partitions = std::ssize(due);
  meters_.NoteFound(found);
  std::stable_sort(due.begin(), due.end(), [](const Due& a, const Due& b) {
    return a.dirty_ratio > b.dirty_ratio;
  });
  return due;
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
