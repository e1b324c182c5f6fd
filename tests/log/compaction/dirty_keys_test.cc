// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/dirty_keys.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "tests/log/compaction/batch_log.h"
#include "tests/log/compaction/zeroed_offset_map.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/compaction/offset_map.h"

namespace varve {
namespace {

using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

using Progress = DirtyKeys::Progress;

class DirtyKeysTest : public ::testing::Test {
 protected:
  DirtyKeys Keys(const OffsetRange& dirty) {
    return DirtyKeys(dirty, BatchLog::codecs(), *map_);
  }

  BatchLog log_;
  ZeroedOffsetMap map_{{.memory_bytes = OffsetMap::kMemoryBytesMin}};
};

TEST_F(DirtyKeysTest, TheLastOffsetOfEachKeyIsMapped) {
  log_.Append({Put("a", "1"), Put("b", "2")});
  log_.Append({Tombstone("a"), Put("c", "3")});
  DirtyKeys keys = Keys({0, 10});
  EXPECT_THAT(keys.Add(log_.bytes()), IsOkAndHolds(Progress::kMore));
  EXPECT_EQ(map_->Find("a"), 2);
  EXPECT_EQ(map_->Find("b"), 1);
  EXPECT_EQ(map_->Find("c"), 3);
  // Offsets may be missing before the next segment.
  EXPECT_EQ(keys.Finish(), 10);
}

TEST_F(DirtyKeysTest, RecordsBeforeTheRangeAreNotMapped) {
  log_.Append({Put("a", "1")});
  log_.Append({Put("b", "2"), Put("c", "3")});
  DirtyKeys keys = Keys({2, 3});
  EXPECT_THAT(keys.Add(log_.bytes()), IsOkAndHolds(Progress::kMore));
  EXPECT_EQ(map_->Find("a"), std::nullopt);
  EXPECT_EQ(map_->Find("b"), std::nullopt);
  EXPECT_EQ(map_->Find("c"), 2);
  EXPECT_EQ(keys.stats().records_mapped, 1);
}

TEST_F(DirtyKeysTest, AbortedRecordsAndMarkersAreNotMapped) {
  log_.Append({Put("a", "1")});
  log_.AppendTransactional(1, Put("a", "2"));
  log_.Abort(1, 1);
  DirtyKeys keys = Keys({0, 3});
  keys.AddAborted(log_.aborted);
  EXPECT_THAT(keys.Add(log_.bytes()), IsOkAndHolds(Progress::kMore));
  EXPECT_EQ(map_->Find("a"), 0);
  EXPECT_EQ(map_->size(), 1);
  EXPECT_EQ(keys.stats().batches_aborted, 1);
  EXPECT_EQ(keys.stats().batches_read, 3);
}

TEST_F(DirtyKeysTest, CompressedRecordsAreMapped) {
  log_.Append({Put("a", "1"), Put("a", "2")},
              {.compression = Compression::kLz4});
  DirtyKeys keys = Keys({0, 2});
  EXPECT_THAT(keys.Add(log_.bytes()), IsOkAndHolds(Progress::kMore));
  EXPECT_EQ(map_->Find("a"), 1);
}

TEST_F(DirtyKeysTest, AFullMapEndsAtTheRecordThatHadNoRoom) {
  for (int i = 0; i < 30; ++i) {
    log_.Append({Put("a", ""), Put("key " + std::to_string(i), "")});
  }
  DirtyKeys keys = Keys({0, log_.end()});
  EXPECT_THAT(keys.Add(log_.bytes()), IsOkAndHolds(Progress::kFull));
  // It holds 21: "a" and twenty others. "a" was met once more after them.
  EXPECT_EQ(keys.Finish(), 41);
  EXPECT_EQ(map_->Find("a"), 40);
  EXPECT_EQ(map_->Find("key 19"), 39);
  EXPECT_EQ(map_->Find("key 20"), std::nullopt);
}

TEST_F(DirtyKeysTest, WhatCannotBeReadIsAnError) {
  log_.Append({Put("a", "1")}, {.compression = Compression::kZstd});
  DirtyKeys without({0, 1}, nullptr, *map_);
  EXPECT_THAT(without.Add(log_.bytes()),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("zstd")));
  const Codecs small({BatchLog::codecs()->Find(Compression::kZstd)}, 3);
  DirtyKeys limited({0, 1}, &small, *map_);
  EXPECT_THAT(limited.Add(log_.bytes()),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(DirtyKeysTest, RecordsThatAreNoneAreDamage) {
  log_.Append({Put("a", "1")});
  log_.batches[0] = WithRecords(log_.batch(0), "no record", 1);
  DirtyKeys keys = Keys({0, 1});
  EXPECT_THAT(keys.Add(log_.bytes()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("record 0")));
}

}  // namespace
}  // namespace varve
