// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_PARTITION_READER_FIXTURE_H_
#define VARVE_TESTS_PARTITION_READER_FIXTURE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "log/file_system.h"
#include "log/live_log.h"
#include "log/partition_reader.h"
#include "log/partition_recovery.h"
#include "log/record_batches.h"
#include "log/record_view.h"
#include "log/segment_name.h"
#include "tests/faulty_file_system.h"
#include "tests/partition_fixture.h"

namespace varve {

// A partition's writer and, with files of its own, a reader beside it.
class PartitionReaderFixture : public PartitionFixture {
 protected:
  // A new reader, at offset 0.
  void OpenReader() {
    reader_ = nullptr;
    position_ = 0;
    auto directory = reader_files_.OpenDirectory(path_);
    ASSERT_THAT(directory, absl_testing::IsOk());
    reader_ = std::make_unique<PartitionReader>(
        *std::move(directory),
        LiveLog::Options{
            .outline = [this](OutlineAge) -> absl::StatusOr<PartitionOutline> {
              if (!outline_error_.ok()) return outline_error_;
              return outline_;
            },
            .clock = &clock_,
            .sealed = sealed_});
  }

  // Adds what the view shows, and goes on behind it.
  void Collect(const RecordBatches& view, Contents& seen) {
    RecordBatches::Records records = view.records();
    while (const RecordView* record = records.Next()) {
      EXPECT_EQ(record->offset(), position_);
      position_ = record->offset() + 1;
      seen[record->offset()] = std::string(record->value().value_or(""));
    }
    EXPECT_THAT(records.status(), absl_testing::IsOk());
    EXPECT_EQ(view.next_offset(), position_);
  }

  // All records from `position_` to where there is nothing yet.
  Contents Follow() {
    Contents seen;
    while (true) {
      const auto view = reader_->Read(position_, {});
      EXPECT_THAT(view, absl_testing::IsOk());
      if (!view.ok() || view->empty()) return seen;
      Collect(*view, seen);
      // A failure by now, and no reason to go round for ever.
      if (position_ != view->next_offset()) return seen;
    }
  }

  std::string ReadOne(int64_t offset) {
    const auto view = reader_->Read(offset, {.max_bytes = 0});
    EXPECT_THAT(view, absl_testing::IsOk());
    if (!view.ok()) return "";
    RecordBatches::Records records = view->records();
    const RecordView* record = records.Next();
    EXPECT_NE(record, nullptr) << "nothing at offset " << offset;
    if (record == nullptr) return "";
    EXPECT_EQ(record->offset(), offset);
    return std::string(record->value().value_or(""));
  }

  LogBounds Bounds() {
    const auto bounds = reader_->Bounds();
    EXPECT_THAT(bounds, absl_testing::IsOk());
    return bounds.value_or(LogBounds());
  }
  static auto IsBounds(int64_t log_start, int64_t visible_end,
                       int64_t segment_count) {
    return testing::AllOf(
        testing::Field("log_start", &LogBounds::log_start, log_start),
        testing::Field("visible_end", &LogBounds::visible_end, visible_end),
        testing::Field("segment_count", &LogBounds::segment_count,
                       segment_count));
  }

  std::vector<int64_t> BasesOnDisk() {
    auto directory = FileSystem::Posix()->OpenDirectory(path_);
    return *ListSegments(**directory);
  }

  // As retention does.
  void RemoveSegmentsBelow(int64_t base_offset) {
    for (const int64_t base : BasesOnDisk()) {
      if (base >= base_offset) continue;
      for (const SegmentFileKind kind :
           {SegmentFileKind::kLog, SegmentFileKind::kIndex,
            SegmentFileKind::kTimeIndex}) {
        std::filesystem::remove(path_ + "/" + SegmentFileName(base, kind));
      }
    }
  }

  FaultyFileSystem reader_files_;
  SealedAccess sealed_ = SealedAccess::kMap;
  PartitionOutline outline_;
  absl::Status outline_error_;
  std::unique_ptr<PartitionReader> reader_;
  int64_t position_ = 0;  // what to read next
};

}  // namespace varve

#endif  // VARVE_TESTS_PARTITION_READER_FIXTURE_H_
