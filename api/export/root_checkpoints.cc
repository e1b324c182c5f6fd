// SPDX-License-Identifier: Apache-2.0

#include "varve/api/export/root_checkpoints.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/api/catalog/broker_catalog.h"
#include "varve/api/catalog/store_files.h"
#include "varve/log/metadata/checkpoint_text.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr std::string_view kNames[] = {kLogStartName, kRecoveryPointName,
                                       kReplicationName, kCleanerName};
// That of 100,000 partitions with long names is smaller.
constexpr int64_t kSizeMax = int64_t{64} << 20;

// No entries when there is no such file.
absl::StatusOr<std::vector<PartitionOffset>> ReadEntries(
    Directory& data, std::string_view name) {
  const absl::StatusOr<std::string> text = ReadWholeFile(data, name, kSizeMax);
  if (absl::IsNotFound(text.status())) return std::vector<PartitionOffset>();
  if (!text.ok()) return text.status();
  absl::StatusOr<std::vector<PartitionOffset>> entries =
      ParseOffsetCheckpoint(*text);
  if (!absl::IsDataLoss(entries.status())) return entries;
  return absl::DataLossError(absl::StrCat(
      data.PathOf(name), ": ", entries.status().message(),
      ": the broker will not start with it: remove it there, or mend it"));
}

absl::Status Update(Directory& data, std::string_view name,
                    const std::string& topic,
                    absl::Span<const ExportedStart> starts) {
  absl::StatusOr<std::vector<PartitionOffset>> entries =
      ReadEntries(data, name);
  if (!entries.ok()) return entries.status();
  const std::vector<PartitionOffset> before = *entries;
  for (const ExportedStart& start : starts) {
    std::erase_if(*entries, [&](const PartitionOffset& entry) {
      return entry.topic == topic && entry.partition == start.partition;
    });
    if (name != kLogStartName || start.log_start <= start.first_segment)
      continue;
    entries->push_back({.topic = topic,
                        .partition = start.partition,
                        .offset = start.log_start});
  }
  if (*entries == before) return absl::OkStatus();
  return ReplaceFile(data, name, FormatOffsetCheckpoint(*entries));
}

}  // namespace

absl::Status CheckRootCheckpoints(Directory& data) {
  for (const std::string_view name : kNames) {
    absl::Status status = ReadEntries(data, name).status();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status UpdateRootCheckpoints(Directory& data, const std::string& topic,
                                   absl::Span<const ExportedStart> starts) {
  for (const std::string_view name : kNames) {
    absl::Status status = Update(data, name, topic, starts);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace varve
