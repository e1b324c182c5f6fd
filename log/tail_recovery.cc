// SPDX-License-Identifier: Apache-2.0

#include "log/tail_recovery.h"

#include <optional>
#include <string_view>

#include "absl/log/log.h"
#include "absl/types/span.h"

namespace varve {
namespace {

using enum StopRegion;
using enum StopContent;
using enum RecoveryAction;
constexpr BatchBehind kFound = BatchBehind::kFound;
constexpr std::nullopt_t kAny = std::nullopt;

// Returns whether `wanted` is any or this.
template <typename Value>
bool Fits(const std::optional<Value>& wanted, Value value) {
  return !wanted.has_value() || *wanted == value;
}

// clang-format off
constexpr RecoveryCase kCases[] = {
    // A segment that leads to the next one is whole. The seal that the crash
    // interrupted would have trimmed its zeros.
    {kAny, kEndOfFile,  NextSegment::kContinues, kAny, kKeepAll},
    {kAny, kZerosToEnd, NextSegment::kContinues, kAny, kTrimZeros},
    // Nothing below the recovery point may be absent: it was on the disk once.
    {kBelowRecoveryPoint, kAny, kAny, kAny, kKeepDamaged},
    // Another program's compaction leaves offsets out, between whole batches
    // and at the exact end of a segment; it leaves no zeros, no part of a batch.
    {kWithoutCheckpoint, kEndOfFile,  NextSegment::kBehindGap, kAny, kKeepDamaged},
    {kWithoutCheckpoint, kLaterBatch, kAny,                    kAny, kKeepDamaged},
    // Above it, the log is as long as its unbroken prefix.
    {kAny, kAny,        kAny,               kFound, kCutAmbiguous},
    {kAny, kEndOfFile,  NextSegment::kNone, kAny,   kKeepAll},
    {kAny, kZerosToEnd, NextSegment::kNone, kAny,   kTrimZeros},
    {kAny, kAny,        kAny,               kAny,   kCutTornTail},
};
// clang-format on

}  // namespace

std::string_view RecoveryActionText(RecoveryAction action) {
  switch (action) {
    case kKeepAll:
      return "intact";
    case kTrimZeros:
      return "unwritten space trimmed";
    case kCutTornTail:
      return "torn tail cut";
    case kCutAmbiguous:
      return "ambiguous damage cut, whole batches behind it set aside";
    case kKeepDamaged:
      return "corruption, kept";
  }
  return "unknown";
}

absl::Span<const RecoveryCase> RecoveryCases() { return kCases; }

bool RecoveryCase::Matches(const RecoveryStop& stop) const {
  return Fits(region, stop.region) && Fits(content, stop.content) &&
         Fits(next, stop.next) && Fits(behind, stop.behind);
}

RecoveryAction DecideRecovery(const RecoveryStop& stop) {
  for (const RecoveryCase& row : kCases) {
    if (row.Matches(stop)) return row.action;
  }
  LOG(FATAL) << "no recovery case for this stop";
}

}  // namespace varve
