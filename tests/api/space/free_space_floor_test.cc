// SPDX-License-Identifier: Apache-2.0

// free_space_floor_bytes: appends leave the rest of the disk alone, and what
// was acknowledged stays as it is.

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/space/space_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/recovery_report.h"
#include "varve/api/store_metrics.h"
#include "varve/api/store_options.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/system/file_system_type.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Kind = FreeSpaceChange::Kind;
constexpr absl::StatusCode kFull = absl::StatusCode::kResourceExhausted;

class FreeSpaceFloorTest : public SpaceFixture {};

TEST_F(FreeSpaceFloorTest, AppendsStopAtTheFloorAndGoOnAtTheResumeMark) {
  OpenWithTopic();
  SetFree(kFloor + (300 << 10));
  EXPECT_THAT(
      AppendToTheFloor(),
      StatusIs(kFull, AllOf(HasSubstr(path_ + "/orders-0/"),
                            HasSubstr("free_space_floor_bytes of the store is "
                                      "1048576"),
                            HasSubstr("when 2097152 bytes are free"))));
  EXPECT_GE(Free(), kFloor - (16 << 10)) << "indexes are not refused";
  EXPECT_LT(Free(), kFloor + (64 << 10)) << "no more than a step above";
  const int64_t end = Orders().visible_end();
  EXPECT_GT(end, 50);
  ExpectWhole(end);
  SetFree(kResume - 1);
  PassLookAgain();
  EXPECT_THAT(AppendBig(), StatusIs(kFull));
  // Sealing gives some blocks back.
  SetFree(kResume - (128 << 10));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(AppendBig(), StatusIs(kFull));
  ExpectWhole(end);
  SetFree(kResume);
  PassLookAgain();
  EXPECT_THAT(AppendBig(), IsOk()) << "without RunMaintenance or a reopen";
  ExpectWhole(end + 1);
}

TEST_F(FreeSpaceFloorTest, MaintenanceEndsTheRefusalToo) {
  OpenWithTopic();
  SetFree(kFloor + (100 << 10));
  ASSERT_THAT(AppendToTheFloor(), StatusIs(kFull));
  SetFree(kResume);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_FALSE(store_->Metrics().disk.refuses_appends);
  EXPECT_THAT(AppendBig(), IsOk());
}

TEST_F(FreeSpaceFloorTest, AppendThatFitsIntoItsBlocksGoesOn) {
  OpenWithTopic();
  SetFree(kFloor + (100 << 10));
  ASSERT_THAT(AppendToTheFloor(), StatusIs(kFull));
  const int64_t end = Orders().visible_end();
  EXPECT_THAT(Append("small"), IsOk());
  EXPECT_THAT(AppendBig(), StatusIs(kFull));
  EXPECT_THAT(Append("small", Durability::kSynced), IsOk());
  ExpectWhole(end + 2);
}

TEST_F(FreeSpaceFloorTest, EachKindOfAppendIsRefusedAndSucceedsLater) {
  OpenWithTopic();
  SetFree(kFloor + (100 << 10));
  ASSERT_THAT(AppendToTheFloor(), StatusIs(kFull));
  const int64_t end = Orders().visible_end();
  const std::string value(3000, 'v');
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = value}, clock_.Now()), IsOk());
  ASSERT_THAT(builder.Append({.value = value}, clock_.Now()), IsOk());
  int callbacks = 0;
  const auto count = [&](absl::StatusOr<AppendResult> /*durable*/) {
    ++callbacks;
  };
  const auto append_all = [&] {
    std::vector<absl::Status> all;
    for (const Durability durability :
         {Durability::kMemory, Durability::kInterval, Durability::kSynced}) {
      all.push_back(Append(value, durability));
      all.push_back(Orders().Append(builder.Finish(), durability).status());
    }
    all.push_back(Orders().AppendAsync({.value = value}, count).status());
    all.push_back(Orders().AppendAsync(builder.Finish(), count).status());
    return all;
  };
  for (const absl::Status& status : append_all())
    EXPECT_THAT(status, StatusIs(kFull, HasSubstr("free_space_floor_bytes")));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(callbacks, 0);
  ExpectWhole(end);
  EXPECT_EQ(store_->Metrics().poisoned_partitions, 0);
  SetFree(kPlenty);
  PassLookAgain();
  for (const absl::Status& status : append_all()) EXPECT_THAT(status, IsOk());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(callbacks, 2);
  ExpectWhole(end + 12);
}

