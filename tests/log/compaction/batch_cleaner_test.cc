// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/batch_cleaner.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/random_records.h"
#include "tests/log/compaction/batch_log.h"
#include "tests/log/compaction/compaction_run.h"
#include "tests/log/compaction/zeroed_offset_map.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/compaction/compaction_stats.h"
#include "varve/log/compaction/last_batches.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class BatchCleanerTest : public ::testing::Test {
 protected:
  // Compacts all of the log.
  void Compact() { ASSERT_THAT(run_.Compact(log_), IsOk()); }
  void CompactAt(int64_t now_ms) {
    run_.now_ms = now_ms;
    Compact();
  }

  std::vector<PlacedRecord> Records(size_t i) const {
    return RecordsOf(log_.batch(i), log_.codecs());
  }

  // So that no batch is kept for being the last one.
  void AppendOther() { log_.Append({Put("other", "value")}); }

  BatchLog log_;
  CompactionRun run_;
};

TEST_F(BatchCleanerTest, TheLatestRecordOfAKeyStaysAtItsOffset) {
  log_.Append({Put("a", "1"), Put("b", "2")});
  log_.Append({Put("a", "3"), Put("c", "4")});
  const std::string second = log_.batches[1];
  Compact();
  ASSERT_THAT(log_.batches, SizeIs(2));
  EXPECT_THAT(Records(0), ElementsAre(Pair(1, Put("b", "2"))));
  EXPECT_EQ(log_.batches[1], second);
  EXPECT_EQ(run_.mapped_end, 4);
}

TEST_F(BatchCleanerTest, TheHeaderOfARewrittenBatchStays) {
  log_.Append({Put("x", "")});
  log_.Append({Put("a", "1", 50), Put("b", "2", 90), Put("a", "3", 70)},
              {.producer_id = 4000, .base_sequence = 17, .leader_epoch = 9});
  log_.Append({Put("b", "4"), Put("x", "")});
  Compact();
  const RecordBatch batch = log_.batch(0);
  EXPECT_EQ(batch.base_offset(), 1);
  EXPECT_EQ(batch.last_offset_delta(), 2);
  EXPECT_EQ(batch.record_count(), 1);
  EXPECT_EQ(batch.leader_epoch(), 9);
  EXPECT_EQ(batch.producer_id(), 4000);
  EXPECT_EQ(batch.producer_epoch(), 0);
  EXPECT_EQ(batch.base_sequence(), 17);
  EXPECT_EQ(batch.base_timestamp_ms(), 70);
  EXPECT_EQ(batch.max_timestamp_ms(), 70);
  EXPECT_EQ(batch.crc(), batch.ComputeCrc());
  EXPECT_THAT(Records(0), ElementsAre(Pair(3, Put("a", "3", 70))));
}

TEST_F(BatchCleanerTest, ABatchOfWhichNothingStaysIsDropped) {
  log_.Append({Put("a", "1")});
  log_.Append({Put("a", "2")});
  Compact();
  ASSERT_THAT(log_.batches, SizeIs(1));
  EXPECT_EQ(log_.batch(0).base_offset(), 1);
  EXPECT_EQ(run_.stats.cleaning.batches_dropped, 1);
}

TEST_F(BatchCleanerTest, TheBatchAtTheEndOfTheRangeIsEmptiedNotDropped) {
  log_.Append({Put("a", "1")});
  const int64_t first = log_.AppendTransactional(1, Put("b", "2"));
  log_.Abort(1, first);
  run_.end = 2;
  Compact();
  ASSERT_THAT(log_.batches, SizeIs(3));
  EXPECT_EQ(log_.batch(1).record_count(), 0);
  EXPECT_EQ(log_.batch(1).next_offset(), 2);
  EXPECT_TRUE(log_.batch(1).is_transactional());
  EXPECT_EQ(run_.stats.cleaning.batches_emptied, 1);
}

