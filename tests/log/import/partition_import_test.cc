// SPDX-License-Identifier: Apache-2.0

#include "varve/log/import/partition_import.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/broker/broker_partition.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/partition_verifier.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr TopicId kTopic(1, 2);

class PartitionImportTest : public testing::Test {
 protected:
  PartitionImportTest() {
    broker_.AddPartition("t-0", kTopic);
    std::filesystem::create_directory(to_path_);
  }

  absl::StatusOr<PartitionImport> TryImport(
      const PartitionCheckpoint& checkpoint = {}) {
    auto from = FileSystem::Posix()->OpenDirectory(broker_.PathOf("t-0"));
    CHECK_OK(from.status());
    BrokerPartition source(*std::move(from));
    auto to = OpenTo();
    CHECK_OK(PrepareImport(*to, kTopic));
    return ImportPartition({.source = source, .destination = *to},
                           {.topic_id = kTopic, .checkpoint = checkpoint});
  }
  PartitionImport Import(const PartitionCheckpoint& checkpoint = {}) {
    absl::StatusOr<PartitionImport> imported = TryImport(checkpoint);
    CHECK_OK(imported.status());
    return *std::move(imported);
  }
  std::unique_ptr<Directory> OpenTo() {
    auto to = FileSystem::Posix()->OpenDirectory(to_path_);
    CHECK_OK(to.status());
    return *std::move(to);
  }

  // All that a verification finds in what was imported.
  std::vector<std::string> FindingsIn(const PartitionImport& imported) {
    auto to = OpenTo();
    CHECK_OK(ForgetProgress(*to));
    const auto verified =
        VerifyPartition(*to, {.checkpoint = imported.checkpoint,
                              .continuity = imported.continuity,
                              .topic_id = kTopic});
    CHECK_OK(verified.status());
    std::vector<std::string> lines;
    for (const VerifyFinding& finding : verified->findings)
      lines.push_back(finding.ToString());
    return lines;
  }
  std::vector<LeaderEpoch> Epochs() {
    const auto epochs = ReadLeaderEpochCheckpoint(*OpenTo());
    CHECK_OK(epochs.status());
    return epochs->entries();
  }
  std::string LogOf(int64_t base_offset) {
    return ReadBytes(to_path_ + "/" +
                     SegmentFileName(base_offset, SegmentFileKind::kLog));
  }

  ScratchDirectory scratch_;
  const BrokerDirectory broker_{scratch_ / "broker"};
  const std::string to_path_ = scratch_ / "to";
};

TEST_F(PartitionImportTest, BatchesAreCopiedAndAllElseIsMadeAnew) {
  const std::string first = BrokerBatch(0, {"a", "b"}) + BrokerBatch(2, {"c"});
  const std::string second = BrokerBatch(3, {"d"}, 4);
  broker_.PutSegment("t-0", 0, first);
  broker_.PutSegment("t-0", 3, second);
  broker_.PutEpochs("t-0", {{0, 0}, {4, 3}, {7, 4}});
  const PartitionImport imported = Import({.recovery_point = 4});
  EXPECT_THAT(imported.damage, IsEmpty());
  EXPECT_EQ(imported.checkpoint,
            (PartitionCheckpoint{.log_start = 0, .recovery_point = 4}));
  EXPECT_EQ(imported.continuity, Continuity::kExact);
  EXPECT_EQ(imported.segments, 2);
  EXPECT_EQ(imported.records, 4);
  EXPECT_EQ(LogOf(0), first);
  EXPECT_EQ(LogOf(3), second);
  EXPECT_THAT(FindingsIn(imported), IsEmpty());
  // The epoch without a batch goes, and a new one is above it all the same.
  EXPECT_THAT(Epochs(), ElementsAre(LeaderEpoch{0, 0}, LeaderEpoch{4, 3},
                                    LeaderEpoch{8, 4}));
}

