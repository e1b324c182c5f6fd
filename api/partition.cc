// SPDX-License-Identifier: Apache-2.0

#include "api/partition.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "log/partition_log.h"

namespace varve {

Partition::Opened::~Opened() {
  if (!fork_mark.in_child()) return;
  // Left as it is: its locks may be held by threads that are not here.
  static_cast<void>(
      std::make_unique<std::shared_ptr<PartitionLog>>(std::move(log))
          .release());
}

absl::Status Partition::Opened::InternalTopicError() const {
  return absl::InvalidArgumentError(
      absl::StrCat("topic \"", topic,
                   "\" is internal, the store's own: programs can only read "
                   "it; CommitOffset writes to it"));
}

}  // namespace varve
