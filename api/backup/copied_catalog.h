// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_BACKUP_COPIED_CATALOG_H_
#define VARVE_API_BACKUP_COPIED_CATALOG_H_

#include <set>

#include "absl/status/statusor.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

// The topics of a source while it is copied.
struct SeenTopics {
  TopicCatalog before;  // before the committed offsets were copied
  TopicCatalog after;   // after that, before the other topics were
  // Those that were copied whole; others were deleted meanwhile.
  std::set<TopicId> copied = {};
};

// The catalog of the copy: the topics that were copied, as `after` has them.
// All others are deleted ones in it: groups may have committed offsets for
// them, which whoever opens the copy has to forget.
//
// Errors: InvalidArgument when the catalogs do not fit together, which no store
// has.
absl::StatusOr<TopicCatalog> CopiedCatalog(const SeenTopics& seen);

}  // namespace varve

#endif  // VARVE_API_BACKUP_COPIED_CATALOG_H_