TEST_F(PartitionImportTest, CompactedLogKeepsItsGaps) {
  broker_.PutSegment("t-0", 0, BrokerBatch(2, {"c"}) + BrokerBatch(7, {"h"}));
  broker_.PutSegment("t-0", 20, "");
  broker_.PutSegment("t-0", 30, BrokerBatch(30, {"x"}));
  const PartitionImport imported = Import({.recovery_point = 31});
  EXPECT_THAT(imported.damage, IsEmpty());
  EXPECT_EQ(imported.continuity, Continuity::kGapsAllowed);
  EXPECT_EQ(imported.checkpoint.recovery_point, 31);
  EXPECT_THAT(FindingsIn(imported), IsEmpty());
}

TEST_F(PartitionImportTest, GapBetweenSegmentsAloneIsSeen) {
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}));
  broker_.PutSegment("t-0", 5, BrokerBatch(5, {"f"}));
  EXPECT_EQ(Import({.recovery_point = 6}).continuity, Continuity::kGapsAllowed);
}

// The log start lies within the first segment, whose first batches are of an
// epoch that the broker has folded.
TEST_F(PartitionImportTest, LogStartWithinASegmentIsKept) {
  broker_.PutSegment("t-0", 0,
                     BrokerBatch(0, {"a", "b"}, 0) + BrokerBatch(2, {"c"}, 2));
  broker_.PutEpochs("t-0", {{2, 2}});
  const PartitionImport imported =
      Import({.log_start = 2, .recovery_point = 3});
  EXPECT_THAT(imported.damage, IsEmpty());
  EXPECT_EQ(imported.checkpoint,
            (PartitionCheckpoint{.log_start = 2, .recovery_point = 3}));
  EXPECT_THAT(FindingsIn(imported), IsEmpty());
  EXPECT_THAT(Epochs(), ElementsAre(LeaderEpoch{0, 0}, LeaderEpoch{2, 2},
                                    LeaderEpoch{3, 3}));
}

TEST_F(PartitionImportTest, LogStartPastTheEndLeavesAnEmptyLog) {
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}));
  const PartitionImport imported = Import({.log_start = 9});
  EXPECT_EQ(imported.checkpoint,
            (PartitionCheckpoint{.log_start = 9, .recovery_point = 9}));
  EXPECT_EQ(imported.segments, 0);
  EXPECT_THAT(ListSegments(*OpenTo()), IsOkAndHolds(IsEmpty()));
}

TEST_F(PartitionImportTest, EmptyPartitionIsEmpty) {
  broker_.PutSegment("t-0", 0, "");
  const PartitionImport imported = Import();
  EXPECT_EQ(imported.checkpoint.recovery_point, 0);
  EXPECT_THAT(FindingsIn(imported), IsEmpty());
}

TEST_F(PartitionImportTest, TornTailIsLeftOut) {
  const std::string whole = BrokerBatch(0, {"a"});
  const std::string torn = BrokerBatch(1, {"b"});
  broker_.PutSegment("t-0", 0,
                     whole + torn.substr(0, 65) + std::string(40, '\0'));
  const PartitionImport imported = Import();
  EXPECT_THAT(imported.damage, IsEmpty());
  EXPECT_EQ(imported.checkpoint.recovery_point, 1);
  EXPECT_EQ(LogOf(0), whole);
  EXPECT_THAT(NamesIn(to_path_, "cut-"), IsEmpty());
  EXPECT_THAT(FindingsIn(imported), IsEmpty());
}

TEST_F(PartitionImportTest, DamageBelowTheRecoveryPointIsKeptAndListed) {
  std::string damaged = BrokerBatch(1, {"b"});
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  const std::string bytes =
      BrokerBatch(0, {"a"}) + damaged + BrokerBatch(2, {"c"});
  broker_.PutSegment("t-0", 0, bytes);
  const PartitionImport imported = Import({.recovery_point = 3});
  EXPECT_THAT(imported.damage, ElementsAre(HasSubstr("offset 1")));
  EXPECT_EQ(imported.checkpoint.recovery_point, 3);
  EXPECT_EQ(LogOf(0), bytes);
}

TEST_F(PartitionImportTest, MissingEndIsDamage) {
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}));
  const PartitionImport imported = Import({.recovery_point = 5});
  EXPECT_THAT(imported.damage, ElementsAre(HasSubstr("offset 1")));
  EXPECT_EQ(imported.checkpoint.recovery_point, 5);
}

