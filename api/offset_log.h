// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_OFFSET_LOG_H_
#define VARVE_API_OFFSET_LOG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "api/committed_offset.h"
#include "api/offset_replay.h"
#include "api/offset_table.h"
#include "log/durability.h"
#include "log/offset_commit_record.h"
#include "log/partition_log.h"
#include "log/topic_id.h"

namespace varve {

// One partition of __consumer_offsets: its log, and what the log comes to.
//
// The log is kept short: when appends have made it a multiple of what counts in
// it (api/offset_rewrite.h), the append that did so rewrites it. A log with an
// open transaction, which only Kafka's producers make, is left to grow.
//
// Thread safety: externally synchronized.
class OffsetLog {
 public:
  // Reads the log, which costs a look at every record in it. `name` is the
  // partition's, for messages.
  //
  // Errors: those of OffsetReplay.
  static absl::StatusOr<std::unique_ptr<OffsetLog>> Load(
      std::shared_ptr<PartitionLog> log, std::string_view name,
      OffsetReplay::Note note);

  // An offset to commit; without a value, to delete.
  struct Change {
    OffsetCommitKey key;
    std::optional<OffsetCommitValue> value;
    OffsetTable::Checked checked = OffsetTable::Checked::kYes;
  };

  // Appends the changes as one batch: after a crash all are there or none.
  // With kSynced they are durable only after a `Sync` of `log()`, which needs
  // no lock of the caller's. The changes may be views into the table. That the
  // log cannot be rewritten is no error; it is tried again later.
  //
  // Errors: those of PartitionLog::Append; the table has not changed then.
  absl::Status Append(absl::Span<const Change> changes, int64_t now_ms,
                      Durability durability);

  // The same in as many batches as it takes: after a crash, and after an error,
  // those up to any of them are there.
  absl::Status AppendInParts(absl::Span<const Change> changes, int64_t now_ms,
                             Durability durability);

  // As OffsetTable's.
  void SetChecked(std::string_view group, const TopicPartition& partition) {
    table_.SetChecked(group, partition);
  }

  // Says, of offsets that were read without the id of a topic, whose they are;
  // and appends them again, with it. That they cannot be appended is returned,
  // and is no harm: the table has the ids all the same.
  struct Owned {
    std::string group;
    TopicPartition partition;
    TopicId topic_id;
  };
  absl::Status SetTopicIds(absl::Span<const Owned> offsets, int64_t now_ms);

  const OffsetTable& table() const { return table_; }
  const std::shared_ptr<PartitionLog>& log() const { return log_; }

 private:
  explicit OffsetLog(std::shared_ptr<PartitionLog> log)
      : log_(std::move(log)) {}

  void RewriteIfLong(int64_t now_ms);

  const std::shared_ptr<PartitionLog> log_;
  OffsetTable table_;
  bool has_open_transactions_ = false;
  int64_t log_bytes_ = 0;    // of the log's batches
  int64_t retry_bytes_ = 0;  // no rewriting before the log has as many
};

}  // namespace varve

#endif  // VARVE_API_OFFSET_LOG_H_
