// SPDX-License-Identifier: Apache-2.0

#include "varve/api/import/broker_import.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/backup/copy_source.h"
#include "varve/api/import/broker_importer.h"
#include "varve/api/import/import_report.h"
#include "varve/api/import/import_source.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::StatusOr<ImportReport> ImportBroker(const ImportPaths& paths,
                                          const ImportOptions& options,
                                          const Environment& environment) {
  absl::Status valid = options.config.Validate();
  if (!valid.ok()) return valid;
  const absl::StatusOr<std::unique_ptr<ImportSource>> source =
      ImportSource::Open(paths.broker, *environment.files);
  if (!source.ok()) return source.status();
  // What is wrong with the request is said before a store is made.
  absl::Status status = (*source)->Choose(options.topics).status();
  if (status.ok()) {
    status =
        CheckApart(*(*source)->directory(), paths.store, *environment.files);
  }
  if (!status.ok()) return status;
  return ImportTopics(**source, paths.store, options, environment);
}

}  // namespace varve
