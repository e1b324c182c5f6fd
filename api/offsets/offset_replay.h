// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_OFFSETS_OFFSET_REPLAY_H_
#define VARVE_API_OFFSETS_OFFSET_REPLAY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/read_options.h"

namespace varve {

// Reads one partition of __consumer_offsets, from its log start to its end,
// into a table, at once or in several runs. Commits of a transaction (Kafka's
// producers make them) count when its COMMIT marker comes.
//
// Records that are damaged, cannot be decompressed or are not understood are
// passed over and reported to the note: at worst a group continues at an
// earlier commit, and reads some records again. Batches are decompressed one at
// a time, whatever the log does in its reads.
//
// Thread safety: externally synchronized.
class OffsetReplay {
 public:
  // Takes a line for a person.
  using Note = std::function<void(std::string)>;

  // Reads the log, with the errors of PartitionLog::Read.
  using Read = absl::FunctionRef<absl::StatusOr<RecordBatches>(
      int64_t offset, const ReadOptions& options)>;

  // Borrows the table, and the codecs, which may be null. `name` is the
  // partition's, for the notes.
  OffsetReplay(std::string_view name, OffsetTable* table, const Codecs* codecs,
               Note note)
      : name_(name), table_(table), codecs_(codecs), note_(std::move(note)) {}

  // The offsets of a run: the first begins at the log start, a later one at
  // `next_offset`; each ends at the visible end.
  struct Range {
    int64_t begin = 0;
    int64_t end = 0;
  };

  // Errors: those of `read`, but DataLoss only without the next readable offset
  // (log/metadata/next_readable_offset.h): then it is no record that is
  // damaged, or a file has just been cut, which the next run finds out. What
  // was read before counts, up to `next_offset`.
  absl::Status Run(Range range, Read read);

  // The offset after what was read.
  int64_t next_offset() const { return next_offset_; }
  // The batch that was read last; nothing when none was. The first bytes of a
  // batch, up to its CRC, tell it from every other one.
  struct Batch {
    int64_t offset = 0;  // its first
    std::string head;
  };
  const std::optional<Batch>& last_batch() const { return last_batch_; }

 private:
  absl::Status PassDamage(const absl::Status& damage);
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
  const Codecs* const codecs_;
  const Note note_;
  int64_t next_offset_ = 0;
  std::optional<Batch> last_batch_;
  ByteBuffer decompressed_;  // the records of one batch
  // Of open transactions, by their producers.
  std::map<int64_t, std::vector<Pending>> pending_;
};

}  // namespace varve

#endif  // VARVE_API_OFFSETS_OFFSET_REPLAY_H_
