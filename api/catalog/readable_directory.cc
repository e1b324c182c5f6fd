// SPDX-License-Identifier: Apache-2.0

#include "varve/api/catalog/readable_directory.h"

#include <vector>

#include "absl/status/statusor.h"
#include "varve/api/catalog/broker_catalog.h"
#include "varve/api/catalog/store_files.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::StatusOr<ReadableContents> InspectForReading(Directory& directory) {
  const absl::StatusOr<std::vector<DirectoryEntry>> entries = directory.List();
  if (!entries.ok()) return entries.status();
  const absl::StatusOr<bool> is_broker = IsBrokerDirectory(directory, *entries);
  if (!is_broker.ok()) return is_broker.status();
  if (*is_broker) return ReadableContents::kBroker;
  const absl::StatusOr<DirectoryContents> contents =
      InspectDirectory(directory);
  if (!contents.ok()) return contents.status();
  return *contents == DirectoryContents::kEmpty ? ReadableContents::kNothing
                                                : ReadableContents::kStore;
}

}  // namespace varve
