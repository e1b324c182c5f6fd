// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_IMPORT_BROKER_IMPORTER_H_
#define VARVE_API_IMPORT_BROKER_IMPORTER_H_

#include <string>

#include "absl/status/statusor.h"
#include "varve/api/import/import_report.h"
#include "varve/api/import/import_source.h"
#include "varve/log/system/environment.h"

namespace varve {

// Imports topics of the broker into the store in the directory `store`, which
// is made if it is not there, and closes it. api/broker_import.h says what that
// promises, and its errors.
//
// All is looked at before anything is copied: which topics are there already,
// and whether there is room. Then topic by topic: its files are copied to
// directories that no catalog lists (log/import); an intent is written; the
// offsets of its groups are committed; and the catalog gets the topic, with
// which all of it appears at once (TopicAdministration::Adopt).
absl::StatusOr<ImportReport> ImportTopics(const ImportSource& source,
                                          const std::string& store,
                                          const ImportOptions& options,
                                          const Environment& environment);

}  // namespace varve

#endif  // VARVE_API_IMPORT_BROKER_IMPORTER_H_
