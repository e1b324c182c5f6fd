// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_READER_H_
#define VARVE_LOG_PARTITION_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "log/batch_scanner.h"
#include "log/file_system.h"
#include "log/live_log.h"
#include "log/live_segment_read.h"
#include "log/open_readers.h"
#include "log/partition_stats.h"
#include "log/read_options.h"
#include "log/record_batches.h"

namespace varve {

// A partition at one moment.
struct LogBounds {
  int64_t log_start = 0;
  int64_t recovery_point = 0;  // a lower bound of the durable end
  int64_t visible_end = 0;
  int64_t segment_count = 0;
};

// Reads one partition whose writer is another process, or nobody. It shares
// nothing with the writer but the files: it takes no lock, writes nothing, and
// stays right when the writer appends, rolls, trims, deletes, closes, dies, and
// is followed by one that recovers.
//
// What it shows is what is visible. The last segment may end in a batch that is
// not whole, in zeros, or in what a crash left: that is "nothing yet", and is
// looked at again. Only below the recovery point, or with a later segment
// behind it, it is damage. Records that were read from an unsynced tail can
// vanish when the machine loses power, or when a writer recovers from a failed
// sync; a process that is killed takes none with it. Leader epochs are not
// looked at: what a crash brings back from the dead is the next writer's
// recovery's to find.
//
// Owns the partition's open directory, one open segment for the place read last
// and one for the end, unless it rests (log/open_readers.h). Views may outlive
// it.
//
// Thread safety: thread-safe; calls take turns. It remembers the place of the
// next offset, so one sequential reader at a time searches nothing.
class PartitionReader : private RestingReader {
 public:
  // `open_readers` says when it rests; null: never.
  // Precondition: with it, `options.reopen` is not null.
  PartitionReader(std::unique_ptr<Directory> directory,
                  LiveLog::Options options,
                  std::shared_ptr<OpenReaders> open_readers = nullptr);
  ~PartitionReader() override;

  PartitionReader(const PartitionReader&) = delete;
  PartitionReader& operator=(const PartitionReader&) = delete;

  // In all of these, ReadLevel::kDurable is what the store's checkpoint says, a
  // second late at most; kDefault is kVisible: how another process appends is
  // not known here.

  // Reads batches from the one that holds `offset` on. Empty when there is none
  // yet: `WaitFor` waits for it. `options.crc` counts for mapped segments
  // only: what is copied from a file may be half written, and is verified.
  //
  // Errors: OutOfRange below the log start (it may have been trimmed since) or
  // behind the visible end; the message names the bounds. DataLoss when the
  // record is damaged or missing; the message says where, and what the next
  // readable offset is, if known. NotFound when the topic is deleted. Those of
  // the files.
  absl::StatusOr<RecordBatches> Read(int64_t offset, const ReadOptions& options)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Blocks until `Read` of `offset` would say something else than "not yet",
  // by looking again and again (log/poll_interval.h).
  //
  // Errors: DeadlineExceeded; NotFound when the topic is deleted; those of the
  // files.
  absl::Status WaitFor(int64_t offset, absl::Time deadline,
                       ReadLevel level = ReadLevel::kDefault)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The offset of the first record whose timestamp is `time` or later; when
  // every record is earlier, the end that a read of this level sees.
  absl::StatusOr<int64_t> OffsetForTime(absl::Time time,
                                        ReadLevel level = ReadLevel::kDefault)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The partition as it is now. The log start may be late by as much as the
  // store's checkpoint, a second. Errors: those of the files.
  absl::StatusOr<LogBounds> Bounds() ABSL_LOCKS_EXCLUDED(mu_);

  // The same with sizes, epochs and times; without what only a writer knows.
  // Looks at every segment's file. Errors: as above; DataLoss when the file of
  // the leader epochs is damaged.
  absl::StatusOr<PartitionStats> Stats() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // A place, without its open segment.
  struct RestingPlace {
    int64_t segment_base = 0;
    BatchPlace place;
  };

  bool TryRest() override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status WakeUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status BehindEnd(int64_t offset, int64_t end) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<LiveLog::Cursor> CursorFor(int64_t offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<RecordBatches> NotDurableYet(int64_t offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<LogBounds> TryBounds() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<PartitionStats> TryStats() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<int64_t> BatchBytes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<RecordBatches> BatchAt(int64_t offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<bool> HasNews(int64_t offset, ReadLevel level)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status RefreshIfDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteEnd(const LiveLog::Cursor& cursor, const LiveSlice& slice)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AdaptWindow(const LiveSlice& slice, int64_t max_bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const std::string path_;
  const std::shared_ptr<OpenReaders> open_readers_;  // null: it never rests

  absl::Mutex mu_;
  LiveLog log_ ABSL_GUARDED_BY(mu_);
  // Of what was read last.
  std::optional<LiveLog::Cursor> next_ ABSL_GUARDED_BY(mu_);
  // As far as was looked.
  std::optional<LiveLog::Cursor> end_ ABSL_GUARDED_BY(mu_);
  // Where it goes on after a rest.
  std::optional<RestingPlace> resting_place_ ABSL_GUARDED_BY(mu_);
  int64_t window_bytes_ ABSL_GUARDED_BY(mu_) = kLiveWindowMin;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_READER_H_
