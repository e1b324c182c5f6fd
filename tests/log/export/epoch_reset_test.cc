// SPDX-License-Identifier: Apache-2.0

#include "varve/log/export/epoch_reset.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

class EpochResetTest : public testing::Test {
 protected:
  // Adds a batch of one record with this epoch; in `expected_`, with epoch 0.
  void Add(int32_t epoch, std::string_view value) {
    RecordBatchBuilder builder;
    ASSERT_THAT(
        builder.Append({.value = value}, absl::FromUnixMillis(1700000000000)),
        IsOk());
    std::string bytes(builder.Finish().bytes());
    StoreBig64(bytes.data() + batch_layout::kBaseOffset, end_++);
    StoreBig32(bytes.data() + batch_layout::kLeaderEpoch, 0);
    expected_ += bytes;
    StoreBig32(bytes.data() + batch_layout::kLeaderEpoch, epoch);
    log_ += bytes;
  }
  absl::Status Reset() {
    WriteBytes(path_, log_);
    return ResetEpochs(*directory_, 0);
  }

  ScratchDirectory scratch_;
  const std::string path_ =
      scratch_ / SegmentFileName(0, SegmentFileKind::kLog);
  const std::unique_ptr<Directory> directory_ =
      *FileSystem::Posix()->OpenDirectory(scratch_.path());
  std::string log_;
  std::string expected_;
  int64_t end_ = 0;
};

// Several times what is written at once, with batches that end just before and
// just after such a piece, and one that is larger.
TEST_F(EpochResetTest, EveryBatchOfALargeSegmentIsReset) {
  Add(0, "first");
  for (int i = 0; i < 300; ++i) Add(1 + i / 100, std::string(13'333, 'v'));
  Add(7, std::string(3'000'000, 'w'));
  for (int i = 0; i < 3; ++i) Add(8, "last");
  ASSERT_THAT(Reset(), IsOk());
  EXPECT_TRUE(ReadBytes(path_) == expected_);
}

TEST_F(EpochResetTest, OtherBytesAfterTheBatchesAreReported) {
  Add(3, "a");
  log_ += "not a batch";
  EXPECT_THAT(Reset(), StatusIs(absl::StatusCode::kDataLoss,
                                HasSubstr("after it was verified")));
}

TEST_F(EpochResetTest, EmptySegmentStaysEmpty) {
  ASSERT_THAT(Reset(), IsOk());
  EXPECT_EQ(ReadBytes(path_), "");
}

}  // namespace
}  // namespace varve
