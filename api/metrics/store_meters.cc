// SPDX-License-Identifier: Apache-2.0

#include "varve/api/metrics/store_meters.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "varve/api/store_metrics.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/tail_recovery.h"
#include "varve/log/segment/segment_pins.h"

namespace varve {
namespace {

void CopyLatencies(LogMeters& log, StoreMetrics& metrics) {
  metrics.memory_append_ns = log.append_ns_of(Durability::kMemory).Snapshot();
  metrics.interval_append_ns =
      log.append_ns_of(Durability::kInterval).Snapshot();
  metrics.synced_append_ns = log.append_ns_of(Durability::kSynced).Snapshot();
  metrics.read_ns = log.read_ns.Snapshot();
  metrics.sync_ns = log.sync_ns.Snapshot();
  metrics.sync_batches = log.sync_batches.Snapshot();
  metrics.roll_ns = log.roll_ns.Snapshot();
  metrics.retention_wait_ns = log.retention_wait_ns.Snapshot();
  metrics.populate_ns = log.held->populate_ns.Snapshot();
}

void CopyErrors(const LogMeters& log, StoreMetrics& metrics) {
  metrics.append_errors = log.append_errors.Snapshot();
  metrics.read_errors = log.read_errors.Snapshot();
  metrics.sync_errors = log.sync_errors.Snapshot();
  metrics.open_errors = log.open_errors.Snapshot();
  metrics.duty_errors = log.duty_errors.Snapshot();
  metrics.poisoned_partitions = log.poisoned_partitions.value();
}

void CopyCounts(const LogMeters& log, StoreMetrics& metrics) {
  metrics.synced_bytes = log.synced_bytes.value();
  metrics.ready_rolls = log.ready_rolls.value();
  metrics.append_allocations = log.append_allocations.value();
  metrics.populated_bytes = log.held->populated_bytes.value();
  metrics.waiters = log.waiters.value();
  metrics.finished_waits = log.finished_waits.value();
  metrics.expired_waits = log.expired_waits.value();
  metrics.cancelled_waits = log.cancelled_waits.value();
  metrics.open_files = log.held->descriptors.value();
  metrics.mappings = log.held->mappings.value();
  metrics.mapped_bytes = log.held->mapped_bytes.value();
  metrics.deleted_segments = log.deleted_segments.value();
  metrics.deleted_bytes = log.deleted_bytes.value();
  metrics.checkpoints = log.checkpoints.value();
  metrics.disk.refused_appends = log.space_refusals.value();
}

}  // namespace

std::shared_ptr<PartitionMeters> StoreMeters::Of(std::string_view topic,
                                                 TopicId id,
                                                 int32_t partition) {
  absl::MutexLock lock(&mu_);
  TopicMeters& of_topic = topics_[id];
  of_topic.name = topic;
  std::shared_ptr<PartitionMeters>& meters = of_topic.partitions[partition];
  if (meters == nullptr)
    meters = std::make_shared<PartitionMeters>(log_, clock_);
  return meters;
}

TrafficMetrics StoreMeters::Traffic(const TopicMeters& topic) {
  TrafficMetrics sum;
  for (const auto& [partition, meters] : topic.partitions) {
    sum.Add({.appends = meters->batches(),
             .appended_records = meters->records(),
             .appended_bytes = meters->bytes(),
             .reads = meters->reads(),
             .read_bytes = meters->read_bytes()});
  }
  return sum;
}

void StoreMeters::ForgetTopic(TopicId id) {
  absl::MutexLock lock(&mu_);
  const auto it = topics_.find(id);
  if (it == topics_.end()) return;
  deleted_.Add(Traffic(it->second));
  for (const auto& [partition, meters] : it->second.partitions) {
    meters->pins().NoteAllDeleted();
    pinned_.push_back(meters);
  }
  std::erase_if(pinned_,
                [](const auto& meters) { return !meters->pins().InUse(); });
  topics_.erase(it);
}

// Nothing of a deleted topic has to be synced any more.
void StoreMeters::AddHoldings(StoreMetrics& metrics) const {
  for (const auto& meters : pinned_)
    metrics.holdings.pins.Add(meters->pins().Count());
  for (const auto& [id, topic] : topics_) {
    for (const auto& [partition, meters] : topic.partitions) {
      const PartitionHoldings holdings = {
          .unsynced_bytes = meters->unsynced_bytes(),
          .pins = meters->pins().Count()};
      if (holdings.empty()) continue;
      metrics.holdings.Add(holdings);
      metrics.partitions.emplace(
          TopicPartition{.topic = topic.name, .partition = partition},
          holdings);
    }
  }
}

void StoreMeters::NoteRecovery(const PartitionRecoveryReport& recovery) {
  recovered_bytes_.Add(recovery.bytes_scanned);
  // The report has no room for these findings; they are of the kind that fills
  // it.
  corrupt_places_.Add(recovery.more_findings);
  for (const RecoveryFinding& finding : recovery.findings) {
    switch (finding.action) {
      case RecoveryAction::kCutTornTail:
        torn_tails_.Add();
        break;
      case RecoveryAction::kCutAmbiguous:
        ambiguous_cuts_.Add();
        break;
      case RecoveryAction::kKeepDamaged:
        corrupt_places_.Add();
        break;
      case RecoveryAction::kKeepAll:
      case RecoveryAction::kTrimZeros:
        break;
    }
  }
}

StoreMetrics StoreMeters::Snapshot() const {
  StoreMetrics metrics;
  metrics.opened_at = opened_at_;
  metrics.open_time = open_time_;
  CopyLatencies(*log_, metrics);
  CopyErrors(*log_, metrics);
  CopyCounts(*log_, metrics);
  metrics.recovered_bytes = recovered_bytes_.value();
  metrics.torn_tails = torn_tails_.value();
  metrics.ambiguous_cuts = ambiguous_cuts_.value();
  metrics.corrupt_places = corrupt_places_.value();
  absl::MutexLock lock(&mu_);
  AddHoldings(metrics);
  metrics.traffic = deleted_;
  for (const auto& [id, topic] : topics_) {
    const TrafficMetrics traffic = Traffic(topic);
    metrics.traffic.Add(traffic);
    metrics.topics[topic.name].Add(traffic);
  }
  return metrics;
}

}  // namespace varve
