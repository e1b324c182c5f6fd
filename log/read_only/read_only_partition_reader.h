// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_READ_ONLY_READ_ONLY_PARTITION_READER_H_
#define VARVE_LOG_READ_ONLY_READ_ONLY_PARTITION_READER_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/batch/decompressor.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/read_only/open_readers.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_segment_read.h"
#include "varve/log/read_only/read_only_transactions.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Reads one partition whose writer, if there is one, is another process. It
// shares nothing with the writer but the files: it takes no lock, writes
// nothing, and stays right when the writer appends, rolls, trims, deletes,
// closes, dies, and is followed by one that recovers.
//
// It shows the visible records. The last segment may end in a batch that is not
// whole, in zeros, or in bytes that a crash left: that is "nothing yet", and is
// read again. It is damage only below the recovery point, or when there is a
// later segment. Records that were read from an unsynced tail can vanish when
// the machine loses power, or when a writer recovers from a failed sync; none
// vanish when the writer is killed. Leader epochs are not checked: old batches
// that a crash brings back are found by the recovery of the next writer.
//
// Owns the partition's open directory, one open segment for the place read last
// and one for the end, unless it rests (log/read_only/open_readers.h). Views
// may outlive it.
//
// Thread safety: thread-safe; calls take turns. It remembers the place of the
// next offset, so one sequential reader at a time searches nothing.
class ReadOnlyPartitionReader : private RestingReader {
 public:
  // `open_readers` decides when it rests; null: never.
  // Precondition: with it, `options.reopen` is not null.
  ReadOnlyPartitionReader(std::unique_ptr<Directory> directory,
                          ReadOnlyLog::Options options,
                          std::shared_ptr<OpenReaders> open_readers = nullptr,
                          Decompressor decompressor = Decompressor());
  ~ReadOnlyPartitionReader() override;

  ReadOnlyPartitionReader(const ReadOnlyPartitionReader&) = delete;
  ReadOnlyPartitionReader& operator=(const ReadOnlyPartitionReader&) = delete;

  // In all of these, ReadLevel::kDurable ends at the recovery point of the
  // store's checkpoint, at most a second late; kDefault is kVisible, because it
  // is not known how another process appends. The first one with
  // Isolation::kReadCommitted reads what is known of transactions, and the log
  // from the newest snapshot of its producers on; later ones what has come
  // since.

  // Reads batches from the one that holds `offset` on, and decompresses the
  // records of compressed ones, unless the options say otherwise. Empty when
  // there is none yet: `WaitFor` waits for it. `options.crc` is used only for
  // mapped segments: bytes that are copied from a file may be half written, and
  // are verified.
  //
  // Errors: OutOfRange below the log start (it may have been trimmed since) or
  // past the visible end; the message names the bounds. DataLoss when the
  // record is damaged or missing; the message says where, and what the next
  // readable offset is, if known. NotFound when the topic is deleted. Other
  // file errors (log/system/errno_status.h).
  absl::StatusOr<RecordBatches> Read(int64_t offset, const ReadOptions& options)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Blocks until `Read` of `offset` would return something else than "not yet",
  // by polling (log/read_only/poll_interval.h).
  //
  // Errors: DeadlineExceeded; NotFound when the topic is deleted; other file
  // errors.
  absl::Status WaitFor(int64_t offset, absl::Time deadline,
                       ReadLevel level = ReadLevel::kDefault,
                       Isolation isolation = Isolation::kReadUncommitted)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Whether `WaitFor` would return at once. Errors: NotFound when the topic is
  // deleted; other file errors.
  absl::StatusOr<bool> HasNews(
      int64_t offset, ReadLevel level,
      Isolation isolation = Isolation::kReadUncommitted)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The offset of the first record whose timestamp is `time` or later; when
  // every record is earlier, the end that a read of this level sees.
  absl::StatusOr<int64_t> OffsetForTime(absl::Time time,
                                        ReadLevel level = ReadLevel::kDefault)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The bounds of the partition now. The log start may be as late as the
  // store's checkpoint, a second. Errors: those of `Read`.
  absl::StatusOr<LogBounds> Bounds() ABSL_LOCKS_EXCLUDED(mu_);

