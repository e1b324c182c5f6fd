// SPDX-License-Identifier: Apache-2.0

#include "varve/log/swap/segment_swap.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/swap/swap_files.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr std::array<SegmentFileKind, 4> kGoesWithSegment = {
    SegmentFileKind::kLog, SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex,
    SegmentFileKind::kSnapshot};
constexpr std::array<SegmentFileKind, 5> kAllKinds = {
    SegmentFileKind::kLog, SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex,
    SegmentFileKind::kTxnIndex, SegmentFileKind::kSnapshot};

// Of a file of a segment that is being written.
std::optional<int64_t> CleanedBaseOf(std::string_view name) {
  const std::optional<SwapFile> swap = ParseSwapFileName(name);
  if (!swap.has_value()) return ParseCleanedSidecarFileName(name);
  if (swap->stage != SwapStage::kCleaned) return std::nullopt;
  return swap->file.base_offset;
}

}  // namespace

SegmentSwap::SegmentSwap(Directory* directory, SegmentReplacement replacement)
    : directory_(directory), replacement_(std::move(replacement)) {
  CHECK(!replacement_.replaced.empty() && !replacement_.by.empty());
  CHECK_EQ(replacement_.replaced.front(), replacement_.by.front());
  CHECK_LT(replacement_.by.back(), replacement_.end);
  CHECK(std::is_sorted(replacement_.replaced.begin(),
                       replacement_.replaced.end()));
  CHECK(std::is_sorted(replacement_.by.begin(), replacement_.by.end()));
}

absl::Status SegmentSwap::Discard() {
  absl::Status first;
  for (const int64_t base_offset : replacement_.by) {
    first.Update(
        directory_->RemoveFileIfThere(CleanedSidecarFileName(base_offset)));
    first.Update(directory_->RemoveFileIfThere(
        SwapFileName({.file = {base_offset, SegmentFileKind::kLog},
                      .stage = SwapStage::kCleaned})));
    for (const SegmentFileKind kind : kFilesBesideLog) {
      first.Update(directory_->RemoveFileIfThere(SwapFileName(
          {.file = {base_offset, kind}, .stage = SwapStage::kCleaned})));
    }
  }
  return first;
}

// The last rename of all is that of the first segment's .log, and it is durable
// after all others: as long as a `.cleaned` is left, recovery takes the `.swap`
// files from its base offset on for incomplete (Kafka's rule).
absl::Status SegmentSwap::Commit() {
  if (stage_ != Stage::kCleaned) return absl::OkStatus();
  if (absl::Status strays = RemoveStrays(); !strays.ok()) return strays;
  for (auto base = replacement_.by.rbegin(); base != replacement_.by.rend();
       ++base) {
    const bool is_first_segment = base + 1 == replacement_.by.rend();
    for (const SegmentFileKind kind : kFilesBesideLog) {
      const SegmentFile file = {*base, kind};
      absl::Status status =
          RenameIfThere(*directory_, SwapFileName({file, SwapStage::kCleaned}),
                        SwapFileName({file, SwapStage::kSwap}));
      if (!status.ok()) return status;
    }
    if (is_first_segment) {
      if (absl::Status status = directory_->Sync(); !status.ok()) return status;
    }
    const SegmentFile log = {*base, SegmentFileKind::kLog};
    absl::Status status =
        RenameIfThere(*directory_, SwapFileName({log, SwapStage::kCleaned}),
                      SwapFileName({log, SwapStage::kSwap}));
    if (!status.ok()) return status;
  }
  absl::Status status = directory_->Sync();
  if (status.ok()) stage_ = Stage::kCommitted;
  return status;
}

// A `.cleaned` file that another try has left, and could not remove, would make
// recovery take this replacement for incomplete, too. The names of the new
// files are durable after it, so that none is missing where others are renamed.
absl::Status SegmentSwap::RemoveStrays() {
  const absl::StatusOr<std::vector<DirectoryEntry>> entries =
      directory_->List();
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    const std::optional<int64_t> base_offset = CleanedBaseOf(entry.name);
    if (!base_offset.has_value() ||
        absl::c_linear_search(replacement_.by, *base_offset)) {
      continue;
    }
    absl::Status status = directory_->RemoveFileIfThere(entry.name);
    if (!status.ok()) return status;
  }
  return directory_->Sync();
}

absl::Status SegmentSwap::Complete() {
  CHECK(stage_ != Stage::kCleaned) << directory_->path();
  if (stage_ == Stage::kCommitted) {
    absl::Status status = PutAsideReplaced();
    // What was replaced is gone for good before anything takes its names.
    if (status.ok()) status = directory_->Sync();
    if (!status.ok()) return status;
    stage_ = Stage::kPutAside;
  }
  if (stage_ == Stage::kPutAside) {
    if (absl::Status status = TakeNames(); !status.ok()) return status;
    stage_ = Stage::kNamed;
  }
  return RemoveDeleted();
}

// The .log and the indexes of the first one stay until those of the new one
// take their names: a segment of that base offset is found at any time. Not so
// the index of its transactions, in whose place there may come none.
absl::Status SegmentSwap::PutAsideReplaced() {
  for (const int64_t base_offset : replacement_.replaced) {
    absl::Status status =
        directory_->RemoveFileIfThere(SidecarFileName(base_offset));
    if (status.ok()) status = PutAside(base_offset, SegmentFileKind::kTxnIndex);
    if (!status.ok()) return status;
    if (base_offset == replacement_.replaced.front()) continue;
    for (const SegmentFileKind kind : kGoesWithSegment) {
      if (status = PutAside(base_offset, kind); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status SegmentSwap::PutAside(int64_t base_offset, SegmentFileKind kind) {
  const SegmentFile file = {base_offset, kind};
  return RenameIfThere(*directory_, SegmentFileName(base_offset, kind),
                       SwapFileName({file, SwapStage::kDeleted}));
}

// As long as a .log is called `.swap`, so are the files beside it: so recovery
// knows whose those are that have the segment's name.
absl::Status SegmentSwap::TakeNames() {
  for (const int64_t base_offset : replacement_.by) {
    absl::Status status =
        TakeOwnName(*directory_, {base_offset, SegmentFileKind::kLog});
    if (!status.ok()) return status;
  }
  if (absl::Status status = directory_->Sync(); !status.ok()) return status;
  for (const int64_t base_offset : replacement_.by) {
    absl::Status status;
    for (const SegmentFileKind kind : kFilesBesideLog) {
      status = TakeOwnName(*directory_, {base_offset, kind});
      if (!status.ok()) return status;
    }
    status = TakeSidecarName(*directory_, base_offset);
    if (!status.ok()) return status;
  }
  return directory_->Sync();
}

absl::Status SegmentSwap::RemoveDeleted() {
  absl::Status first;
  for (const int64_t base_offset : replacement_.replaced) {
    for (const SegmentFileKind kind : kAllKinds) {
      first.Update(directory_->RemoveFileIfThere(SwapFileName(
          {.file = {base_offset, kind}, .stage = SwapStage::kDeleted})));
    }
  }
  return first;
}

}  // namespace varve
