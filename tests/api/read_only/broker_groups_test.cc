// SPDX-License-Identifier: Apache-2.0

// Groups, topics and verification of a broker's directory that is read in
// place.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/import_fixture.h"
#include "varve/api/read_only_store.h"
#include "varve/api/store_verifier.h"
#include "varve/api/writer_presence.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/environment.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class BrokerGroupsTest : public ImportFixture {
 protected:
  void Open() {
    auto store = ReadOnlyStore::Open(broker_.path());
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  // "damage" or "note", and the finding.
  std::vector<std::string> Verify(const WriterProbe& writer = nullptr) {
    const auto verified =
        VerifyStore(broker_.path(), Environment(), {.writer = writer});
    CHECK_OK(verified.status());
    last_writer_ = verified->last_writer;
    std::vector<VerifyFinding> findings = verified->findings;
    for (const PartitionVerification& partition : verified->partitions) {
      findings.insert(findings.end(), partition.findings.begin(),
                      partition.findings.end());
    }
    std::vector<std::string> lines;
    for (const VerifyFinding& finding : findings) {
      lines.push_back(
          (finding.severity == FindingSeverity::kDamage ? "damage " : "note ") +
          finding.ToString());
    }
    return lines;
  }

  std::unique_ptr<ReadOnlyStore> store_;
  LastWriter last_writer_ = LastWriter::kDied;
};

// How many partitions __consumer_offsets has in the cluster is not known, so
// all that are there are looked at.
TEST_F(BrokerGroupsTest, GroupsAreFoundInWhateverPartitionsThereAre) {
  Open();
  EXPECT_THAT(store_->ListGroups(), IsOkAndHolds(ElementsAre("g", "h")));
  const auto offset = store_->CommittedOffset("h", "orders", 1);
  ASSERT_THAT(offset, IsOk());
  EXPECT_EQ(offset->offset, 1);
  EXPECT_EQ(offset->metadata, "of h");
  const auto described = store_->DescribeGroup("g");
  ASSERT_THAT(described, IsOk());
  // One of them is for a topic that is gone.
  EXPECT_EQ(described->size(), 3);
  EXPECT_THAT(store_->DescribeGroup("other"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("has 0, 3")));
}

TEST_F(BrokerGroupsTest, OffsetOfAPartitionThatIsElsewhereIsOutOfRange) {
  Open();
  EXPECT_THAT(store_->CommittedOffset("h", "orders", 2),
              StatusIs(absl::StatusCode::kOutOfRange));
}

TEST_F(BrokerGroupsTest, SoundDirectoryHasNoFindings) {
  EXPECT_THAT(Verify(), IsEmpty());
  EXPECT_EQ(last_writer_, LastWriter::kClosedCleanly);
}

TEST_F(BrokerGroupsTest, OddEntriesAreNotes) {
  broker_.Put("odd", "");
  broker_.AddPartition("odd-0", TopicId(1, 1));
  broker_.Remove("odd-0/partition.metadata");
  broker_.AddPartition("orders-2", TopicId(5, 5));
  broker_.AddPartition("orders-0.00112233445566778899aabbccddeeff-stray",
                       kOrdersId);
  broker_.Put("bootstrap.checkpoint", "");
  EXPECT_THAT(Verify(),
              ElementsAre(AllOf(HasSubstr("note"), HasSubstr("odd-0")),
                          AllOf(HasSubstr("note"), HasSubstr("orders-2")),
                          AllOf(HasSubstr("note"), HasSubstr("/odd"))));
}

TEST_F(BrokerGroupsTest, DamageIsFoundWhereItIs) {
  std::string damaged = BrokerBatch(2, {"c"});
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a", "b"}) + damaged);
  broker_.Put("cleaner-offset-checkpoint", "0\n5\n");
  const std::vector<std::string> found = Verify();
  EXPECT_THAT(found,
              Contains(AllOf(HasSubstr("damage"), HasSubstr("cleaner"))));
  EXPECT_THAT(found,
              Contains(AllOf(HasSubstr("damage"), HasSubstr("offset 2"))));
}

TEST_F(BrokerGroupsTest, MissingEndIsDamage) {
  broker_.PutSegment("orders-0", 3, "");
  EXPECT_THAT(Verify(), Contains(AllOf(HasSubstr("damage"),
                                       HasSubstr("durable batches"))));
}

// An index entry as Kafka up to 3.9.0 made them: for several batches that were
// appended at once.
TEST_F(BrokerGroupsTest, IndexThatIsMadeByOtherRulesIsANote) {
  broker_.Put(BrokerDirectory::FileOf("orders-0", 0, SegmentFileKind::kIndex),
              std::string("\0\0\0\2\0\0\0\0", 8));
  EXPECT_THAT(Verify(), AllOf(Not(IsEmpty()), Each(HasSubstr("note"))));
}

TEST_F(BrokerGroupsTest, TailOfABrokerThatDiedIsANote) {
  broker_.Remove(".kafka_cleanshutdown");
  broker_.PutSegment(
      "orders-1", 10,
      BrokerBatch(10, {"k", "l"}) + BrokerBatch(12, {"m"}).substr(0, 65));
  EXPECT_THAT(Verify(),
              ElementsAre(AllOf(HasSubstr("note"), HasSubstr("torn tail"))));
  EXPECT_EQ(last_writer_, LastWriter::kDied);
}

TEST_F(BrokerGroupsTest, RunningBrokersTailsAreNoDamage) {
  broker_.Remove(".kafka_cleanshutdown");
  const std::string index =
      BrokerDirectory::FileOf("orders-1", 10, SegmentFileKind::kIndex);
  broker_.PutSegment("orders-1", 10,
                     BrokerBatch(10, {"k", "l"}) + std::string(100, '\0'));
  broker_.Put(index, std::string(1000, '\0'));
  EXPECT_THAT(Verify([] { return WriterPresence::kOpen; }), IsEmpty());
  EXPECT_EQ(last_writer_, LastWriter::kStillOpen);
}

// A broker that was stopped right after a partition was made.
TEST_F(BrokerGroupsTest, PartitionWithoutARecoveryPointHasNoKnownEnd) {
  broker_.PutRecoveryPoints({{"orders", 0, 5}});
  EXPECT_THAT(Verify(), IsEmpty());
}

}  // namespace
}  // namespace varve
