// SPDX-License-Identifier: Apache-2.0

// A partition of __consumer_offsets beside its writer;
// read_only_groups_test.cc has what the public face says of it.

#include "varve/api/read_only/replayed_offsets.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/read_only_partition_reader_fixture.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/read_only/read_only_partition_reader.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;

class ReplayedOffsetsTest : public ReadOnlyPartitionReaderFixture {
 protected:
  void Commit(std::string_view group, int64_t offset) {
    const std::string key =
        FormatOffsetCommitKey({.group = group, .topic = "orders"});
    const std::string value = FormatOffsetCommitValue({.offset = offset});
    ASSERT_THAT(log_->Append({.key = key, .value = value}, Durability::kMemory),
                IsOk());
  }
};

TEST_F(ReplayedOffsetsTest, CompressedCommitsAreReadWithTheirCodec) {
  FakeCodecs codecs;
  Recover();
  Commit("g", 1);
  RecordBatchBuilder builder;
  const std::string key =
      FormatOffsetCommitKey({.group = "h", .topic = "orders"});
  const std::string value = FormatOffsetCommitValue({.offset = 2});
  ASSERT_THAT(builder.Append({.key = key, .value = value}, 1), IsOk());
  ASSERT_THAT(
      log_->Append(*builder.FinishCompressed(codecs.lz4), Durability::kMemory),
      IsOk());
  OpenReader();
  ReplayedOffsets offsets(
      "p-0", std::shared_ptr<ReadOnlyPartitionReader>(std::move(reader_)),
      &codecs.all, &clock_,
      [](const std::string& note) { ADD_FAILURE() << note; });
  ASSERT_THAT(offsets.CatchUp(), IsOk());
  EXPECT_THAT(offsets.table().groups(), ElementsAre("g", "h"));
  Commit("k", 3);
  // It compares the batch that was read last.
  ASSERT_THAT(offsets.CatchUp(), IsOk());
  EXPECT_THAT(offsets.table().groups(), ElementsAre("g", "h", "k"));
}

// The records that tell the two logs apart are trimmed away.
TEST_F(ReplayedOffsetsTest, LogThatCannotBeComparedIsReadAnew) {
  Recover();
  Commit("g", 1);
  Commit("g", 2);
  OpenReader();
  ReplayedOffsets offsets(
      "p-0", std::shared_ptr<ReadOnlyPartitionReader>(std::move(reader_)),
      nullptr, &clock_, [](const std::string& note) { ADD_FAILURE() << note; });
  ASSERT_THAT(offsets.CatchUp(), IsOk());
  EXPECT_THAT(offsets.table().groups(), ElementsAre("g"));
  // As a recovery that cut the log, and other commits, leave it.
  const auto first = log_->Read(0, {.max_bytes = 0});
  ASSERT_THAT(first, IsOk());
  const auto size = static_cast<uintmax_t>(first->bytes().size());
  Crash();
  std::filesystem::resize_file(LogPath(0), size);
  Recover();
  ASSERT_EQ(log_->visible_end(), 1);
  Commit("h", 4);
  Commit("k", 5);
  outline_.checkpoint.log_start = 2;
  ASSERT_THAT(offsets.CatchUp(), IsOk());
  EXPECT_THAT(offsets.table().groups(), ElementsAre("k"));
}

}  // namespace
}  // namespace varve
