// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/batch_scanner.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "tests/fixture/file_bytes.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/leader_epochs.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int32_t kEpoch = 3;

// A batch of `count` records at `base_offset`.
std::string Batch(int64_t base_offset, int count = 1, int32_t epoch = kEpoch,
                  std::string_view value = "value") {
  RecordBatchBuilder builder;
  for (int i = 0; i < count; ++i) {
    EXPECT_THAT(builder.Append({.value = value}, int64_t{1700000000000}),
                IsOk());
  }
  std::string bytes(builder.Finish().bytes());
  StoreBig64(bytes.data() + batch_layout::kBaseOffset, base_offset);
  StoreBig32(bytes.data() + batch_layout::kLeaderEpoch, epoch);
  return bytes;
}

LeaderEpochs Epochs(int32_t epoch = kEpoch, int64_t start = 0) {
  LeaderEpochs epochs;
  epochs.Assign(epoch, start);
  return epochs;
}

struct Scan {
  std::vector<int64_t> offsets;  // of the batches met
  ScanStop stop;
  BatchDefect defect;
  int64_t position;
  int64_t expected_offset;
};

Scan ScanAll(std::string_view bytes, const LeaderEpochs* epochs = nullptr,
             Continuity continuity = Continuity::kExact) {
  BatchScanner scanner(bytes, {}, {.continuity = continuity, .epochs = epochs});
  Scan scan{};
  while (const RecordBatch* batch = scanner.Peek()) {
    scan.offsets.push_back(batch->base_offset());
    scanner.Advance();
  }
  scan.stop = scanner.stop();
  scan.defect = scanner.defect();
  scan.position = scanner.position();
  scan.expected_offset = scanner.expected_offset();
  return scan;
}

// The offset of the batch that follows the stop of a scan of `bytes`.
std::optional<int64_t> OffsetBehindStop(std::string_view bytes,
                                        const LeaderEpochs* epochs = nullptr) {
  BatchScanner scanner(bytes, {}, {.epochs = epochs});
  while (scanner.Peek() != nullptr) scanner.Advance();
  const std::optional<BatchPlace> place = scanner.FindBatchBehind();
  if (!place.has_value()) return std::nullopt;
  return place->base_offset;
}

TEST(BatchScannerTest, NoBytesAreTheEnd) {
  const Scan scan = ScanAll("");
  EXPECT_THAT(scan.offsets, IsEmpty());
  EXPECT_EQ(scan.stop, ScanStop::kEnd);
  EXPECT_EQ(scan.position, 0);
}

