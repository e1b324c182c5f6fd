// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/ready_segment.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_indexes.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/mapped_file.h"

namespace varve {
namespace {

constexpr int64_t kIndexFront = 4096;
static_assert(kIndexFront >= OffsetIndex::kEntrySize &&
                  kIndexFront >= 2 * TimeIndex::kEntrySize,
              "the first append after a roll allocates nothing");

// After an error some of the files may be left.
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
    status.Update(files->index->PrepareAhead(
        0, kIndexFront, MappedFile::AfterPopulating::kLeaveDirty));
    status.Update(files->time_index->PrepareAhead(
        0, kIndexFront, MappedFile::AfterPopulating::kLeaveDirty));
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
    RemoveFiles(directory).IgnoreError();  // the exception is reported
    throw;
  }
}

absl::Status ReadySegment::RemoveFiles(Directory& directory) {
  for (std::string_view name :
       {kReadyIndexName, kReadyTimeIndexName, kReadyLogName}) {
    absl::Status status = directory.RemoveFileIfThere(name);
    if (!status.ok()) return status;
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
  CHECK(files_.log != nullptr) << "adopted twice";
  return Segment::Adopt(base_offset, std::move(files_), config);
}

}  // namespace varve
