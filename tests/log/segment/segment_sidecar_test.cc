// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment_sidecar.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/batch/incoming_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr SegmentSidecar kSidecar = {.base_offset = 57,
                                     .size_bytes = 4096,
                                     .next_offset = 99,
                                     .max_timestamp_ms = 1700000000000,
                                     .headers_crc = 0x0badcafe,
                                     .index_crc = 0,
                                     .time_index_crc = 0xffffffff};

constexpr std::string_view kText =
    "varve.sealed 1\n"
    "base_offset 57\n"
    "size 4096\n"
    "next_offset 99\n"
    "largest_timestamp 1700000000000\n"
    "headers 0badcafe\n"
    "index 00000000\n"
    "timeindex ffffffff\n"
    "crc32c ff6b4fb1\n";

// The text with other lines, and a checksum that fits.
std::string WithLines(const std::vector<std::string>& lines) {
  return FormatChecksummedText("varve.sealed", lines);
}
std::string With(std::string_view line, std::string_view instead) {
  std::vector<std::string> lines = {
      "base_offset 57",    "size 4096",
      "next_offset 99",    "largest_timestamp 1700000000000",
      "headers 0badcafe",  "index 00000000",
      "timeindex ffffffff"};
  bool replaced = false;
  for (std::string& each : lines) {
    if (each != line) continue;
    each = instead;
    replaced = true;
  }
  EXPECT_TRUE(replaced) << line;
  return WithLines(lines);
}

std::string OfANewerVersion() {
  std::string text = "varve.sealed 3\nsomething new\n";
  absl::StrAppendFormat(&text, "crc32c %08x\n",
                        static_cast<uint32_t>(absl::ComputeCrc32c(text)));
  return text;
}

TEST(SegmentSidecarTest, TextIsAsSpecified) {
  EXPECT_EQ(kSidecar.ToText(), kText);
  EXPECT_THAT(SegmentSidecar::FromText(kText), IsOkAndHolds(kSidecar));
}

TEST(SegmentSidecarTest, IndexesThatAreNotThereHaveNoChecksum) {
  SegmentSidecar sidecar = kSidecar;
  sidecar.index_crc = std::nullopt;
  sidecar.time_index_crc = std::nullopt;
  EXPECT_THAT(sidecar.ToText(), HasSubstr("\nindex -\ntimeindex -\n"));
  EXPECT_THAT(SegmentSidecar::FromText(sidecar.ToText()),
              IsOkAndHolds(sidecar));
}

TEST(SegmentSidecarTest, OneOfACompactedSegmentSaysWhereTheNextBegins) {
  SegmentSidecar sidecar = kSidecar;
  sidecar.cleaned_to = 120;
  const std::string text = sidecar.ToText();
  EXPECT_THAT(text, StartsWith("varve.sealed 2\n"));
  EXPECT_THAT(text, HasSubstr("\ntimeindex ffffffff\ncleaned_to 120\ncrc32c "));
  EXPECT_THAT(SegmentSidecar::FromText(text), IsOkAndHolds(sidecar));
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    EXPECT_FALSE(SegmentSidecar::FromText(WithBitFlipped(text, bit)).ok())
        << bit;
  }
}

TEST(SegmentSidecarTest, TheVersionGoesWithTheFields) {
  const std::vector<std::string> seven = {
      "base_offset 57",   "size 4096", "next_offset 99", "largest_timestamp 0",
      "headers 0badcafe", "index -",   "timeindex -"};
  std::vector<std::string> eight = seven;
  eight.push_back("cleaned_to 120");
  for (const std::string& text :
       {FormatChecksummedText("varve.sealed", seven, 2),
        FormatChecksummedText("varve.sealed", eight, 1)}) {
    EXPECT_THAT(SegmentSidecar::FromText(text),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr("are not those of its version")));
  }
  eight.back() = "cleaned_to 98";
  EXPECT_THAT(
      SegmentSidecar::FromText(FormatChecksummedText("varve.sealed", eight, 2)),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cleaned_to")))
      << "it is below next_offset";
}

TEST(SegmentSidecarTest, EveryBitFlipIsFound) {
  const std::string text(kText);
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    EXPECT_FALSE(SegmentSidecar::FromText(WithBitFlipped(text, bit)).ok())
        << bit;
  }
}

