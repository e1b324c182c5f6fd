// SPDX-License-Identifier: Apache-2.0

// A reader that goes through a segment computes each CRC once: it looks at no
// batch that it does not return.

#include <cstdint>
#include <string>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cost/crc_bytes.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/read_only_partition_reader_fixture.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/metadata/sealed_access.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr int64_t kKiB = 1024;

class ReadOnlyChecksumsTest : public ReadOnlyPartitionReaderFixture,
                              public testing::WithParamInterface<SealedAccess> {
 protected:
  ReadOnlyChecksumsTest() {
    sealed_ = GetParam();
    codecs_ = &fakes_.all;
    config_.segment_bytes = 600 * kKiB;
  }

  enum class Kind { kPlain, kCompressed };

  // Batches of 4 records, which shrink to a half when they are compressed.
  void AppendBatch(Kind kind) {
    const std::string key(100, '.');
    RecordBatchBuilder builder;
    for (int i = 0; i < 4; ++i) {
      const int64_t offset = log_->visible_end() + i;
      ASSERT_THAT(
          builder.Append({.key = key, .value = Value(offset)}, 1000 + offset),
          IsOk());
    }
    ASSERT_THAT(log_->Append(kind == Kind::kPlain
                                 ? builder.Finish()
                                 : *builder.FinishCompressed(fakes_.gzip),
                             Durability::kMemory),
                IsOk());
  }
  // Fills the first segment, and begins the second one.
  void FillSegment(Kind even, Kind odd) {
    Recover();
    for (int64_t i = 0; log_->segment_count() < 2; ++i)
      AppendBatch(i / 500 % 2 == 0 ? even : odd);
    first_end_ = BasesOnDisk().back();
  }

  static int64_t BytesWithCrc(const RecordBatches& view) {
    int64_t bytes = 0;
    for (const RecordBatch& batch : view)
      bytes += batch.size() - batch_layout::kAttributes;
    return bytes;
  }
  // Reads the first segment to its end; the first read, which looks at what
  // opens the segment, does not count. Returns how many others there were.
  int ExpectEachCrcOnce(const ReadOptions& options) {
    OpenReader();
    auto view = reader_->Read(0, options);
    int reads = 0;
    while (view.ok() && view->next_offset() < first_end_) {
      const int64_t before = cost::CrcBytes::computed;
      view = reader_->Read(view->next_offset(), options);
      const int64_t computed = cost::CrcBytes::computed - before;
      EXPECT_THAT(view, IsOk());
      if (!view.ok() || view->empty()) break;
      EXPECT_EQ(computed, BytesWithCrc(*view)) << "of read " << reads;
      ++reads;
    }
    EXPECT_EQ(view.ok() ? view->next_offset() : -1, first_end_);
    return reads;
  }

  FakeCodecs fakes_;
  int64_t first_end_ = 0;  // of the first segment
};

INSTANTIATE_TEST_SUITE_P(Access, ReadOnlyChecksumsTest,
                         testing::Values(SealedAccess::kMap,
                                         SealedAccess::kRead),
                         [](const auto& access) {
                           return access.param == SealedAccess::kMap ? "Map"
                                                                     : "Read";
                         });

TEST_P(ReadOnlyChecksumsTest, CompressedBatchesThatDoNotFitAreNotLookedAt) {
  FillSegment(Kind::kCompressed, Kind::kCompressed);
  EXPECT_GT(ExpectEachCrcOnce({.max_bytes = 256 * kKiB}), 5);
  EXPECT_GT(ExpectEachCrcOnce({}), 1);
}

TEST_P(ReadOnlyChecksumsTest, PlainBatchThatDoesNotFitIsNotLookedAt) {
  FillSegment(Kind::kPlain, Kind::kPlain);
  EXPECT_GT(ExpectEachCrcOnce({.max_bytes = 10 * kKiB}), 50);
  EXPECT_GT(ExpectEachCrcOnce({.max_bytes = 0}), 1000);
}

TEST_P(ReadOnlyChecksumsTest, BothKindsTakeTurns) {
  FillSegment(Kind::kPlain, Kind::kCompressed);
  EXPECT_GT(ExpectEachCrcOnce({.max_bytes = 256 * kKiB}), 1);
  EXPECT_GT(ExpectEachCrcOnce({.max_bytes = 300 * kKiB}), 1);
}

TEST_P(ReadOnlyChecksumsTest, CompressedBatchesThatAreLeftFillTheView) {
  FillSegment(Kind::kCompressed, Kind::kCompressed);
  const ReadOptions options = {.max_bytes = 100 * kKiB,
                               .decompression = Decompression::kLeave};
  EXPECT_LT(ExpectEachCrcOnce(options), 20);
}

}  // namespace
}  // namespace varve
