// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPIC_CHANGES_H_
#define VARVE_API_TOPIC_CHANGES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

// Changes of a topic's configs, by Kafka's names, and of its partitions:
//
//   store->AlterTopic("orders", {.set = {{"retention.ms", "86400000"}},
//                                .reset = {"segment.bytes"}});
//
// log/metadata/log_config.h says which of them act on an open partition.
struct TopicChanges {
  // Names and new values, as text that `LogConfig::Set` takes.
  std::vector<std::pair<std::string, std::string>> set = {};

  // Names of configs that get their defaults again.
  std::vector<std::string> reset = {};

  // The new number of partitions, as for LogStore::AddPartitions.
  std::optional<int32_t> partitions = std::nullopt;
};

// `config` with the changes of configs, all of them.
//
// Errors: InvalidArgument for an unknown name, a value out of range, a name
// that is there twice, or configs that do not go together.
absl::StatusOr<LogConfig> WithChanges(const LogConfig& config,
                                      const TopicChanges& changes);

}  // namespace varve

#endif  // VARVE_API_TOPIC_CHANGES_H_