// What a start of Kafka would throw away is damage to us.
TEST_F(PartitionImportTest, WholeBatchesAfterBadOnesAreSetAsideAndListed) {
  std::string damaged = BrokerBatch(1, {"b"});
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  broker_.PutSegment("t-0", 0,
                     BrokerBatch(0, {"a"}) + damaged + BrokerBatch(2, {"c"}));
  const PartitionImport imported = Import();
  EXPECT_THAT(imported.damage, ElementsAre(HasSubstr("cut-")));
  EXPECT_EQ(imported.checkpoint.recovery_point, 1);
  EXPECT_EQ(NamesIn(to_path_, "cut-").size(), 1);
  // Repeated, it is set aside once.
  EXPECT_THAT(Import().damage, ElementsAre(HasSubstr("cut-")));
  EXPECT_EQ(NamesIn(to_path_, "cut-").size(), 1);
}

TEST_F(PartitionImportTest, WrongEpochsOfTheBrokerAreReadFromTheBatches) {
  broker_.PutSegment("t-0", 0,
                     BrokerBatch(0, {"a"}, 5) + BrokerBatch(1, {"b"}, 5));
  broker_.PutEpochs("t-0", {{0, 0}});
  const PartitionImport imported = Import({.recovery_point = 2});
  EXPECT_THAT(imported.damage, IsEmpty());
  EXPECT_THAT(Epochs(), ElementsAre(LeaderEpoch{5, 0}, LeaderEpoch{6, 2}));
}

// An import that is repeated knows no better: the segment is judged again.
TEST_F(PartitionImportTest, WrongEpochsOfTheBrokerAreFoundByEachImport) {
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}, 5));
  broker_.PutEpochs("t-0", {{0, 0}});
  Import({.recovery_point = 1});
  const std::vector<LeaderEpoch> epochs = Epochs();
  EXPECT_THAT(FindingsIn(Import({.recovery_point = 1})), IsEmpty());
  EXPECT_EQ(Epochs(), epochs);
}

// Where the log ends is known by what is behind the damage.
TEST_F(PartitionImportTest, DamageBelowTheLogStartCostsNoRecords) {
  std::string damaged = BrokerBatch(1, {"b"});
  damaged[batch_layout::kMagic] = 9;
  const std::string log = BrokerBatch(0, {"a"}) + damaged +
                          BrokerBatch(2, {"c"}) + BrokerBatch(3, {"d"});
  broker_.PutSegment("t-0", 0, log);
  const PartitionImport imported =
      Import({.log_start = 2, .recovery_point = 4});
  EXPECT_EQ(imported.checkpoint,
            (PartitionCheckpoint{.log_start = 2, .recovery_point = 4}));
  EXPECT_EQ(LogOf(0), log);
}

TEST_F(PartitionImportTest, SegmentsThatAreDoneAreKept) {
  broker_.PutSegment("t-0", 0, BrokerBatch(1, {"b"}));
  broker_.PutSegment("t-0", 2, BrokerBatch(2, {"c", "d"}));
  const PartitionImport first = Import({.recovery_point = 4});
  EXPECT_EQ(first.kept_bytes, 0);
  const PartitionImport second = Import({.recovery_point = 4});
  EXPECT_EQ(second.copied_bytes, 0);
  EXPECT_EQ(second.kept_bytes, first.copied_bytes);
  EXPECT_EQ(second.checkpoint, first.checkpoint);
  EXPECT_EQ(second.records, 3);
  EXPECT_EQ(second.continuity, Continuity::kGapsAllowed);
  EXPECT_THAT(FindingsIn(second), IsEmpty());
}

