// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/append_event.h"

#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "varve/log/system/errno_status.h"
#include "varve/log/system/file_descriptor.h"

namespace varve {

AppendEvent::AppendEvent(FileDescriptor descriptor)
    : descriptor_(
          std::make_unique<const FileDescriptor>(std::move(descriptor))) {}

AppendEvent::~AppendEvent() = default;

int AppendEvent::descriptor() const { return descriptor_->number(); }

absl::StatusOr<std::shared_ptr<AppendEvent>> AppendEvent::Create() {
  FileDescriptor descriptor = FileDescriptor::Open(
      [] { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); });
  if (!descriptor.is_open()) return ErrnoStatus(errno, "eventfd", "");
  return std::shared_ptr<AppendEvent>(new AppendEvent(std::move(descriptor)));
}

// Clears the descriptor first: in the other order, a signal between the two
// would leave the flag set and the descriptor empty, and the next append would
// go unnoticed.
void AppendEvent::Clear() {
  eventfd_t count = 0;
  // It fails only when there is nothing to read.
  (void)eventfd_read(descriptor(), &count);
  signalled_.exchange(false, std::memory_order_acq_rel);
}

void AppendEvent::Signal() {
  if (signalled_.exchange(true, std::memory_order_acq_rel)) return;
  // Adding 1 to a counter that is near 0 cannot fail.
  (void)eventfd_write(descriptor(), 1);
}

}  // namespace varve
