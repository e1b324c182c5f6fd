// SPDX-License-Identifier: Apache-2.0

// The committed offsets of a store that has lost records and was not opened
// since: the first open of what is made of it checks them.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/backup_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/store_backup.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::IsEmpty;
using ::testing::Not;

const TopicPartition kOrders = {.topic = "orders", .partition = 0};

class CopiedOffsetsTest : public BackupFixture {
 protected:
  static bool IsMarkedClean(const std::string& store) {
    return std::filesystem::exists(store + "/.kafka_cleanshutdown");
  }

  // Offsets 0 to 24, in segments of five, and a group that has read up to
  // `committed`; a power loss has taken the last segment, and not the commit.
  std::string StoreAfterPowerLoss(int64_t committed) {
    CreateTopic("orders");
    Append("orders", 25, Durability::kMemory);
    Commit("billing", "orders", committed, Durability::kMemory);
    std::string crashed = scratch_ / "crashed";
    CopyStore(path_, crashed);
    std::filesystem::remove(Log(crashed, "orders-0", 20));
    return crashed;
  }

  static int64_t Committed(LogStore& store) {
    return std::get<0>(CommitsOf(store)["billing"][kOrders]);
  }
};

TEST_F(CopiedOffsetsTest, OffsetPastTheRecordsIsSetBackByTheFirstOpen) {
  const std::string crashed = StoreAfterPowerLoss(24);
  ASSERT_THAT(BackUpStore({.store = crashed, .backup = backup_}), IsOk());
  EXPECT_FALSE(IsMarkedClean(backup_));
  ASSERT_THAT(Restore(), IsOk());
  EXPECT_FALSE(IsMarkedClean(restored_));
  {
    std::unique_ptr<LogStore> restored = Open(restored_);
    EXPECT_FALSE(restored->recovery_report().clean);
    EXPECT_THAT(restored->recovery_report().notes, Not(IsEmpty()));
    EXPECT_EQ(Committed(*restored), 20);
    auto orders = restored->partition("orders", 0);
    ASSERT_THAT(orders, IsOk());
    EXPECT_EQ(orders->visible_end(), 20);
    ASSERT_THAT(restored->Close(), IsOk());
  }
  ExpectSound(restored_);
}

TEST_F(CopiedOffsetsTest, OffsetWithinTheRecordsNeedsNoCheck) {
  const std::string crashed = StoreAfterPowerLoss(20);
  ASSERT_THAT(BackUpStore({.store = crashed, .backup = backup_}), IsOk());
  EXPECT_TRUE(IsMarkedClean(backup_));
  ExpectSound(backup_);
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(Committed(*restored), 20);
  ExpectCommitsWithinRecords(*restored);
}

TEST_F(CopiedOffsetsTest, OffsetOfADeletedTopicNeedsNoCheck) {
  CreateTopic("orders");
  CreateTopic("payments");
  Append("orders", 12);
  Append("payments", 3);
  Commit("billing", "orders", 12);
  Commit("billing", "payments", 3);
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  CreateTopic("orders");
  ASSERT_THAT(BackUp(), IsOk());
  EXPECT_TRUE(IsMarkedClean(backup_));
  ExpectCommitsWithinRecords(*Restored());
}

TEST_F(CopiedOffsetsTest, ReplacementIsMarkedByItsOwnOffsets) {
  const std::string crashed = StoreAfterPowerLoss(24);
  ASSERT_THAT(BackUp(), IsOk());
  EXPECT_TRUE(IsMarkedClean(backup_));
  ASSERT_THAT(BackUpStore({.store = crashed, .backup = backup_},
                          ReplacingWhatIsThere()),
              IsOk());
  EXPECT_FALSE(IsMarkedClean(backup_));
  ASSERT_THAT(BackUp(ReplacingWhatIsThere()), IsOk());
  EXPECT_TRUE(IsMarkedClean(backup_));
  EXPECT_EQ(Committed(*Restored()), 24);
}

}  // namespace
}  // namespace varve
