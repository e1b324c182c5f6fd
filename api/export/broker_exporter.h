// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_EXPORT_BROKER_EXPORTER_H_
#define VARVE_API_EXPORT_BROKER_EXPORTER_H_

#include "absl/status/statusor.h"
#include "varve/api/export/export_destination.h"
#include "varve/api/export/export_report.h"
#include "varve/api/export/export_source.h"
#include "varve/log/system/environment.h"

namespace varve {

// Exports topics of the store to the destination. api/export/broker_export.h
// says what that promises, and its errors.
//
// All is looked at before anything is copied: whether the topics fit, which are
// there already, and whether there is room. The committed offsets are read
// before the records, so that none is past the end of its partition. Then topic
// by topic: all of its partitions are made (log/export); then they get their
// names.
absl::StatusOr<ExportReport> ExportTopics(const ExportSource& source,
                                          ExportDestination& destination,
                                          const ExportOptions& options,
                                          const Environment& environment);

}  // namespace varve

#endif  // VARVE_API_EXPORT_BROKER_EXPORTER_H_
