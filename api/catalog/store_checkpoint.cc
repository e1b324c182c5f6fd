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

absl::Status ParseLine(std::string_view line, StoreCheckpoint& checkpoint) {
  const std::vector<std::string_view> fields = absl::StrSplit(line, ' ');
  int32_t partition = 0;
  PartitionCheckpoint entry;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[1], &partition) ||
      !absl::SimpleAtoi(fields[2], &entry.log_start) ||
      !absl::SimpleAtoi(fields[3], &entry.recovery_point) || partition < 0 ||
      entry.log_start < 0 || entry.recovery_point < entry.log_start) {
    return absl::DataLossError(
        "not \"<topic> <partition> <log start> <recovery point>\"");
  }
  auto [it, added] =
      checkpoint.emplace(std::pair(std::string(fields[0]), partition), entry);
  return added ? absl::OkStatus()
               : absl::DataLossError("the partition is listed twice");
}

}  // namespace

std::string FormatStoreCheckpoint(const StoreCheckpoint& checkpoint) {
  std::vector<std::string> lines;
  lines.reserve(checkpoint.size());
  for (const auto& [key, entry] : checkpoint) {
    lines.push_back(absl::StrCat(key.first, " ", key.second, " ",
                                 entry.log_start, " ", entry.recovery_point));
  }
  return FormatChecksummedText(kKind, lines);
}

absl::StatusOr<StoreCheckpoint> ParseStoreCheckpoint(std::string_view text) {
  absl::StatusOr<std::vector<std::string>> lines =
      ParseChecksummedText(kKind, text);
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
