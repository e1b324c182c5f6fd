// SPDX-License-Identifier: Apache-2.0

// Compaction as a program steers and watches it: dry runs, progress, pauses,
// metrics, and what a close does.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/manual_clock.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/compaction/topic_compaction.h"
#include "varve/api/duty/maintenance_pause.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/store_metrics.h"
#include "varve/api/store_options.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_stats.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CompactionControlTest : public StoreFixture {
 protected:
  static constexpr absl::Duration kInterval = absl::Seconds(15);

  CompactionControlTest() {
    config_.log.cleanup_policy = CleanupPolicy::kCompact;
    config_.log.segment_bytes = 2000;
  }

  StoreOptions Options() override {
    StoreOptions options = {.compaction_check_interval = kInterval,
                            .compaction_map_bytes = map_bytes_,
                            .pinned_deleted_bytes_max = pinned_bytes_max_,
                            .background = background_};
    options.environment.clock = &clock_;
    return options;
  }

  void Create() {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders", config_), IsOk());
  }

  // Appends some segments of records with keys k0 to k`keys`.
  void Append(int keys) {
    Partition orders = Orders();
    for (int i = 0; i < 300; ++i) {
      const std::string key = "k" + std::to_string(i % keys);
      ASSERT_THAT(orders.Append(Record{.key = key, .value = "some value"},
                                Durability::kMemory),
                  IsOk());
    }
    ASSERT_THAT(orders.Sync(), IsOk());
  }

  // The partition's files, by their names.
  using Files = std::map<std::string, std::string>;
  Files FilesNow() const {
    Files files;
    const std::string partition = path_ + "/orders-0/";
    for (const std::string& name : NamesIn(partition))
      files[name] = ReadBytes(partition + name);
    return files;
  }

  PartitionStats Stats() {
    const auto stats = Orders().Stats();
    EXPECT_THAT(stats, IsOk());
    return *stats;
  }
  // The same as another process sees it.
  PartitionStats StatsOfAnother() {
    const auto store = LogStore::OpenReadOnly(path_);
    EXPECT_THAT(store, IsOk());
    const auto stats = (*store)->partition("orders", 0)->Stats();
    EXPECT_THAT(stats, IsOk());
    return *stats;
  }

  ManualClock clock_;
  TopicConfig config_;
  int64_t map_bytes_ = StoreOptions().compaction_map_bytes;
  int64_t pinned_bytes_max_ = -1;
  Background background_ = Background::kNone;
};

TEST_F(CompactionControlTest,
       DryRunSaysWhatTheCompactionDoesAndChangesNothing) {
  Create();
  Append(7);
  const Files before = FilesNow();

  const auto dry = store_->CompactTopic("orders", {.dry_run = true});

  ASSERT_THAT(dry, IsOk());
  EXPECT_EQ(FilesNow(), before);
  EXPECT_EQ(store_->Metrics().compaction, CompactionMetrics());
  const auto compacted = store_->CompactTopic("orders");
  ASSERT_THAT(compacted, IsOk());
  EXPECT_TRUE(dry->front().compacted);
  EXPECT_GT(dry->front().records_removed, 200);
  EXPECT_EQ(*dry, *compacted);
}

TEST_F(CompactionControlTest, DryRunOfWhatIsCleanSaysThatNothingGoes) {
  Create();
  Append(7);
  ASSERT_THAT(store_->CompactTopic("orders"), IsOk());
  const auto dry = store_->CompactTopic("orders", {.dry_run = true});
  ASSERT_THAT(dry, IsOk());
  EXPECT_EQ(dry->front(), PartitionCompacted());
}

