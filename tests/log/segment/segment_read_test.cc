// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment_read.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/next_readable_offset.h"
#include "varve/log/segment/segment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Code = absl::StatusCode;

constexpr int64_t kBase = 100;
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// A segment of base offset 100 whose file the test writes. `Put` adds a batch
// of some records; all are numbered from 0.
class SegmentReadTest : public ::testing::Test {
 protected:
  void Put(int count, int64_t gap = 0, std::string_view value = "value") {
    RecordBatchBuilder builder;
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(builder.Append({.value = value}, int64_t{1}), IsOk());
    }
    std::string batch(builder.Finish().bytes());
    StoreBig64(batch.data() + batch_layout::kBaseOffset, next_offset_ + gap);
    positions_.push_back(static_cast<int64_t>(bytes_.size()));
    bytes_ += batch;
    next_offset_ += gap + count;
  }
  // Five batches of two records: offsets 100 to 109.
  void PutFive() {
    for (int i = 0; i < 5; ++i) Put(2);
  }
  // Flips a bit in the records of batch `number`.
  void Damage(size_t number) { FlipAt(positions_[number] + 65); }
  void FlipAt(int64_t position) {
    bytes_ = WithBitFlipped(bytes_, static_cast<size_t>(position) * 8);
  }

  absl::StatusOr<SegmentSlice> Read(SegmentReadOptions options) {
    WriteBytes(scratch_ / SegmentFileName(kBase, SegmentFileKind::kLog),
               bytes_);
    auto segment = Segment::OpenReadOnly(**directory_, kBase);
    if (!segment.ok()) return segment.status();
    segment_ = *segment;
    return ReadSegment(*segment_, options);
  }
  // Expects batches `first` to `last` for this offset.
  void ExpectBatches(const SegmentReadOptions& options, size_t first,
                     size_t last) {
    const auto slice = Read(options);
    ASSERT_THAT(slice, IsOk()) << "offset " << options.offset;
    EXPECT_EQ(slice->bytes.data() - segment_->visible_bytes().data(),
              positions_[first]);
    const int64_t end = last + 1 < positions_.size()
                            ? positions_[last + 1]
                            : static_cast<int64_t>(bytes_.size());
    EXPECT_EQ(static_cast<int64_t>(slice->bytes.size()),
              end - positions_[first]);
  }

  ScratchDirectory scratch_;
  absl::StatusOr<std::unique_ptr<Directory>> directory_ =
      FileSystem::Posix()->OpenDirectory(scratch_.path());
  std::shared_ptr<Segment> segment_;
  std::string bytes_;
  std::vector<int64_t> positions_;
  int64_t next_offset_ = kBase;
};

TEST_F(SegmentReadTest, AllBatchesFitALargeBound) {
  PutFive();
  ExpectBatches({.offset = 100, .max_bytes = kNoLimit}, 0, 4);
  EXPECT_EQ(Read({.offset = 100, .max_bytes = kNoLimit})->next_offset, 110);
}

TEST_F(SegmentReadTest, AtLeastOneBatchIsReturned) {
  PutFive();
  ExpectBatches({.offset = 100, .max_bytes = 0}, 0, 0);
  ExpectBatches({.offset = 108, .max_bytes = 1}, 4, 4);
  EXPECT_EQ(Read({.offset = 100, .max_bytes = 0})->next_offset, 102);
}

TEST_F(SegmentReadTest, BoundIsKeptToTheByte) {
  PutFive();
  const int64_t two = positions_[2];
  ExpectBatches({.offset = 100, .max_bytes = two - 1}, 0, 0);
  ExpectBatches({.offset = 100, .max_bytes = two}, 0, 1);
  ExpectBatches({.offset = 102, .max_bytes = two + 1}, 1, 2);
}

TEST_F(SegmentReadTest, OffsetInTheMiddleGetsItsWholeBatch) {
  PutFive();
  ExpectBatches({.offset = 103, .max_bytes = 0}, 1, 1);
  ExpectBatches({.offset = 109, .max_bytes = kNoLimit}, 4, 4);
}

TEST_F(SegmentReadTest, BatchesFromTheEndOffsetOnAreLeftOut) {
  PutFive();
  ExpectBatches({.offset = 100, .max_bytes = kNoLimit, .end_offset = 106}, 0,
                2);
  ExpectBatches({.offset = 104, .max_bytes = kNoLimit, .end_offset = 105}, 2,
                2);
}

TEST_F(SegmentReadTest, BehindTheEndIsNotFound) {
  PutFive();
  EXPECT_THAT(Read({.offset = 110}), StatusIs(Code::kNotFound));
  EXPECT_THAT(Read({.offset = 1000}), StatusIs(Code::kNotFound));
}