TEST(SegmentSidecarTest, EveryOtherLengthIsDamage) {
  for (size_t size = 0; size < kText.size(); ++size) {
    EXPECT_THAT(SegmentSidecar::FromText(kText.substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
  EXPECT_THAT(SegmentSidecar::FromText(absl::StrCat(kText, "\n")),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(SegmentSidecarTest, NewerVersionIsNotDamage) {
  EXPECT_THAT(SegmentSidecar::FromText(OfANewerVersion()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("format version 3")));
  EXPECT_THAT(
      SegmentSidecar::FromText(absl::StrReplaceAll(kText, {{" 1\n", " 3\n"}})),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checksum")))
      << "without a checksum that fits it is";
}

TEST(SegmentSidecarTest, ImpossibleFieldsAreDamageInTheirLine) {
  const std::pair<std::string, std::string> kCases[] = {
      {With("base_offset 57", "base_offset -1"), "line 2: base_offset"},
      {With("base_offset 57", "base_offset 057"), "line 2: base_offset"},
      {With("base_offset 57", "base_offset 100"), "line 4: next_offset"},
      {With("size 4096", "size 2147483648"), "line 3: size"},
      {With("size 4096", "size -1"), "line 3: size"},
      {With("size 4096", "size"), "line 3: size: the line does not begin"},
      {With("next_offset 99", "next_offset 9223372036854775808"), "line 4"},
      {With("largest_timestamp 1700000000000", "largest_timestamp -2"),
       "line 5: largest_timestamp"},
      {With("headers 0badcafe", "headers -"), "line 6: headers: there is none"},
      {With("headers 0badcafe", "headers 0BADCAFE"), "line 6: headers"},
      {With("headers 0badcafe", "headers badcafe"), "line 6: headers"},
      {With("index 00000000", "index"), "line 7: index"},
      {With("index 00000000", "timeindex 00000000"), "line 7: index"},
      {With("timeindex ffffffff", "timeindex fffffffg"), "line 8: timeindex"},
      {WithLines({}), "0 fields are there, not 7 or 8"},
  };
  for (const auto& [text, message] : kCases) {
    EXPECT_THAT(SegmentSidecar::FromText(text),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(message)))
        << text;
  }
}

// A placed batch with `count` records of that time.
std::string Batch(int64_t base_offset, int count, int64_t timestamp_ms) {
  RecordBatchBuilder builder;
  for (int i = 0; i < count; ++i) {
    EXPECT_THAT(builder.Append({.value = "value"}, timestamp_ms), IsOk());
  }
  const EncodedBatch batch = builder.Finish();
  std::string placed(static_cast<size_t>(batch.size_bytes()), '\0');
  IncomingBatch(batch, /*now_ms=*/0)
      .PlaceAt(placed.data(), {.base_offset = base_offset, .leader_epoch = 3});
  return placed;
}

TEST(SegmentSidecarTest, BatchesAddUp) {
  const std::string first = Batch(57, 3, 2000);
  const std::string second = Batch(60, 2, 1000);
  SegmentSidecar sidecar = SegmentSidecar::OfEmpty(57);
  EXPECT_EQ(sidecar.next_offset, 57);
  EXPECT_EQ(sidecar.max_timestamp_ms, -1);
  sidecar.Add(RecordBatch(first));
  sidecar.Add(RecordBatch(second));
  const std::string heads = first.substr(0, 21) + second.substr(0, 21);
  EXPECT_EQ(
      sidecar,
      (SegmentSidecar{
          .base_offset = 57,
          .size_bytes = static_cast<int64_t>(first.size() + second.size()),
          .next_offset = 62,
          .max_timestamp_ms = 2000,
          .headers_crc = static_cast<uint32_t>(absl::ComputeCrc32c(heads))}));
}

TEST(SegmentSidecarTest, BatchesOfASegmentAddUpAsOneByOne) {
  std::string bytes;
  SegmentSidecar one_by_one = SegmentSidecar::OfEmpty(57);
  SegmentSidecar in_steps = SegmentSidecar::OfEmpty(57);
  // Around the number that is summed at once, and with a gap.
  for (int i = 0; i < 200; ++i) {
    const std::string batch = Batch(57 + 3 * i, 1 + i % 3, 1000 + i % 7);
    one_by_one.Add(RecordBatch(batch));
    bytes += batch;
    SegmentSidecar at_once = SegmentSidecar::OfEmpty(57);
    at_once.AddBatchesOf(bytes);
    ASSERT_EQ(at_once, one_by_one) << i;
    if (i % 5 == 0) in_steps.AddBatchesOf(bytes);
  }
  in_steps.AddBatchesOf(bytes + std::string(100, '\0'));
  EXPECT_EQ(in_steps, one_by_one) << "zeros behind them are no batch";
}

TEST(SegmentSidecarTest, BatchesBehindOneThatDoesNotFollowAreNotTaken) {
  const std::string first = Batch(57, 3, 1000);
  for (const std::string& next :
       {Batch(59, 1, 2000), std::string(70, 'x'), first.substr(0, 60)}) {
    SegmentSidecar sidecar = SegmentSidecar::OfEmpty(57);
    sidecar.AddBatchesOf(first + next + Batch(60, 1, 2000));
    EXPECT_EQ(sidecar.size_bytes, static_cast<int64_t>(first.size()));
    EXPECT_EQ(sidecar.max_timestamp_ms, 1000);
  }
}

TEST(SegmentSidecarTest, EveryBitOfAHeadCountsAndNoneBehindIt) {
  const std::string batch = Batch(57, 1, 1000);
  SegmentSidecar sound = SegmentSidecar::OfEmpty(57);
  sound.Add(RecordBatch(batch));
  for (size_t bit = 0; bit < 23 * 8; ++bit) {
    const std::string flipped = WithBitFlipped(batch, bit);
    SegmentSidecar sidecar = SegmentSidecar::OfEmpty(57);
    sidecar.Add(RecordBatch(flipped));
    EXPECT_EQ(sidecar.headers_crc == sound.headers_crc, bit >= 21 * 8) << bit;
  }
}

class SidecarFileTest : public testing::Test {
 protected:
  ScratchDirectory scratch_;
  std::unique_ptr<Directory> directory_ =
      FileSystem::Posix()->OpenDirectory(scratch_.path()).value();
  const std::string name_ = "sealed-00000000000000000057";
};

TEST_F(SidecarFileTest, IsWrittenReadReplacedAndRemoved) {
  EXPECT_THAT(ReadSidecar(*directory_, 57),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(RemoveSidecar(*directory_, 57), IsOk());
  ASSERT_THAT(WriteSidecar(*directory_, kSidecar), IsOk());
  EXPECT_THAT(NamesIn(scratch_.path()), ElementsAre(name_));
  EXPECT_EQ(ReadBytes(scratch_ / name_), kText);
  EXPECT_THAT(ReadSidecar(*directory_, 57), IsOkAndHolds(kSidecar));
  SegmentSidecar other = kSidecar;
  other.size_bytes = 1;
  ASSERT_THAT(WriteSidecar(*directory_, other), IsOk());
  EXPECT_THAT(ReadSidecar(*directory_, 57), IsOkAndHolds(other));
  EXPECT_THAT(RemoveSidecar(*directory_, 57), IsOk());
  EXPECT_THAT(NamesIn(scratch_.path()), ElementsAre());
}

TEST_F(SidecarFileTest, DamageIsToldWithThePath) {
  WriteBytes(scratch_ / name_, "varve.sealed 1\n");
  EXPECT_THAT(
      ReadSidecar(*directory_, 57),
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr(name_), HasSubstr("checksum in the last"))));
}

TEST_F(SidecarFileTest, OtherSegmentsSidecarIsDamage) {
  WriteBytes(scratch_ / "sealed-00000000000000000058", kText);
  EXPECT_THAT(ReadSidecar(*directory_, 58),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("it is that of segment 57")));
}

TEST_F(SidecarFileTest, HugeFileIsDamageAndNotRead) {
  WriteBytes(scratch_ / name_, std::string(1025, 'x'));
  EXPECT_THAT(ReadSidecar(*directory_, 57),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("may have 1024 at most")));
}

}  // namespace
}  // namespace varve