TEST(BatchScannerTest, WholeBatchesAreMetInOrderUpToTheEnd) {
  const std::string bytes = Batch(0, 3) + Batch(3) + Batch(4, 2);
  const Scan scan = ScanAll(bytes);
  EXPECT_THAT(scan.offsets, ElementsAre(0, 3, 4));
  EXPECT_EQ(scan.stop, ScanStop::kEnd);
  EXPECT_EQ(scan.position, static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(scan.expected_offset, 6);
}

TEST(BatchScannerTest, PeekStaysUntilAdvance) {
  const std::string bytes = Batch(0) + Batch(1);
  BatchScanner scanner(bytes, {}, {});
  EXPECT_EQ(scanner.Peek()->base_offset(), 0);
  EXPECT_EQ(scanner.Peek()->base_offset(), 0);
  EXPECT_EQ(scanner.position(), 0);
  EXPECT_EQ(scanner.stop(), ScanStop::kNone);
}

TEST(BatchScannerTest, StartInTheMiddleAndResume) {
  const std::string bytes = Batch(0) + Batch(1) + Batch(2);
  const auto size = static_cast<int64_t>(Batch(0).size());
  BatchScanner scanner(bytes, {.position = size, .base_offset = 1}, {});
  EXPECT_EQ(scanner.Peek()->base_offset(), 1);
  scanner.Resume({.position = 2 * size, .base_offset = 2});
  EXPECT_EQ(scanner.Peek()->base_offset(), 2);
}

TEST(BatchScannerTest, ZerosUpToTheEndAreUnwritten) {
  for (size_t zeros : {1, 11, 12, 60, 61, 5000}) {
    const Scan scan = ScanAll(Batch(0) + std::string(zeros, '\0'));
    EXPECT_THAT(scan.offsets, ElementsAre(0));
    EXPECT_EQ(scan.stop, ScanStop::kZeros) << zeros;
    EXPECT_EQ(scan.position, static_cast<int64_t>(Batch(0).size()));
  }
}

TEST(BatchScannerTest, ZeroLengthWithBytesBehindIsBad) {
  std::string torn = Batch(1);
  StoreBig32(torn.data() + batch_layout::kBatchLength, 0);
  const Scan scan = ScanAll(Batch(0) + torn);
  EXPECT_EQ(scan.stop, ScanStop::kBadBatch);
  EXPECT_EQ(scan.defect, BatchDefect::kZeros);
  EXPECT_EQ(scan.expected_offset, 1);
}

TEST(BatchScannerTest, EveryCutBatchIsBad) {
  const std::string batch = Batch(1);
  for (size_t size = 1; size < batch.size(); ++size) {
    const Scan scan = ScanAll(Batch(0) + batch.substr(0, size));
    EXPECT_THAT(scan.offsets, ElementsAre(0));
    // The first seven bytes of offset 1 are zeros.
    EXPECT_EQ(scan.stop, size < 8 ? ScanStop::kZeros : ScanStop::kBadBatch);
  }
}

TEST(BatchScannerTest, LowerAndHigherOffsetDoNotContinueTheLog) {
  for (int64_t offset : {0, 2, 1000}) {
    const Scan scan = ScanAll(Batch(0) + Batch(offset));
    EXPECT_THAT(scan.offsets, ElementsAre(0));
    EXPECT_EQ(scan.stop, ScanStop::kWrongOffset) << offset;
  }
}

TEST(BatchScannerTest, WithGapsAllowedOnlyALowerOffsetDoesNotContinue) {
  const Scan gap =
      ScanAll(Batch(5) + Batch(9), nullptr, Continuity::kGapsAllowed);
  EXPECT_THAT(gap.offsets, ElementsAre(5, 9));
  EXPECT_EQ(gap.stop, ScanStop::kEnd);
  const Scan overlap =
      ScanAll(Batch(5, 2) + Batch(6), nullptr, Continuity::kGapsAllowed);
  EXPECT_THAT(overlap.offsets, ElementsAre(5));
  EXPECT_EQ(overlap.stop, ScanStop::kWrongOffset);
}

TEST(BatchScannerTest, EpochHasToBeTheOneInForceAtTheOffset) {
  LeaderEpochs epochs = Epochs(kEpoch, 0);
  epochs.Assign(5, 2);
  const Scan right = ScanAll(Batch(0) + Batch(1) + Batch(2, 1, 5), &epochs);
  EXPECT_THAT(right.offsets, ElementsAre(0, 1, 2));
  for (int32_t epoch : {kEpoch, 4, 6, -1}) {
    const Scan scan =
        ScanAll(Batch(0) + Batch(1) + Batch(2, 1, epoch), &epochs);
    EXPECT_THAT(scan.offsets, ElementsAre(0, 1));
    EXPECT_EQ(scan.stop, ScanStop::kWrongEpoch) << epoch;
  }
}

TEST(BatchScannerTest, WithoutEpochsInForceOnlyBatchesWithoutOneFit) {
  const LeaderEpochs none;
  EXPECT_THAT(ScanAll(Batch(0, 1, -1), &none).offsets, ElementsAre(0));
  EXPECT_EQ(ScanAll(Batch(0, 1, 0), &none).stop, ScanStop::kWrongEpoch);
}

TEST(BatchScannerTest, SkippedCrcLetsDamagedRecordsPass) {
  std::string bytes = Batch(0);
  bytes.back() ^= 1;
  EXPECT_EQ(ScanAll(bytes).defect, BatchDefect::kBadCrc);
  BatchScanner scanner(bytes, {}, {.crc = CrcCheck::kSkip});
  EXPECT_NE(scanner.Peek(), nullptr);
}

TEST(BatchScannerTest, CrcVerifiedAfterPeekStopsWhereAVerifyingScanDoes) {
  const std::string bytes =
      Batch(0) + WithBitFlipped(Batch(1), 8 * 65) + Batch(2);
  BatchScanner scanner(bytes, {}, {.crc = CrcCheck::kSkip});
  ASSERT_NE(scanner.Peek(), nullptr);
  EXPECT_TRUE(scanner.VerifyCrc());
  scanner.Advance();
  ASSERT_NE(scanner.Peek(), nullptr);
  EXPECT_FALSE(scanner.VerifyCrc());
  const Scan verifying = ScanAll(bytes);
  EXPECT_EQ(scanner.stop(), verifying.stop);
  EXPECT_EQ(scanner.defect(), BatchDefect::kBadCrc);
  EXPECT_EQ(scanner.position(), verifying.position);
  EXPECT_EQ(scanner.FindBatchBehind()->base_offset, 2);
}

TEST(BatchScannerTest, EveryStopHasAPhraseOfItsOwn) {
  EXPECT_EQ(ScanStopText(ScanStop::kZeros), "zeros up to the end of the file");
  EXPECT_NE(ScanStopText(ScanStop::kWrongEpoch),
            ScanStopText(ScanStop::kWrongOffset));
}

// Every single bit flip is found at the batch that has it (FORMAT.md section
// 7); the one before is unharmed, and the one after is found again.
TEST(BatchScannerTest, EveryBitFlipIsFoundAtItsBatch) {
  std::string bytes;
  std::vector<size_t> starts;
  for (int i = 0; i < 5; ++i) {
    starts.push_back(bytes.size());
    bytes += Batch(2 * i, 2);
  }
  const LeaderEpochs epochs = Epochs();
  size_t hit = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    while (hit + 1 < starts.size() && starts[hit + 1] <= bit / 8) ++hit;
    const std::string flipped = WithBitFlipped(bytes, bit);
    const Scan scan = ScanAll(flipped, &epochs);
    ASSERT_EQ(scan.offsets.size(), hit) << "bit " << bit;
    ASSERT_EQ(scan.position, static_cast<int64_t>(starts[hit]));
    ASSERT_NE(scan.stop, ScanStop::kEnd);
    ASSERT_NE(scan.stop, ScanStop::kZeros);
    const auto behind = OffsetBehindStop(flipped, &epochs);
    ASSERT_EQ(behind.value_or(10), 2 * static_cast<int64_t>(hit) + 2)
        << "bit " << bit;
  }
}

