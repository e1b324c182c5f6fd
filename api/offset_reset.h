// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_OFFSET_RESET_H_
#define VARVE_API_OFFSET_RESET_H_

namespace varve {

// What a reader does when its next record is not there (any more): it was
// deleted before it was read, or the log ends before it. Kafka's
// auto.offset.reset.
enum class OffsetReset {
  kEarliest,  // continue at the log start
  kLatest,    // continue after the last record
  kNone,      // fail
};

}  // namespace varve

#endif  // VARVE_API_OFFSET_RESET_H_
