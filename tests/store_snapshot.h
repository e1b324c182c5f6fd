// SPDX-License-Identifier: Apache-2.0

// All that a store holds, as text, to compare two moments of it.

#ifndef VARVE_TESTS_STORE_SNAPSHOT_H_
#define VARVE_TESTS_STORE_SNAPSHOT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "api/log_store.h"
#include "tests/stored_records.h"

namespace varve {

// A line for each topic, with its configs but not its id, and for each of its
// partitions, with every record; errors are shown in the place of what could
// not be read.
inline std::string SnapshotOf(LogStore& store) {
  std::string text;
  for (const TopicDescription& topic : store.ListTopics()) {
    absl::StrAppend(&text, topic.name);
    for (const auto& [name, value] : topic.config.log.NonDefault()) {
      absl::StrAppend(&text, " ", name, "=", value);
    }
    for (int32_t i = 0; i < topic.config.partitions; ++i) {
      absl::StrAppend(&text, "\n  ", i, ":");
      auto partition = store.partition(topic.name, i);
      absl::StatusOr<StoredRecords> records =
          partition.ok() ? ReadAll(*partition) : partition.status();
      if (!records.ok()) absl::StrAppend(&text, records.status().ToString());
      if (!records.ok()) continue;
      for (const auto& [offset, record] : *records) {
        absl::StrAppend(&text, " ", offset, "=", record.value.value_or("null"));
      }
    }
    text += '\n';
  }
  return text;
}

// Appends a record to every partition of every topic.
inline absl::Status AppendEverywhere(LogStore& store) {
  absl::Status first;
  for (const TopicDescription& topic : store.ListTopics()) {
    for (int32_t i = 0; i < topic.config.partitions; ++i) {
      auto partition = store.partition(topic.name, i);
      first.Update(
          partition.ok()
              ? partition->Append({.value = "more"}, Durability::kMemory)
                    .status()
              : partition.status());
    }
  }
  return first;
}

}  // namespace varve

#endif  // VARVE_TESTS_STORE_SNAPSHOT_H_
