// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SWAP_SWAP_RECOVERY_H_
#define VARVE_LOG_SWAP_SWAP_RECOVERY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/log/swap/swap_plan.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Settles the replacements of segments that a crash, or an error, has left
// half-done: PlanSwaps says how. `names` are those of the directory. Returns
// whether it has changed anything: then the names are others. Durable on
// return. Can be interrupted anywhere and repeated.
//
// Precondition: nothing else uses the directory.
// Errors: file errors (log/system/errno_status.h). The plan is not carried out
// then; each segment is the old one or the new one.
absl::StatusOr<bool> RecoverSwaps(Directory& directory,
                                  absl::Span<const std::string> names);

// Does what a plan for these files says; durable on return. Errors: file
// errors.
absl::Status CarryOut(Directory& directory, const SwapPlan& plan);

}  // namespace varve

#endif  // VARVE_LOG_SWAP_SWAP_RECOVERY_H_
