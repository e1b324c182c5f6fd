// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_REPLAYED_OFFSETS_H_
#define VARVE_API_READ_ONLY_REPLAYED_OFFSETS_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/api/offsets/offset_replay.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/clock.h"

namespace varve {

// One partition of __consumer_offsets whose writer, if there is one, is another
// process: the table of its offsets, which follows the log.
//
// Thread safety: externally synchronized.
class ReplayedOffsets {
 public:
  // How long after a `CatchUp` the next one goes on from there. Compaction
  // keeps the deletion of an offset for delete.retention.ms, a day: after that
  // a reader could miss it.
  static constexpr absl::Duration kGoOnWithin = absl::Hours(12);

  // Borrows the codecs, which may be null, and the clock. `name` is the
  // partition's, for the notes.
  ReplayedOffsets(std::string name,
                  std::shared_ptr<ReadOnlyPartitionReader> reader,
                  const Codecs* codecs, Clock* clock, OffsetReplay::Note note)
      : name_(std::move(name)),
        reader_(std::move(reader)),
        codecs_(codecs),
        clock_(clock),
        note_(std::move(note)) {}

  ReplayedOffsets(const ReplayedOffsets&) = delete;
  ReplayedOffsets& operator=(const ReplayedOffsets&) = delete;

  // Reads what was written since the last call: a commit that is there only in
  // part is one of the next call's. When the log was cut meanwhile, or
  // compacted where it was read last, or the last call is long ago, all of it
  // is read anew.
  //
  // Errors: those of ReadOnlyPartitionReader, but DataLoss only as
  // OffsetReplay::Run returns it; Unavailable when the log is trimmed as fast
  // as it is read. The table is as far as the reading came.
  absl::Status CatchUp();

  const OffsetTable& table() const { return table_; }

 private:
  bool Continues(const LogBounds& bounds);
  void BeginAnew();
  absl::Status ReadUpTo(const LogBounds& bounds);

  const std::string name_;
  const std::shared_ptr<ReadOnlyPartitionReader> reader_;
  const Codecs* const codecs_;
  Clock* const clock_;
  const OffsetReplay::Note note_;

  OffsetTable table_;
  std::optional<OffsetReplay> replay_;  // into the table; nothing: not begun
  absl::Time caught_up_at_;             // wall clock; of the replay
};

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_REPLAYED_OFFSETS_H_
