// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_STORE_FILES_CACHE_H_
#define VARVE_API_READ_ONLY_STORE_FILES_CACHE_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/readable_directory.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/read_only/catalog_source.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The contents of a store's files, or a broker's, while another process writes
// it. They are replaced atomically, so each is whole whenever it is read.
//
// Thread safety: thread-safe.
class StoreFilesCache {
 public:
  // `clock` must outlive it.
  StoreFilesCache(std::shared_ptr<Directory> directory, Clock* clock,
                  ReadableContents contents = ReadableContents::kStore)
      : directory_(std::move(directory)),
        clock_(clock),
        source_(CatalogSource::Of(contents)) {}

  Directory& directory() const { return *directory_; }

  // The current topics. Errors: those of CatalogSource::ReadTopics.
  absl::StatusOr<TopicCatalog> ReadTopics() const;

  // What the files say of a partition, as of CatalogSource::age_max ago at most
  // with FactsAge::kRecent: the readers of many partitions share what one of
  // them has read.
  //
  // Errors: NotFound when the topic with that id has been deleted; those of
  // ReadTopics.
  absl::StatusOr<PartitionFacts> FactsOf(const Topic& topic, int32_t partition,
                                         FactsAge age);

  // Opens the partition's directory again. Errors: those of FactsOf; DataLoss
  // when it is missing, or another topic's.
  absl::StatusOr<std::unique_ptr<Directory>> OpenPartition(const Topic& topic,
                                                           int32_t partition);

 private:
  absl::Status Refresh(FactsAge age) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Refreshes, and checks that the topic with that id exists: one that is not
  // known may be younger than what was read.
  absl::Status RefreshFor(const Topic& topic, FactsAge age)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const std::shared_ptr<Directory> directory_;
  Clock* const clock_;
  const CatalogSource& source_;

  absl::Mutex mu_;
  absl::Time read_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  TopicCatalog catalog_ ABSL_GUARDED_BY(mu_);
  FoundCheckpoint checkpoint_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_STORE_FILES_CACHE_H_
