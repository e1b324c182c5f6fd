// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_WALL_CLOCK_H_
#define VARVE_LOG_SYSTEM_WALL_CLOCK_H_

#include <cstdint>

namespace varve {

// The real time in milliseconds since the Unix epoch, as CLOCK_REALTIME has it
// at the call: never a tick old, as the kernel's coarse clock would be.
//
// Every append asks for it once, mostly in the same millisecond as the append
// before. So a thread remembers its last reading, and for how long the
// millisecond was certain to last, in ticks of the processor's own counter.
// Only the setting of the clock is seen late, by less than a millisecond. Where
// the processor has no counter of a steady rate, the kernel is asked each time.
//
// Thread safety: thread-safe.
int64_t WallClockMs();

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_WALL_CLOCK_H_
