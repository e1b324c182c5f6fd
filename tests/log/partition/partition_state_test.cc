// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_state.h"

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

class PartitionStateTest : public testing::Test {
 protected:
  absl::Mutex mu_;
  PartitionState state_{&mu_, "topic-0"};
  const absl::Status poison_ = absl::UnknownError("disk");
  const absl::Status closed_ = absl::FailedPreconditionError("topic-0: closed");
  const absl::Status deleted_ =
      absl::NotFoundError("topic-0: the topic was deleted");
};

TEST_F(PartitionStateTest, OpenOneTakesCalls) {
  absl::MutexLock lock(&mu_);
  EXPECT_TRUE(state_.is_open());
  EXPECT_FALSE(state_.has_ended());
  EXPECT_EQ(state_.StatusOfWrite(), absl::OkStatus());
  EXPECT_EQ(state_.StatusOfWait(), absl::OkStatus());
  EXPECT_EQ(state_.failure(), absl::OkStatus());
  EXPECT_EQ(state_.EndedError(), closed_);  // a close begins
}

TEST_F(PartitionStateTest, FirstFailurePoisons) {
  absl::MutexLock lock(&mu_);
  EXPECT_TRUE(state_.Poison(poison_));
  EXPECT_FALSE(state_.Poison(absl::DataLossError("another")));
  EXPECT_FALSE(state_.is_open());
  EXPECT_FALSE(state_.has_ended());
  EXPECT_EQ(state_.StatusOfWrite(), poison_);
  EXPECT_EQ(state_.StatusOfWait(), poison_);
  EXPECT_EQ(state_.failure(), poison_);
}

TEST_F(PartitionStateTest, CloseEndsIt) {
  absl::MutexLock lock(&mu_);
  state_.BeginClose();
  EXPECT_TRUE(state_.is_closing());
  EXPECT_TRUE(state_.has_ended());
  EXPECT_EQ(state_.StatusOfWrite(), closed_);
  EXPECT_EQ(state_.StatusOfWait(), absl::CancelledError(closed_.message()));
  state_.EndClose(absl::OkStatus());
  EXPECT_FALSE(state_.is_closing());
  EXPECT_TRUE(state_.has_ended());
  EXPECT_EQ(state_.failure(), absl::OkStatus());
}

TEST_F(PartitionStateTest, CloseKeepsWhyItIsNotClean) {
  absl::MutexLock lock(&mu_);
  state_.BeginClose();
  state_.EndClose(absl::ResourceExhaustedError("full"));
  EXPECT_EQ(state_.failure(), absl::ResourceExhaustedError("full"));
  EXPECT_EQ(state_.StatusOfWrite(), closed_);
  EXPECT_FALSE(state_.Poison(poison_));
}

TEST_F(PartitionStateTest, PoisonedOneIsClosedAtOnce) {
  absl::MutexLock lock(&mu_);
  state_.Poison(poison_);
  state_.BeginClose();
  EXPECT_FALSE(state_.is_closing());
  EXPECT_TRUE(state_.has_ended());
  EXPECT_EQ(state_.failure(), poison_);
  EXPECT_EQ(state_.StatusOfWrite(), closed_);
}

TEST_F(PartitionStateTest, SyncThatFailsInACloseDecides) {
  absl::MutexLock lock(&mu_);
  state_.BeginClose();
  EXPECT_TRUE(state_.Poison(poison_));
  EXPECT_FALSE(state_.is_closing());
  state_.EndClose(absl::OkStatus());
  EXPECT_EQ(state_.failure(), poison_);
}

TEST_F(PartitionStateTest, DeletionEndsItPoisonedOrNot) {
  absl::MutexLock lock(&mu_);
  state_.Poison(poison_);
  state_.Delete();
  EXPECT_TRUE(state_.has_ended());
  EXPECT_EQ(state_.EndedError(), deleted_);
  EXPECT_EQ(state_.StatusOfWrite(), deleted_);
  EXPECT_EQ(state_.StatusOfWait(), absl::CancelledError(deleted_.message()));
  EXPECT_EQ(state_.failure(), deleted_);
  EXPECT_FALSE(state_.Poison(poison_));
}

TEST_F(PartitionStateTest, TransitionsCheckWhereTheyBegin) {
  absl::MutexLock lock(&mu_);
  EXPECT_DEATH(state_.Poison(absl::OkStatus()), "topic-0");
  EXPECT_DEATH(state_.EndClose(absl::OkStatus()), "topic-0");
  state_.BeginClose();
  EXPECT_DEATH(state_.BeginClose(), "topic-0");
  EXPECT_DEATH(state_.Delete(), "topic-0");
}

}  // namespace
}  // namespace varve
