// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CURSOR_SET_H_
#define VARVE_API_CURSOR_SET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/cursor.h"

namespace varve {

class AppendLatch;

// Cursors of many partitions, and one wait for all of them:
//
//   varve::CursorSet tail;
//   for (const varve::Partition& partition : partitions) {
//     tail.Add(varve::Cursor(partition, partition.readable_end()));
//   }
//   while (varve::Cursor* cursor = tail.Wait(absl::InfiniteFuture())) {
//     while (const varve::RecordView* record = cursor->Next()) { … }
//     if (!cursor->status().ok()) … Seek it, or tail.Remove(cursor) …
//   }
//
// The partitions may be of several topics and stores. A wait costs their
// appends no more than that of one partition does: the first append that brings
// what a cursor waits for wakes the thread, once, and the others, and all while
// the thread is busy, make a test.
//
// Of a ReadOnlyPartition only polling finds news: while the set waits it looks
// at those every millisecond at first, every 50 ms when nothing comes.
//
// Thread safety: externally synchronized. The appends are not.
class CursorSet {
 public:
  CursorSet();
  ~CursorSet();

  CursorSet(const CursorSet&) = delete;
  CursorSet& operator=(const CursorSet&) = delete;

  // Adds a cursor, and returns where it is, until it is removed. It may be
  // moved by `Seek`, and is not to be assigned to.
  Cursor* Add(Cursor cursor) ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // Destroys a cursor. Precondition: it is one of the set.
  void Remove(const Cursor* cursor);

  int64_t size() const { return static_cast<int64_t>(entries_.size()); }

  // Blocks until one of the cursors has something to read, or an error to
  // report, and returns it; they take turns. A cursor whose error is not dealt
  // with is returned again and again. Null when the deadline has passed, and
  // when the set is empty; without a deadline it does not block.
  //
  // A failed sync is not reported here: nothing more comes from its partition
  // until the store is closed, which is reported.
  Cursor* Wait(absl::Time deadline = absl::InfinitePast())
      ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // One descriptor for poll, epoll and io_uring for all of the Partitions.
  // After a `Wait` that has returned null it becomes readable as soon as `Wait`
  // may return a cursor, and at once when one is added: then read from all that
  // it returns, until it returns null again. After a `Seek` call `Wait` again
  // before you rely on it, which knows of the place that the last `Wait` found.
  // It says nothing of a ReadOnlyPartition: look at those by a timer.
  //
  // It is the set's: do not read, write or close it. In a forked child it is
  // -1.
  //
  // Errors: ResourceExhausted when there can be no more descriptors.
  absl::StatusOr<int> Descriptor();

 private:
  struct Entry;

  // The next cursor, in turns, that has something.
  Cursor* FindNews();
  // Has the partitions set the latch; returns a cursor that has something by
  // now.
  Cursor* ArmTriggers();

  std::vector<std::unique_ptr<Entry>> entries_;
  size_t turn_ = 0;              // of the cursor to look at next
  int64_t read_only_count_ = 0;  // cursors that have to be polled
  // Shared with the partitions.
  const std::shared_ptr<AppendLatch> latch_;
};

}  // namespace varve

#endif  // VARVE_API_CURSOR_SET_H_
