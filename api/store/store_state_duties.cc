// SPDX-License-Identifier: Apache-2.0

// The part of an open store that puts its background work together, and its
// limits of the disk, which that work keeps.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/duty/duty_list.h"
#include "varve/api/duty/maintenance_gate.h"
#include "varve/api/duty/store_duties.h"
#include "varve/api/metrics/metrics_file.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/retention/store_size_limit.h"
#include "varve/api/space/free_space_duty.h"
#include "varve/api/space/free_space_guard.h"
#include "varve/api/store/compaction_duty.h"
#include "varve/api/store/maintain_duty.h"
#include "varve/api/store/prepare_duty.h"
#include "varve/api/store/store_state.h"
#include "varve/api/store/sync_duty.h"
#include "varve/api/store_metrics.h"
#include "varve/api/store_options.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/system/clock.h"

namespace varve {

// The guard is held by files that may outlive the store.
void StoreState::SetSpaceWake() {
  if (space_ == nullptr) return;
  space_->SetWake([events = std::weak_ptr<StoreEvents>(events_)] {
    if (const auto held = events.lock(); held != nullptr)
      held->maintain_bell().Ring();
  });
}

// Called by the constructor, when what the limit borrows is there.
std::shared_ptr<StoreSizeLimit> StoreState::MakeSizeLimit() {
  if (options_.store_size_max_bytes < 0) return nullptr;
  return std::make_shared<StoreSizeLimit>(
      StoreSizeLimit::Store{.directory = directory_,
                            .partitions = &partitions_,
                            .retention = &retention_,
                            .topics = [this] { return topics_.topics(); },
                            .environment = options_.environment,
                            .meters = &meters_->log(),
                            .bell = &events_->maintain_bell()},
      options_.store_size_max_bytes);
}

void StoreState::AddDuties() {
  Clock* const clock = options_.environment.clock;
  duties_.Add({.name = "varve-prepare"},
              std::make_unique<PrepareDuty>(&partitions_, parking_, clock),
              &events_->prepare_bell());
  duties_.Add({.name = "varve-sync"},
              std::make_unique<SyncDuty>(&partitions_, events_,
                                         options_.environment, &meters_->log()),
              &events_->sync_bell());
  auto maintain = std::make_unique<DutyList>();
  if (space_ != nullptr) {
    maintain->Add(std::make_unique<FreeSpaceDuty>(FreeSpaceDuty::Work{
        .guard = space_,
        .run_retention =
            [this](const std::stop_token& stop) {
              const MaintenanceGate::Work work(maintenance_.get());
              return work.may_run() && retention_.RunAll(stop);
            },
        .on_change = options_.on_free_space_change,
        .environment = options_.environment,
        .meters = &meters_->log()}));
  }
  maintain->Add(std::make_unique<MaintainDuty>(
      MaintainDuty::Work{.retention = &retention_,
                         .events = events_,
                         .size_limit = size_limit_.get(),
                         .gate = maintenance_.get(),
                         .delete_topics =
                             [this](const std::stop_token& stop) {
                               return topics_.DeletePending(stop);
                             }},
      clock, options_.retention_check_interval));
  if (options_.metrics_interval != absl::InfiniteDuration()) {
    auto metrics_file = std::make_unique<MetricsFile>(
        directory_, [this] { return metrics(); }, options_.environment,
        options_.metrics_interval);
    metrics_file_ = metrics_file.get();
    maintain->Add(std::move(metrics_file));
  }
  duties_.Add({.name = "varve-maintain", .nice_more = 10},
              std::make_unique<CompactionDuty>(
                  &compaction_, maintenance_.get(), std::move(maintain), clock,
                  CompactionDuty::Options{
                      .check_interval = options_.compaction_check_interval}),
              &events_->maintain_bell());
}

absl::StatusOr<absl::Duration> StoreState::RunMaintenance() {
  {
    absl::MutexLock lock(&mu_);
    if (closed_)
      return absl::FailedPreconditionError(absl::StrCat(path(), ": closed"));
  }
  // An append that comes right after this is seen by the next call at the
  // latest when half of its window is over, which is when its sync is due.
  return std::min(duties_.RunDue(), ShortestSyncWindow() / 2);
}

// The window of a kInterval append to the most demanding topic.
absl::Duration StoreState::ShortestSyncWindow() const {
  int64_t flush_ms = LogConfig::kForever;
  for (const Topic& topic : topics_.topics()) {
    flush_ms = std::min(flush_ms, topic.config.log.flush_ms);
  }
  const absl::Duration window =
      std::min(options_.sync_interval, absl::Milliseconds(flush_ms));
  return std::max(window, absl::Milliseconds(1));
}

DiskMetrics StoreState::AddLimits(DiskMetrics disk) const {
  if (space_ != nullptr) {
    const FreeSpaceGuard::State state = space_->state();
    disk.free_bytes = state.free_bytes;
    disk.free_space_floor_bytes = space_->marks().floor_bytes;
    disk.free_space_resume_bytes = space_->marks().resume_bytes;
    disk.refuses_appends = state.refuses;
  }
  if (size_limit_ != nullptr) {
    disk.store_size_bytes = size_limit_->store_bytes();
    disk.store_size_max_bytes = size_limit_->size_max_bytes();
    disk.size_deleted_segments = size_limit_->deleted_segments();
    disk.size_deleted_bytes = size_limit_->deleted_bytes();
  }
  return disk;
}

}  // namespace varve
