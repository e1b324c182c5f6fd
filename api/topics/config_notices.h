// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPICS_CONFIG_NOTICES_H_
#define VARVE_API_TOPICS_CONFIG_NOTICES_H_

#include <cstddef>
#include <string_view>

#include "absl/types/span.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/system/environment.h"

namespace varve {

// Reports to the log sink the ConfigWarnings of a topic of the store at `path`;
// not those of the store's own topics, which no user can change.
void TellConfigWarnings(const Environment& environment, std::string_view path,
                        const Topic& topic);

// Reports those of all its topics that have any: of the first kToldTopicsMax,
// and how many more topics there are.
inline constexpr size_t kToldTopicsMax = 10;
void TellConfigWarnings(const Environment& environment, std::string_view path,
                        absl::Span<const Topic> topics);

}  // namespace varve

#endif  // VARVE_API_TOPICS_CONFIG_NOTICES_H_
