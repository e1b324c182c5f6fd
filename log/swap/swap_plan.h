// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SWAP_SWAP_PLAN_H_
#define VARVE_LOG_SWAP_SWAP_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/log/metadata/file_names.h"

namespace varve {

// What an open does in a partition's directory about replacements of segments
// that a crash has interrupted. They are made complete where the new segments
// counted (SegmentSwap::Commit), and taken back where they did not:
//
//   x.cleaned  goes, and so does every x.swap of its base offset or a higher
//              one: the last of them had not become `.swap`.
//   x.swap     takes the place of all segments that begin from its base offset
//              on, up to where its sidecar says that the next one begins. One
//              of a Kafka broker has no sidecar; it replaces up to the end of
//              its batches.
//   x.deleted  goes.
//
// The steps are taken in this order, with the directory synced after each; so a
// crash between any two file operations leaves files of which another plan
// makes the same segments.
struct SwapPlan {
  // 1. `.swap` files that do not count.
  std::vector<std::string> undone = {};
  // 2. Files of segments that were replaced, and what means nothing.
  std::vector<std::string> removed = {};
  // 3. .log files that get their own names.
  std::vector<SegmentFile> named_logs = {};
  // 4. Other files that do, and base offsets of sidecars.
  std::vector<SegmentFile> named_files = {};
  std::vector<int64_t> named_sidecars = {};

  bool empty() const { return *this == SwapPlan(); }

  friend bool operator==(const SwapPlan&, const SwapPlan&) = default;
};

// Where the offsets end that a segment at `.swap` stands for.
using SwapEndOf = absl::FunctionRef<absl::StatusOr<int64_t>(int64_t base)>;
// Whether a sidecar that has not its own name yet describes the segment that
// has: it is the last file to be renamed.
using IsSidecarOfSegment = absl::FunctionRef<bool(int64_t base)>;

// `names` are those of the directory. It asks for nothing and is empty when no
// replacement has left anything.
//
// Thread safety: a pure function, but for what is passed to it.
// Errors: those of `end_of`.
absl::StatusOr<SwapPlan> PlanSwaps(absl::Span<const std::string> names,
                                   SwapEndOf end_of,
                                   IsSidecarOfSegment is_sidecar);

}  // namespace varve

#endif  // VARVE_LOG_SWAP_SWAP_PLAN_H_
