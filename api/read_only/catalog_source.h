// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_CATALOG_SOURCE_H_
#define VARVE_API_READ_ONLY_CATALOG_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/catalog/readable_directory.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Where topics, and the bounds of their partitions, are known from: the files
// of a store, or those of a Kafka broker. All that differs between reading one
// and the other is here.
//
// Thread safety: thread-safe.
class CatalogSource {
 public:
  CatalogSource() = default;
  CatalogSource(const CatalogSource&) = delete;
  CatalogSource& operator=(const CatalogSource&) = delete;
  virtual ~CatalogSource() = default;

  // That of a directory with these contents; of one with nothing, a store's.
  // Never destroyed.
  static const CatalogSource& Of(ReadableContents contents);

  // The topics there are now.
  //
  // Errors: NotFound when there is no store any more; DataLoss;
  // FailedPrecondition when a newer version wrote it; file errors
  // (log/system/errno_status.h).
  virtual absl::StatusOr<TopicCatalog> ReadTopics(Directory& data) const = 0;

  // The log starts and recovery points. What is not in order is added to
  // `notes`: they are lower bounds, and none is one, too. Errors: those of
  // ReadTopics but NotFound.
  virtual absl::StatusOr<FoundCheckpoint> ReadCheckpoint(
      Directory& data, std::vector<std::string>& notes) const = 0;

  // Opens the directory of a partition of `topic`, which `catalog` has, to
  // read. What speaks against its being that is added to `note`.
  //
  // Errors: DataLoss when it is missing, or another topic's; file errors.
  virtual absl::StatusOr<std::unique_ptr<Directory>> OpenPartition(
      Directory& data, const TopicCatalog& catalog, const Topic& topic,
      int32_t partition, std::string& note) const = 0;

  // How old what was read may be for a reader that does not judge by it.
  virtual absl::Duration age_max() const = 0;
};

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_CATALOG_SOURCE_H_