TEST_F(FreeSpaceFloorTest, RollAtTheFloorIsCompletedLater) {
  OpenWithTopic();
  // A segment and the front of its indexes.
  SetFree(kFloor + (72 << 10) + 2000);
  while (Orders().visible_end() < 21) ASSERT_THAT(AppendBig(), IsOk());
  EXPECT_THAT(AppendBig(), StatusIs(kFull));
  EXPECT_THAT(AppendBig(), StatusIs(kFull));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  ExpectWhole(21);
  SetFree(kResume);
  PassLookAgain();
  EXPECT_THAT(AppendBig(), IsOk());
  ExpectWhole(22);
  EXPECT_TRUE(HasFile("00000000000000000021.log"));
  Reopen();
  EXPECT_TRUE(store_->recovery_report().clean);
  ExpectWhole(22);
}

TEST_F(FreeSpaceFloorTest, NoSegmentIsMadeReadyAtTheFloor) {
  for (const int64_t free : {kPlenty, kFloor}) {
    OpenWithTopic();
    ASSERT_THAT(store_->CreateTopic("other", config_), IsOk());
    // More than half of its segment, so that the next one is wanted.
    while (Orders().visible_end() < 15) ASSERT_THAT(AppendBig(), IsOk());
    SetFree(free);
    auto other = *store_->partition("other", 0);
    absl::Status status;
    while (status.ok() && other.visible_end() < 15) {
      status =
          other.Append({.value = std::string(3000, 'o')}, Durability::kMemory)
              .status();
    }
    EXPECT_EQ(status.ok(), free == kPlenty) << status;
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    EXPECT_EQ(HasFile("ready-log"), free == kPlenty);
    ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
    ASSERT_THAT(store_->DeleteTopic("other"), IsOk());
    ASSERT_THAT(store_->Close(), IsOk());
    // What was allocated since a look is much less than an eighth of this.
    SetFree(kFloor + (600 << 10));
  }
}

TEST_F(FreeSpaceFloorTest, CallbacksTakeTurnsAndHaveTheBytes) {
  OpenWithTopic();
  for (int i = 0; i < 3; ++i) {
    SetFree(kFloor - 1);
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    SetFree(kResume - 1);
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    SetFree(kResume + i);
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
  }
  EXPECT_THAT(Kinds(),
              ElementsAre(Kind::kAppendsRefused, Kind::kAppendsResumed,
                          Kind::kAppendsRefused, Kind::kAppendsResumed,
                          Kind::kAppendsRefused, Kind::kAppendsResumed));
  EXPECT_EQ(changes_[4], (FreeSpaceChange{.kind = Kind::kAppendsRefused,
                                          .free_bytes = kFloor - 1,
                                          .floor_bytes = kFloor,
                                          .resume_bytes = kResume}));
  EXPECT_EQ(changes_[5].free_bytes, kResume + 2);
}

TEST_F(FreeSpaceFloorTest, WhatNoMaintenanceToldIsToldByClose) {
  OpenWithTopic();
  SetFree(kFloor);
  ASSERT_THAT(AppendToTheFloor(), StatusIs(kFull));
  EXPECT_THAT(Kinds(), IsEmpty());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kAppendsRefused));
}

TEST_F(FreeSpaceFloorTest, AllButAppendsGoesOnAtTheFloor) {
  OpenWithTopic();
  SetFree(kFloor + (200 << 10));
  ASSERT_THAT(AppendToTheFloor(), StatusIs(kFull));
  const int64_t end = Orders().visible_end();
  EXPECT_THAT(Orders().Read(0), IsOk());
  EXPECT_THAT(Orders().Sync(), IsOk());
  EXPECT_EQ(Orders().durable_end(), end);
  // A consumer that may not commit may not trim, and the floor stays reached.
  EXPECT_THAT(store_->CommitOffset("billing", "orders", 0, end - 1), IsOk());
  EXPECT_THAT(store_->DeleteGroup("billing"), IsOk());
  EXPECT_THAT(store_->CreateTopic("more", config_), IsOk());
  EXPECT_THAT(Orders().TrimBefore(30), IsOk());
  EXPECT_FALSE(HasFile("00000000000000000000.log"));
  EXPECT_THAT(store_->DeleteTopic("more"), IsOk());
  Reopen();
  EXPECT_TRUE(store_->recovery_report().clean);
  EXPECT_EQ(Orders().log_start(), 30);
  EXPECT_EQ(Orders().visible_end(), end);
}

