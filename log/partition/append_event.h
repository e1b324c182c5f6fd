// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_APPEND_EVENT_H_
#define VARVE_LOG_PARTITION_APPEND_EVENT_H_

#include <atomic>
#include <memory>

#include "absl/status/statusor.h"

namespace varve {

class FileDescriptor;

// A descriptor for poll, epoll and io_uring that becomes readable when there
// may be something new in a partition: for programs whose thread already waits
// in an event loop. An eventfd(2). A CursorSet has one for many partitions
// (api/cursor_set.h).
//
//   epoll: event->descriptor() is readable
//   event->Clear();
//   read from the partition until what is returned is empty
//
// In this order no append is missed. It may be readable without anything new.
// An append costs one write(2) if the event was cleared since the last one, and
// a test otherwise. In a forked child `descriptor` is -1.
//
// Owns the descriptor. The partition forgets an event that is destroyed.
//
// Thread safety: thread-safe.
class AppendEvent {
 public:
  ~AppendEvent();

  // Valid as long as the event. Do not read, write or close it.
  int descriptor() const;

  // Makes the descriptor unreadable until something new comes.
  void Clear();

 private:
  friend class AppendLatch;
  friend class PartitionLog;
  friend class WatermarkWaiters;

  // Errors: ResourceExhausted when there can be no more descriptors.
  static absl::StatusOr<std::shared_ptr<AppendEvent>> Create();

  // Makes it readable.
  void Signal();

  explicit AppendEvent(FileDescriptor descriptor);

  const std::unique_ptr<const FileDescriptor> descriptor_;

  // Whether the descriptor is readable already.
  // Memory ordering: `Clear` exchanges with acquire and release, so a thread
  // that clears what a `Signal` set sees every append before it.
  std::atomic<bool> signalled_ = false;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_APPEND_EVENT_H_
