// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/ready_segment_recovery.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/set_aside.h"
#include "varve/log/recovery/tail_recovery.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/ready_segment.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/mapped_file.h"

namespace varve {
namespace {

bool OnlyZeros(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

// Decides what an interrupted program's ready-log is, by the format alone.
class ReadyRecoverer {
 public:
  ReadyRecoverer(Directory& directory, int64_t recovery_point,
                 std::string_view bytes)
      : directory_(directory), recovery_point_(recovery_point), bytes_(bytes) {}

  absl::StatusOr<ReadyRecovery> Run() {
    int64_t size = 0;
    if (RecordBatch::Check(bytes_, CrcCheck::kVerify, kBatchSizeMax, &size) !=
        BatchDefect::kNone) {
      return SetAside(TornAction(), "no whole batch at its front");
    }
    return TakeName(
        RecordBatch(bytes_.substr(0, static_cast<size_t>(size))).base_offset());
  }

 private:
  absl::StatusOr<ReadyRecovery> TakeName(int64_t base_offset) {
    const std::string name =
        SegmentFileName(base_offset, SegmentFileKind::kLog);
    absl::Status taken = directory_.OpenFile(name, OpenMode::kRead).status();
    if (taken.ok()) {
      return SetAside(RecoveryAction::kCutAmbiguous,
                      absl::StrCat("there is a segment ", name, " already"));
    }
    if (!absl::IsNotFound(taken)) return taken;
    absl::Status status = directory_.Rename(kReadyLogName, name);
    if (status.ok()) status = directory_.Sync();
    if (!status.ok()) return status;
    return ReadyRecovery();
  }

  // The action for a first batch that is not whole: it depends on whether whole
  // batches follow.
  RecoveryAction TornAction() const {
    BatchScanner scanner(bytes_,
                         {.position = 0, .base_offset = recovery_point_},
                         {.continuity = Continuity::kGapsAllowed});
    scanner.Peek();
    return scanner.FindBatchBehind().has_value() ? RecoveryAction::kCutAmbiguous
                                                 : RecoveryAction::kCutTornTail;
  }

  // A torn first batch was never acknowledged; no offset is known for it.
  absl::StatusOr<ReadyRecovery> SetAside(RecoveryAction action,
                                         std::string detail) {
    const std::string_view written =
        bytes_.substr(0, bytes_.find_last_not_of('\0') + 1);
    ReadyRecovery recovery = {.finding = RecoveryFinding{
                                  .action = action,
                                  .path = directory_.PathOf(kReadyLogName),
                                  .offset = RecoveryFinding::kNoOffset,
                                  .next_offset = RecoveryFinding::kNoOffset,
                                  .bytes = static_cast<int64_t>(written.size()),
                                  .detail = std::move(detail)}};
    absl::StatusOr<std::string> name = SetAsideBytes(directory_, 0, 0, written);
    if (name.ok()) {
      recovery.finding->set_aside = directory_.PathOf(*name);
    } else if (absl::IsResourceExhausted(name.status())) {
      recovery.read_only = name.status();
      absl::StrAppend(&recovery.finding->detail,
                      "; not set aside: ", name.status().message());
    } else {
      return name.status();
    }
    return recovery;
  }

  Directory& directory_;
  const int64_t recovery_point_;
  const std::string_view bytes_;
};

}  // namespace

absl::StatusOr<ReadyRecovery> RecoverReadySegment(Directory& directory,
                                                  int64_t recovery_point) {
  auto file = directory.OpenFile(kReadyLogName, OpenMode::kReadWrite);
  ReadyRecovery recovery;
  if (file.ok()) {
    // After a failed sync the cache may differ from the disk.
    absl::Status status = (*file)->DropCache();
    if (!status.ok()) return status;
    auto mapped = MappedFile::OpenReadOnly(directory, kReadyLogName);
    if (!mapped.ok()) return mapped.status();
    const std::string_view bytes = (*mapped)->bytes((*mapped)->opened_size());
    if (!OnlyZeros(bytes)) {
      auto recovered = ReadyRecoverer(directory, recovery_point, bytes).Run();
      if (!recovered.ok()) return recovered.status();
      recovery = *std::move(recovered);
    }
  } else if (!absl::IsNotFound(file.status())) {
    return file.status();
  }
  if (!recovery.read_only.ok()) return recovery;
  absl::Status status = ReadySegment::RemoveFiles(directory);
  if (!status.ok()) return status;
  return recovery;
}

}  // namespace varve
