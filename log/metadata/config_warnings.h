// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_CONFIG_WARNINGS_H_
#define VARVE_LOG_METADATA_CONFIG_WARNINGS_H_

#include <string>
#include <vector>

#include "varve/log/metadata/log_config.h"

namespace varve {

// What a valid config asks for but this version does not do: one sentence each,
// for a person, that begins with Kafka's name of the config and its value.
// Empty when the whole config has an effect. A config at its default is never
// listed.
//
// The store logs them when a topic is created, altered or found at an open
// (LogEvent::kConfig), except for its own topics.
//
// Thread safety: a pure function.
std::vector<std::string> ConfigWarnings(const LogConfig& config);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_CONFIG_WARNINGS_H_
