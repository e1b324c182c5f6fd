// SPDX-License-Identifier: Apache-2.0

#include "varve/log/broker/broker_epochs.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BrokerEpochsTest : public testing::Test {
 protected:
  BrokerEpochsTest() { broker_.AddPartition("t-0", TopicId(1, 2)); }
  std::vector<LeaderEpoch> Read() {
    auto directory = FileSystem::Posix()->OpenDirectory(broker_.PathOf("t-0"));
    CHECK_OK(directory.status());
    const absl::StatusOr<LeaderEpochs> epochs = ReadBrokerEpochs(**directory);
    CHECK_OK(epochs.status());
    return epochs->entries();
  }

  ScratchDirectory scratch_;
  const BrokerDirectory broker_{scratch_ / "broker"};
};

TEST_F(BrokerEpochsTest, CheckpointThatCoversTheFilesIsTaken) {
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}, 5));
  broker_.PutEpochs("t-0", {{0, 0}, {3, 1}});
  EXPECT_THAT(Read(), ElementsAre(LeaderEpoch{0, 0}, LeaderEpoch{3, 1}));
}

// A broker folds the epochs below the log start into the one in force there,
// and keeps the file that has them.
TEST_F(BrokerEpochsTest, EpochsBeforeTheLogStartAreReadFromTheBatches) {
  broker_.PutSegment("t-0", 10,
                     BrokerBatch(10, {"a", "b"}, 1) +
                         BrokerBatch(12, {"c"}, 4) + BrokerBatch(13, {"d"}, 4));
  broker_.PutEpochs("t-0", {{4, 13}, {6, 20}});
  EXPECT_THAT(Read(), ElementsAre(LeaderEpoch{1, 10}, LeaderEpoch{4, 12},
                                  LeaderEpoch{6, 20}));
}

TEST_F(BrokerEpochsTest, WithoutACheckpointAllAreReadFromTheBatches) {
  broker_.PutSegment("t-0", 0,
                     BrokerBatch(0, {"a"}, -1) + BrokerBatch(1, {"b"}, 2));
  broker_.PutSegment("t-0", 2, BrokerBatch(2, {"c"}, 3));
  broker_.Remove("t-0/leader-epoch-checkpoint");
  EXPECT_THAT(Read(), ElementsAre(LeaderEpoch{2, 1}, LeaderEpoch{3, 2}));
}

TEST_F(BrokerEpochsTest, DamagedCheckpointIsDoneWithout) {
  broker_.PutSegment("t-0", 0, BrokerBatch(0, {"a"}, 2));
  broker_.Put("t-0/leader-epoch-checkpoint", "0\n7\n");
  EXPECT_THAT(Read(), ElementsAre(LeaderEpoch{2, 0}));
}

TEST_F(BrokerEpochsTest, DamageBeforeTheLogStartIsPassedOver) {
  std::string damaged = BrokerBatch(1, {"b"}, 1);
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  broker_.PutSegment("t-0", 0,
                     BrokerBatch(0, {"a"}, 1) + damaged +
                         BrokerBatch(2, {"c"}, 2) + BrokerBatch(3, {"d"}, 2));
  broker_.PutEpochs("t-0", {{2, 3}});
  EXPECT_THAT(Read(), ElementsAre(LeaderEpoch{1, 0}, LeaderEpoch{2, 2}));
}

// An epoch above the one in force later, in a field that no CRC covers.
TEST_F(BrokerEpochsTest, EpochThatIsHigherThanTheCheckpointsIsNotBelieved) {
  broker_.PutSegment("t-0", 0,
                     BrokerBatch(0, {"a"}, 9) + BrokerBatch(1, {"b"}, 2));
  broker_.PutEpochs("t-0", {{2, 1}});
  EXPECT_THAT(Read(), ElementsAre(LeaderEpoch{2, 1}));
}

// Most of a log is behind the first epoch that the checkpoint has, and is not
// read for it.
TEST_F(BrokerEpochsTest, BatchesWhoseEpochsTheCheckpointHasAreNotRead) {
  std::string log = BrokerBatch(10, {"a"}, 1) + BrokerBatch(11, {"b"}, 2);
  for (int i = 12; i < 24; ++i)
    log += BrokerBatch(i, {std::string(1 << 20, 'x')}, 2);
  broker_.PutSegment("t-0", 10, log);
  const auto reads = [this] {
    FaultyFileSystem files;
    auto directory = files.OpenDirectory(broker_.PathOf("t-0"));
    CHECK_OK(directory.status());
    CHECK_OK(ReadBrokerEpochs(**directory).status());
    return absl::c_count_if(files.calls(), [](const std::string& call) {
      return call.starts_with("File::Read") && call.ends_with(".log");
    });
  };
  broker_.PutEpochs("t-0", {{2, 11}});
  EXPECT_EQ(reads(), 1);
  EXPECT_THAT(Read(), ElementsAre(LeaderEpoch{1, 10}, LeaderEpoch{2, 11}));
  broker_.PutEpochs("t-0", {});
  EXPECT_GT(reads(), 2);
}

TEST_F(BrokerEpochsTest, EmptyPartitionHasNone) {
  broker_.PutEpochs("t-0", {});
  EXPECT_THAT(Read(), IsEmpty());
}

}  // namespace
}  // namespace varve
