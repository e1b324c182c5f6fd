// SPDX-License-Identifier: Apache-2.0

// Verification of a store with producers, as its writer leaves it.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/transactions_fixture.h"
#include "varve/api/cursor.h"
#include "varve/api/store_backup.h"
#include "varve/api/store_copy.h"
#include "varve/api/store_verifier.h"
#include "varve/api/topic_config.h"
#include "varve/api/writer_presence.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/system/environment.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::IsEmpty;

class VerifyProducersTest : public TransactionsFixture {
 protected:
  std::vector<std::string> Damage(const std::string& path,
                                  WriterPresence writer) {
    const auto result = VerifyStore(path, Environment(),
                                    {.writer = [writer] { return writer; }});
    EXPECT_THAT(result, IsOk());
    std::vector<std::string> damage;
    for (const PartitionVerification& partition : result->partitions) {
      for (const VerifyFinding& finding : partition.findings) {
        if (finding.severity == FindingSeverity::kDamage)
          damage.push_back(finding.ToString());
      }
    }
    EXPECT_EQ(damage.size(), result->damage_count());
    return damage;
  }
  std::vector<std::string> DamageBesideWriter() {
    return Damage(path_, WriterPresence::kOpen);
  }
  // Of what a crash now would leave.
  std::vector<std::string> DamageAfterCrash() {
    const std::string copy = scratch_ / "crashed";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(path_, copy,
                          std::filesystem::copy_options::recursive);
    return Damage(copy, WriterPresence::kNone);
  }
  std::vector<std::string> Committed() {
    Cursor cursor(Orders(), Orders().log_start(),
                  {.read = {.level = ReadLevel::kVisible,
                            .isolation = Isolation::kReadCommitted}});
    std::vector<std::string> values;
    while (const RecordView* record = cursor.Next())
      values.emplace_back(*record->value());
    EXPECT_THAT(cursor.status(), IsOk());
    return values;
  }
};

TEST_F(VerifyProducersTest, NothingIsFoundAtAnyMomentOfALog) {
  CreateOrders();
  for (int i = 0; i < 9; ++i) {
    WriteRound(i);
    if (i % 2 == 0) {
      ASSERT_THAT(Orders().Sync(), IsOk());
    }
    EXPECT_THAT(DamageBesideWriter(), IsEmpty()) << i;
    EXPECT_THAT(DamageAfterCrash(), IsEmpty()) << i;
    if (i % 4 != 3) continue;
    Close();
    EXPECT_THAT(Damage(path_, WriterPresence::kNone), IsEmpty()) << i;
    Open();
  }
}

TEST_F(VerifyProducersTest, NothingIsFoundAfterARecovery) {
  CreateOrders();
  for (int i = 0; i < 8; ++i) WriteRound(i);
  ASSERT_THAT(Orders().Sync(), IsOk());
  std::filesystem::copy(path_, scratch_ / "copy",
                        std::filesystem::copy_options::recursive);
  Close();
  std::filesystem::remove_all(path_);
  std::filesystem::rename(scratch_ / "copy", path_);
  Open();
  EXPECT_THAT(DamageBesideWriter(), IsEmpty());
  Append(three_.Batch(0));
  EXPECT_THAT(DamageBesideWriter(), IsEmpty());
  Close();
  EXPECT_THAT(Damage(path_, WriterPresence::kNone), IsEmpty());
}

TEST_F(VerifyProducersTest, NothingIsFoundWhenProducersHaveExpired) {
  expiration_ = absl::Milliseconds(1);
  WriteAndClose();
  EXPECT_THAT(Damage(path_, WriterPresence::kNone), IsEmpty());
}

// The times of batches are those of their appends then.
TEST_F(VerifyProducersTest, NothingIsFoundInAStampedTopic) {
  TopicConfig config = SmallSegments();
  config.log.message_timestamp_type = TimestampType::kLogAppendTime;
  CreateOrders(config);
  for (int i = 0; i < 6; ++i) WriteRound(i);
  EXPECT_THAT(DamageBesideWriter(), IsEmpty());
  Close();
  EXPECT_THAT(Damage(path_, WriterPresence::kNone), IsEmpty());
}

TEST_F(VerifyProducersTest, NothingIsFoundAfterATrim) {
  WriteAndClose();
  Open();
  ASSERT_THAT(Orders().TrimBefore(end_ / 2), IsOk());
  Append(one_.Batch(12));
  EXPECT_THAT(DamageBesideWriter(), IsEmpty());
  Close();
  EXPECT_THAT(Damage(path_, WriterPresence::kNone), IsEmpty());
}

// Its files are those of several moments, and of the backup before.
TEST_F(VerifyProducersTest, NothingIsFoundInBackupsOfALiveStore) {
  const std::string backup = scratch_ / "backup";
  CreateOrders();
  for (int i = 0; i < 9; ++i) {
    WriteRound(i);
    if (i == 4) {
      ASSERT_THAT(Orders().TrimBefore(Orders().visible_end() / 2), IsOk());
    }
    const auto made = BackUpStore({.store = path_, .backup = backup},
                                  {.existing = ExistingCopy::kReplace});
    ASSERT_THAT(made, IsOk());
    EXPECT_THAT(Damage(backup, WriterPresence::kNone), IsEmpty()) << i;
  }
}

// What a finding says to do.
TEST_F(VerifyProducersTest, FileThatIsCutToAByteIsMadeOfTheBatches) {
  WriteAndClose();
  Open();
  const std::vector<std::string> due = Committed();
  const auto position = Orders().FindProducer(idempotent_.id);
  ASSERT_THAT(position, IsOk());
  ASSERT_TRUE(position->has_value());
  Close();
  for (const SegmentFileKind kind :
       {SegmentFileKind::kSnapshot, SegmentFileKind::kTxnIndex}) {
    for (const int64_t offset : OffsetsOf(kind))
      WriteBytes(PathTo(offset, kind), "\x01");
  }
  Open();
  EXPECT_EQ(Committed(), due);
  EXPECT_EQ(*Orders().FindProducer(idempotent_.id), *position);
  // Of one that is missing, too.
  Close();
  const std::string path = PathTo(OffsetsOf(SegmentFileKind::kTxnIndex)[1],
                                  SegmentFileKind::kTxnIndex);
  std::filesystem::remove(path);
  Open();
  EXPECT_NE(Committed(), due);
  Close();
  WriteBytes(path, "\x01");
  Open();
  EXPECT_EQ(Committed(), due);
}

}  // namespace
}  // namespace varve
