// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_STORE_STATE_H_
#define VARVE_API_STORE_STORE_STATE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/compaction/compaction_pass.h"
#include "varve/api/duty/maintenance_gate.h"
#include "varve/api/duty/side_by_side.h"
#include "varve/api/duty/store_duties.h"
#include "varve/api/metrics/metrics_file.h"
#include "varve/api/metrics/store_meters.h"
#include "varve/api/partitions/checkpoint_writer.h"
#include "varve/api/partitions/limit_keeper.h"
#include "varve/api/partitions/partition_parking.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/recovery_report.h"
#include "varve/api/retention/retention_pass.h"
#include "varve/api/retention/store_size_limit.h"
#include "varve/api/space/free_space_guard.h"
#include "varve/api/store/found_store.h"
#include "varve/api/store/producer_ids.h"
#include "varve/api/store_metrics.h"
#include "varve/api/store_options.h"
#include "varve/api/topics/topic_administration.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/call_gate.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"
#include "varve/log/system/log_sink.h"

namespace varve {

// An open store, of which LogStore is the public face: the locked directory,
// the topics, the partitions, and the order in which they are opened and
// closed.
//
// Thread safety: thread-safe. Of all locks of a store (docs/architecture.md has
// their order) `closing_` is the outermost, held for the whole of a close, and
// `mu_` an innermost one, held to look at what it guards.
class StoreState {
 public:
  static absl::StatusOr<std::unique_ptr<StoreState>> Open(
      const std::string& path, const StoreOptions& options);

  TopicAdministration& topics() { return topics_; }
  const TopicAdministration& topics() const { return topics_; }
  absl::StatusOr<std::shared_ptr<PartitionLog>> OpenPartition(
      std::string_view topic, int32_t partition);
  // The same without opening it: null when it is not open.
  absl::StatusOr<std::shared_ptr<PartitionLog>> FindOpen(const Topic& topic,
                                                         int32_t partition) {
    return partitions_.FindOpen(topic, partition);
  }
  CompactionPass& compaction() { return compaction_; }
  const std::shared_ptr<MaintenanceGate>& maintenance() { return maintenance_; }
  ProducerIds& producer_ids() { return producer_ids_; }
  // For calls of the program that wait for several partitions.
  SideBySide& side_by_side() { return side_by_side_; }
  // The log of a partition that was opened; null when it was not. It answers
  // after `Close`, too.
  std::shared_ptr<PartitionLog> OpenedLog(std::string_view topic,
                                          int32_t partition) const {
    return partitions_.OpenedLog(topic, partition);
  }
  RecoveryReport recovery_report() const;
  StoreMetrics metrics() const;
  // Has `add` fill in what is known of groups, in each of the metrics that are
  // taken from now on; it may be called by any thread, as long as this lives.
  using AddToMetrics = std::function<void(StoreMetrics&)>;
  void SetGroupMetrics(AddToMetrics add) ABSL_LOCKS_EXCLUDED(mu_);
  const std::string& path() const { return directory_->path(); }
  FileSystemType file_system() const { return file_system_; }
  absl::StatusOr<absl::Duration> RunMaintenance();
  const StoreOptions& options() const { return options_; }
  absl::Status Close();
  // Calls of the program that may change files: `Close` waits for them.
  CallGate& calls() { return calls_; }
  // Counts and reports a failure of work that the caller does not wait for.
  void NoteFailure(std::string_view what, const absl::Status& status) const;
  // Reports to the log sink why a `Close` that the caller did not ask for was
  // not clean.
  void TellNotClosed(const absl::Status& status) const;

 private:
  // `space`: watches over what `directory` allocates; null without a floor.
  StoreState(std::shared_ptr<Directory> directory,
             std::shared_ptr<FreeSpaceGuard> space, std::unique_ptr<File> lock,
             const StoreOptions& options, std::shared_ptr<StoreMeters> meters,
             FileSystemType file_system, FoundStore found);

  void RecoverAll();
  void TellNotes() const;
  // Where the background duties are put together.
  void AddDuties();
  void SetSpaceWake();
  std::shared_ptr<StoreSizeLimit> MakeSizeLimit();
  DiskMetrics AddLimits(DiskMetrics disk) const;
  absl::Duration ShortestSyncWindow() const;
  absl::Status MarkClosed();
  void Tell(absl::LogSeverity severity, LogEvent event,
            const absl::Status& status) const;

  // Constant after construction.
  const std::shared_ptr<Directory> directory_;
  const std::shared_ptr<FreeSpaceGuard> space_;
  const StoreOptions options_;
  const bool clean_;
  const bool checkpoint_is_stand_in_;
  const FileSystemType file_system_;
  std::vector<std::string> notes_;  // complete when `Open` returns
  const std::shared_ptr<StoreEvents> events_;
  const std::shared_ptr<StoreMeters> meters_;
  const std::shared_ptr<MaintenanceGate> maintenance_;
  // Holds the store's lock while it is open.
  std::unique_ptr<File> lock_;
  PartitionTable partitions_;
  TopicAdministration topics_;
  const std::shared_ptr<CheckpointWriter> checkpoint_writer_;
  const std::shared_ptr<PartitionParking> parking_;
  const std::shared_ptr<LimitKeeper> limit_keeper_;
  RetentionPass retention_;
  CompactionPass compaction_;
  const std::shared_ptr<StoreSizeLimit> size_limit_;  // null: none
  ProducerIds producer_ids_;
  bool recovered_all_ = true;  // complete when `Open` returns
  SideBySide side_by_side_;
  StoreDuties duties_;
  MetricsFile* metrics_file_ = nullptr;  // of duties_; null: not written

  CallGate calls_;
  // Held by the first `Close`, so that others wait for it.
  absl::Mutex closing_ ABSL_ACQUIRED_BEFORE(mu_);
  mutable absl::Mutex mu_;
  AddToMetrics group_metrics_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  bool close_has_ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status close_status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_STORE_STORE_STATE_H_
