// SPDX-License-Identifier: Apache-2.0

#include "varve/log/export/epoch_reset.h"

#include <cstdint>
#include <iterator>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Batches that are written at a time, unless one is larger.
constexpr int64_t kPieceMax = int64_t{1} << 20;

// Writes batches that follow one another back to where they were read.
class PieceWriter {
 public:
  explicit PieceWriter(File& file) : file_(file) {}

  absl::Status Add(int64_t position, const RecordBatch& batch) {
    if (piece_.empty()) begin_ = position;
    const size_t at = piece_.size() + batch_layout::kLeaderEpoch;
    piece_ += batch.bytes();
    piece_.replace(at, sizeof(int32_t), sizeof(int32_t), '\0');
    return std::ssize(piece_) < kPieceMax ? absl::OkStatus() : Flush();
  }

  absl::Status Flush() {
    if (piece_.empty()) return absl::OkStatus();
    absl::Status status = file_.WriteAt(begin_, piece_);
    piece_.clear();
    return status;
  }

 private:
  File& file_;
  int64_t begin_ = 0;
  std::string piece_;
};

absl::Status BeginReset(Directory& directory, int64_t base_offset) {
  absl::Status status = RemoveSidecar(directory, base_offset);
  return status.ok() ? directory.Sync() : status;
}

}  // namespace

absl::Status ResetEpochs(Directory& directory, int64_t base_offset) {
  absl::StatusOr<std::unique_ptr<File>> log =
      directory.OpenFile(SegmentFileName(base_offset, SegmentFileKind::kLog),
                         OpenMode::kReadWrite);
  if (!log.ok()) return log.status();
  const absl::StatusOr<int64_t> size = (*log)->Size();
  if (!size.ok()) return size.status();
  FileBatchScanner scanner(
      **log, *size, {.position = 0, .base_offset = base_offset},
      {.crc = CrcCheck::kSkip, .continuity = Continuity::kGapsAllowed});
  PieceWriter writer(**log);
  bool is_begun = false;
  for (; const RecordBatch* batch = scanner.Peek(); scanner.Advance()) {
    if (!is_begun && batch->leader_epoch() == 0) continue;
    absl::Status status =
        is_begun ? absl::OkStatus() : BeginReset(directory, base_offset);
    is_begun = true;
    if (status.ok()) status = writer.Add(scanner.position(), *batch);
    if (!status.ok()) return status;
  }
  if (!scanner.status().ok()) return scanner.status();
  if (scanner.stop() != ScanStop::kEnd) {
    return absl::DataLossError(
        absl::StrCat((*log)->path(), ": position ", scanner.position(), ": ",
                     ScanStopText(scanner.stop()), ", after it was verified"));
  }
  if (!is_begun) return absl::OkStatus();
  absl::Status status = writer.Flush();
  return status.ok() ? (*log)->Sync() : status;
}

}  // namespace varve
