// SPDX-License-Identifier: Apache-2.0

#include "varve/log/swap/swap_plan.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/log/metadata/file_names.h"

namespace varve {
namespace {

// The files of a directory that matter here, each looked at once.
struct Listing {
  struct Named {
    std::string name;
    SwapFile swap;
  };
  std::vector<Named> swaps;            // at any stage
  std::vector<SegmentFile> live;       // with their own names
  std::vector<int64_t> live_sidecars;  // base offsets
  std::vector<int64_t> swap_sidecars;  // of CleanedSidecarFileName
  int64_t incomplete_from = std::numeric_limits<int64_t>::max();
  std::set<int64_t> live_logs;

  explicit Listing(absl::Span<const std::string> names) {
    for (const std::string& name : names) Add(name);
  }

  void Add(const std::string& name) {
    if (const auto swap = ParseSwapFileName(name)) {
      swaps.push_back({.name = name, .swap = *swap});
      if (swap->stage == SwapStage::kCleaned)
        incomplete_from = std::min(incomplete_from, swap->file.base_offset);
    } else if (const auto file = ParseSegmentFileName(name)) {
      live.push_back(*file);
      if (file->kind == SegmentFileKind::kLog)
        live_logs.insert(file->base_offset);
    } else if (const auto sidecar = ParseSidecarFileName(name)) {
      live_sidecars.push_back(*sidecar);
    } else if (const auto cleaned = ParseCleanedSidecarFileName(name)) {
      swap_sidecars.push_back(*cleaned);
    }
  }
};

// Where each replacement that counts ends, by its base offset.
class Replacements {
 public:
  // The last segment of a log is never replaced, whatever `end_of` says.
  absl::Status Add(int64_t base_offset, int64_t last_base, SwapEndOf end_of) {
    const absl::StatusOr<int64_t> end = end_of(base_offset);
    if (!end.ok()) return end.status();
    ends_[base_offset] = std::min(*end, last_base);
    return absl::OkStatus();
  }

  bool Has(int64_t base_offset) const { return ends_.contains(base_offset); }

  // Whether a segment that begins here is replaced, by one that begins here or
  // before it.
  bool Replaces(int64_t base_offset) const {
    auto after = ends_.upper_bound(base_offset);
    if (after == ends_.begin()) return false;
    const auto& [begin, end] = *--after;
    return base_offset == begin || base_offset < end;
  }

  bool empty() const { return ends_.empty(); }

 private:
  std::map<int64_t, int64_t> ends_;
};

// What goes with a segment that is replaced. Of one whose base offset the new
// one has, too, all that the new one does not bring for sure; its snapshot
// stays true.
bool GoesWithReplaced(const SegmentFile& file, const Replacements& by) {
  if (!by.Replaces(file.base_offset)) return false;
  return !by.Has(file.base_offset) || file.kind == SegmentFileKind::kTxnIndex;
}

void PlanSwapFile(const Listing::Named& file, const Listing& listing,
                  const Replacements& replacements, SwapPlan& plan) {
  const SegmentFile& own = file.swap.file;
  if (file.swap.stage == SwapStage::kSwap) {
    if (own.base_offset >= listing.incomplete_from) {
      plan.undone.push_back(file.name);
      return;
    }
    if (own.kind == SegmentFileKind::kLog) {
      plan.named_logs.push_back(own);
      return;
    }
    if (replacements.Has(own.base_offset) ||
        listing.live_logs.contains(own.base_offset)) {
      plan.named_files.push_back(own);
      return;
    }
  }
  plan.removed.push_back(file.name);
}

}  // namespace

absl::StatusOr<SwapPlan> PlanSwaps(absl::Span<const std::string> names,
                                   SwapEndOf end_of,
                                   IsSidecarOfSegment is_sidecar) {
  const Listing listing(names);
  Replacements replacements;
  const int64_t last_base = listing.live_logs.empty()
                                ? std::numeric_limits<int64_t>::max()
                                : *listing.live_logs.rbegin();
  for (const Listing::Named& file : listing.swaps) {
    const SegmentFile& own = file.swap.file;
    if (file.swap.stage != SwapStage::kSwap ||
        own.kind != SegmentFileKind::kLog ||
        own.base_offset >= listing.incomplete_from) {
      continue;
    }
    absl::Status status = replacements.Add(own.base_offset, last_base, end_of);
    if (!status.ok()) return status;
  }
  SwapPlan plan;
  for (const Listing::Named& file : listing.swaps)
    PlanSwapFile(file, listing, replacements, plan);
  for (const SegmentFile& file : listing.live) {
    if (GoesWithReplaced(file, replacements))
      plan.removed.push_back(SegmentFileName(file.base_offset, file.kind));
  }
  for (const int64_t base_offset : listing.live_sidecars) {
    if (replacements.Replaces(base_offset))
      plan.removed.push_back(SidecarFileName(base_offset));
  }
  for (const int64_t base_offset : listing.swap_sidecars) {
    const bool stays =
        replacements.Has(base_offset) ||
        (base_offset < listing.incomplete_from && is_sidecar(base_offset));
    if (stays) {
      plan.named_sidecars.push_back(base_offset);
    } else {
      plan.removed.push_back(CleanedSidecarFileName(base_offset));
    }
  }
  return plan;
}

}  // namespace varve
