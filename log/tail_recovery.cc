// SPDX-License-Identifier: Apache-2.0

#include "log/tail_recovery.h"

#include <string_view>

#include "absl/log/log.h"
#include "absl/types/span.h"

namespace varve {
namespace {

using enum StopRegion;
using enum StopContent;
using enum RecoveryAction;
constexpr BatchBehind kNone = BatchBehind::kNone;
constexpr BatchBehind kFound = BatchBehind::kFound;

// clang-format off
constexpr RecoveryCase kCases[] = {
    // Nothing below the recovery point may be absent: it was on the disk once.
    {kBelowRecoveryPoint,     kEndOfLog,     kNone,  kKeepDamaged},
    {kBelowRecoveryPoint,     kEndOfLog,     kFound, kKeepDamaged},
    {kBelowRecoveryPoint,     kZerosToEnd,   kNone,  kKeepDamaged},
    {kBelowRecoveryPoint,     kZerosToEnd,   kFound, kKeepDamaged},
    {kBelowRecoveryPoint,     kMissingBatch, kNone,  kKeepDamaged},
    {kBelowRecoveryPoint,     kMissingBatch, kFound, kKeepDamaged},
    {kBelowRecoveryPoint,     kBadBatch,     kNone,  kKeepDamaged},
    {kBelowRecoveryPoint,     kBadBatch,     kFound, kKeepDamaged},
    // Above it, the log is as long as its unbroken prefix.
    {kAtOrAboveRecoveryPoint, kEndOfLog,     kNone,  kKeepAll},
    {kAtOrAboveRecoveryPoint, kEndOfLog,     kFound, kCutAmbiguous},
    {kAtOrAboveRecoveryPoint, kZerosToEnd,   kNone,  kTrimZeros},
    {kAtOrAboveRecoveryPoint, kZerosToEnd,   kFound, kCutAmbiguous},
    {kAtOrAboveRecoveryPoint, kMissingBatch, kNone,  kCutTornTail},
    {kAtOrAboveRecoveryPoint, kMissingBatch, kFound, kCutAmbiguous},
    {kAtOrAboveRecoveryPoint, kBadBatch,     kNone,  kCutTornTail},
    {kAtOrAboveRecoveryPoint, kBadBatch,     kFound, kCutAmbiguous},
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

RecoveryAction DecideRecovery(StopRegion region, StopContent content,
                              BatchBehind behind) {
  for (const RecoveryCase& row : kCases) {
    if (row.region == region && row.content == content && row.behind == behind)
      return row.action;
  }
  LOG(FATAL) << "no recovery case for this stop";
}

}  // namespace varve
