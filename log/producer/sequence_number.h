// SPDX-License-Identifier: Apache-2.0

// The sequence numbers of a producer: it counts the records that it sends to a
// partition from 0 on, and after 2^31-1 from 0 again, within one epoch. -1 is
// none, as control batches and batches of a coordinator have it.

#ifndef VARVE_LOG_PRODUCER_SEQUENCE_NUMBER_H_
#define VARVE_LOG_PRODUCER_SEQUENCE_NUMBER_H_

#include <cstdint>

namespace varve {

inline constexpr int32_t kNoSequence = -1;

// The one that is `delta` after `sequence`; the first one is 1 after none.
// Precondition: `delta` is 0 or more; 1 or more after kNoSequence.
constexpr int32_t SequenceAfter(int32_t sequence, int32_t delta) {
  constexpr uint32_t kMask = 0x7fffffff;
  return static_cast<int32_t>(
      (static_cast<uint32_t>(sequence) + static_cast<uint32_t>(delta)) & kMask);
}

// The last one of a batch, from its base sequence and last offset delta.
constexpr int32_t LastSequence(int32_t base_sequence, int32_t delta) {
  return base_sequence < 0 ? kNoSequence : SequenceAfter(base_sequence, delta);
}

// Whether `sequence` was before `expected`, rather than that those between are
// missing: whichever of the two is the shorter way around.
// Precondition: both are 0 or more.
constexpr bool IsBefore(int32_t sequence, int32_t expected) {
  constexpr uint32_t kMask = 0x7fffffff;
  const uint32_t ahead =
      (static_cast<uint32_t>(sequence) - static_cast<uint32_t>(expected)) &
      kMask;
  return ahead > kMask / 2;
}

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_SEQUENCE_NUMBER_H_