TEST_F(CompactionControlTest, ProgressGrowsToWhatIsToBeRead) {
  Create();
  Append(7);
  std::vector<int64_t> read;
  int64_t to_read = 0;

  const auto compacted = store_->CompactTopic(
      "orders", {.progress = [&](const CompactProgress& progress) {
        EXPECT_EQ(progress.partition, 0);
        read.push_back(progress.bytes_read);
        to_read = progress.bytes_to_read;
      }});

  ASSERT_THAT(compacted, IsOk());
  ASSERT_THAT(read, Not(IsEmpty()));
  EXPECT_TRUE(std::is_sorted(read.begin(), read.end()));
  EXPECT_EQ(read.back(), to_read);
  EXPECT_EQ(to_read, 2 * compacted->front().bytes_before);
}

TEST_F(CompactionControlTest, MoreKeysThanRoomTakeSeveralCalls) {
  map_bytes_ = 576;
  Create();
  Append(300);
  Append(300);
  const auto first = store_->CompactTopic("orders");
  ASSERT_THAT(first, IsOk());
  EXPECT_TRUE(first->front().has_more);
  EXPECT_EQ(store_->Metrics().compaction.partial, 1);
  int64_t clean_end = first->front().clean_end;
  bool has_more = true;
  while (has_more) {
    const auto next = store_->CompactTopic("orders");
    ASSERT_THAT(next, IsOk());
    ASSERT_GT(next->front().clean_end, clean_end);
    clean_end = next->front().clean_end;
    has_more = next->front().has_more;
  }
  EXPECT_EQ(Stats().clean_end, clean_end);
}

TEST_F(CompactionControlTest, MetricsCountWhatTheCompactionHasDone) {
  Create();
  Append(7);
  const auto compacted = store_->CompactTopic("orders");
  ASSERT_THAT(compacted, IsOk());
  const PartitionCompacted& done = compacted->front();
  const CompactionMetrics metrics = store_->Metrics().compaction;
  EXPECT_EQ(metrics.compaction_ns.count(), 1);
  EXPECT_EQ(metrics.partial, 0);
  EXPECT_GT(metrics.replaced_segments, 1);
  EXPECT_EQ(metrics.read_bytes, 2 * done.bytes_before);
  EXPECT_EQ(metrics.written_bytes, done.bytes_after);
  EXPECT_EQ(metrics.removed_bytes, done.bytes_before - done.bytes_after);
  EXPECT_EQ(metrics.removed_records, done.records_removed);
}

TEST_F(CompactionControlTest, StatsSayHowFarItIsCompacted) {
  Create();
  Append(7);
  const PartitionStats dirty = Stats();
  EXPECT_EQ(dirty.clean_end, 0);
  EXPECT_EQ(dirty.clean_bytes, 0);
  EXPECT_GT(dirty.dirty_bytes, 0);
  EXPECT_LT(dirty.dirty_bytes, dirty.batch_bytes);
  EXPECT_EQ(dirty.dirty_ratio(), 1);

  const auto compacted = store_->CompactTopic("orders");

  ASSERT_THAT(compacted, IsOk());
  const PartitionStats clean = Stats();
  EXPECT_EQ(clean.clean_end, compacted->front().clean_end);
  EXPECT_EQ(clean.clean_bytes, compacted->front().bytes_after);
  EXPECT_EQ(clean.dirty_bytes, 0);
  EXPECT_EQ(clean.dirty_ratio(), 0);
  const PartitionStats seen = StatsOfAnother();
  EXPECT_EQ(seen.clean_end, clean.clean_end);
  EXPECT_EQ(seen.clean_bytes, clean.clean_bytes);
  EXPECT_EQ(seen.dirty_bytes, clean.dirty_bytes);
}

TEST_F(CompactionControlTest, MaintenanceThatIsPausedWaitsForTheEndOfThePause) {
  Create();
  Append(7);
  clock_.Advance(kInterval);
  MaintenancePause pause = store_->PauseMaintenance();
  MaintenancePause other = store_->PauseMaintenance();
  EXPECT_TRUE(store_->Metrics().maintenance_is_paused);

  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Stats().clean_end, 0);
  pause.Resume();
  pause.Resume();
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Stats().clean_end, 0);

  other = MaintenancePause();
  EXPECT_FALSE(store_->Metrics().maintenance_is_paused);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_GT(Stats().clean_end, 0);
}

