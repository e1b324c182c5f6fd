// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_UNREADABLE_BATCH_H_
#define VARVE_TOOLS_COMMAND_UNREADABLE_BATCH_H_

#include <string_view>

#include "absl/status/status.h"
#include "varve/tools/shell/record_format.h"

namespace varve {

// The error of a batch that is there, and whose records cannot be read: they
// are malformed, damaged, or decompress to more than is allowed. It has the
// partition in front of `status`, which names the batch, and behind it
// `way_out`, which says how to go on with the records that follow.
absl::Status UnreadableBatchError(const RecordOrigin& origin,
                                  const absl::Status& status,
                                  std::string_view way_out);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_UNREADABLE_BATCH_H_