TEST(FindBatchBehindTest, NothingBehindIsNothing) {
  EXPECT_EQ(OffsetBehindStop(""), std::nullopt);
  EXPECT_EQ(OffsetBehindStop(Batch(0)), std::nullopt);
  EXPECT_EQ(OffsetBehindStop(Batch(0) + std::string(5000, '\0')), std::nullopt);
  EXPECT_EQ(OffsetBehindStop(Batch(0) + std::string(5000, 'x')), std::nullopt);
}

TEST(FindBatchBehindTest, WholeBatchBehindGarbageOfAnySizeIsFound) {
  for (size_t size = 1; size < 200; ++size) {
    const std::string garbage(size, 'x');
    EXPECT_EQ(OffsetBehindStop(Batch(0) + garbage + Batch(7)), 7) << size;
  }
}

TEST(FindBatchBehindTest, LastBatchOfTheBytesIsFound) {
  std::string emptied = Batch(3);
  emptied = WithRecords(RecordBatch(emptied), "", 0);
  ASSERT_EQ(emptied.size(), 61);
  EXPECT_EQ(OffsetBehindStop("x" + emptied), 3);
}

TEST(FindBatchBehindTest, OffsetsTheLogCannotHaveReachedAreNotBelieved) {
  constexpr int64_t kSpan = std::numeric_limits<int32_t>::max();
  const std::string front = Batch(0, 10) + "x";
  EXPECT_EQ(OffsetBehindStop(front + Batch(9)), std::nullopt);
  EXPECT_EQ(OffsetBehindStop(front + Batch(10)), 10);
  EXPECT_EQ(OffsetBehindStop(front + Batch(10 + kSpan)), 10 + kSpan);
  EXPECT_EQ(OffsetBehindStop(front + Batch(11 + kSpan)), std::nullopt);
}

TEST(FindBatchBehindTest, BatchOfAnEpochNotInForceIsPassedOver) {
  const LeaderEpochs epochs = Epochs();
  const std::string stale = Batch(2, 1, kEpoch - 1);
  EXPECT_EQ(OffsetBehindStop(Batch(0) + "x" + stale, &epochs), std::nullopt);
  EXPECT_EQ(OffsetBehindStop(Batch(0) + "x" + stale + Batch(3), &epochs), 3);
}

TEST(FindBatchBehindTest, DamagedBatchBehindIsPassedOver) {
  std::string damaged = Batch(2);
  damaged.back() ^= 1;
  EXPECT_EQ(OffsetBehindStop(Batch(0) + "x" + damaged + Batch(3)), 3);
}

