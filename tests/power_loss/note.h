// SPDX-License-Identifier: Apache-2.0

// The requests of the writers of a power-loss round to a store, and its
// answers. The notes are on another file system, so that they outlive the power
// loss.

#ifndef VARVE_TESTS_POWER_LOSS_NOTE_H_
#define VARVE_TESTS_POWER_LOSS_NOTE_H_

#include <time.h>

#include <cstdint>

#include "varve/log/metadata/durability.h"

namespace varve {

enum class NoteKind : int32_t {
  kAppended,    // `count` records from offset `value` on
  kDurableEnd,  // `value` was a durable end, or what a sync made durable
  kLogStart,    // a trim to `value`
  kTopic,       // the topic of the name is now the instance `value`, or 0: none
  kConfig,      // the instance was altered for the `value`th time
  kPartitions,  // the instance has `value` partitions
  kCommit,      // the group `group` committed `value`, or -1: nothing
  kFailure,     // a call failed with code `value`, for no reason that is known
};

// A call that changes something is noted twice; only the second is a promise.
enum class NotePhase : int32_t { kAsked, kDone };

// Plain bytes in a file that several processes map.
struct Note {
  NoteKind kind = NoteKind::kFailure;
  NotePhase phase = NotePhase::kDone;
  Durability level = Durability::kSynced;
  int32_t name = 0;      // of the topic (workload_topics.h)
  int32_t instance = 0;  // which topic of that name
  int32_t partition = 0;
  int32_t appender = 0;
  int32_t count = 0;
  int32_t group = 0;
  int64_t value = 0;
  int64_t sequence = 0;  // of the first record
  int64_t time_ns = 0;   // when it was written down
};

// The clock of `Note::time_ns`, the same in all processes.
inline int64_t NoteTime() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_NOTE_H_
