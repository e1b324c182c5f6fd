// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_RECORD_BATCHES_H_
#define VARVE_LOG_BATCH_RECORD_BATCHES_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"

namespace varve {

class DecompressedRecords;

// Consecutive record batches of one partition, read in place: a view into the
// mapped segment, without a copy. It pins the segment, so it stays valid when
// the segment is sealed or deleted and when the partition and its store are
// closed and destroyed. A pinned segment keeps its disk space: drop views that
// are no longer needed. (A view of another process's last segment shows a
// buffer, and pins that.)
//
// The records of compressed batches were decompressed by the read, into memory
// that the view and its copies own: they are valid as long as the others, and
// that memory is kept until the last copy is gone. The batches themselves, by
// `begin` and `bytes`, are as they are in the log.
//
// Every batch was checked when it was read (ReadOptions says how).
//
//   varve::RecordBatches::Records records = view.records();
//   while (const varve::RecordView* record = records.Next()) { … }
//   if (!records.status().ok()) … a batch cannot be decoded: see `status`
//
// A view lies in one segment, so it may show less than was asked for. It also
// ends before the compressed batch with which its decompressed records would be
// more than ReadOptions::max_bytes, unless that is its first.
//
// Thread safety: immutable; a copy is cheap, takes no lock and may go to
// another thread.
class RecordBatches {
 public:
  // A view of no batches, whose next offset is `next_offset`.
  explicit RecordBatches(int64_t next_offset = 0)
      : first_offset_(next_offset), next_offset_(next_offset) {}

  // `bytes` are whole batches in memory that `pin` keeps, with records from
  // `first_offset` (earlier ones in the first batch are skipped) to before
  // `next_offset`.
  RecordBatches(std::shared_ptr<const void> pin, std::string_view bytes,
                int64_t first_offset, int64_t next_offset)
      : pin_(std::move(pin)),
        bytes_(bytes),
        first_offset_(first_offset),
        next_offset_(next_offset) {}

  bool empty() const { return bytes_.empty(); }

  // Bytes of all batches, headers included.
  int64_t size_bytes() const { return static_cast<int64_t>(bytes_.size()); }
  std::string_view bytes() const { return bytes_; }

  // The offset to read next: the one after the last batch, or the one that was
  // asked for when there was no batch yet.
  int64_t next_offset() const { return next_offset_; }

  // The batches, front to back. The first may begin before the offset asked
  // for.
  class Iterator {
   public:
    using value_type = RecordBatch;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(std::string_view bytes) : rest_(bytes) { Measure(); }

    RecordBatch operator*() const {
      return RecordBatch(rest_.substr(0, size_));
    }
    Iterator& operator++();
    Iterator operator++(int);
    // Whether the bytes that followed are no longer a batch: the file was
    // overwritten since it was read.
    bool ended_early() const { return ended_early_; }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.rest_.size() == b.rest_.size();
    }

   private:
    void Measure();

    std::string_view rest_;
    size_t size_ = 0;  // of the batch in front
    bool ended_early_ = false;
  };
  Iterator begin() const { return Iterator(bytes_); }
  Iterator end() const { return Iterator(); }

  // Steps through the records from the offset asked for, of all batches.
  // Control records (Kafka's transaction markers) are skipped, and so are the
  // records of aborted transactions when the read was one of committed records
  // (ReadOptions::isolation). It borrows from its RecordBatches.
  //
  // Thread safety: externally synchronized.
  class Records {
   public:
    explicit Records(const RecordBatches& batches);

    // The next record, valid until the call after; null after the last one and
    // when a batch cannot be decoded: `status()` says which.
    const RecordView* Next();

    // OK at the end. Otherwise all records before the batch that failed were
    // returned, and none after it: to continue, read from `next_offset` on.
    //
    //   DataLoss           The batch's checksum is right, but its records are
    //                      malformed or cannot be decompressed; or its bytes
    //                      have changed since they were read.
    //   ResourceExhausted  It decompresses to more than the limit of the codecs
    //                      (Codecs::decompressed_size_max).
    //   Unimplemented      It is compressed, and what opened the log was given
    //                      no codec for that, or the read was told to leave it
    //                      so. The message names the codec and the offset.
    const absl::Status& status() const { return status_; }

    // Where to continue: one past the record returned last; at the end, the
    // view's `next_offset`; after an error, one past the batch that failed, or,
    // when the bytes have changed, that batch: reading it again shows more.
    int64_t next_offset() const { return next_offset_; }

   private:
    void End();
    void SetChanged();
    void OpenCompressed(const RecordBatch& batch);

    Iterator batch_;
    const DecompressedRecords* decompressed_;  // null: there are none
    const std::vector<int64_t>* left_out_;     // null: none
    int64_t first_offset_;
    int64_t end_offset_;
    int64_t next_offset_;
    int64_t batch_end_ = 0;  // of the current batch
    std::optional<RecordCursor> cursor_;
    absl::Status status_;
  };
  Records records() const& ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return Records(*this);
  }
  Records records() && = delete;  // would outlive the RecordBatches

  // From now on the view, and what is copied from it, leaves the records of
  // these batches out: their base offsets, ascending. `begin` and `bytes` show
  // them as before.
  void LeaveOut(std::vector<int64_t> base_offsets);

 private:
  friend class Decompressor;

  // Keeps the bytes, and, if there are any, the decompressed records and the
  // offsets of what is left out.
  std::shared_ptr<const void> pin_;
  std::string_view bytes_;
  int64_t first_offset_;
  int64_t next_offset_;
  const DecompressedRecords* decompressed_ = nullptr;
  const std::vector<int64_t>* left_out_ = nullptr;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_RECORD_BATCHES_H_