TEST_F(SegmentReadTest, EmptySegmentHasNothing) {
  EXPECT_THAT(Read({.offset = kBase}), StatusIs(Code::kNotFound));
}

TEST_F(SegmentReadTest, DamageBeforeTheOffsetDoesNotMatter) {
  PutFive();
  Damage(1);
  ExpectBatches({.offset = 104, .max_bytes = kNoLimit}, 2, 4);
}

TEST_F(SegmentReadTest, SliceEndsBeforeDamage) {
  PutFive();
  Damage(3);
  ExpectBatches({.offset = 100, .max_bytes = kNoLimit}, 0, 2);
  EXPECT_EQ(Read({.offset = 100, .max_bytes = kNoLimit})->next_offset, 106);
}

TEST_F(SegmentReadTest, DamageAtTheOffsetNamesPositionAndNextOffset) {
  PutFive();
  Damage(2);
  for (int64_t offset : {104, 105}) {
    EXPECT_THAT(Read({.offset = offset, .max_bytes = kNoLimit}),
                StatusIs(Code::kDataLoss,
                         AllOf(HasSubstr("00000000000000000100.log: position " +
                                         std::to_string(positions_[2])),
                               HasSubstr("offset 104"), HasSubstr("checksum"),
                               HasSubstr("the next readable offset is 106"))));
    EXPECT_EQ(NextReadableOffset(Read({.offset = offset}).status()), 106);
  }
}

TEST_F(SegmentReadTest, DamagedLastBatchHasNoNextOffsetHere) {
  PutFive();
  Damage(4);
  ExpectBatches({.offset = 107, .max_bytes = kNoLimit}, 3, 3);
  EXPECT_THAT(Read({.offset = 109, .max_bytes = kNoLimit}),
              StatusIs(Code::kDataLoss, Not(HasSubstr("next readable"))));
  EXPECT_EQ(NextReadableOffset(Read({.offset = 109}).status()), std::nullopt);
}

TEST_F(SegmentReadTest, AfterADamagedLastBatchTheNextSegmentIsReadable) {
  PutFive();
  Damage(4);
  const auto damaged = Read({.offset = 109, .next_base_offset = 110});
  EXPECT_THAT(damaged, StatusIs(Code::kDataLoss, HasSubstr("offset is 110")));
  EXPECT_EQ(NextReadableOffset(damaged.status()), 110);
}

TEST_F(SegmentReadTest, EveryDamagedHeaderByteLosesThatBatchAlone) {
  PutFive();
  const std::string sound = bytes_;
  for (int64_t at = 0; at < batch_layout::kRecords; ++at) {
    // The leader epoch is checked at recovery, not by a read.
    if (at >= batch_layout::kLeaderEpoch && at < batch_layout::kMagic) continue;
    SCOPED_TRACE(at);
    bytes_ = sound;
    FlipAt(positions_[2] + at);
    ExpectBatches({.offset = 101, .max_bytes = kNoLimit}, 0, 1);
    EXPECT_THAT(Read({.offset = 104}), StatusIs(Code::kDataLoss));
    EXPECT_THAT(Read({.offset = 105}), StatusIs(Code::kDataLoss));
    ExpectBatches({.offset = 106, .max_bytes = kNoLimit}, 3, 4);
  }
}

TEST_F(SegmentReadTest, SeveralDamagedBatchesAreOneGap) {
  PutFive();
  Damage(1);
  Damage(2);
  EXPECT_THAT(Read({.offset = 102}),
              StatusIs(Code::kDataLoss, HasSubstr("offset is 106")));
  ExpectBatches({.offset = 107, .max_bytes = kNoLimit}, 3, 4);
}

TEST_F(SegmentReadTest, CrcIsNotLookedAtWhenToldSo) {
  PutFive();
  Damage(2);
  ExpectBatches({.offset = 100, .max_bytes = kNoLimit, .crc = CrcCheck::kSkip},
                0, 4);
  ExpectBatches({.offset = 105, .max_bytes = kNoLimit, .crc = CrcCheck::kSkip},
                2, 4);
}

TEST_F(SegmentReadTest, GapIsDamageUnlessItIsAllowed) {
  Put(2);
  Put(2, /*gap=*/5);
  ExpectBatches({.offset = 100, .max_bytes = kNoLimit}, 0, 0);
  EXPECT_THAT(Read({.offset = 104}), StatusIs(Code::kDataLoss));
  ExpectBatches({.offset = 100,
                 .max_bytes = kNoLimit,
                 .continuity = Continuity::kGapsAllowed},
                0, 1);
}

