// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CONFIG_NOTICES_H_
#define VARVE_API_CONFIG_NOTICES_H_

#include <cstddef>
#include <string_view>

#include "absl/types/span.h"
#include "api/topic_catalog.h"
#include "log/environment.h"

namespace varve {

// Tells the log sink the ConfigWarnings of a topic of the store at `path`;
// those of the store's own topics to nobody, since nobody can change them.
void TellConfigWarnings(const Environment& environment, std::string_view path,
                        const Topic& topic);

// Of all of its topics that have any: of the first kToldTopicsMax, and how many
// more there are.
inline constexpr size_t kToldTopicsMax = 10;
void TellConfigWarnings(const Environment& environment, std::string_view path,
                        absl::Span<const Topic> topics);

}  // namespace varve

#endif  // VARVE_API_CONFIG_NOTICES_H_
