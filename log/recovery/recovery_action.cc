// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/recovery_action.h"

#include <string_view>

namespace varve {

std::string_view RecoveryActionText(RecoveryAction action) {
  using enum RecoveryAction;
  switch (action) {
    case kKeepAll:
      return "intact";
    case kTrimZeros:
      return "unwritten space trimmed";
    case kCutTornTail:
      return "torn tail cut";
    case kCutAmbiguous:
      return "ambiguous damage cut, whole batches after it set aside";
    case kKeepDamaged:
      return "corruption, kept";
  }
  return "unknown";
}

}  // namespace varve
