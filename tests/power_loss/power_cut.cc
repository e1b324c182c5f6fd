// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/power_cut.h"

#include <linux/ioctl.h>
#include <sys/ioctl.h>

#include <cstdint>

#include "absl/log/check.h"

namespace varve {
namespace {

// EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are the same; no header of every
// machine has either.
constexpr unsigned long kGoingDown = _IOR('X', 125, uint32_t);
constexpr uint32_t kNoLogFlush = 2;

}  // namespace

void CutPower(int file) {
  uint32_t flags = kNoLogFlush;
  PCHECK(ioctl(file, kGoingDown, &flags) == 0) << "power not cut";
}

}  // namespace varve
