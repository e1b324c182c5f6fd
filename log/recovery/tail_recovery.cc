// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/tail_recovery.h"

#include <iterator>
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

// Returns whether `wanted` is "any" or this value.
template <typename Value>
constexpr bool Fits(const std::optional<Value>& wanted, Value value) {
  return !wanted.has_value() || *wanted == value;
}

// clang-format off
constexpr RecoveryCase kCases[] = {
    // A segment that leads to the next one is whole. The seal that the crash
    // interrupted would have trimmed its zeros.
    {kAny, kEndOfFile,  NextSegment::kContinues, kAny, kKeepAll},
    {kAny, kZerosToEnd, NextSegment::kContinues, kAny, kTrimZeros},
    // Nothing below the recovery point may be missing: it was on the disk once.
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

constexpr bool MatchesCase(const RecoveryCase& row, const RecoveryStop& stop) {
  return Fits(row.region, stop.region) && Fits(row.content, stop.content) &&
         Fits(row.next, stop.next) && Fits(row.behind, stop.behind);
}

constexpr bool MatchesAll(const RecoveryCase& row) {
  return !row.region.has_value() && !row.content.has_value() &&
         !row.next.has_value() && !row.behind.has_value();
}
static_assert(MatchesAll(kCases[std::size(kCases) - 1]),
              "there is a case for every stop");

constexpr bool IsCut(const RecoveryStop& stop) {
  for (const RecoveryCase& row : kCases) {
    if (!MatchesCase(row, stop)) continue;
    return row.action == kCutTornTail || row.action == kCutAmbiguous;
  }
  return false;
}
constexpr bool IsEverCut(StopRegion region) {
  for (int content = 0; content <= static_cast<int>(kBadBatch); ++content) {
    for (int next = 0; next <= static_cast<int>(NextSegment::kOverlaps);
         ++next) {
      for (const BatchBehind behind : {BatchBehind::kNone, kFound}) {
        if (IsCut({.region = region,
                   .content = static_cast<StopContent>(content),
                   .next = static_cast<NextSegment>(next),
                   .behind = behind})) {
          return true;
        }
      }
    }
  }
  return false;
}
static_assert(!IsEverCut(kBelowRecoveryPoint), "it was durable");

}  // namespace

absl::Span<const RecoveryCase> RecoveryCases() { return kCases; }

bool RecoveryCase::Matches(const RecoveryStop& stop) const {
  return MatchesCase(*this, stop);
}

RecoveryAction DecideRecovery(const RecoveryStop& stop) {
  for (const RecoveryCase& row : kCases) {
    if (row.Matches(stop)) return row.action;
  }
  LOG(FATAL) << "no recovery case for this stop";
}

}  // namespace varve
