// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_SEGMENT_SEGMENT_FIXTURE_H_
#define VARVE_TESTS_LOG_SEGMENT_SEGMENT_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_read.h"
#include "varve/log/system/file_system.h"

namespace varve {

inline constexpr int64_t kBatchSize = 1500;
inline constexpr int kBatchCount = 10;  // records in a batch

// Ten records in 1500 bytes, the batch of kafka-format.md section 3.
inline std::string Batch(int64_t base_offset, int64_t timestamp_ms) {
  RecordBatchBuilder builder;
  for (int i = 0; i < kBatchCount - 1; ++i) {
    EXPECT_THAT(builder.Append({.value = "value"}, timestamp_ms),
                absl_testing::IsOk());
  }
  const std::string rest(
      static_cast<size_t>(kBatchSize - builder.size_bytes() - 9), 'r');
  EXPECT_THAT(builder.Append({.value = rest}, timestamp_ms),
              absl_testing::IsOk());
  std::string bytes(builder.Finish().bytes());
  EXPECT_EQ(bytes.size(), kBatchSize);
  StoreBig64(bytes.data() + batch_layout::kBaseOffset, base_offset);
  return bytes;
}

inline std::string OffsetEntry(int32_t offset, int32_t position) {
  std::string entry(8, '\0');
  StoreBig32(entry.data(), offset);
  StoreBig32(entry.data() + 4, position);
  return entry;
}

inline std::string TimeEntry(int64_t timestamp_ms, int32_t offset) {
  std::string entry(12, '\0');
  StoreBig64(entry.data(), timestamp_ms);
  StoreBig32(entry.data() + 8, offset);
  return entry;
}

// A segment of equal batches in a directory of its own.
class SegmentFixture : public ::testing::Test {
 protected:
  SegmentFixture() { config_.segment_bytes = 1 << 20; }

  void Create(int64_t base_offset = 0) {
    base_offset_ = base_offset;
    Take(Segment::Create(**directory_, base_offset, config_));
  }
  void ReopenForAppend() {
    segment_ = nullptr;
    Take(Segment::OpenForAppend(**directory_, base_offset_, config_));
  }
  void ReopenReadOnly() {
    segment_ = nullptr;
    Take(Segment::OpenReadOnly(**directory_, base_offset_));
  }
  void Take(absl::StatusOr<std::shared_ptr<Segment>> segment) {
    ASSERT_THAT(segment, absl_testing::IsOk());
    segment_ = *std::move(segment);
  }

  // Appends `count` batches; batch i has the timestamp 1000 + i.
  void Append(int count) {
    for (; count > 0; --count) {
      const int64_t number = segment_->size() / kBatchSize;
      const std::string bytes =
          Batch(base_offset_ + number * kBatchCount, 1000 + number);
      ASSERT_THAT(segment_->Reserve(kBatchSize), absl_testing::IsOk());
      std::memcpy(segment_->write_at(), bytes.data(), bytes.size());
      segment_->Publish(IndexedBatch::Of(RecordBatch(bytes)));
      written_ += bytes;
    }
  }
  void Seal() { ASSERT_THAT(segment_->Seal(), absl_testing::IsOk()); }

  // Expects every offset of the segment to read as it was written.
  void ExpectAllReadable() {
    EXPECT_EQ(segment_->visible_bytes(), written_);
    const auto count = static_cast<int64_t>(written_.size()) / kBatchSize;
    for (int64_t i = 0; i < count * kBatchCount; ++i) {
      auto slice = ReadSegment(*segment_, {.offset = base_offset_ + i});
      ASSERT_THAT(slice, absl_testing::IsOk()) << i;
      const int64_t number = i / kBatchCount;
      ASSERT_EQ(slice->bytes.data() - segment_->visible_bytes().data(),
                number * kBatchSize);
      ASSERT_EQ(slice->next_offset, base_offset_ + (number + 1) * kBatchCount);
    }
  }

  std::string PathOf(SegmentFileKind kind) const {
    return scratch_ / SegmentFileName(base_offset_, kind);
  }
  std::string IndexPath() const { return PathOf(SegmentFileKind::kIndex); }
  std::string TimePath() const { return PathOf(SegmentFileKind::kTimeIndex); }

  ScratchDirectory scratch_;
  FaultyFileSystem files_;
  absl::StatusOr<std::unique_ptr<Directory>> directory_ =
      files_.OpenDirectory(scratch_.path());
  LogConfig config_;
  int64_t base_offset_ = 0;
  std::shared_ptr<Segment> segment_;
  std::string written_;
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_SEGMENT_SEGMENT_FIXTURE_H_
