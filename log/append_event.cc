// SPDX-License-Identifier: Apache-2.0

#include "log/append_event.h"

#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "log/errno_status.h"
#include "log/file_descriptor.h"

namespace varve {

absl::StatusOr<std::shared_ptr<AppendEvent>> AppendEvent::Create() {
  FileDescriptor descriptor = FileDescriptor::Open(
      [] { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); });
  if (!descriptor.is_open()) return ErrnoStatus(errno, "eventfd", "");
  return std::shared_ptr<AppendEvent>(new AppendEvent(std::move(descriptor)));
}

// The descriptor first: were it the flag, a signal between the two would leave
// the flag set and the descriptor empty, and the next append unheard.
void AppendEvent::Clear() {
  eventfd_t count = 0;
  // Fails only when there is nothing to read.
  (void)eventfd_read(descriptor_.number(), &count);
  signalled_.exchange(false, std::memory_order_acq_rel);
}

void AppendEvent::Signal() {
  if (signalled_.exchange(true, std::memory_order_acq_rel)) return;
  // Adding 1 to a counter that is at 0 or so cannot fail.
  (void)eventfd_write(descriptor_.number(), 1);
}

}  // namespace varve
