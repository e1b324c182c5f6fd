// SPDX-License-Identifier: Apache-2.0

#include "varve/api/export/broker_export.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/backup/copy_source.h"
#include "varve/api/export/broker_exporter.h"
#include "varve/api/export/export_destination.h"
#include "varve/api/export/export_report.h"
#include "varve/api/export/export_source.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::StatusOr<ExportReport> ExportToBroker(const ExportPaths& paths,
                                            const ExportOptions& options,
                                            const Environment& environment) {
  const absl::StatusOr<std::unique_ptr<ExportSource>> source =
      ExportSource::Open(paths.store, environment, options.codecs);
  if (!source.ok()) return source.status();
  // What is wrong with the request is said before a directory is made.
  absl::Status status = (*source)->Choose(options.topics).status();
  if (status.ok()) {
    status =
        CheckApart((*source)->directory(), paths.broker, *environment.files);
  }
  if (!status.ok()) return status;
  const absl::StatusOr<std::unique_ptr<ExportDestination>> destination =
      ExportDestination::Begin(paths.broker, *environment.files);
  if (!destination.ok()) return destination.status();
  return ExportTopics(**source, **destination, options, environment);
}

}  // namespace varve