TEST_F(FreeSpaceFloorTest, StoreThatOpensAtTheFloorRefusesAtOnce) {
  OpenWithTopic();
  ASSERT_THAT(AppendBig(), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  SetFree(kFloor - 1);
  Open();
  EXPECT_THAT(AppendBig(), StatusIs(kFull));
  ExpectWhole(1);
}

TEST_F(FreeSpaceFloorTest, RecoveryMakesItsIndexesAtTheFloor) {
  OpenWithTopic();
  SetFree(kFloor + (200 << 10));
  ASSERT_THAT(AppendToTheFloor(), StatusIs(kFull));
  const int64_t end = Orders().visible_end();
  const std::string copy = scratch_.path() + "/copy";
  CopyStore(path_, copy);
  SetFree(kFloor - 1);
  auto copied = LogStore::Open(copy, Options());
  ASSERT_THAT(copied, IsOk());
  const RecoveryReport report = (*copied)->recovery_report();
  EXPECT_FALSE(report.clean);
  EXPECT_THAT(report.ToString(), Not(HasSubstr("no index")));
  EXPECT_EQ((*copied)->partition("orders", 0)->visible_end(), end);
}

TEST_F(FreeSpaceFloorTest, AppendsWithRoomEnoughAskForNothing) {
  OpenWithTopic();
  ASSERT_THAT(AppendBig(), IsOk());
  files_.ForgetCalls();
  while (Orders().visible_end() < 200) ASSERT_THAT(AppendBig(), IsOk());
  EXPECT_THAT(files_.calls(), Not(Contains(StartsWith("Directory::FreeBytes"))))
      << "ten segments are less than an eighth of what there is";
}

TEST_F(FreeSpaceFloorTest, WithoutAFloorTheDiskIsUsedUp) {
  store_ = *LogStore::Open(
      path_, {.background = Background::kNone,
              .environment = {.files = &files_, .clock = &clock_}});
  ASSERT_THAT(store_->CreateTopic("orders", config_), IsOk());
  SetFree(100 << 10);
  files_.ForgetCalls();
  EXPECT_THAT(AppendToTheFloor(),
              StatusIs(kFull, Not(HasSubstr("free_space_floor"))));
  EXPECT_LT(Free(), 8 << 10);
  EXPECT_THAT(files_.calls(),
              Not(Contains(StartsWith("Directory::FreeBytes"))));
  EXPECT_EQ(store_->Metrics().disk, DiskMetrics());
}

TEST_F(FreeSpaceFloorTest, FileSystemWithoutAnAnswerRefusesNothing) {
  files_.FailCallsNamed("Directory::FreeBytes", EIO,
                        FaultyFileSystem::Repeat::kForever);
  OpenWithTopic();
  SetFree(kFloor);
  EXPECT_THAT(AppendBig(), IsOk());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  int64_t failures = 0;
  for (const int64_t count : store_->Metrics().duty_errors) failures += count;
  EXPECT_EQ(failures, 1) << "said once";
}

// Each append takes blocks there, as nothing is allocated ahead.
TEST_F(FreeSpaceFloorTest, AppendsThatWriteTheirFilesStopAtTheFloorToo) {
  files_.PretendType(FileSystemType::kBtrfs);
  OpenWithTopic();
  SetFree(kFloor + (200 << 10));
  EXPECT_THAT(AppendToTheFloor(),
              StatusIs(kFull, HasSubstr("free_space_floor_bytes")));
  EXPECT_GE(Free(), kFloor);
  const int64_t end = Orders().visible_end();
  EXPECT_GT(end, 50);
  EXPECT_THAT(Append("small"), StatusIs(kFull));
  ExpectWhole(end);
  SetFree(kResume);
  PassLookAgain();
  EXPECT_THAT(AppendBig(), IsOk());
  Reopen();
  ExpectWhole(end + 1);
}

TEST_F(FreeSpaceFloorTest, MetricsSayWhatIsFreeAndHowManyWereRefused) {
  OpenWithTopic();
  SetFree(kFloor + (100 << 10));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  DiskMetrics disk = store_->Metrics().disk;
  EXPECT_EQ(disk.free_bytes, kFloor + (100 << 10));
  EXPECT_EQ(disk.free_space_floor_bytes, kFloor);
  EXPECT_EQ(disk.free_space_resume_bytes, kResume);
  EXPECT_FALSE(disk.refuses_appends);
  EXPECT_EQ(disk.refused_appends, 0);
  ASSERT_THAT(AppendToTheFloor(), StatusIs(kFull));
  for (int i = 0; i < 4; ++i) ASSERT_THAT(AppendBig(), StatusIs(kFull));
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_TRUE(metrics.disk.refuses_appends);
  EXPECT_EQ(metrics.disk.refused_appends, 5);
  EXPECT_EQ(metrics.append_errors[static_cast<size_t>(kFull)], 5);
}

}  // namespace
}  // namespace varve
