// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_PARTITION_TABLE_H_
#define VARVE_API_PARTITIONS_PARTITION_TABLE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/metrics/store_meters.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/recovery_report.h"
#include "varve/api/store_options.h"
#include "varve/log/batch/decompressor.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/segment/open_segments.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The partitions of an open store: each is opened when it is first asked for,
// and recovered then if it has to be.
//
// Thread safety: thread-safe. Partitions are opened side by side, each by one
// thread while others that want it wait. Lock order: a partition's opening
// lock, then the table's own or a log's; with the table's, TrimmedSegments'
// alone.
class PartitionTable {
 public:
  // How the store was closed before.
  enum class Shutdown { kClean, kUnclean };

  // Where topics are looked up. Called with a partition's opening lock held.
  struct Lookup {
    std::function<absl::StatusOr<Topic>(std::string_view name)> topic;
    // The name of the topic with an id, or nothing.
    std::function<std::string(TopicId)> name_of_id;
  };

  PartitionTable(std::shared_ptr<Directory> directory,
                 const StoreOptions& options,
                 std::shared_ptr<StoreEvents> events,
                 std::shared_ptr<StoreMeters> meters,
                 FoundCheckpoint checkpoint, Shutdown shutdown, Lookup lookup);

  // Errors: NotFound for an unknown topic; OutOfRange for a partition it does
  // not have; DataLoss when the partition's directory is missing or another
  // topic's; those of OpenCleanPartition and RecoverPartition. They are not
  // remembered: a later call tries again.
  absl::StatusOr<std::shared_ptr<PartitionLog>> Open(std::string_view topic,
                                                     int32_t partition);

  // The same without opening it: null when it is not open.
  absl::StatusOr<std::shared_ptr<PartitionLog>> FindOpen(const Topic& topic,
                                                         int32_t partition) {
    return FindOpened({topic.name, partition});
  }

  // The log of an open partition; null when it is not open. After `Close` those
  // that were open are still there.
  std::shared_ptr<PartitionLog> OpenedLog(std::string_view topic,
                                          int32_t partition) const;

  // Recovers a partition without keeping anything of it open: `Open` continues
  // from there. Errors: those of `Open`.
  absl::Status Recover(const Topic& topic, int32_t partition);

  // The segments that the partitions hold open.
  std::shared_ptr<OpenSegments> open_segments() const { return open_segments_; }

  // Has the topic's partitions take its configs, also those that are currently
  // being opened with older ones. Call it when the catalog has them.
  void SetConfig(const Topic& topic);

  // Removes the partitions of a topic that was deleted from the table and the
  // checkpoint, and ends their logs: calls on them fail, also those of handles
  // that still exist. Call it when the catalog does not have the topic any
  // more, from one thread at a time.
  void Remove(const Topic& topic);

  // What is true of partitions that were not opened, and of whose topics the
  // catalog is about to get one: they end at their recovery points.
  void SetCheckpoint(const StoreCheckpoint& bounds);

  // Those opened so far.
  std::vector<std::shared_ptr<PartitionLog>> opened() const;

  // The present checkpoint of every partition: as read for those that were
  // neither opened nor recovered.
  StoreCheckpoint checkpoint() const;

  // The findings of opening partitions, in the order of their opening.
  std::vector<PartitionRecoveryReport> recoveries() const;

  // Closes all; returns the first error.
  absl::Status Close();

 private:
  using Key = std::pair<std::string, int32_t>;

  // Held by the thread that opens or recovers a partition. Another one takes
  // its place in the table when the partition is removed.
  using Opening = std::shared_ptr<absl::Mutex>;

  // A partition that was recovered and is not open yet.
  struct Recovered {
    Topic topic;
    RecoveredLog log;
  };

  Opening OpeningOf(const Key& key);
  absl::StatusOr<std::shared_ptr<PartitionLog>> FindOpened(const Key& key);
  bool IsPresent(const Key& key, const Opening& opening) const;
  absl::StatusOr<std::shared_ptr<PartitionLog>> OpenInTurn(
      const Key& key, const Opening& opening);
  absl::StatusOr<Topic> FindTopic(const Key& key) const;
  absl::Status Publish(const Key& key, const Opening& opening,
                       const std::shared_ptr<PartitionLog>& log);
  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(const Key& key);
  absl::StatusOr<RecoveredLog> RecoveredOrRecover(Directory& directory,
                                                  const Topic& topic,
                                                  const Key& key);
  std::shared_ptr<PartitionLog> MakeLog(const Topic& topic, const Key& key,
                                        const RecoveredLog& recovered) const;
  absl::Status CloseAllRecovered();
  absl::Status CloseRecovered(const Key& key, const Recovered& recovered);
  absl::StatusOr<RecoveredLog> RecoverFiles(
      Directory& directory, const Topic& topic,
      const PartitionCheckpoint& checkpoint);

  // Constant after construction.
  const std::shared_ptr<Directory> directory_;
  const StoreOptions options_;
  const std::shared_ptr<StoreEvents> events_;
  const std::shared_ptr<StoreMeters> meters_;
  const Shutdown shutdown_;
  const Lookup lookup_;
  const CheckpointOrigin checkpoint_origin_;
  const Decompressor decompressor_;  // of all partitions
  const std::shared_ptr<OpenSegments> open_segments_ =
      std::make_shared<OpenSegments>();

  mutable absl::Mutex mu_;
  StoreCheckpoint checkpoint_ ABSL_GUARDED_BY(mu_);
  std::map<Key, Opening> openings_ ABSL_GUARDED_BY(mu_);
  // The configs that `SetConfig` has for partitions that may be being opened.
  std::map<Key, LogConfig> new_configs_ ABSL_GUARDED_BY(mu_);
  std::map<Key, Recovered> recovered_ ABSL_GUARDED_BY(mu_);
  std::map<Key, std::shared_ptr<PartitionLog>> logs_ ABSL_GUARDED_BY(mu_);
  std::vector<PartitionRecoveryReport> recoveries_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_PARTITION_TABLE_H_
