// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_GROUPS_OFFSET_LOG_H_
#define VARVE_API_GROUPS_OFFSET_LOG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "varve/api/committed_offset.h"
#include "varve/api/offsets/offset_replay.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

// One partition of __consumer_offsets: its log, and the table that its records
// make.
//
// The topic is compacted, as others are, which keeps the log short.
//
// Thread safety: externally synchronized, but for `Positions`.
class OffsetLog {
 public:
  // Reads every record of the log, those of compressed batches with `codecs`,
  // which may be null. `name` is the partition's, for messages.
  //
  // Errors: those of OffsetReplay.
  static absl::StatusOr<std::unique_ptr<OffsetLog>> Load(
      std::shared_ptr<PartitionLog> log, std::string_view name,
      const Codecs* codecs, const OffsetReplay::Note& note);

  // An offset to commit; without a value, to delete.
  struct Change {
    OffsetCommitKey key;
    std::optional<OffsetCommitValue> value;
    OffsetTable::Checked checked = OffsetTable::Checked::kYes;
  };

  // Appends the changes as one batch: after a crash all are there or none. With
  // kSynced they are durable only after a `Sync` of `log()`, which needs no
  // lock of the caller's. The changes may be views into the table.
  //
  // Errors: those of PartitionLog::Append; the table has not changed then.
  absl::Status Append(absl::Span<const Change> changes, int64_t now_ms,
                      Durability durability);

  // Appends the changes in as many batches as it takes: after a crash or an
  // error, any number of the first ones may be there.
  absl::Status AppendInParts(absl::Span<const Change> changes, int64_t now_ms,
                             Durability durability);

  // Calls OffsetTable::SetChecked.
  void SetChecked(std::string_view group, const TopicPartition& partition)
      ABSL_LOCKS_EXCLUDED(table_mu_);

  // Gives offsets that were read without a topic's id the id of theirs, and
  // appends them again with it. A failure to append them is returned, but does
  // no harm: the table has the ids all the same.
  struct Owned {
    std::string group;
    TopicPartition partition;
    TopicId topic_id;
  };
  absl::Status SetTopicIds(absl::Span<const Owned> offsets, int64_t now_ms);

  // Where a group is in a partition.
  struct Position {
    std::string group;
    TopicPartition partition;
    TopicId topic_id;  // none when it is not known
    int64_t offset = 0;
  };

  // Appends the first `max` offsets of the table, but for those that cannot be
  // read, to `positions`; returns how many offsets there are. Any thread may
  // call it, whatever another one does with this object: it waits for no file.
  int64_t Positions(int64_t max, std::vector<Position>& positions) const
      ABSL_LOCKS_EXCLUDED(table_mu_);

  // The table; only calls of this object change it.
  const OffsetTable& table() const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return table_;
  }
  const std::shared_ptr<PartitionLog>& log() const { return log_; }

 private:
  OffsetLog(std::shared_ptr<PartitionLog> log, OffsetTable table)
      : log_(std::move(log)), table_(std::move(table)) {}

  const std::shared_ptr<PartitionLog> log_;
  // Held while the table changes, and by `Positions`: no file is touched then.
  mutable absl::Mutex table_mu_;
  OffsetTable table_ ABSL_GUARDED_BY(table_mu_);
};

}  // namespace varve

#endif  // VARVE_API_GROUPS_OFFSET_LOG_H_
