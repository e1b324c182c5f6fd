// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_PARTITION_READERS_H_
#define VARVE_API_READ_ONLY_PARTITION_READERS_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/read_only/store_files_cache.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/decompressor.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/read_only/open_readers.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/clock.h"

namespace varve {

// Opens the partitions of a store that is open to read only, and keeps the
// number of those that have files open within the process's limits.
//
// Thread safety: thread-safe. The readers may outlive it.
class PartitionReaders {
 public:
  // `clock` and `codecs`, which may be null, must outlive it and the readers.
  PartitionReaders(std::shared_ptr<StoreFilesCache> files, Clock* clock,
                   SealedAccess sealed, const Codecs* codecs);

  // A new reader of a partition of the topic that has the name now.
  //
  // Errors: NotFound for an unknown topic; OutOfRange for a partition the topic
  // does not have; DataLoss when the partition's directory is missing or
  // another topic's; those of StoreFilesCache::ReadTopics.
  absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> Open(
      std::string_view topic, int32_t partition) const;

  // A new reader of a partition of this topic, and no other of its name.
  //
  // Errors: NotFound when it was deleted; those of `Open`.
  absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> OpenOf(
      const Topic& topic, int32_t partition) const;

  StoreFilesCache& files() const { return *files_; }
  const Codecs* codecs() const { return decompressor_.codecs(); }

 private:
  absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> TryOpen(
      std::string_view topic, int32_t partition) const;

  const std::shared_ptr<StoreFilesCache> files_;
  Clock* const clock_;
  const SealedAccess sealed_;
  const Decompressor decompressor_;  // of all readers
  const std::shared_ptr<OpenReaders> open_readers_;
};

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_PARTITION_READERS_H_
