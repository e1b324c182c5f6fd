// SPDX-License-Identifier: Apache-2.0

#include "varve/log/broker/broker_partition.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
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
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BrokerPartitionTest : public testing::Test {
 protected:
  BrokerPartitionTest() {
    broker_.AddPartition("t-0", TopicId(1, 2));
    partition_ = Open();
  }
  std::unique_ptr<BrokerPartition> Open() {
    auto directory = FileSystem::Posix()->OpenDirectory(broker_.PathOf("t-0"));
    CHECK_OK(directory.status());
    return std::make_unique<BrokerPartition>(*std::move(directory));
  }
  static std::string Log(int64_t base_offset, const std::string& suffix = "") {
    return BrokerDirectory::FileOf("t-0", base_offset) + suffix;
  }
  absl::StatusOr<std::string> Read(int64_t base_offset) {
    return ReadWholeFile(*partition_,
                         SegmentFileName(base_offset, SegmentFileKind::kLog),
                         1 << 20);
  }

  ScratchDirectory scratch_;
  BrokerDirectory broker_{scratch_ / "broker"};
  std::unique_ptr<BrokerPartition> partition_;
};

TEST_F(BrokerPartitionTest, ReplacementThatACrashInterruptedIsReadAsDone) {
  broker_.Put(Log(0), BrokerBatch(0, {"a", "b"}));
  broker_.Put(Log(2), BrokerBatch(2, {"c"}));
  broker_.Put(Log(3), BrokerBatch(3, {"d"}));
  broker_.Put(Log(0, ".swap"), BrokerBatch(1, {"b", "c"}));
  EXPECT_THAT(ListSegments(*partition_), IsOkAndHolds(ElementsAre(0, 3)));
  EXPECT_THAT(Read(0), IsOkAndHolds(BrokerBatch(1, {"b", "c"})));
  EXPECT_THAT(Read(2), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Read(3), IsOkAndHolds(BrokerBatch(3, {"d"})));
}

// Between two looks the cleaner gives the new segment its name.
TEST_F(BrokerPartitionTest, ReplacementThatIsDoneMeanwhileIsFound) {
  broker_.Put(Log(0, ".swap"), BrokerBatch(0, {"new"}));
  EXPECT_THAT(ListSegments(*partition_), IsOkAndHolds(ElementsAre(0)));
  broker_.Rename(Log(0, ".swap"), Log(0));
  EXPECT_THAT(Read(0), IsOkAndHolds(BrokerBatch(0, {"new"})));
}

TEST_F(BrokerPartitionTest, SegmentThatIsNewerThanTheLastLookIsFound) {
  broker_.Put(Log(0), "");
  EXPECT_THAT(ListSegments(*partition_), IsOkAndHolds(ElementsAre(0)));
  broker_.Put(Log(7), "new");
  EXPECT_THAT(Read(7), IsOkAndHolds("new"));
}

TEST_F(BrokerPartitionTest, LooksByItselfBeforeTheFirstFile) {
  broker_.Put(Log(0), "old");
  broker_.Put(Log(0, ".swap"), BrokerBatch(0, {"new"}));
  EXPECT_THAT(Read(0), IsOkAndHolds(BrokerBatch(0, {"new"})));
}

TEST_F(BrokerPartitionTest, ChangesNothing) {
  broker_.Put(Log(0), "bytes");
  const std::vector<std::string> before = NamesIn(broker_.PathOf("t-0"));
  const std::vector<std::function<absl::Status()>> changes = {
      [&] { return partition_->OpenFile("x", OpenMode::kCreate).status(); },
      [&] {
        return partition_
            ->OpenFile(SegmentFileName(0, SegmentFileKind::kLog),
                       OpenMode::kReadWrite)
            .status();
      },
      [&] { return partition_->Rename("partition.metadata", "x"); },
      [&] { return partition_->RemoveFile("partition.metadata"); },
      [&] { return partition_->CreateDirectory("x"); },
      [&] { return partition_->RemoveDirectory("x"); },
      [&] { return partition_->Sync(); }};
  for (const auto& change : changes) {
    EXPECT_THAT(change(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("only read")));
  }
  EXPECT_EQ(NamesIn(broker_.PathOf("t-0")), before);
}

}  // namespace
}  // namespace varve
