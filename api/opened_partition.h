// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_OPENED_PARTITION_H_
#define VARVE_API_OPENED_PARTITION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/fork_mark.h"

namespace varve {

// The state that the handles on one partition of an open store share.
//
// Keeps the log open. In a forked child the log is left as it is.
//
// Thread safety: thread-safe.
struct OpenedPartition {
  OpenedPartition(std::string topic_name, TopicId id, int32_t partition,
                  std::shared_ptr<PartitionLog> opened_log);
  OpenedPartition(const OpenedPartition&) = delete;
  OpenedPartition& operator=(const OpenedPartition&) = delete;
  ~OpenedPartition();

  // Errors: InvalidArgument for an internal topic; FailedPrecondition in a
  // forked child.
  absl::Status CheckWritable() const {
    return is_internal ? InternalTopicError() : fork_mark.Check();
  }

  const std::string topic;
  const TopicId topic_id;
  const int32_t index;
  const bool is_internal;  // the store's own topic
  std::shared_ptr<PartitionLog> log;
  const ForkMark fork_mark;

 private:
  absl::Status InternalTopicError() const;
};

}  // namespace varve

#endif  // VARVE_API_OPENED_PARTITION_H_
