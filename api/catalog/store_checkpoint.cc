// SPDX-License-Identifier: Apache-2.0

#include "varve/api/catalog/store_checkpoint.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/metadata/partition_checkpoint.h"

namespace varve {
namespace {

constexpr std::string_view kKind = "varve.checkpoint";

// Version 2 is written only where a partition was compacted.
constexpr int kNewestVersion = 2;

absl::Status ParseLine(std::string_view line, StoreCheckpoint& checkpoint) {
  const std::vector<std::string_view> fields = absl::StrSplit(line, ' ');
  int32_t partition = 0;
  PartitionCheckpoint entry;
  int64_t first_dirty = 0;
  const bool is_compacted = fields.size() == 5;
  if ((fields.size() != 4 && !is_compacted) ||
      !absl::SimpleAtoi(fields[1], &partition) ||
      !absl::SimpleAtoi(fields[2], &entry.log_start) ||
      !absl::SimpleAtoi(fields[3], &entry.recovery_point) || partition < 0 ||
      entry.log_start < 0 || entry.recovery_point < entry.log_start ||
      (is_compacted &&
       (!absl::SimpleAtoi(fields[4], &first_dirty) || first_dirty < 0))) {
    return absl::DataLossError(
        "not \"<topic> <partition> <log start> <recovery point> [<first "
        "dirty>]\"");
  }
  if (is_compacted) entry.first_dirty = first_dirty;
  auto [it, added] =
      checkpoint.emplace(std::pair(std::string(fields[0]), partition), entry);
  return added ? absl::OkStatus()
               : absl::DataLossError("the partition is listed twice");
}

}  // namespace

std::string FormatStoreCheckpoint(const StoreCheckpoint& checkpoint) {
  std::vector<std::string> lines;
  lines.reserve(checkpoint.size());
  int version = kStoreFormatVersion;
  for (const auto& [key, entry] : checkpoint) {
    lines.push_back(absl::StrCat(key.first, " ", key.second, " ",
                                 entry.log_start, " ", entry.recovery_point));
    if (!entry.first_dirty.has_value()) continue;
    absl::StrAppend(&lines.back(), " ", *entry.first_dirty);
    version = kNewestVersion;
  }
  return FormatChecksummedText(kKind, lines, version);
}

absl::StatusOr<StoreCheckpoint> ParseStoreCheckpoint(std::string_view text) {
  absl::StatusOr<std::vector<std::string>> lines =
      ParseChecksummedText(kKind, text, kNewestVersion);
  if (!lines.ok()) return lines.status();
  StoreCheckpoint checkpoint;
  int number = 1;
  for (const std::string& line : *lines) {
    ++number;
    if (absl::Status status = ParseLine(line, checkpoint); !status.ok()) {
      return absl::DataLossError(
          absl::StrCat("line ", number, ": ", status.message()));
    }
  }
  return checkpoint;
}

}  // namespace varve