TEST_F(PartitionImportTest, SegmentThatChangedInTheSourceIsCopiedAnew) {
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}));
  broker_.PutSegment("t-0", 1, BrokerBatch(1, {"b"}));
  broker_.PutSegment("t-0", 2, BrokerBatch(2, {"c"}));
  Import({.recovery_point = 3});
  // The broker has run, and compacted.
  broker_.PutSegment("t-0", 0, BrokerBatch(1, {"longer"}));
  broker_.Remove(BrokerDirectory::FileOf("t-0", 1));
  const PartitionImport again = Import({.recovery_point = 3});
  EXPECT_GT(again.copied_bytes, 0);
  EXPECT_GT(again.kept_bytes, 0);
  EXPECT_EQ(LogOf(0), BrokerBatch(1, {"longer"}));
  EXPECT_THAT(ListSegments(*OpenTo()), IsOkAndHolds(ElementsAre(0, 2)));
  EXPECT_THAT(FindingsIn(again), IsEmpty());
}

// Its length says nothing then.
TEST_F(PartitionImportTest, SegmentThatChangedInPlaceIsCopiedAnew) {
  const std::string log = broker_.PathOf(BrokerDirectory::FileOf("t-0", 0));
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}));
  Import({.recovery_point = 1});
  const auto before = std::filesystem::last_write_time(log);
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"b"}));
  std::filesystem::last_write_time(log, before + std::chrono::milliseconds(1));
  EXPECT_EQ(Import({.recovery_point = 1}).kept_bytes, 0);
  EXPECT_EQ(LogOf(0), BrokerBatch(0, {"b"}));
}

TEST_F(PartitionImportTest, CopyThatWasChangedIsMadeAnew) {
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}));
  Import();
  const std::string log =
      to_path_ + "/" + SegmentFileName(0, SegmentFileKind::kLog);
  WriteBytes(log, ReadBytes(log) + BrokerBatch(1, {"appended"}));
  EXPECT_EQ(Import().kept_bytes, 0);
  EXPECT_EQ(ReadBytes(log), BrokerBatch(0, {"a"}));
}

TEST_F(PartitionImportTest, SnapshotsOfProducersComeWithTheLog) {
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}));
  broker_.PutSegment("t-0", 1, BrokerBatch(1, {"b"}));
  for (const int64_t offset : {1, 2, 3}) {
    broker_.Put(
        BrokerDirectory::FileOf("t-0", offset, SegmentFileKind::kSnapshot),
        "state");
  }
  Import({.recovery_point = 2});
  EXPECT_THAT(NamesIn(to_path_, "00000000000000000001.s"),
              ElementsAre("00000000000000000001.snapshot"));
  EXPECT_THAT(NamesIn(to_path_, "00000000000000000002.s"),
              ElementsAre("00000000000000000002.snapshot"));
  EXPECT_THAT(NamesIn(to_path_, "00000000000000000003.s"), IsEmpty());
}

TEST_F(PartitionImportTest, MeasuresWhatIsLeftToCopy) {
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}));
  auto from = FileSystem::Posix()->OpenDirectory(broker_.PathOf("t-0"));
  ASSERT_THAT(from, IsOk());
  BrokerPartition source(*std::move(from));
  const auto bytes = static_cast<int64_t>(BrokerBatch(0, {"a"}).size());
  auto size = MeasureImport(source, nullptr);
  ASSERT_THAT(size, IsOk());
  EXPECT_EQ(size->all_bytes, bytes);
  EXPECT_EQ(size->missing_bytes, bytes);
  Import();
  const auto to = OpenTo();
  size = MeasureImport(source, to.get());
  ASSERT_THAT(size, IsOk());
  EXPECT_EQ(size->all_bytes, bytes);
  EXPECT_EQ(size->missing_bytes, 0);
}

TEST_F(PartitionImportTest, DirectoryOfAnotherTopicIsNotTouched) {
  const auto to = OpenTo();
  ASSERT_THAT(PrepareImport(*to, TopicId(9, 9)), IsOk());
  // Without records it is taken.
  ASSERT_THAT(PrepareImport(*to, kTopic), IsOk());
  WriteBytes(to_path_ + "/" + SegmentFileName(0, SegmentFileKind::kLog), "x");
  EXPECT_THAT(PrepareImport(*to, kTopic), IsOk());
  EXPECT_THAT(PrepareImport(*to, TopicId(9, 9)),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(to_path_)));
}

}  // namespace
}  // namespace varve