TEST_F(SegmentReadTest, OffsetInAnAllowedGapGetsTheNextBatch) {
  Put(2);
  Put(2, /*gap=*/5);
  for (int64_t offset = 102; offset < 109; ++offset) {
    ExpectBatches({.offset = offset, .continuity = Continuity::kGapsAllowed}, 1,
                  1);
  }
}

TEST_F(SegmentReadTest, ReadNotesWhereItEnded) {
  PutFive();
  ASSERT_THAT(Read({.offset = 101, .max_bytes = positions_[2]}), IsOk());
  const auto end = segment_->read_ends().Find(104);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->position, positions_[2]);
  const auto slice =
      ReadSegment(*segment_, {.offset = 104, .max_bytes = kNoLimit});
  ASSERT_THAT(slice, IsOk());
  EXPECT_EQ(slice->bytes, std::string_view(bytes_).substr(
                              static_cast<size_t>(positions_[2])));
}

TEST_F(SegmentReadTest, EndThatDoesNotAgreeWithItsBatchIsNotBelieved) {
  PutFive();
  for (const int64_t wrong : {positions_[2], positions_[3] + 1,
                              std::ssize(bytes_), std::ssize(bytes_) + 1}) {
    ASSERT_THAT(Read({.offset = 100}), IsOk());
    segment_->read_ends().Note(100, {.position = wrong, .base_offset = 106});
    const auto slice = ReadSegment(*segment_, {.offset = 106});
    ASSERT_THAT(slice, IsOk()) << wrong;
    EXPECT_EQ(slice->bytes.data() - segment_->visible_bytes().data(),
              positions_[3]);
    EXPECT_EQ(slice->next_offset, 108);
  }
}

TEST_F(SegmentReadTest, DamageWhereAReadEndedIsReportedByTheNext) {
  PutFive();
  Damage(2);
  ASSERT_THAT(Read({.offset = 100, .max_bytes = kNoLimit}), IsOk());
  ASSERT_TRUE(segment_->read_ends().Find(104).has_value());
  EXPECT_THAT(
      ReadSegment(*segment_, {.offset = 104}),
      StatusIs(Code::kDataLoss, AllOf(HasSubstr("checksum"),
                                      HasSubstr("readable offset is 106"))));
}

// Batches of one record whose first one, with the highest bit of its length's
// last byte flipped, ends where the second one does.
class HiddenBatchTest : public SegmentReadTest {
 protected:
  void PutFour() {
    for (int i = 0; i < 4; ++i) {
      Put(1, 0, std::string(59, 'v'));
      ASSERT_EQ(std::ssize(bytes_), 128 * (i + 1));
    }
    bytes_ = WithBitFlipped(
        bytes_, static_cast<size_t>(batch_layout::kBatchLength + 3) * 8 + 7);
  }
  void ExpectSecondBatch(const absl::StatusOr<SegmentSlice>& slice) {
    ASSERT_THAT(slice, IsOk());
    EXPECT_EQ(slice->bytes.data() - segment_->visible_bytes().data(),
              positions_[1]);
  }
};

TEST_F(HiddenBatchTest, WrongLengthIsNotTakenForACompactedGap) {
  PutFour();
  for (const Continuity continuity :
       {Continuity::kExact, Continuity::kGapsAllowed}) {
    EXPECT_THAT(Read({.offset = 100, .continuity = continuity}),
                StatusIs(Code::kDataLoss, HasSubstr("offset is 101")));
    ExpectSecondBatch(Read({.offset = 101, .continuity = continuity}));
  }
}

TEST_F(HiddenBatchTest, ReadWithoutCrcMisleadsNoReadWithIt) {
  PutFour();
  ASSERT_THAT(Read({.offset = 100,
                    .crc = CrcCheck::kSkip,
                    .continuity = Continuity::kGapsAllowed}),
              IsOk());
  ASSERT_TRUE(segment_->read_ends().Find(101).has_value());
  ExpectSecondBatch(ReadSegment(
      *segment_, {.offset = 101, .continuity = Continuity::kGapsAllowed}));
}

TEST_F(SegmentReadTest, UnwrittenTailIsNoBatch) {
  PutFive();
  bytes_ += std::string(5000, '\0');
  EXPECT_EQ(Read({.offset = 100, .max_bytes = kNoLimit})->next_offset, 110);
  EXPECT_THAT(Read({.offset = 110}), StatusIs(Code::kDataLoss));
}

}  // namespace
}  // namespace varve
