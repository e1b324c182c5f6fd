// SPDX-License-Identifier: Apache-2.0

// A segment whose index files are damaged or missing.

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/log/segment/segment_fixture.h"
#include "varve/log/segment/segment_read.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

using Code = absl::StatusCode;

// Damage to an index file. None may change the records that are read or
// appended.
using Damage = std::string (*)(const std::string& index,
                               const std::string& time_index);
struct NamedDamage {
  const char* name;
  Damage damage;
};

std::string Missing(const std::string&, const std::string&) { return "-"; }
std::string Emptied(const std::string&, const std::string&) { return ""; }
std::string Short(const std::string& index, const std::string&) {
  return index.substr(0, index.size() - 8);
}
std::string Odd(const std::string& index, const std::string&) {
  return index.substr(0, index.size() - 3);
}
std::string Zeroed(const std::string& index, const std::string&) {
  return std::string(index.size(), '\0');
}
std::string ZeroTail(const std::string& index, const std::string&) {
  return index + std::string(4096, '\0');
}
std::string Garbage(const std::string&, const std::string&) {
  return std::string(240, 'g');
}
std::string Swapped(const std::string&, const std::string& time_index) {
  return time_index;
}
// Passes the sanity check: entries grow.
std::string WrongPositions(const std::string&, const std::string&) {
  return OffsetEntry(10, 1) + OffsetEntry(20, 700) + OffsetEntry(39, 14999);
}
std::string WrongOffsets(const std::string&, const std::string&) {
  return OffsetEntry(9, 4500) + OffsetEntry(10, 6000) + OffsetEntry(50, 9000);
}
std::string BeyondTheEnd(const std::string&, const std::string&) {
  return OffsetEntry(5, 0x7fffff00) + OffsetEntry(0x7fffffff, 0x7fffffff);
}

class SegmentWithDamagedIndexTest
    : public SegmentFixture,
      public ::testing::WithParamInterface<NamedDamage> {
 protected:
  void SetUp() override {
    Create(500);
    Append(10);
    Seal();
  }
  // Damages both indexes as the parameter says.
  void DamageIndexes() {
    const std::string index = ReadBytes(IndexPath());
    const std::string time = ReadBytes(TimePath());
    Put(IndexPath(), GetParam().damage(index, time));
    Put(TimePath(), GetParam().damage(time, index));
  }
  static void Put(const std::string& path, const std::string& bytes) {
    if (bytes == "-") {
      std::filesystem::remove(path);
    } else {
      WriteBytes(path, bytes);
    }
  }
};

TEST_P(SegmentWithDamagedIndexTest, IsReadAllTheSame) {
  DamageIndexes();
  ReopenReadOnly();
  ExpectAllReadable();
}

TEST_P(SegmentWithDamagedIndexTest, IsContinuedAllTheSame) {
  DamageIndexes();
  ReopenForAppend();
  ExpectAllReadable();
  Append(12);
  ExpectAllReadable();
  Seal();
  ReopenReadOnly();
  ExpectAllReadable();
}

INSTANTIATE_TEST_SUITE_P(
    Damages, SegmentWithDamagedIndexTest,
    ::testing::ValuesIn<NamedDamage>({{"Missing", Missing},
                                      {"Emptied", Emptied},
                                      {"Short", Short},
                                      {"Odd", Odd},
                                      {"Zeroed", Zeroed},
                                      {"ZeroTail", ZeroTail},
                                      {"Garbage", Garbage},
                                      {"Swapped", Swapped},
                                      {"WrongPositions", WrongPositions},
                                      {"WrongOffsets", WrongOffsets},
                                      {"BeyondTheEnd", BeyondTheEnd}}),
    [](const auto& suite) { return std::string(suite.param.name); });

using SegmentIndexDamageTest = SegmentFixture;

TEST_F(SegmentIndexDamageTest, MissingIndexesAreMadeAgainAsTheyWere) {
  Create();
  Append(11);
  Seal();
  const std::string index = ReadBytes(IndexPath());
  const std::string time = ReadBytes(TimePath());
  std::filesystem::remove(IndexPath());
  ReopenForAppend();
  Seal();
  EXPECT_EQ(ReadBytes(IndexPath()), index);
  EXPECT_EQ(ReadBytes(TimePath()), time);
}

TEST_F(SegmentIndexDamageTest, IndexesMadeAgainPassOverDamage) {
  Create();
  Append(11);
  Seal();
  WriteBytes(segment_->path(), WithBitFlipped(written_, 8 * 2000));
  std::filesystem::remove(IndexPath());
  ReopenForAppend();
  EXPECT_EQ(segment_->Lookup(109), (OffsetPosition{109, 15000}));
  EXPECT_THAT(ReadSegment(*segment_, {.offset = 9}), IsOk());
  EXPECT_THAT(ReadSegment(*segment_, {.offset = 10}),
              StatusIs(Code::kDataLoss));
  EXPECT_THAT(ReadSegment(*segment_, {.offset = 20}), IsOk());
}

}  // namespace
}  // namespace varve
