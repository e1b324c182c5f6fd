// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CURSOR_H_
#define VARVE_API_CURSOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/offset_reset.h"
#include "varve/api/partition.h"
#include "varve/api/read_only_partition.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/read_options.h"

namespace varve {

struct CursorOptions {
  // What to do when the next record is not there (any more). Default: to stop,
  // with OutOfRange.
  OffsetReset reset = OffsetReset::kNone;
  // How far the cursor looks, how much it reads at a time, and whether it
  // verifies CRCs and decompresses.
  ReadOptions read = {};
};

// Reads the records of a partition in order, from an offset on, over batches
// and segments, and waits for more:
//
//   varve::Cursor cursor(orders, orders.log_start());
//   while (const varve::RecordView* record =
//              cursor.Next(absl::InfiniteFuture())) {
//     … record->value() …
//   }
//   return cursor.status();  // why it has stopped
//
// It begins at any offset: at `log_start()`; at `readable_end()`, for what is
// appended from now on; at `OffsetForTime(time)`; or where an earlier one was.
// The first offset is not checked before the first read.
//
// When there is no record to return, `status` says why, and nothing is skipped
// without the caller's word:
//
//   OK            The log ends here, for now.
//   OutOfRange    The next record was deleted before it was read, or the log
//                 ends before it. With OffsetReset::kEarliest or kLatest the
//                 cursor jumps instead, and counts it: `resets`.
//   DataLoss      The next record is damaged or missing: `Seek` to
//                 `next_readable` to leave out what is damaged.
//   Unimplemented The next batch is compressed, and the store was opened
//                 without a codec for it (StoreOptions::codecs): the same.
//   ResourceExhausted   With a `next_readable`: the next batch decompresses to
//                 more than the codecs' limit; the same. Without: a limit of
//                 the process is reached; try again later.
//   FailedPrecondition  The store is closed, or the Partition is empty.
//   NotFound      The topic was deleted.
//   others        A file could not be read. From a `Next` that waits, a sync
//                 has failed: nothing more comes until the store is opened
//                 again.
//
// Calling `Next` again tries again, from the same offset on.
//
// Records are read in place: the cursor pins the segment that it reads, and
// nothing while it waits, at the end, or after an error. Over a Partition it
// allocates nothing but the messages of errors and of deadlines that pass, and
// a hundred bytes for each read that has decompressed something: the memory for
// the records is used again.
//
// Thread safety: externally synchronized. A cursor and its copies are
// independent, but those of one ReadOnlyPartition take turns: take a handle for
// each. One that was moved from may only be destroyed or assigned to.
class Cursor {
 public:
  // Of an empty Partition: to be assigned to.
  Cursor() = default;

  Cursor(Partition partition, int64_t offset,
         const CursorOptions& options = {});
  Cursor(ReadOnlyPartition partition, int64_t offset,
         const CursorOptions& options = {});

  // The next record, valid until the next call of a function that is not const;
  // null when there is none. With a deadline it waits at the end of the log
  // until then; without, it does not.
  const RecordView* Next(absl::Time deadline = absl::InfinitePast())
      ABSL_ATTRIBUTE_LIFETIME_BOUND {
    const int64_t offset = records_.next_offset();
    const RecordView* const record = records_.Next();
    return record != nullptr ? record : NextOfNextView(offset, deadline);
  }

  // The same in whole batches, from the one that holds `position` on, as many
  // as one read returns: for programs that copy bytes, or that give batches to
  // other threads. Batches whose records cannot be decoded, and those that hold
  // no records for a reader, are among them. The batches stay valid in a copy.
  // Who only copies bytes asks for Decompression::kLeave, which is less work.
  const RecordBatches* NextBatches(absl::Time deadline = absl::InfinitePast())
      ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // Why the last `Next` or `NextBatches` returned null; OK when it did not.
  const absl::Status& status() const { return status_; }

  // After DataLoss, Unimplemented and a ResourceExhausted of a batch, where
  // records can be read again, if that is known; what lies between `position`
  // and there would be left out.
  std::optional<int64_t> next_readable() const { return next_readable_; }

  // The offset of the first record that was not returned: the one to keep, or
  // to commit, once all before it are processed.
  int64_t position() const { return records_.next_offset(); }

  // Continues at `offset`, which is not checked before the next read.
  void Seek(int64_t offset);

  // How often it has jumped because of OffsetReset, and the last jump. What was
  // between, if it went forward, is lost to this reader; if it went back, it
  // returns records again.
  struct Reset {
    int64_t from = 0;
    int64_t to = 0;
  };
  int64_t resets() const { return resets_; }
  const Reset& last_reset() const { return last_reset_; }

  // The batches that the record returned last is one of. A copy keeps its bytes
  // valid when the cursor goes on.
  const RecordBatches& batches() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return view_;
  }

  // The partition that it reads. Precondition: it is not empty.
  const std::string& topic() const;
  int32_t index() const;

 private:
  friend class CursorSet;

  using AnyPartition = std::variant<Partition, ReadOnlyPartition>;

  const RecordView* NextOfNextView(int64_t offset, absl::Time deadline);
  // Reads on at `offset`. Returns whether there is something; if not, `status_`
  // is set.
  bool Fetch(int64_t offset, absl::Time deadline);
  absl::StatusOr<RecordBatches> ReadOrReset();
  absl::StatusOr<RecordBatches> ReadAt(int64_t offset) const;
  void Show(RecordBatches view);
  // Notes the result of a call. Returns whether it is OK.
  bool Note(const absl::Status& status,
            std::optional<int64_t> next_readable = std::nullopt);
  // Whether `Next` would return a record, or null with an error.
  bool HasNews() const;

  AnyPartition partition_;
  CursorOptions options_;

  RecordBatches view_;
  RecordBatches::Records records_{view_};  // what is left of the view
  absl::Status status_;
  std::optional<int64_t> next_readable_;
  int64_t resets_ = 0;
  Reset last_reset_;
};

}  // namespace varve

#endif  // VARVE_API_CURSOR_H_
