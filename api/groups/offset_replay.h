// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_GROUPS_OFFSET_REPLAY_H_
#define VARVE_API_GROUPS_OFFSET_REPLAY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "varve/api/groups/offset_table.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

// Reads one partition of __consumer_offsets, from its log start to its end,
// into a table. Commits of a transaction (Kafka's producers make them) count
// when its COMMIT marker comes.
//
// Records that are damaged or not understood are passed over and reported to
// `note`: at worst a group continues at an earlier commit, and reads some
// records again.
//
// Thread safety: externally synchronized.
class OffsetReplay {
 public:
  // A line for a person.
  using Note = absl::FunctionRef<void(std::string)>;

  // Borrows all three. `name` is the partition's, for the notes.
  OffsetReplay(std::string_view name, OffsetTable* table, Note note)
      : name_(name), table_(table), note_(note) {}

  // Errors: those of PartitionLog::Read, but DataLoss only when too many
  // offsets in a row are damaged.
  absl::Status Run(PartitionLog& log);

  // Bytes of the batches read.
  int64_t bytes_read() const { return bytes_read_; }
  // Whether a transaction was begun and not ended.
  bool has_open_transactions() const { return !pending_.empty(); }

 private:
  // The next offset after damage at `offset`.
  absl::StatusOr<int64_t> PassDamage(PartitionLog& log, int64_t offset,
                                     const absl::Status& damage);
  void ReadBatch(const RecordBatch& batch, int64_t first_offset);
  void EndTransaction(int64_t producer_id,
                      std::optional<std::string_view> marker);
  void Apply(int64_t offset, std::optional<std::string_view> key,
             std::optional<std::string_view> value);
  void Tell(int64_t offset, std::string_view what);

  struct Pending {
    int64_t offset;
    std::optional<std::string> key;
    std::optional<std::string> value;
  };

  const std::string name_;
  OffsetTable* const table_;
  const Note note_;
  int64_t bytes_read_ = 0;
  // Of open transactions, by their producers.
  std::map<int64_t, std::vector<Pending>> pending_;
};

}  // namespace varve

#endif  // VARVE_API_GROUPS_OFFSET_REPLAY_H_
