// SPDX-License-Identifier: Apache-2.0

// Verification of the indexes of aborted transactions.

#include "varve/log/verification/transaction_index_verifier.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/log/verification/verified_transactions.h"
#include "varve/index/big_endian.h"
#include "varve/index/transaction_index.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kTxnIndex = SegmentFileKind::kTxnIndex;
constexpr auto kEntrySize = size_t{TransactionIndex::kEntrySize};

class TransactionIndexVerifierTest : public VerifiedTransactions {};

TEST_F(TransactionIndexVerifierTest,
       EveryFlippedBitOfATransactionIndexIsDamage) {
  const std::string sound = ReadBytes(IndexPath());
  ASSERT_GE(sound.size(), 2 * kEntrySize);
  for (size_t bit = 0; bit < 8 * sound.size(); ++bit) {
    WriteBytes(IndexPath(), WithBitFlipped(sound, bit));
    const std::vector<VerifyFinding> found = Damage();
    EXPECT_GE(found.size(), size_t{1}) << bit;
    EXPECT_THAT(found, Each(AllOf(Field(&VerifyFinding::path, IndexPath()),
                                  Field(&VerifyFinding::what,
                                        HasSubstr("no record is touched")))))
        << bit;
  }
}

TEST_F(TransactionIndexVerifierTest, MissingIndexIsFoundByItsMarkers) {
  const std::string sound = ReadBytes(IndexPath());
  std::filesystem::remove(IndexPath());
  const auto more = sound.size() / kEntrySize - 1;
  EXPECT_THAT(Only(),
              AllOf(HasSubstr("the transaction that the ABORT marker there "
                              "ends has no entry, and " +
                              std::to_string(more) + " more"),
                    HasSubstr("found none")));
}

TEST_F(TransactionIndexVerifierTest,
       EachEntryThatIsMissingIsFoundWithItsOffset) {
  const std::string sound = ReadBytes(IndexPath());
  for (size_t at = 0; at < sound.size(); at += kEntrySize) {
    std::string lacking = sound;
    lacking.erase(at, kEntrySize);
    WriteBytes(IndexPath(), lacking);
    EXPECT_THAT(Only(),
                AllOf(HasSubstr("has no entry"),
                      HasSubstr("offset " + std::to_string(LoadBig64(
                                                sound.data() + at + 18)))));
  }
}

TEST_F(TransactionIndexVerifierTest, EntryWithoutAMarkerIsFound) {
  const std::string sound = ReadBytes(IndexPath());
  std::string more = sound.substr(sound.size() - kEntrySize);
  const int64_t last = LoadBig64(more.data() + 18);
  StoreBig64(more.data() + 18, last + 1);
  WriteBytes(IndexPath(), sound + more);
  EXPECT_THAT(Only(), HasSubstr("an entry for which there is no ABORT marker"));
}

TEST_F(TransactionIndexVerifierTest,
       EveryFieldOfAnEntryIsComparedWithTheBatches) {
  const std::string sound = ReadBytes(IndexPath());
  for (const auto& [field, by] :
       {std::pair{2, 1}, std::pair{10, -1}, std::pair{26, -1}}) {
    std::string wrong = sound;
    StoreBig64(wrong.data() + field, LoadBig64(wrong.data() + field) + by);
    WriteBytes(IndexPath(), wrong);
    EXPECT_THAT(Only(), HasSubstr("an entry that is not what the batches say"))
        << field;
  }
}

TEST_F(TransactionIndexVerifierTest,
       EntriesThatAnOpenWriterHasYetToWriteAreNoDamage) {
  inputs_.last_writer = LastWriter::kStillOpen;
  inputs_.checkpoint->recovery_point = indexes_[1];
  const std::string sound = ReadBytes(IndexPath());
  WriteBytes(IndexPath(), sound.substr(0, sound.size() - kEntrySize));
  std::filesystem::remove(PathTo(indexes_[2], kTxnIndex));
  EXPECT_THAT(Damage(), IsEmpty());
  // Below the recovery point all are written.
  inputs_.checkpoint->recovery_point = end_;
  EXPECT_EQ(Damage().size(), size_t{2});
  // In the middle none may be missing.
  inputs_.checkpoint->recovery_point = indexes_[1];
  WriteBytes(IndexPath(), sound.substr(kEntrySize));
  EXPECT_EQ(Damage().size(), size_t{1});
}

// A broker that copies another one's log appends several batches at once, and
// knows of a later transaction when it writes the entry of an earlier one.
TEST_F(TransactionIndexVerifierTest, LaterStableOffsetOfABrokerIsNoFinding) {
  std::string later = ReadBytes(IndexPath());
  bool is_changed = false;
  for (size_t at = 0; at < later.size(); at += kEntrySize) {
    char* const stable = later.data() + at + 26;
    if (LoadBig64(stable) != LoadBig64(later.data() + at + 18) + 1) continue;
    StoreBig64(stable, LoadBig64(stable) + 2);
    is_changed = true;
  }
  ASSERT_TRUE(is_changed);
  WriteBytes(IndexPath(), later);
  EXPECT_THAT(Only(), HasSubstr("last stable offset"));
  inputs_.index_severity = FindingSeverity::kNote;
  EXPECT_THAT(Verify(), IsEmpty());
  inputs_.last_writer = LastWriter::kDied;
  inputs_.checkpoint->recovery_point = 0;
  EXPECT_THAT(Verify(), IsEmpty());
}

}  // namespace
}  // namespace varve