// The value of a record may be a batch, of this very log even.
TEST(FindBatchBehindTest, BatchInsideADamagedOneIsNotTakenForTheNext) {
  std::string outer = Batch(1, 1, kEpoch, Batch(4));
  outer.back() ^= 1;
  EXPECT_EQ(OffsetBehindStop(Batch(0) + outer + Batch(2) + Batch(3)), 2);
}

TEST(FindBatchBehindTest, WrongLengthThatMeetsALaterBatchLosesNone) {
  std::string longer = Batch(1);
  const auto size = static_cast<int32_t>(longer.size());
  StoreBig32(longer.data() + batch_layout::kBatchLength, 2 * size - 12);
  EXPECT_EQ(OffsetBehindStop(Batch(0) + longer + Batch(2) + Batch(3)), 2);
}

// Headers that pass every check but the CRC, one a byte, each of which claims
// all that is left: a checksum for each would be a quadratic search.
std::string FakeHeaders(size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    std::string header(61, '\0');
    StoreBig64(header.data() + batch_layout::kBaseOffset, 1);
    StoreBig32(header.data() + batch_layout::kBatchLength,
               static_cast<int32_t>(size - bytes.size() - 12));
    header[batch_layout::kMagic] = 2;
    StoreBig32(header.data() + batch_layout::kRecordCount, 1);
    bytes += header;
  }
  bytes.resize(size);
  return bytes;
}

TEST(FindBatchBehindTest, BatchAtTheStopIsFoundWhenOnlyOffsetsAreMissing) {
  EXPECT_EQ(OffsetBehindStop(Batch(0) + Batch(5) + Batch(6)), 5);
  EXPECT_EQ(OffsetBehindStop(Batch(0) + Batch(5) + Batch(9)), 5);
}

// What follows says that the offset is too high.
TEST(FindBatchBehindTest, BatchAtTheStopIsPassedOverWhenItsOwnOffsetIsBad) {
  EXPECT_EQ(OffsetBehindStop(Batch(0) + Batch(5) + Batch(2)), 2);
  EXPECT_EQ(OffsetBehindStop(Batch(0) + Batch(5)), std::nullopt);
  EXPECT_EQ(OffsetBehindStop(Batch(4) + Batch(2) + Batch(3)), 2);
}

TEST(FindBatchBehindTest, LastBatchIsJudgedByWhereTheLogGoesOn) {
  const std::string bytes = Batch(0) + Batch(5);
  for (const auto& [next, found] :
       {std::pair(5, false), std::pair(6, true), std::pair(7, true)}) {
    for (const std::string& zeros : {std::string(), std::string(99, '\0')}) {
      const std::string all = bytes + zeros;
      BatchScanner scanner(all, {}, {.next_base_offset = next});
      while (scanner.Peek() != nullptr) scanner.Advance();
      EXPECT_EQ(scanner.FindBatchBehind().has_value(), found) << next;
    }
  }
}

TEST(BatchScannerTest, NoAllowedGapEndsBehindItsBound) {
  const std::string bytes = Batch(0) + Batch(5) + Batch(8);
  for (const auto& [gaps_end, count] :
       {std::pair(4, 1), std::pair(5, 2), std::pair(7, 2), std::pair(8, 3)}) {
    BatchScanner scanner(
        bytes, {},
        {.continuity = Continuity::kGapsAllowed, .gaps_end = gaps_end});
    int met = 0;
    for (; scanner.Peek() != nullptr; scanner.Advance()) ++met;
    EXPECT_EQ(met, count) << gaps_end;
  }
}

TEST(FindBatchBehindTest, HostileBytesFinish) {
  constexpr size_t kSize = size_t{1} << 20;
  EXPECT_EQ(OffsetBehindStop(std::string(kSize, '\x02')), std::nullopt);
  EXPECT_EQ(OffsetBehindStop("x" + FakeHeaders(kSize)), std::nullopt);
}

// The work is bounded by four checksums over the bytes, and a search that meets
// the bound gives nothing: so four fakes of the full size hide a batch after
// them, and three do not.
TEST(FindBatchBehindTest, WorkIsBoundedByFourChecksumsOverTheBytes) {
  const std::string good = Batch(1);
  const std::string many = FakeHeaders(200 * 61);
  EXPECT_EQ(OffsetBehindStop("x" + many + good), std::nullopt);
  const std::string few = FakeHeaders(3 * 61);
  EXPECT_EQ(OffsetBehindStop("x" + few + good), 1);
}

}  // namespace
}  // namespace varve
