// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CATALOG_TOPIC_CHOICE_H_
#define VARVE_API_CATALOG_TOPIC_CHOICE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/api/catalog/topic_catalog.h"

namespace varve {

// The topics of a catalog that somebody has named, each once and in the order
// of their names; without a name all but internal ones. `why_not_internal` says
// in a message what an internal topic is that makes it none to choose: "is …".
//
// Thread safety: thread-safe.
// Errors: NotFound, as of TopicCatalog::Get; InvalidArgument for an internal
// topic.
absl::StatusOr<std::vector<Topic>> ChooseTopics(
    const TopicCatalog& catalog, const std::vector<std::string>& names,
    std::string_view why_not_internal);

}  // namespace varve

#endif  // VARVE_API_CATALOG_TOPIC_CHOICE_H_
