// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CATALOG_READABLE_DIRECTORY_H_
#define VARVE_API_CATALOG_READABLE_DIRECTORY_H_

#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// What a directory is for someone who only reads it.
enum class ReadableContents {
  kNothing,
  kStore,   // varve's, or a backup of one
  kBroker,  // a Kafka broker's (api/catalog/broker_catalog.h)
};

// Errors: FailedPrecondition when it is none of these, or a backup or a restore
// that was not finished; file errors (log/system/errno_status.h).
absl::StatusOr<ReadableContents> InspectForReading(Directory& directory);

}  // namespace varve

#endif  // VARVE_API_CATALOG_READABLE_DIRECTORY_H_
