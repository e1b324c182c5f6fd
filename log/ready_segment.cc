// SPDX-License-Identifier: Apache-2.0

#include "log/ready_segment.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "log/batch_scanner.h"
#include "log/file_system.h"
#include "log/log_config.h"
#include "log/mapped_file.h"
#include "log/record_batch.h"
#include "log/recovery_report.h"
#include "log/segment.h"
#include "log/segment_indexes.h"
#include "log/segment_name.h"
#include "log/set_aside.h"
#include "log/tail_recovery.h"

namespace varve {
namespace {

constexpr int64_t kIndexFront = 4096;

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

  // Whether whole batches stand behind the front that is not.
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
    ReadyRecovery recovery = {
        .finding = RecoveryFinding{
            .action = action,
            .path = absl::StrCat(directory_.path(), "/", kReadyLogName),
            .offset = RecoveryFinding::kNoOffset,
            .next_offset = RecoveryFinding::kNoOffset,
            .bytes = static_cast<int64_t>(written.size()),
            .detail = std::move(detail)}};
    absl::StatusOr<std::string> name = SetAsideBytes(directory_, 0, 0, written);
    if (name.ok()) {
      recovery.finding->set_aside = absl::StrCat(directory_.path(), "/", *name);
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

// What was made may be left behind.
absl::StatusOr<SegmentFiles> MakeReadyFiles(Directory& directory,
                                            const LogConfig& config) {
  absl::StatusOr<SegmentFiles> files =
      CreateSegmentFiles(directory,
                         {.log = std::string(kReadyLogName),
                          .index = std::string(kReadyIndexName),
                          .time_index = std::string(kReadyTimeIndexName)},
                         config);
  absl::Status status = files.status();
  if (status.ok()) {
    status = files->log->PrepareAhead(0, ReadySegment::kFront,
                                      MappedFile::AfterPopulating::kLeaveDirty);
    status.Update(files->index->EnsureAllocated(
        std::min(kIndexFront, files->index->capacity())));
    status.Update(files->time_index->EnsureAllocated(
        std::min(kIndexFront, files->time_index->capacity())));
  }
  if (!status.ok()) return status;
  return files;
}

}  // namespace

ReadySegment::ReadySegment(SegmentFiles files) : files_(std::move(files)) {}

absl::StatusOr<std::unique_ptr<ReadySegment>> ReadySegment::Create(
    Directory& directory, const LogConfig& config) {
  if (absl::Status status = RemoveFiles(directory); !status.ok()) return status;
  try {
    absl::StatusOr<SegmentFiles> files = MakeReadyFiles(directory, config);
    if (files.ok()) {
      return std::unique_ptr<ReadySegment>(new ReadySegment(*std::move(files)));
    }
    // The first error is the one to report.
    RemoveFiles(directory).IgnoreError();
    return files.status();
  } catch (...) {
    RemoveFiles(directory).IgnoreError();  // as above
    throw;
  }
}

absl::Status ReadySegment::RemoveFiles(Directory& directory) {
  for (std::string_view name :
       {kReadyIndexName, kReadyTimeIndexName, kReadyLogName}) {
    absl::Status status = directory.RemoveFile(name);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
  }
  return absl::OkStatus();
}

bool ReadySegment::Fits(const LogConfig& config) const {
  return files_.log->capacity() == config.segment_bytes &&
         files_.index->capacity() ==
             IndexCapacity(config.segment_index_bytes, IndexKind::kOffset);
}

std::shared_ptr<Segment> ReadySegment::Adopt(int64_t base_offset,
                                             const LogConfig& config) && {
  return Segment::Adopt(base_offset, std::move(files_), config);
}

absl::StatusOr<ReadyRecovery> RecoverReadySegment(Directory& directory,
                                                  int64_t recovery_point) {
  auto file = directory.OpenFile(kReadyLogName, OpenMode::kReadWrite);
  ReadyRecovery recovery;
  if (file.ok()) {
    // What a failed sync left in the cache may not be what the disk holds.
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
