// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer_state/aborted_transactions.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/index/transaction_index.h"
#include "varve/log/producer_state/segment_transactions.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Of producer 1, with its marker at `last`, when none was open.
AbortedTransaction Aborted(int64_t first, int64_t last) {
  return {.producer_id = 1,
          .first_offset = first,
          .last_offset = last,
          .last_stable_offset = last + 1};
}

std::string Entries(int64_t base,
                    const std::vector<AbortedTransaction>& transactions) {
  SegmentTransactions segment(base);
  for (const AbortedTransaction& transaction : transactions)
    segment.Add(transaction);
  return std::string(segment.entries());
}

class AbortedTransactionsTest : public testing::Test {
 protected:
  AbortedTransactions::Load Load() {
    return [this](int64_t base) -> absl::StatusOr<std::string> {
      ++reads_;
      if (!failure_.ok()) return failure_;
      return files_[base];
    };
  }
  static std::vector<AbortedTransaction> Find(AbortedTransactions& aborted,
                                              int64_t from, int64_t to) {
    std::vector<AbortedTransaction> found;
    EXPECT_THAT(aborted.FindOverlapping({.from = from, .to = to}, found),
                IsOk());
    return found;
  }

  std::map<int64_t, std::string> files_;
  absl::Status failure_;
  int reads_ = 0;
};

TEST_F(AbortedTransactionsTest, WithoutFilesNothingIsReadOrFound) {
  AbortedTransactions aborted({}, Load());
  EXPECT_TRUE(aborted.empty());
  EXPECT_THAT(Find(aborted, 0, 100), IsEmpty());
  EXPECT_EQ(reads_, 0);
}

TEST_F(AbortedTransactionsTest, FileIsReadOnceAndOnlyWhenItIsNeeded) {
  files_ = {{0, Entries(0, {Aborted(1, 9)})},
            {100, Entries(100, {Aborted(101, 109)})},
            {200, Entries(200, {Aborted(201, 209)})}};
  AbortedTransactions aborted({0, 100, 200}, Load());
  EXPECT_FALSE(aborted.empty());
  EXPECT_THAT(Find(aborted, 100, 105), ElementsAre(Aborted(101, 109)));
  EXPECT_EQ(reads_, 1);
  EXPECT_THAT(Find(aborted, 100, 205),
              ElementsAre(Aborted(101, 109), Aborted(201, 209)));
  EXPECT_EQ(reads_, 2);
}

TEST_F(AbortedTransactionsTest, MarkerInALaterSegmentIsFound) {
  files_ = {{200, Entries(200, {Aborted(50, 209)})}};
  AbortedTransactions aborted({200}, Load());
  EXPECT_THAT(Find(aborted, 60, 70), ElementsAre(Aborted(50, 209)));
  EXPECT_THAT(Find(aborted, 10, 50), IsEmpty());
}

TEST_F(AbortedTransactionsTest, AddedIsFoundAndDueUntilItIsWritten) {
  files_ = {{0, Entries(0, {Aborted(1, 9)})}};
  AbortedTransactions aborted({0}, Load());
  ASSERT_THAT(aborted.Open(0), IsOk());
  EXPECT_FALSE(aborted.IsChanged(0));
  aborted.Reserve(0);
  EXPECT_FALSE(aborted.IsChanged(0));
  aborted.Add(0, Aborted(11, 19));
  EXPECT_TRUE(aborted.IsChanged(0));
  EXPECT_EQ(aborted.Entries(0), Entries(0, {Aborted(1, 9), Aborted(11, 19)}));
  aborted.NoteWritten(0);
  EXPECT_FALSE(aborted.IsChanged(0));
  EXPECT_THAT(Find(aborted, 0, 20),
              ElementsAre(Aborted(1, 9), Aborted(11, 19)));
}

TEST_F(AbortedTransactionsTest, FirstOfAllMakesItNotEmpty) {
  AbortedTransactions aborted({}, Load());
  aborted.Reserve(0);
  EXPECT_TRUE(aborted.empty());
  aborted.Add(0, Aborted(1, 9));
  EXPECT_FALSE(aborted.empty());
  EXPECT_THAT(Find(aborted, 0, 5), ElementsAre(Aborted(1, 9)));
}

TEST_F(AbortedTransactionsTest, ManyGrowTheSegment) {
  AbortedTransactions aborted({}, Load());
  std::vector<AbortedTransaction> due;
  for (int64_t i = 0; i < 1000; ++i) {
    due.push_back(Aborted(10 * i, 10 * i + 5));
    aborted.Reserve(0);
    aborted.Add(0, due.back());
  }
  EXPECT_EQ(Find(aborted, 0, 10000), due);
  EXPECT_EQ(aborted.Entries(0), Entries(0, due));
}

TEST_F(AbortedTransactionsTest, FailedReadIsReportedAndTriedAgain) {
  files_ = {{0, Entries(0, {Aborted(1, 9)})}};
  AbortedTransactions aborted({0}, Load());
  failure_ = absl::ResourceExhaustedError("no descriptors");
  std::vector<AbortedTransaction> found;
  EXPECT_THAT(aborted.FindOverlapping({.from = 0, .to = 5}, found),
              StatusIs(absl::StatusCode::kResourceExhausted));
  failure_ = absl::OkStatus();
  EXPECT_THAT(Find(aborted, 0, 5), ElementsAre(Aborted(1, 9)));
}

TEST_F(AbortedTransactionsTest, DeletedSegmentsAreForgotten) {
  files_ = {{0, Entries(0, {Aborted(1, 9)})},
            {100, Entries(100, {Aborted(101, 109)})}};
  AbortedTransactions aborted({0, 100}, Load());
  aborted.ForgetBefore(100);
  EXPECT_THAT(Find(aborted, 0, 105), ElementsAre(Aborted(101, 109)));
  EXPECT_EQ(reads_, 1);
}

// Of 16 MiB that were read, those of the active segment alone have to stay.
TEST_F(AbortedTransactionsTest, WhatIsReadIsDroppedBeyondTheLimitAndReadAgain) {
  constexpr int64_t kCount = 300'000;  // 10 MB
  for (const int64_t base : {int64_t{0}, int64_t{10'000'000}}) {
    std::vector<AbortedTransaction> all;
    for (int64_t i = 0; i < kCount; ++i)
      all.push_back(Aborted(base + 10 * i, base + 10 * i + 5));
    files_[base] = Entries(base, all);
  }
  AbortedTransactions aborted({0, 10'000'000, 20'000'000}, Load());
  EXPECT_THAT(Find(aborted, 0, 5), ElementsAre(Aborted(0, 5)));
  EXPECT_THAT(Find(aborted, 10'000'000, 10'000'001).size(), 1);
  EXPECT_EQ(reads_, 2);
  EXPECT_THAT(Find(aborted, 20'000'000, 20'000'001), IsEmpty());
  EXPECT_EQ(reads_, 3);
  EXPECT_THAT(Find(aborted, 0, 5), ElementsAre(Aborted(0, 5)));
  EXPECT_EQ(reads_, 4);
}

}  // namespace
}  // namespace varve
