// SPDX-License-Identifier: Apache-2.0

// Reads of committed records, beside transactions that are open, committed and
// aborted.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/producer_client.h"
#include "tests/fixture/producer_store_fixture.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Code = absl::StatusCode;

class ReadCommittedTest : public ProducerStoreFixture {
 protected:
  // By the process that writes. Others have to read the same.
  std::vector<std::string> Read(Isolation isolation = Isolation::kReadCommitted,
                                ReadLevel level = ReadLevel::kVisible) {
    const ReadOptions read = {.level = level, .isolation = isolation};
    std::vector<std::string> values = ReadAll(Orders(), read);
    const int64_t position = position_;
    auto store = LogStore::OpenReadOnly(path_);
    EXPECT_THAT(store, IsOk());
    auto orders = (*store)->partition("orders", 0);
    EXPECT_THAT(orders, IsOk());
    EXPECT_EQ(ReadAll(*orders, read), values);
    EXPECT_EQ(position_, position);
    EXPECT_THAT(orders->ReadableEnd(level, isolation),
                IsOkAndHolds(Orders().readable_end(level, isolation)));
    return values;
  }
  template <typename AnyPartition>
  std::vector<std::string> ReadAll(const AnyPartition& partition,
                                   const ReadOptions& read) {
    Cursor cursor(partition, Orders().log_start(), {.read = read});
    std::vector<std::string> values;
    while (const RecordView* record = cursor.Next())
      values.emplace_back(*record->value());
    EXPECT_THAT(cursor.status(), IsOk());
    position_ = cursor.position();
    return values;
  }
  int64_t Stable(ReadLevel level = ReadLevel::kVisible) {
    return Orders().readable_end(level, Isolation::kReadCommitted);
  }
  int64_t IndexCount() const { return FileCount(".txnindex"); }

  const ProducerClient one_ = {.id = 1, .transactional = Transactional::kYes};
  const ProducerClient two_ = {.id = 2, .transactional = Transactional::kYes};
  int64_t position_ = 0;  // where the last `Read` has ended
};

TEST_F(ReadCommittedTest, OpenTransactionHoldsBackWhatFollows) {
  AppendPlain("a");
  Send(one_, 0);
  AppendPlain("b");
  EXPECT_THAT(Read(), ElementsAre("a"));
  EXPECT_EQ(position_, 1);
  EXPECT_EQ(Stable(), 1);
  EXPECT_THAT(Read(Isolation::kReadUncommitted), ElementsAre("a", "1:0", "b"));
}

TEST_F(ReadCommittedTest, CommittedTransactionIsReadInItsPlace) {
  Send(one_, 0, 2);
  AppendPlain("b");
  Commit(one_);
  EXPECT_THAT(Read(), ElementsAre("1:0", "1:1", "b"));
  EXPECT_EQ(position_, 4);
}

TEST_F(ReadCommittedTest, AbortedTransactionIsLeftOutAndOthersStay) {
  Send(one_, 0);
  Send(two_, 0);
  AppendPlain("b");
  Abort(one_);
  EXPECT_THAT(Read(), IsEmpty());  // that of two is open
  Commit(two_);
  Send(one_, 1);
  Commit(one_);
  EXPECT_THAT(Read(), ElementsAre("2:0", "b", "1:1"));
  EXPECT_EQ(position_, Orders().visible_end());
}

TEST_F(ReadCommittedTest, ReadFromWithinAnAbortedTransactionLeavesItOut) {
  Send(one_, 0);
  Send(one_, 1);
  AppendPlain("b");
  Send(one_, 2);
  Abort(one_);
  const auto view = Orders().Read(1, {.isolation = Isolation::kReadCommitted});
  ASSERT_THAT(view, IsOk());
  RecordBatches::Records records = view->records();
  const RecordView* const record = records.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->offset(), 2);
  EXPECT_EQ(records.Next(), nullptr);
  EXPECT_EQ(records.next_offset(), 5);
  EXPECT_EQ(std::distance(view->begin(), view->end()), 4);  // all batches
}

TEST_F(ReadCommittedTest, WholeViewOfAbortedRecordsMovesOn) {
  for (int i = 0; i < 10; ++i) Send(one_, i);
  Abort(one_);
  EXPECT_THAT(Read(), IsEmpty());
  EXPECT_EQ(position_, 11);
}

