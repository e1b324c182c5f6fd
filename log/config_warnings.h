// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_CONFIG_WARNINGS_H_
#define VARVE_LOG_CONFIG_WARNINGS_H_

#include <string>
#include <vector>

#include "log/log_config.h"

namespace varve {

// What a valid config asks for and this version does not do, a sentence each
// for a person: it begins with Kafka's name of the config and its value. Empty
// when all of it acts. A config at its default is never among them.
//
// The store says them when a topic is created, altered or found at an open
// (LogEvent::kConfig), but for the topics that are its own.
//
// Thread safety: a pure function.
std::vector<std::string> ConfigWarnings(const LogConfig& config);

}  // namespace varve

#endif  // VARVE_LOG_CONFIG_WARNINGS_H_