TEST_F(BatchCleanerTest, TheLastBatchOfAProducerIsEmptiedNotDropped) {
  for (int32_t i = 0; i < 3; ++i) {
    log_.Append({Put("a", "1", 40), Put("a", "2", 30)},
                {.producer_id = 4000, .base_sequence = 2 * i});
  }
  log_.Append({Put("a", "3")});
  run_.producers = {{.producer_id = 4000, .last_offset = 5}};
  Compact();
  ASSERT_THAT(log_.batches, SizeIs(2));
  const RecordBatch batch = log_.batch(0);
  EXPECT_EQ(batch.size(), 61);
  EXPECT_EQ(batch.base_offset(), 4);
  EXPECT_EQ(batch.last_offset(), 5);
  EXPECT_EQ(batch.producer_id(), 4000);
  EXPECT_EQ(batch.base_sequence(), 4);
  EXPECT_EQ(batch.leader_epoch(), 3);
  EXPECT_EQ(batch.record_count(), 0);
  EXPECT_EQ(batch.base_timestamp_ms(), -1);
  EXPECT_EQ(batch.max_timestamp_ms(), 40);
  EXPECT_EQ(batch.crc(), batch.ComputeCrc());
  // It stays for as long as it is the last one.
  const std::string emptied = log_.batches[0];
  Compact();
  EXPECT_EQ(log_.batches[0], emptied);
  run_.producers.clear();
  Compact();
  EXPECT_THAT(log_.batches, SizeIs(1));
}

TEST_F(BatchCleanerTest, RecordsWithoutAKeyGo) {
  log_.Append({Put("a", "1"),
               {.key = std::nullopt, .value = "2", .headers = {}},
               Put("b", "3")});
  Compact();
  EXPECT_THAT(Records(0), ElementsAre(Pair(0, Put("a", "1", 1000)),
                                      Pair(2, Put("b", "3", 1000))));
  EXPECT_EQ(run_.stats.cleaning.records_without_key, 1);
  EXPECT_EQ(run_.stats.map.records_without_key, 1);
}

