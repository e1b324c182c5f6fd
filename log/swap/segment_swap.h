// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SWAP_SEGMENT_SWAP_H_
#define VARVE_LOG_SWAP_SEGMENT_SWAP_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "varve/index/transaction_index.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Segments that were written to take the place of others.
struct SegmentReplacement {
  // The base offsets of the segments that are replaced, ascending: all that
  // begin from the first of them up to `end`, where the next segment begins.
  std::vector<int64_t> replaced = {};
  int64_t end = 0;
  // Those of the ones that take their place, ascending. The first is that of
  // the first replaced one.
  std::vector<int64_t> by = {};

  OffsetRange range() const { return {.from = replaced.front(), .to = end}; }
};

// Puts files of segments in the place of others, so that a crash at any moment
// leaves the old ones or the new ones: Kafka's protocol of `.cleaned`, `.swap`
// and `.deleted`, with the directory synced between its steps, and a sidecar
// that says exactly what is replaced (log/FORMAT.md, "Compaction"). What a
// crash leaves is settled by `RecoverSwaps`.
//
//   SegmentSwap swap(directory, replacement);  // the files are `.cleaned`
//   swap.Commit();    // now the new ones count, whatever happens
//   swap.Complete();  // the old ones are gone, and the new ones have their
//   names
//
// Each step does again what an earlier call of it has done, so that one that
// failed is repeated. After a `Commit` that failed it is not known which of
// them count: it has to be repeated, and the segments concerned must not be
// changed otherwise, until it succeeds or the log is opened anew.
//
// Borrows the directory, which must outlive it.
//
// Thread safety: externally synchronized.
class SegmentSwap {
 public:
  SegmentSwap(Directory* directory, SegmentReplacement replacement);

  const SegmentReplacement& replacement() const { return replacement_; }

  // Removes the `.cleaned` files. Precondition: `Commit` was not called.
  // Errors: the first file error; what is left means nothing.
  absl::Status Discard();

  // From here on the new segments count; durable on return.
  //
  // Precondition: their files, and a sidecar with `cleaned_to` for each, are
  // synced. Errors: file errors (log/system/errno_status.h).
  absl::Status Commit();

  // Whether the new segments have their names.
  bool has_names() const { return stage_ == Stage::kNamed; }

  // Gives the new segments their names and removes the old ones; durable on
  // return, but for the last removals. Views of the old ones stay valid.
  //
  // Precondition: `Commit` has succeeded. Errors: file errors.
  absl::Status Complete();

 private:
  enum class Stage : uint8_t {
    kCleaned,
    kCommitted,  // all are `.swap`, for good
    kPutAside,   // the old ones are `.deleted`, for good
    kNamed,      // the new ones have their names, for good
  };

  absl::Status RemoveStrays();
  absl::Status PutAsideReplaced();
  absl::Status PutAside(int64_t base_offset, SegmentFileKind kind);
  absl::Status TakeNames();
  absl::Status RemoveDeleted();

  Directory* const directory_;
  const SegmentReplacement replacement_;
  Stage stage_ = Stage::kCleaned;
};

}  // namespace varve

#endif  // VARVE_LOG_SWAP_SEGMENT_SWAP_H_