TEST_F(ReadCommittedTest, AbortedIsLeftOutAfterACleanClose) {
  Send(one_, 0);
  Abort(one_);
  AppendPlain("b");
  Send(two_, 0);
  Reopen();
  EXPECT_EQ(IndexCount(), 1);
  EXPECT_THAT(Read(), ElementsAre("b"));
  EXPECT_EQ(Stable(), 3);
  Abort(two_);
  Send(one_, 1);
  Commit(one_);
  EXPECT_THAT(Read(), ElementsAre("b", "1:1"));
  Reopen();
  EXPECT_THAT(Read(), ElementsAre("b", "1:1"));
}

TEST_F(ReadCommittedTest, AbortedIsLeftOutAfterACrash) {
  Send(one_, 0);
  Abort(one_);
  AppendPlain("b");
  Send(two_, 0);
  Crash();
  EXPECT_THAT(Read(), ElementsAre("b"));
  Commit(two_);
  EXPECT_THAT(Read(), ElementsAre("b", "2:0"));
  Crash();
  EXPECT_THAT(Read(), ElementsAre("b", "2:0"));
}

TEST_F(ReadCommittedTest, TransactionsSpanSegments) {
  CreateInSegmentsOf(512);
  std::vector<std::string> due;
  for (int i = 0; i < 40; ++i) {
    Send(one_, i);
    AppendPlain(absl::StrCat("p", i));
    due.push_back(absl::StrCat("p", i));
    if (i % 7 == 6) Abort(one_);
  }
  Commit(one_);  // the records from 35 on
  std::vector<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    if (i >= 35) expected.push_back(absl::StrCat("1:", i));
    expected.push_back(absl::StrCat("p", i));
  }
  EXPECT_EQ(Read(), expected);
  Reopen();
  EXPECT_GT(IndexCount(), 3);
  EXPECT_EQ(Read(), expected);
  Crash();
  EXPECT_EQ(Read(), expected);
}

TEST_F(ReadCommittedTest, DamagedIndexIsMadeAgainFromTheLog) {
  CreateInSegmentsOf(512);
  for (int i = 0; i < 10; ++i) Send(one_, i);
  Abort(one_);
  for (int i = 0; i < 10; ++i) AppendPlain("p");
  const std::vector<std::string> due = Read();
  Close();
  for (const auto& entry :
       std::filesystem::directory_iterator(path_ + "/orders-0")) {
    if (entry.path().extension() == ".txnindex")
      std::filesystem::resize_file(entry.path(), 33);
  }
  Open();
  EXPECT_EQ(Read(), due);
}

TEST_F(ReadCommittedTest, DurableReadWaitsUntilTheMarkerIsDurable) {
  Send(one_, 0);
  ASSERT_THAT(Orders().Sync(), IsOk());
  Commit(one_);
  EXPECT_EQ(Stable(ReadLevel::kVisible), 2);
  EXPECT_EQ(Stable(ReadLevel::kDurable), 0);
  ASSERT_THAT(Orders().Sync(), IsOk());
  EXPECT_EQ(Stable(ReadLevel::kDurable), 2);
}

TEST_F(ReadCommittedTest, WaitEndsWithTheMarker) {
  Send(one_, 0);
  EXPECT_THAT(Orders().WaitFor(0, absl::Now() + absl::Milliseconds(20),
                               ReadLevel::kVisible, Isolation::kReadCommitted),
              StatusIs(Code::kDeadlineExceeded));
  Commit(one_);
  EXPECT_THAT(Orders().WaitFor(0, absl::InfiniteFuture(), ReadLevel::kVisible,
                               Isolation::kReadCommitted),
              IsOk());
}

TEST_F(ReadCommittedTest, TrimmedLogLeavesOutWhatIsLeftOfATransaction) {
  Send(one_, 0, 2);
  Send(one_, 2, 2);
  AppendPlain("b");
  Abort(one_);
  ASSERT_THAT(Orders().TrimBefore(2), IsOk());
  EXPECT_THAT(Read(), ElementsAre("b"));
}

TEST_F(ReadCommittedTest, ProducerMustNotLeaveItsOpenTransaction) {
  Send(one_, 0);
  const ProducerClient plain = {.id = 1};
  RecordBatchBuilder batch = plain.Batch(1);
  EXPECT_THAT(Orders().Append(batch.Finish()),
              StatusIs(Code::kFailedPrecondition));
}

}  // namespace
}  // namespace varve
