// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPICS_TOPIC_DELETION_H_
#define VARVE_API_TOPICS_TOPIC_DELETION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Renames the partition directories of `deleted`, a topic that is no longer in
// `catalog`, to those names under which they wait for their removal
// (log/metadata/file_names.h), and adds those names to `renamed`. Durable on
// return.
//
// A directory that is another topic's, of a new one with that name or in its
// place by mistake, stays as it is.
//
// Errors: file errors (log/system/errno_status.h). Some directories may be
// renamed then; the call can be repeated.
absl::Status RenameDeletedPartitions(Directory& data,
                                     const TopicCatalog& catalog,
                                     const Topic& deleted,
                                     const Environment& environment,
                                     std::vector<std::string>& renamed);

}  // namespace varve

#endif  // VARVE_API_TOPICS_TOPIC_DELETION_H_
