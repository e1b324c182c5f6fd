// SPDX-License-Identifier: Apache-2.0

// `varve dump-log` of the files that say what producers have done.

#include <cstdint>
#include <string>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"
#include "varve/index/big_endian.h"
#include "varve/index/transaction_index.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DumpProducersTest : public testing::Test {
 protected:
  void SetUp() override {
    snapshot_.offset = 200;
    snapshot_.producers = {{.producer_id = 4000,
                            .producer_epoch = 3,
                            .last_sequence = 11,
                            .last_offset = 101,
                            .offset_delta = 1,
                            .timestamp_ms = 1'700'000'000'005,
                            .coordinator_epoch = 7},
                           {.producer_id = 4001,
                            .producer_epoch = 1,
                            .last_sequence = 0,
                            .last_offset = 150,
                            .timestamp_ms = 1'700'000'000'006,
                            .transaction_first_offset = 150}};
    WriteFileOrDie(snapshot_path_, snapshot_.Encode());
    transactions_.resize(2 * TransactionIndex::kEntrySize);
    TransactionIndex index(100, absl::MakeSpan(transactions_), 0);
    CHECK_OK(index.Append({4000, 90, 102, 103}));
    CHECK_OK(index.Append({4001, 110, 140, 120}));
    WriteFileOrDie(index_path_, transactions_);
  }
  CommandResult Dump(const std::string& path, const std::string& option = "") {
    if (option.empty()) return runner_.Varve({"dump-log", path});
    return runner_.Varve({"dump-log", option, path});
  }

  CommandRunner runner_;
  ProducerSnapshot snapshot_;
  std::string transactions_;
  const std::string snapshot_path_ =
      runner_.PathTo("00000000000000000200.snapshot");
  const std::string index_path_ =
      runner_.PathTo("00000000000000000100.txnindex");
};

constexpr char kFirstProducer[] =
    "producer producer_id=4000 producer_epoch=3 last_sequence=11 "
    "last_offset=101 offset_delta=1 timestamp=1700000000005 "
    "coordinator_epoch=7 transaction_first_offset=-1\n";
constexpr char kSecondProducer[] =
    "producer producer_id=4001 producer_epoch=1 last_sequence=0 "
    "last_offset=150 offset_delta=0 timestamp=1700000000006 "
    "coordinator_epoch=-1 transaction_first_offset=150\n";

TEST_F(DumpProducersTest, SnapshotHasALineForEachProducer) {
  const CommandResult result = Dump(snapshot_path_);
  EXPECT_EQ(result.exit_status, 0) << result.err;
  const uint32_t crc =
      static_cast<uint32_t>(LoadBig32(snapshot_.Encode().data() + 2));
  EXPECT_EQ(result.out,
            absl::StrCat(snapshot_path_, "\nsnapshot offset=200 version=1 crc=",
                         absl::Hex(crc, absl::kZeroPad8), " producers=2\n",
                         kFirstProducer, kSecondProducer, "end entries=2\n"));
}

TEST_F(DumpProducersTest, TransactionIndexHasALineForEachTransaction) {
  const CommandResult result = Dump(index_path_);
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(result.out,
            absl::StrCat(index_path_,
                         "\naborted producer_id=4000 first_offset=90 "
                         "last_offset=102 last_stable_offset=103\n"
                         "aborted producer_id=4001 first_offset=110 "
                         "last_offset=140 last_stable_offset=120\n"
                         "end entries=2\n"));
}

TEST_F(DumpProducersTest, JsonIsAnObjectALine) {
  EXPECT_THAT(Dump(snapshot_path_, "--json").out,
              HasSubstr(R"("kind":"producer","producer_id":4001,)"
                        R"("producer_epoch":1,"last_sequence":0,)"
                        R"("last_offset":150,"offset_delta":0,)"
                        R"("timestamp":1700000000006,"coordinator_epoch":-1,)"
                        R"("transaction_first_offset":150})"));
  EXPECT_THAT(Dump(index_path_, "--json").out,
              HasSubstr(R"("kind":"aborted","producer_id":4000,)"
                        R"("first_offset":90,"last_offset":102,)"
                        R"("last_stable_offset":103})"));
}

TEST_F(DumpProducersTest, WholeProducersOfACutSnapshotAreShown) {
  const std::string bytes = snapshot_.Encode();
  WriteFileOrDie(snapshot_path_, bytes.substr(0, bytes.size() - 1));
  const CommandResult result = Dump(snapshot_path_);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr(kFirstProducer), Not(HasSubstr("=4001")),
                    HasSubstr("DAMAGE position=6 what=\"a count of 2 entries, "
                              "and the file has 91 bytes of them, 46 each\"\n"),
                    HasSubstr("end entries=1\n")));
}

TEST_F(DumpProducersTest, FlippedBitIsDamageAtTheChecksum) {
  FlipBit(snapshot_path_, 60, 0);
  const CommandResult result = Dump(snapshot_path_);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr(kFirstProducer),
                    HasSubstr("DAMAGE position=2 what=\"the CRC-32C is ")));
}

// Not in the file's CRC, so only the entry itself says that it is wrong.
TEST_F(DumpProducersTest, ImpossibleProducerIsDamageAtItsPlace) {
  snapshot_.producers[1].last_offset = 200;
  WriteFileOrDie(snapshot_path_, snapshot_.Encode());
  const CommandResult result = Dump(snapshot_path_);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out,
              HasSubstr("DAMAGE position=56 what=\"producer 4001: the last "
                        "offset is not below that of the snapshot\"\n"));
}

TEST_F(DumpProducersTest, CopyOfAnyNameIsNotJudgedByIt) {
  const std::string copy = runner_.PathTo("copy.snapshot");
  WriteFileOrDie(copy, snapshot_.Encode());
  const CommandResult result = Dump(copy);
  EXPECT_EQ(result.exit_status, 0) << result.out;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("snapshot version=1"), HasSubstr("=4001")));
}

TEST_F(DumpProducersTest, LaterVersionIsSaidToBeOne) {
  FlipBit(snapshot_path_, 1, 1);
  const CommandResult result = Dump(snapshot_path_);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out, HasSubstr("DAMAGE position=0 what=\"version 3, and "
                                    "versions up to 1 are known\"\n"));
}

TEST_F(DumpProducersTest, DamagedTransactionIsShownAndSaidToBeDamaged) {
  StoreBig64(transactions_.data() + TransactionIndex::kEntrySize + 18, 101);
  WriteFileOrDie(index_path_, transactions_ + "more");
  const CommandResult result = Dump(index_path_);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(
      result.out,
      AllOf(HasSubstr("aborted producer_id=4000"), HasSubstr("last_offset=101"),
            HasSubstr("DAMAGE position=34 what=\"entry 1 of the "
                      "transaction index"),
            HasSubstr("end entries=2\n")));
}

TEST_F(DumpProducersTest, TransactionIndexThatEndsWithinAnEntryIsDamage) {
  WriteFileOrDie(index_path_, transactions_.substr(0, 67));
  const CommandResult result = Dump(index_path_);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("aborted producer_id=4000"),
                    HasSubstr("DAMAGE position=34 what=\"the file ends within "
                              "an entry of 34 bytes\"\n")));
}

TEST_F(DumpProducersTest, EveryTruncationIsSurvived) {
  const std::string bytes = snapshot_.Encode();
  for (size_t size = 0; size < bytes.size(); size += 5) {
    WriteFileOrDie(snapshot_path_, bytes.substr(0, size));
    EXPECT_EQ(Dump(snapshot_path_).exit_status, 1) << size;
  }
}

}  // namespace
}  // namespace varve
