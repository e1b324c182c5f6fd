// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_ROLL_POLICY_H_
#define VARVE_LOG_SEGMENT_ROLL_POLICY_H_

#include <cstdint>
#include <string_view>

namespace varve {

// Why the active segment is sealed and a new one begun before a batch is
// appended. `kNone`: it is not, and the batch is appended to the active
// segment.
enum class RollReason {
  kNone,
  kSize,             // the batch would take it past segment.bytes
  kTime,             // it has waited longer than segment.ms less its jitter
  kOffsetIndexFull,  // segment.index.bytes is used up
  kTimeIndexFull,    // the same, for the time index
  kOffsetRange,      // an offset of the batch is 2^31 or more above the base
};

// A phrase for messages: "segment.bytes is reached".
std::string_view RollReasonText(RollReason reason);

// The facts that decide: of the active segment, the batch, and the time.
struct RollInputs {
  // The active segment.
  int64_t segment_size = 0;  // bytes in its .log
  int64_t base_offset = 0;
  int64_t first_batch_max_timestamp_ms = -1;  // -1: it has none
  int64_t created_ms = 0;                     // wall clock
  bool offset_index_full = false;
  bool time_index_full = false;

  // The batch to append.
  int64_t batch_size = 0;  // bytes
  int64_t batch_last_offset = 0;
  int64_t batch_max_timestamp_ms = -1;  // -1: it has none

  int64_t now_ms = 0;  // wall clock
};

// The limits in effect for the active segment.
struct RollLimits {
  int64_t segment_bytes = 0;
  int64_t segment_ms = 0;  // segment.ms less the jitter drawn for the segment
};

// Applies Kafka's rules in the order of the enum. An empty segment never rolls:
// that would make another one of the same name.
//
// Time is the time of the records, so that a replayed log rolls where the first
// one did: the batch's largest timestamp less that of the segment's first
// batch. When that first batch has none it is the wall clock less the time the
// segment was created; a clock that was set back counts as no time.
//
// Thread safety: a pure function.
RollReason ShouldRoll(const RollInputs& inputs, const RollLimits& limits);

// How far a segment can be appended to before the policy has to be asked: for a
// batch within it, ShouldRoll is kNone. So an append pays for four comparisons.
//
// By default nothing is within it.
struct RollHorizon {
  int64_t segment_size = -1;  // with the batch
  int64_t batch_last_offset = -1;
  int64_t batch_max_timestamp_ms = -1;
  int64_t now_ms = -1;

  bool Includes(const RollHorizon& append) const {
    return append.segment_size <= segment_size &&
           append.batch_last_offset <= batch_last_offset &&
           append.batch_max_timestamp_ms <= batch_max_timestamp_ms &&
           append.now_ms <= now_ms;
  }
};

// The horizon of a segment as it is now; what `inputs` says of a batch does not
// count. It holds until an index is full, or the limits change. Nothing is
// within that of an empty segment: its first batch decides.
RollHorizon HorizonOf(const RollInputs& inputs, const RollLimits& limits);

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_ROLL_POLICY_H_
