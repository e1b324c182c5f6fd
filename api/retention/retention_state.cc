// SPDX-License-Identifier: Apache-2.0

#include "varve/api/retention/retention_state.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "varve/api/retention/retention_clock.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr int64_t kSizeMax = 1024;

}  // namespace

std::string FormatRetentionState(const RetentionClock::State& state) {
  return FormatChecksummedText(
      kRetentionStateName,
      {absl::StrCat(absl::ToUnixMillis(state.wall), " ",
                    absl::ToUnixMillis(state.believed), " ",
                    absl::ToInt64Milliseconds(state.doubted_for))});
}

absl::StatusOr<RetentionClock::State> ParseRetentionState(
    std::string_view text) {
  absl::StatusOr<std::vector<std::string>> lines =
      ParseChecksummedText(kRetentionStateName, text);
  if (!lines.ok()) return lines.status();
  if (lines->size() == 1) {
    const std::vector<std::string_view> fields =
        absl::StrSplit(lines->front(), ' ');
    int64_t wall_ms = 0;
    int64_t believed_ms = 0;
    int64_t doubted_ms = 0;
    if (fields.size() == 3 && absl::SimpleAtoi(fields[0], &wall_ms) &&
        absl::SimpleAtoi(fields[1], &believed_ms) &&
        absl::SimpleAtoi(fields[2], &doubted_ms) && doubted_ms >= 0) {
      return RetentionClock::State{
          .wall = absl::FromUnixMillis(wall_ms),
          .believed = absl::FromUnixMillis(believed_ms),
          .doubted_for = absl::Milliseconds(doubted_ms)};
    }
  }
  return absl::DataLossError(
      "not one line \"<wall ms> <believed ms> <doubted for ms>\"");
}

std::optional<RetentionClock::State> ReadRetentionState(Directory& directory) {
  const absl::StatusOr<std::string> text =
      ReadWholeFile(directory, kRetentionStateName, kSizeMax);
  if (!text.ok()) return std::nullopt;
  const absl::StatusOr<RetentionClock::State> state =
      ParseRetentionState(*text);
  if (!state.ok()) return std::nullopt;
  return *state;
}

absl::Status WriteRetentionState(Directory& directory,
                                 const RetentionClock::State& state) {
  return ReplaceFileUnsynced(directory, kRetentionStateName,
                             FormatRetentionState(state));
}

}  // namespace varve