TEST_F(CompactionControlTest, ThreadThatIsPausedGoesOnWhenThePauseEnds) {
  background_ = Background::kOwnThreads;
  Create();
  {
    const MaintenancePause pause = store_->PauseMaintenance();
    Append(7);
    clock_.Advance(kInterval);
    absl::SleepFor(absl::Milliseconds(20));
    EXPECT_EQ(Stats().clean_end, 0);
  }
  for (int i = 0; i < 3000 && Stats().clean_end == 0; ++i)
    absl::SleepFor(absl::Milliseconds(10));
  EXPECT_GT(Stats().clean_end, 0);
}

TEST_F(CompactionControlTest, RetentionThatIsPausedDeletesNothing) {
  config_.log.cleanup_policy = CleanupPolicy::kDelete;
  config_.log.retention_ms = 1000;
  Create();
  Append(7);
  const int64_t segments = Stats().segments;
  clock_.Advance(absl::Hours(1));
  MaintenancePause pause = store_->PauseMaintenance();
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Stats().segments, segments);
  pause.Resume();
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_LT(Stats().segments, segments);
}

TEST_F(CompactionControlTest, CloseCompactsWhatIsDueUnlessItIsPaused) {
  Create();
  Append(7);
  {
    const MaintenancePause pause = store_->PauseMaintenance();
    ASSERT_THAT(store_->Close(), IsOk());
  }
  EXPECT_EQ(StatsOfAnother().clean_end, 0);
  Open();
  Append(7);
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_GT(StatsOfAnother().clean_end, 300);
}

TEST_F(CompactionControlTest, SealedSegmentHasItLookedAtSooner) {
  Create();
  clock_.Advance(kInterval);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  clock_.Advance(kInterval / 15);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  Append(7);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  const int64_t clean_end = Stats().clean_end;
  EXPECT_GT(clean_end, 0);
  // Not at once again; and without a new segment not before its time.
  Append(7);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Stats().clean_end, clean_end);
  clock_.Advance(kInterval / 15);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_GT(Stats().clean_end, clean_end);
}

TEST_F(CompactionControlTest, ViewsThatHoldTooMuchPutItOff) {
  pinned_bytes_max_ = 1000;
  Create();
  Append(7);
  auto view = Orders().Read(0);
  ASSERT_THAT(view, IsOk());
  // Nothing is held yet.
  ASSERT_THAT(store_->CompactTopic("orders"), IsOk());
  EXPECT_GT(store_->Metrics().holdings.pins.deleted_bytes, 1000);
  Append(7);

  EXPECT_THAT(store_->CompactTopic("orders"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("pinned_deleted_bytes_max is 1000")));
  EXPECT_THAT(store_->CompactTopic("orders", {.dry_run = true}), IsOk());

  view = RecordBatches();
  EXPECT_THAT(store_->CompactTopic("orders"), IsOk());
}

TEST_F(CompactionControlTest, PauseMayOutliveItsStore) {
  Create();
  MaintenancePause pause = store_->PauseMaintenance();
  store_ = nullptr;
  pause.Resume();
}

TEST_F(CompactionControlTest, OptionsOutOfRangeAreRefused) {
  StoreOptions options;
  options.compaction_map_bytes = 575;
  EXPECT_THAT(options.Validate(), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("compaction_map_bytes")));
  options = {.compaction_check_interval = absl::ZeroDuration()};
  EXPECT_THAT(options.Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("compaction_check_interval")));
  options = {.compaction_bytes_per_second = -1};
  EXPECT_THAT(options.Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("compaction_bytes_per_second")));
  options = {.pinned_deleted_bytes_max = -2};
  EXPECT_THAT(options.Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("pinned_deleted_bytes_max")));
}

}  // namespace
}  // namespace varve