  // Where a read of this level and isolation ends now. Errors: those of `Read`.
  absl::StatusOr<int64_t> ReadableEnd(ReadLevel level, Isolation isolation)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The incarnations that wrote it, as its leader-epoch-checkpoint has them
  // now; none without that file. Errors: DataLoss when the file is damaged;
  // NotFound when the topic is deleted; other file errors.
  absl::StatusOr<LeaderEpochs> Epochs() ABSL_LOCKS_EXCLUDED(mu_);

  // The same as `Bounds` with sizes, epochs and times; without the part that
  // only a writer knows. Reads the size of every segment's file. Errors: those
  // of `Read`; DataLoss also when the file of the leader epochs is damaged.
  absl::StatusOr<PartitionStats> Stats() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // An offset after every record.
  static constexpr int64_t kNoOffset = std::numeric_limits<int64_t>::max();

  // How often listed segments may be trimmed away before they are read, and a
  // writer be followed by another: neither retention nor recovery is faster.
  static constexpr int kTriesMax = 10;

  // Since when the transactions are known: what was known before a call may be
  // of a log that is there no more.
  enum class Known { kBefore, kJustLoaded };

  // A place, without its open segment.
  struct RestingPlace {
    int64_t segment_base = 0;
    BatchPlace place;
  };

  bool TryRest() override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status WakeUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status BehindEnd(int64_t offset, int64_t end) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<ReadOnlyLog::Cursor> CursorFor(int64_t offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<RecordBatches> TryRead(int64_t offset,
                                        const ReadOptions& options, Known known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<int64_t> LimitOf(int64_t offset, ReadLevel level,
                                  Isolation isolation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<RecordBatches> NotReadableYet(int64_t offset, int64_t limit)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<bool> IsPastOrWrong(int64_t offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int64_t LastStableOffset(ReadLevel level) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CatchUp(int64_t offset, ReadLevel level)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status LoadTransactions() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetLog() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status LoadAndNote(int64_t offset, ReadLevel level)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status NoteSlice(const ReadOnlyLog::Cursor& cursor,
                         const ReadOnlySlice& slice, int64_t next)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status NoteNews(int64_t offset, ReadLevel level, Known known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<LogBounds> BoundsAfterTries()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<LogBounds> TryBounds() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<LeaderEpochs> ReadEpochs() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<PartitionStats> TryStats() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status AddSizes(PartitionStats& stats)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<RecordBatches> BatchAt(int64_t offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status RefreshIfDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetEnd(ReadOnlyLog::Cursor end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteEnd(const ReadOnlyLog::Cursor& cursor, const ReadOnlySlice& slice)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AdaptWindow(const ReadOnlySlice& slice, int64_t max_bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const std::string path_;
  const std::shared_ptr<OpenReaders> open_readers_;  // null: it never rests
  const Decompressor decompressor_;

  absl::Mutex mu_;
  ReadOnlyLog log_ ABSL_GUARDED_BY(mu_);
  // The place after what was read last.
  std::optional<ReadOnlyLog::Cursor> next_ ABSL_GUARDED_BY(mu_);
  // The end of the log, as far as it is known.
  std::optional<ReadOnlyLog::Cursor> end_ ABSL_GUARDED_BY(mu_);
  // Where it continues after a rest.
  std::optional<RestingPlace> resting_place_ ABSL_GUARDED_BY(mu_);
  int64_t window_bytes_ ABSL_GUARDED_BY(mu_) = kReadWindowMin;
  // Loaded by the first read of committed records, and until then null.
  std::unique_ptr<ReadOnlyTransactions> transactions_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_READ_ONLY_READ_ONLY_PARTITION_READER_H_
