// SPDX-License-Identifier: Apache-2.0

#include "varve/log/broker/loaded_files.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "varve/log/metadata/file_names.h"

namespace varve {
namespace {

constexpr std::string_view kCleanedSuffix = ".cleaned";
constexpr std::string_view kDeletedSuffix = ".deleted";
constexpr std::string_view kSwapSuffix = ".swap";

// The file of a segment that `name` is at this stage.
std::optional<SegmentFile> ParseAt(std::string_view name, SwapStage stage) {
  const std::optional<SwapFile> swap = ParseSwapFileName(name);
  if (!swap.has_value() || swap->stage != stage) return std::nullopt;
  return swap->file;
}

bool IsOnItsWay(std::string_view name) {
  return absl::EndsWith(name, kCleanedSuffix) ||
         absl::EndsWith(name, kDeletedSuffix) ||
         absl::EndsWith(name, kSwapSuffix) ||
         ParseCleanedSidecarFileName(name).has_value();
}

// varve's own files beside a segment, from when the directory was a store's:
// the broker that has it now does not keep them up.
bool IsOfVarve(std::string_view name) {
  return ParseSidecarFileName(name).has_value() || name == kReadyLogName ||
         name == kReadyIndexName || name == kReadyTimeIndexName;
}

// Replacements with this base offset or a higher one were not complete.
int64_t IncompleteFrom(absl::Span<const std::string> names) {
  int64_t first = std::numeric_limits<int64_t>::max();
  for (const std::string& name : names) {
    if (const auto file = ParseAt(name, SwapStage::kCleaned); file.has_value())
      first = std::min(first, file->base_offset);
  }
  return first;
}

}  // namespace

absl::StatusOr<LoadedFiles> LoadedFiles::Of(absl::Span<const std::string> names,
                                            Owner owner,
                                            NextOffsetOf next_offset_of) {
  LoadedFiles loaded;
  loaded.owner_ = owner;
  const int64_t incomplete = IncompleteFrom(names);
  std::vector<std::pair<std::string, std::string>> swapped;
  for (const std::string& name : names) {
    const auto file = ParseAt(name, SwapStage::kSwap);
    if (!file.has_value() || file->base_offset >= incomplete) continue;
    swapped.emplace_back(absl::StripSuffix(name, kSwapSuffix), name);
    if (file->kind != SegmentFileKind::kLog) continue;
    const absl::StatusOr<int64_t> end = next_offset_of(file->base_offset);
    if (!end.ok()) return end.status();
    loaded.replaced_begin_ =
        std::min(loaded.replaced_begin_, file->base_offset);
    loaded.replaced_end_ = std::max(loaded.replaced_end_, *end);
  }
  for (const std::string& name : names) {
    if (!loaded.IsHidden(name)) loaded.stored_.emplace(name, name);
  }
  for (auto& [name, stored] : swapped)
    loaded.stored_.insert_or_assign(std::move(name), std::move(stored));
  return loaded;
}

std::vector<std::string> LoadedFiles::names() const {
  std::vector<std::string> names;
  names.reserve(stored_.size());
  for (const auto& [name, stored] : stored_) names.push_back(name);
  return names;
}

bool LoadedFiles::IsHidden(std::string_view name) const {
  if (stored_.contains(name)) return false;
  return IsOnItsWay(name) || IsReplaced(name) ||
         (owner_ == Owner::kBroker && IsOfVarve(name));
}

bool LoadedFiles::IsReplaced(std::string_view name) const {
  const std::optional<SegmentFile> file = ParseSegmentFileName(name);
  // The snapshot of a base offset that stays says what was before it.
  if (owner_ == Owner::kStore && file.has_value() &&
      file->kind == SegmentFileKind::kSnapshot &&
      file->base_offset == replaced_begin_) {
    return false;
  }
  const std::optional<int64_t> base_offset =
      file.has_value() ? file->base_offset : ParseSidecarFileName(name);
  // Without a replacement the range begins after its end. One without batches
  // takes the place of the segment of its own base offset all the same.
  return base_offset.has_value() && replaced_begin_ <= replaced_end_ &&
         *base_offset >= replaced_begin_ &&
         (*base_offset == replaced_begin_ || *base_offset < replaced_end_);
}

std::string LoadedFiles::StoredName(std::string_view name) const {
  const auto stored = stored_.find(name);
  return stored == stored_.end() ? std::string(name) : stored->second;
}

}  // namespace varve
