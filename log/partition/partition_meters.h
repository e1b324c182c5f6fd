// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PARTITION_METERS_H_
#define VARVE_LOG_PARTITION_PARTITION_METERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/meters/counter.h"
#include "varve/log/meters/read_meter.h"
#include "varve/log/meters/single_writer_counter.h"
#include "varve/log/meters/stop_watch.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/segment/segment_pins.h"
#include "varve/log/system/clock.h"

namespace varve {

// Counts the appends and reads of one partition: 1 to 2.5 ns a call. One in
// LogMeters::kSampledEvery is timed.
//
// Shared by the partition's log and its store, which reads it; it shares the
// store's meters. Borrows the clock, which must outlive it.
//
// Thread safety: thread-safe, except where a lock is named.
class PartitionMeters {
 public:
  PartitionMeters(std::shared_ptr<LogMeters> store, Clock* clock)
      : store_(std::move(store)), clock_(clock), pins_(clock) {}

  // Meters of a log that belongs to no store.
  static std::shared_ptr<PartitionMeters> OfNoStore() {
    return std::make_shared<PartitionMeters>(std::make_shared<LogMeters>(),
                                             Clock::Real());
  }

  PartitionMeters(const PartitionMeters&) = delete;
  PartitionMeters& operator=(const PartitionMeters&) = delete;

  // Makes the call, an append, and counts it if it fails. Every kSynced one is
  // timed, and one in LogMeters::kSampledEvery of the others.
  template <typename Call>
  auto Append(Durability durability, Call call) {
    const bool timed =
        durability == Durability::kSynced || IsSampled(batches_.value());
    const StopWatch watch =
        timed ? StopWatch(clock_, &store_->append_ns_of(durability))
              : StopWatch();
    auto result = call();
    if (result.ok()) {
      watch.Stop();
    } else {
      store_->NoteAppendFailure(result.status());
    }
    return result;
  }

  // Makes the call, a read, and counts it unless it returns nothing.
  template <typename Call>
  auto Read(Call call) {
    const StopWatch watch = IsSampled(reads_.reads())
                                ? StopWatch(clock_, &store_->read_ns)
                                : StopWatch();
    auto view = call();
    if (!view.ok()) {
      store_->read_errors.Add(view.status());
    } else if (!view->empty()) {
      reads_.Add(view->size_bytes());
      watch.Stop();
    }
    return view;
  }

  // Begins to time an append that waits until segments beyond retention.bytes
  // are deleted, and counts it.
  StopWatch BeginRetentionWait() {
    retention_waits_.Add();
    return {clock_, &store_->retention_wait_ns};
  }
  int64_t retention_waits() const { return retention_waits_.value(); }

  // Makes the call, which blocks.
  template <typename Call>
  absl::Status Wait(Call call) {
    store_->waiters.Add(1);
    const absl::Status status = call();
    store_->NoteWaits(status, 1);
    return status;
  }

  // Notes an appended batch. Call it with the partition's writer lock held.
  void NoteBatch(int64_t record_count, int64_t size_bytes) {
    DCHECK_GT(record_count, 0);
    batches_.Add();
    records_.Add(record_count);
    bytes_.Add(size_bytes);
  }

  // The batches that were appended and not yet taken off: those that a sync
  // that begins now covers. Call `unsynced` and `TakeOff` with the partition's
  // writer lock held.
  struct Unsynced {
    int64_t batches = 0;
    int64_t bytes = 0;
  };
  Unsynced unsynced() const {
    return {.batches = batches_.value() - taken_.batches,
            .bytes = bytes_.value() - taken_.bytes};
  }
  void TakeOff(const Unsynced& synced) {
    taken_.batches += synced.batches;
    taken_.bytes += synced.bytes;
    CHECK_LE(taken_.batches, batches_.value());
    CHECK_LE(taken_.bytes, bytes_.value());
  }

  // Begins to time a sync of those.
  StopWatch BeginSync() const { return {clock_, &store_->sync_ns}; }

  // Notes that the sync succeeded. Returns how long it took.
  absl::Duration NoteSync(const Unsynced& unsynced, const StopWatch& watch) {
    store_->synced_bytes.Add(unsynced.bytes);
    synced_bytes_.Add(unsynced.bytes);
    if (unsynced.batches > 0) store_->sync_batches.Add(unsynced.batches);
    return absl::Nanoseconds(watch.Stop());
  }

  int64_t batches() const { return batches_.value(); }
  int64_t records() const { return records_.value(); }
  int64_t bytes() const { return bytes_.value(); }
  int64_t reads() const { return reads_.reads(); }
  int64_t read_bytes() const { return reads_.bytes(); }

  LogMeters& store() const { return *store_; }

  // Bytes of batches that were appended and that no completed sync covers.
  int64_t unsynced_bytes() const {
    const int64_t synced = synced_bytes_.value();  // first, because it lags
    return bytes_.value() - synced;
  }

  // The pins of its views, also of logs that are closed by now.
  SegmentPins& pins() { return pins_; }
  const SegmentPins& pins() const { return pins_; }

 private:
  static bool IsSampled(int64_t count) {
    return count % LogMeters::kSampledEvery == 0;
  }

  // Constant after construction.
  const std::shared_ptr<LogMeters> store_;
  Clock* const clock_;

  SegmentPins pins_;
  Counter synced_bytes_;  // of batches
  Counter retention_waits_;

  // Written by appends, under the partition's writer lock. On a cache line of
  // their own, as are the readers' below, so that the two do not meet.
  static constexpr size_t kCacheLine = 64;
  alignas(kCacheLine) SingleWriterCounter batches_;
  SingleWriterCounter records_;
  SingleWriterCounter bytes_;
  Unsynced taken_;  // guarded by the writer lock

  alignas(kCacheLine) ReadMeter reads_;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_METERS_H_
