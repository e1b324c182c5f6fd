// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_DIRTY_KEYS_H_
#define VARVE_LOG_COMPACTION_DIRTY_KEYS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/compaction/cleaned_transactions.h"
#include "varve/log/compaction/compaction_stats.h"
#include "varve/log/compaction/key_hash.h"
#include "varve/log/compaction/offset_map.h"

namespace varve {

// Fills a map with the keys of the dirty part of a log: the first half of a
// compaction (log/compaction/batch_cleaner.h is the second). A record counts
// when it has a key, its offset is in the range, and it belongs to no
// transaction that was aborted; those of control batches have no key.
//
//   DirtyKeys keys({range.first_dirty, range.end}, codecs, map);
//   for (each segment from the one that holds `first_dirty` on) {
//     keys.AddAborted(…);  // those that overlap the segment
//     absl::StatusOr<DirtyKeys::Progress> progress = keys.Add(its batches);
//     if (*progress == DirtyKeys::Progress::kFull) break;
//   }
//   const int64_t mapped_end = keys.Finish();
//
// Thread safety: externally synchronized.
class DirtyKeys {
 public:
  // Fills `map`, which is empty. Precondition: both `codecs`, which may be
  // null, and `map` outlive it.
  DirtyKeys(const OffsetRange& dirty, const Codecs* codecs, OffsetMap& map);

  // As CleanedTransactions::AddAborted.
  void AddAborted(absl::Span<const AbortedTransaction> aborted) {
    transactions_.AddAborted(aborted);
  }

  enum class Progress : uint8_t {
    kMore,
    // The map has no room for the next key. What is in it is right: compaction
    // goes as far as that, and no further batch is to be added.
    kFull,
  };

  // Adds whole batches, one after the other. Those that end before the range
  // may come first.
  //
  // Precondition: it has not failed, nor been full.
  // Errors, after which the log cannot be compacted as it is (a key that
  // stayed unread could come back, after its tombstone has gone): DataLoss for
  // damage, and for batches that do not follow those before or reach past the
  // range; Unimplemented when a codec is missing; ResourceExhausted for a
  // batch that decompresses to more than Codecs::decompressed_size_max.
  absl::StatusOr<Progress> Add(std::string_view batches);

  // All batches of the range have been added, or the map is full. Returns the
  // offset that the map is complete up to: the end of the range, or the record
  // that had no room. That is the next checkpoint, once the log is cleaned.
  int64_t Finish();

  const DirtyKeysStats& stats() const { return stats_; }

 private:
  absl::Status AddBatch(const RecordBatch& batch);
  absl::Status AddRecords(const RecordBatch& batch);
  void PutLater(std::string_view key, int64_t offset);
  void PutOldest();

  const OffsetRange dirty_;
  const Codecs* const codecs_;
  OffsetMap& map_;
  OffsetRange rest_;  // of the walk
  CleanedTransactions transactions_;
  ByteBuffer scratch_;    // for decompressed records
  int64_t full_at_ = -1;  // the offset that had no room

  // Keys whose place in the map is fetched from memory meanwhile, in the order
  // of their offsets: the first of them at `waiting_begin_`, around a ring.
  struct Waiting {
    KeyHash hash;
    int64_t offset = -1;
  };
  static constexpr size_t kWaitingMax = 16;
  std::array<Waiting, kWaitingMax> waiting_;
  size_t waiting_begin_ = 0;
  size_t waiting_count_ = 0;

  DirtyKeysStats stats_;
};

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_DIRTY_KEYS_H_