TEST_F(BatchCleanerTest, AnEmptyKeyAndAnEmptyValueAreNone) {
  log_.Append({Put("", "1"), Put("", "")});
  CompactAt(10'000);
  CompactAt(1'000'000);
  EXPECT_THAT(Records(0), ElementsAre(Pair(1, Put("", ""))));
  EXPECT_FALSE(log_.batch(0).has_delete_horizon());
}

TEST_F(BatchCleanerTest, ATombstoneGoesInTwoPhases) {
  log_.Append({Put("a", "1")});
  log_.Append({Tombstone("a", 1000), Put("b", "2", 5)});
  AppendOther();
  CompactAt(10'000);
  ASSERT_THAT(log_.batches, SizeIs(2));
  EXPECT_TRUE(log_.batch(0).has_delete_horizon());
  EXPECT_EQ(log_.batch(0).base_timestamp_ms(), 10'500);
  EXPECT_EQ(log_.batch(0).max_timestamp_ms(), 1000);
  const auto with_tombstone =
      ElementsAre(Pair(1, Tombstone("a", 1000)), Pair(2, Put("b", "2", 5)));
  EXPECT_THAT(Records(0), with_tombstone);
  // The horizon never moves, and its time has not come.
  const std::string bytes = log_.batches[0];
  CompactAt(10'499);
  EXPECT_EQ(log_.batches[0], bytes);
  CompactAt(10'500);
  EXPECT_THAT(Records(0), ElementsAre(Pair(2, Put("b", "2", 5))));
  EXPECT_TRUE(log_.batch(0).has_delete_horizon());
  EXPECT_EQ(log_.batch(0).base_timestamp_ms(), 10'500);
  EXPECT_EQ(run_.stats.cleaning.tombstones_expired, 1);
}

TEST_F(BatchCleanerTest, AnOlderTombstoneIsSupersededAtOnce) {
  log_.Append({Tombstone("a")});
  log_.Append({Put("a", "1")});
  Compact();
  ASSERT_THAT(log_.batches, SizeIs(1));
  EXPECT_THAT(Records(0), ElementsAre(Pair(1, Put("a", "1"))));
  EXPECT_FALSE(log_.batch(0).has_delete_horizon());
}

TEST_F(BatchCleanerTest, DeleteRetentionForEverKeepsTombstones) {
  run_.delete_retention_ms = std::numeric_limits<int64_t>::max();
  log_.Append({Tombstone("a")});
  AppendOther();
  Compact();
  EXPECT_EQ(log_.batch(0).base_timestamp_ms(), kTimestampMax);
  CompactAt(kTimestampMax - 1);
  EXPECT_THAT(Records(0), ElementsAre(Pair(0, Tombstone("a"))));
}

TEST_F(BatchCleanerTest, WhatIsCleanIsSupersededByWhatIsDirty) {
  log_.Append({Put("a", "1")});
  log_.Append({Put("b", "2")});
  log_.Append({Put("a", "3")});
  run_.first_dirty = 2;
  Compact();
  ASSERT_THAT(log_.batches, SizeIs(2));
  EXPECT_EQ(log_.batch(0).base_offset(), 1);
  EXPECT_EQ(log_.batch(1).base_offset(), 2);
}

TEST_F(BatchCleanerTest, NothingAfterTheRangeReplacesAnything) {
  log_.Append({Put("a", "1")});
  log_.Append({Put("a", "2")});
  run_.end = 1;
  const auto before = log_.batches;
  Compact();
  EXPECT_EQ(log_.batches, before);
  EXPECT_TRUE(run_.stats.cleaning.is_unchanged());
}

TEST_F(BatchCleanerTest, AFullMapEndsTheCompactionEarly) {
  run_.map_bytes = OffsetMap::kMemoryBytesMin;  // for 21 keys
  for (int i = 0; i < 60; ++i) {
    log_.Append({Put("key " + std::to_string(i % 30), std::to_string(i))});
  }
  Compact();
  // The key of offset 21 has no room. Nothing is known of it and those after.
  EXPECT_EQ(run_.mapped_end, 21);
  EXPECT_EQ(run_.stats.map_keys, 21);
  EXPECT_THAT(log_.batches, SizeIs(60));
  int passes = 1;
  for (; run_.mapped_end < 60; ++passes) {
    run_.first_dirty = run_.mapped_end;
    Compact();
  }
  EXPECT_EQ(passes, 3);
  ASSERT_THAT(log_.batches, SizeIs(30));
  EXPECT_EQ(log_.batch(0).base_offset(), 30);
}

TEST_F(BatchCleanerTest, ATombstoneThatIsNotMappedGetsNoHorizon) {
  run_.map_bytes = OffsetMap::kMemoryBytesMin;
  log_.Append({Put("deleted", "1")});
  run_.first_dirty = 1;  // its key is not in the map
  std::vector<OwnedRecord> records;
  for (int i = 0; i < 30; ++i) {
    records.push_back(Put("key " + std::to_string(i), ""));
  }
  records.push_back(Tombstone("deleted"));
  log_.Append(records);
  AppendOther();
  const auto before = log_.batches;
  Compact();
  EXPECT_EQ(run_.mapped_end, 22);
  EXPECT_EQ(log_.batches, before);
}

TEST_F(BatchCleanerTest, ABatchThatIsMappedInPartGetsNoHorizon) {
  run_.map_bytes = OffsetMap::kMemoryBytesMin;
  std::vector<OwnedRecord> records = {Tombstone("deleted")};
  for (int i = 0; i < 30; ++i) {
    records.push_back(Put("key " + std::to_string(i), ""));
  }
  log_.Append(records);
  AppendOther();
  const auto before = log_.batches;
  Compact();
  EXPECT_EQ(run_.mapped_end, 21);
  EXPECT_EQ(log_.batches, before);
  run_.first_dirty = run_.mapped_end;
  Compact();
  EXPECT_TRUE(log_.batch(0).has_delete_horizon());
}

TEST_F(BatchCleanerTest, CompressedBatchesAreCompressedAgain) {
  for (const Compression codec : {Compression::kGzip, Compression::kSnappy,
                                  Compression::kLz4, Compression::kZstd}) {
    log_ = {};
    log_.Append({Put("a", std::string(100, 'x')), Put("b", "2"), Put("c", "3")},
                {.compression = codec});
    log_.Append({Put("a", "4")}, {.compression = codec});
    const std::string second = log_.batches[1];
    Compact();
    EXPECT_EQ(log_.batch(0).compression(), codec);
    EXPECT_THAT(Records(0),
                ElementsAre(Pair(1, Put("b", "2")), Pair(2, Put("c", "3"))));
    EXPECT_EQ(FakeCodec::LevelOf(log_.batch(0).records()),
              Codec::kDefaultLevel);
    // That of which all stays is not.
    EXPECT_EQ(log_.batches[1], second);
  }
}

TEST_F(BatchCleanerTest, AnEmptiedCompressedBatchHasNoCodec) {
  log_.Append({Put("a", "1")}, {.compression = Compression::kZstd,
                                .producer_id = 4000,
                                .base_sequence = 0});
  log_.Append({Put("a", "2")});
  run_.producers = {{.producer_id = 4000, .last_offset = 0}};
  Compact();
  EXPECT_EQ(log_.batch(0).compression(), Compression::kNone);
  EXPECT_EQ(log_.batch(0).size(), 61);
}

TEST_F(BatchCleanerTest, ARecordLargerThanAnyBufferIsKept) {
  const std::string large(3 << 20, 'v');
  log_.Append({Put("a", large), Put("b", "1"), Put("c", large)});
  log_.Append({Put("b", "2")});
  Compact();
  EXPECT_THAT(Records(0),
              ElementsAre(Pair(0, Put("a", large)), Pair(2, Put("c", large))));
}

TEST_F(BatchCleanerTest, LogAppendTimeStays) {
  log_.Append({Put("a", "1", 50), Put("b", "2", 90)},
              {.timestamp_type = TimestampType::kLogAppendTime});
  log_.Append({Put("b", "3")});
  Compact();
  EXPECT_EQ(log_.batch(0).timestamp_type(), TimestampType::kLogAppendTime);
  EXPECT_EQ(log_.batch(0).max_timestamp_ms(), 90);
  EXPECT_THAT(Records(0), ElementsAre(Pair(0, Put("a", "1", 90))));
}

TEST_F(BatchCleanerTest, StatisticsSayWhyRecordsHaveGone) {
  log_.Append({Put("a", "1"), Put("a", "2"), Tombstone("b")});
  log_.Append({Put("c", "1")});
  log_.Append({Put("c", "2")});
  const auto size = static_cast<int64_t>(log_.bytes().size());
  Compact();
  const CleaningStats& stats = run_.stats.cleaning;
  EXPECT_EQ(stats.bytes_read, size);
  EXPECT_EQ(stats.bytes_written, static_cast<int64_t>(log_.bytes().size()));
  EXPECT_EQ(stats.batches_read, 3);
  EXPECT_EQ(stats.batches_rewritten, 1);
  EXPECT_EQ(stats.batches_dropped, 1);
  EXPECT_EQ(stats.batches_copied, 1);
  EXPECT_EQ(stats.records_kept, 3);
  EXPECT_EQ(stats.records_superseded, 2);
  EXPECT_EQ(stats.horizons_set, 1);
  EXPECT_FALSE(stats.is_unchanged());
  EXPECT_EQ(run_.stats.map.records_mapped, 5);
  EXPECT_EQ(run_.stats.map_keys, 3);
}

TEST_F(BatchCleanerTest, AMissingCodecEndsIt) {
  log_.Append({Put("a", "1")}, {.compression = Compression::kZstd});
  ZeroedOffsetMap map({.memory_bytes = 4096});
  const LastBatches last_batches;
  BatchCleaner cleaner({.range_end = 1, .mapped_end = 1}, *map, last_batches);
  KeptBatches kept;
  EXPECT_THAT(cleaner.Clean(log_.bytes(), kept),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("zstd")));
  EXPECT_THAT(kept.batches, IsEmpty());
}

TEST_F(BatchCleanerTest, AnErrorOfTheSinkEndsIt) {
  log_.Append({Put("a", "1")});
  log_.Append({Put("b", "1")});
  ZeroedOffsetMap map({.memory_bytes = 4096});
  const LastBatches last_batches;
  BatchCleaner cleaner({.range_end = 2, .mapped_end = 2}, *map, last_batches);
  KeptBatches kept;
  kept.status = absl::ResourceExhaustedError("no space");
  EXPECT_THAT(
      cleaner.Clean(log_.bytes(), kept),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("no space")));
  EXPECT_THAT(kept.batches, SizeIs(1));
}

}  // namespace
}  // namespace varve
