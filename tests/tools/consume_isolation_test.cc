// SPDX-License-Identifier: Apache-2.0

// `varve consume --isolation-level`.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/producer_client.h"
#include "tests/tools/command_runner.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A topic with records that were aborted (1:0), committed (2:0), and that are
// of a transaction that is open (1:1), and plain ones between and after them.
class ConsumeIsolationTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t");
    auto store =
        LogStore::Open(runner_.data(), {.background = Background::kNone});
    ASSERT_THAT(store, IsOk());
    auto t = (*store)->partition("t", 0);
    ASSERT_THAT(t, IsOk());
    const auto append = [&t](RecordBatchBuilder batch) {
      ASSERT_THAT(t->Append(batch.Finish(), Durability::kMemory), IsOk());
    };
    const auto append_plain = [&t](std::string value) {
      ASSERT_THAT(t->Append({.value = std::move(value),
                             .timestamp =
                                 absl::FromUnixMillis(ProducerClient::kTimeMs)},
                            Durability::kMemory),
                  IsOk());
    };
    append(one_.Batch(0));
    append_plain("a");
    append(two_.Batch(0));
    append(one_.Marker(ControlRecordType::kAbort));
    append(two_.Marker(ControlRecordType::kCommit));
    append_plain("b");
    append(one_.Batch(1));
    append_plain("c");
    ASSERT_THAT((*store)->Close(), IsOk());
  }

  // What is printed, a word a record.
  std::string Consume(std::vector<std::string> options) {
    options.insert(options.begin(), {"consume", "t", "--format", "%s "});
    const CommandResult result = runner_.Varve(options);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }
  std::string ConsumeCommitted(std::vector<std::string> options) {
    options.insert(options.end(), {"--isolation-level", "read_committed"});
    return Consume(std::move(options));
  }

  const ProducerClient one_ = {.id = 1, .transactional = Transactional::kYes};
  const ProducerClient two_ = {.id = 2, .transactional = Transactional::kYes};
  CommandRunner runner_;
};

TEST_F(ConsumeIsolationTest, AllRecordsArePrintedUnlessOneAsks) {
  EXPECT_EQ(Consume({}), "1:0 a 2:0 b 1:1 c ");
  EXPECT_EQ(Consume({"--isolation-level", "read_uncommitted"}),
            "1:0 a 2:0 b 1:1 c ");
}

TEST_F(ConsumeIsolationTest, CommittedRecordsEndBeforeTheOpenTransaction) {
  EXPECT_EQ(ConsumeCommitted({}), "a 2:0 b ");
  EXPECT_EQ(ConsumeCommitted({"--count", "2"}), "a 2:0 ");
}

TEST_F(ConsumeIsolationTest, EndIsWhereTheReaderOfCommittedRecordsEnds) {
  EXPECT_EQ(ConsumeCommitted({"--offset", "-1"}), "b ");
  EXPECT_EQ(ConsumeCommitted({"--offset", "latest"}), "");
  EXPECT_EQ(ConsumeCommitted({"--until", "-1"}), "a 2:0 ");
  EXPECT_EQ(ConsumeCommitted({"--until", "end", "--follow"}), "a 2:0 b ");
}

TEST_F(ConsumeIsolationTest, GroupStaysBeforeTheOpenTransaction) {
  EXPECT_EQ(ConsumeCommitted({"--group", "g"}), "a 2:0 b ");
  EXPECT_EQ(ConsumeCommitted({"--group", "g"}), "");
  EXPECT_EQ(Consume({"--group", "g"}), "1:1 c ");
}

TEST_F(ConsumeIsolationTest, OtherLevelIsRefused) {
  const CommandResult result =
      runner_.Varve({"consume", "t", "--isolation-level", "serializable"});
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("--isolation-level"), HasSubstr("serializable"),
                    HasSubstr("read_committed")));
}

}  // namespace
}  // namespace varve
