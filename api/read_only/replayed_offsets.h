// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_REPLAYED_OFFSETS_H_
#define VARVE_API_READ_ONLY_REPLAYED_OFFSETS_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "varve/api/offsets/offset_replay.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/read_only/read_only_partition_reader.h"

namespace varve {

// One partition of __consumer_offsets whose writer, if there is one, is another
// process: the table of its offsets, which follows the log.
//
// Thread safety: externally synchronized.
class ReplayedOffsets {
 public:
  // Borrows the codecs, which may be null. `name` is the partition's, for the
  // notes.
  ReplayedOffsets(std::string name,
                  std::shared_ptr<ReadOnlyPartitionReader> reader,
                  const Codecs* codecs, OffsetReplay::Note note)
      : name_(std::move(name)),
        reader_(std::move(reader)),
        codecs_(codecs),
        note_(std::move(note)) {}

  ReplayedOffsets(const ReplayedOffsets&) = delete;
  ReplayedOffsets& operator=(const ReplayedOffsets&) = delete;

  // Reads what was written since the last call: a commit that is there only in
  // part is one of the next call's. When the log was rewritten or cut
  // meanwhile, all of it is read anew.
  //
  // Errors: those of ReadOnlyPartitionReader, but DataLoss only as
  // OffsetReplay::Run returns it; Unavailable when the log is rewritten as fast
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
  const OffsetReplay::Note note_;

  OffsetTable table_;
  std::optional<OffsetReplay> replay_;  // into the table; nothing: not begun
};

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_REPLAYED_OFFSETS_H_
