// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/leader_epochs.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/checkpoint_text.h"

namespace varve {
namespace {

// The invariant.
bool Grow(const std::vector<LeaderEpoch>& entries) {
  LeaderEpoch before = {.epoch = -1, .start_offset = -1};
  for (const LeaderEpoch& entry : entries) {
    if (entry.epoch <= before.epoch ||
        entry.start_offset <= before.start_offset) {
      return false;
    }
    before = entry;
  }
  return true;
}

}  // namespace

bool LeaderEpochs::Assign(int32_t epoch, int64_t start_offset) {
  if (epoch < 0 || start_offset < 0) return false;
  if (!entries_.empty() && entries_.back().epoch == epoch &&
      entries_.back().start_offset <= start_offset) {
    return false;
  }
  while (!entries_.empty() && (entries_.back().epoch >= epoch ||
                               entries_.back().start_offset >= start_offset)) {
    entries_.pop_back();
  }
  entries_.push_back({.epoch = epoch, .start_offset = start_offset});
  return true;
}

std::optional<int32_t> LeaderEpochs::EpochAt(int64_t offset) const {
  const auto behind = std::upper_bound(
      entries_.begin(), entries_.end(), offset,
      [](int64_t o, const LeaderEpoch& e) { return o < e.start_offset; });
  if (behind == entries_.begin()) return std::nullopt;
  return (behind - 1)->epoch;
}

std::optional<int64_t> LeaderEpochs::EndOffset(int32_t epoch,
                                               int64_t log_end) const {
  if (epoch < 0 || entries_.empty() || epoch > entries_.back().epoch) {
    return std::nullopt;
  }
  const auto higher = std::upper_bound(
      entries_.begin(), entries_.end(), epoch,
      [](int32_t n, const LeaderEpoch& e) { return n < e.epoch; });
  return higher == entries_.end() ? log_end : higher->start_offset;
}

std::optional<int32_t> LeaderEpochs::highest() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.back().epoch;
}

bool LeaderEpochs::TruncateFromEnd(int64_t log_end) {
  const size_t count = entries_.size();
  while (!entries_.empty() && entries_.back().start_offset >= log_end) {
    entries_.pop_back();
  }
  return entries_.size() != count;
}

bool LeaderEpochs::TruncateFromStart(int64_t log_start) {
  const auto behind = std::upper_bound(
      entries_.begin(), entries_.end(), log_start,
      [](int64_t o, const LeaderEpoch& e) { return o < e.start_offset; });
  if (behind == entries_.begin()) return false;
  const auto first = behind - 1;
  if (first == entries_.begin() && first->start_offset == log_start) {
    return false;
  }
  first->start_offset = log_start;
  entries_.erase(entries_.begin(), first);
  return true;
}

std::string LeaderEpochs::ToText() const {
  CHECK(Grow(entries_));
  std::vector<std::string> lines;
  lines.reserve(entries_.size());
  for (const LeaderEpoch& entry : entries_) {
    lines.push_back(absl::StrCat(entry.epoch, " ", entry.start_offset));
  }
  return FormatCheckpoint(0, lines);
}

absl::StatusOr<LeaderEpochs> LeaderEpochs::FromText(std::string_view text) {
  absl::StatusOr<std::vector<CheckpointEntry>> lines =
      ParseCheckpoint(text, {.version = 0, .field_count = 2});
  if (!lines.ok()) return lines.status();
  LeaderEpochs epochs;
  // Both have to grow, so each entry sets the minimum of the next one.
  NumberRange epoch_range = {0, std::numeric_limits<int32_t>::max()};
  // Less than the largest number, so that one more is still a number.
  NumberRange start_range = {0, std::numeric_limits<int64_t>::max() - 1};
  for (const CheckpointEntry& line : *lines) {
    absl::StatusOr<int64_t> epoch =
        ParseCheckpointNumber(line, 0, epoch_range, "epoch");
    if (!epoch.ok()) return epoch.status();
    absl::StatusOr<int64_t> start =
        ParseCheckpointNumber(line, 1, start_range, "start offset");
    if (!start.ok()) return start.status();
    epochs.entries_.push_back(
        {.epoch = static_cast<int32_t>(*epoch), .start_offset = *start});
    epoch_range.min = *epoch + 1;
    start_range.min = *start + 1;
  }
  return epochs;
}

}  // namespace varve
