// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/unreadable_batch.h"

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/tools/shell/record_format.h"

namespace varve {

absl::Status UnreadableBatchError(const RecordOrigin& origin,
                                  const absl::Status& status,
                                  std::string_view way_out) {
  return absl::Status(
      status.code(),
      absl::StrCat(origin.topic, ", partition ", origin.partition, ": ",
                   status.message(), "; ", way_out));
}

}  // namespace varve
