// SPDX-License-Identifier: Apache-2.0

#include "varve/api/opened_partition.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/metadata/topic_name.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

OpenedPartition::OpenedPartition(std::string topic_name, TopicId id,
                                 int32_t partition,
                                 std::shared_ptr<PartitionLog> opened_log)
    : topic(std::move(topic_name)),
      topic_id(id),
      index(partition),
      is_internal(IsInternalTopicName(topic)),
      log(std::move(opened_log)) {}

OpenedPartition::~OpenedPartition() {
  if (!fork_mark.in_child()) return;
  // It is left as it is: its locks may be held by threads that this process
  // does not have.
  static_cast<void>(
      std::make_unique<std::shared_ptr<PartitionLog>>(std::move(log))
          .release());
}

absl::Status OpenedPartition::InternalTopicError() const {
  return absl::InvalidArgumentError(
      absl::StrCat("topic \"", topic,
                   "\" is internal, the store's own: programs can only read "
                   "it; CommitOffset writes to it"));
}

}  // namespace varve
