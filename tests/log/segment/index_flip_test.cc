// SPDX-License-Identifier: Apache-2.0

// Every single bit of a segment's indexes is flipped: a store's results by
// offset and by time stay right, or the damage is reported, whether the bit
// flips before the open or while the index is mapped, with a sidecar and
// without.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr int64_t kRecords = 60;
constexpr int64_t kSegmentRecords = 22;
constexpr char kSealed[] = "/orders-0/00000000000000000000";
constexpr char kLast[] = "/orders-0/00000000000000000044";

// Every fourth batch has an entry. Two batches after it is one of the same
// time, and between them one of a later time: an entry whose offset becomes
// that of the second agrees with it, and hides the one between.
int64_t TimeOf(int64_t offset) {
  const int64_t group = 100'000 + 1000 * (offset / 4);
  switch (offset % 4) {
    case 1:
      return group + 64;
    case 3:
      return group + 100;
    default:
      return group;
  }
}

enum class Sidecars { kKept, kRemoved };

class IndexFlipTest : public testing::TestWithParam<Sidecars> {
 protected:
  IndexFlipTest() {
    for (int64_t i = 0; i < kRecords; ++i) times_.push_back(TimeOf(i));
  }

  void SetUp() override {
    TopicConfig config;
    config.log.segment_bytes = 8192;
    config.log.index_interval_bytes = 1200;
    auto store = Open(path_);
    ASSERT_THAT(store->CreateTopic("orders", config), IsOk());
    Partition orders = *store->partition("orders", 0);
    for (const int64_t time : times_) Append(orders, time);
    ASSERT_THAT(store->Close(), IsOk());
    ASSERT_TRUE(std::filesystem::exists(path_ + kLast + std::string(".log")));
    ASSERT_EQ(IndexSize(".index"), 8 * 5);
    ASSERT_EQ(IndexSize(".timeindex"), 12 * 6);
    if (GetParam() == Sidecars::kRemoved) RemoveSidecars();
  }

  static std::unique_ptr<LogStore> Open(const std::string& path) {
    auto store = LogStore::Open(path, {.background = Background::kNone});
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  static void Append(Partition& orders, int64_t time) {
    ASSERT_THAT(orders.Append({.value = std::string(300, 'v'),
                               .timestamp = absl::FromUnixMillis(time)},
                              Durability::kMemory),
                IsOk());
  }
  void RemoveSidecars() {
    for (const std::string& name : NamesIn(path_ + "/orders-0", "sealed-"))
      std::filesystem::remove(path_ + "/orders-0/" + name);
  }
  size_t IndexSize(const std::string& suffix) {
    return std::filesystem::file_size(path_ + kSealed + suffix);
  }

  // Flips it in place: the file may be mapped.
  static void Flip(const std::string& path, size_t bit) {
    const char flipped = WithBitFlipped(ReadBytes(path), bit)[bit / 8];
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(bit / 8));
    file.put(flipped);
    file.close();
    ASSERT_TRUE(file.good());
  }

  int64_t Expected(int64_t time) const {
    return std::find_if(times_.begin(), times_.end(),
                        [&](int64_t own) { return own >= time; }) -
           times_.begin();
  }
  static bool IsRightOrReported(const absl::StatusOr<int64_t>& found,
                                int64_t expected) {
    return found.ok() ? *found == expected : absl::IsDataLoss(found.status());
  }
  // Times around those of the first segment's records, and of the last's: of
  // all, or of those that have an entry, after which one can be hidden.
  template <typename Readable>
  void ExpectTimesRight(Readable& orders, int64_t step = 1) {
    for (int64_t i = 0; i < kRecords; i += step) {
      if (i > kSegmentRecords + 2 && i < kRecords - kSegmentRecords) continue;
      for (const int64_t time : {TimeOf(i), TimeOf(i) + 1}) {
        const auto found = orders.OffsetForTime(absl::FromUnixMillis(time));
        EXPECT_TRUE(IsRightOrReported(found, Expected(time)))
            << "time " << time << ": " << found.value_or(-1) << ", not "
            << Expected(time) << ", " << found.status();
      }
    }
  }
  template <typename Readable>
  void ExpectOffsetsRight(Readable& orders) {
    for (int64_t offset = 0; offset < kSegmentRecords; ++offset) {
      const auto view = orders.Read(offset);
      ASSERT_THAT(view, IsOk()) << offset;
      RecordBatches::Records records = view->records();
      EXPECT_EQ(records.Next()->offset(), offset);
    }
  }

  // Calls `check` with each bit of the file flipped.
  template <typename Check>
  void ForEachBit(const std::string& path, Check check) {
    const size_t bits = 8 * std::filesystem::file_size(path);
    for (size_t bit = 0; bit < bits && !HasFailure(); ++bit) {
      SCOPED_TRACE(absl::StrCat(path, ": bit ", bit));
      Flip(path, bit);
      check();
      Flip(path, bit);
    }
  }

  MemoryDirectory scratch_;
  const std::string path_ = scratch_.path() + "/store";
  const std::string copy_ = scratch_.path() + "/copy";
  std::vector<int64_t> times_;
};

TEST_P(IndexFlipTest, BitThatFlippedBeforeTheOpenHidesNothing) {
  for (const std::string suffix : {".timeindex", ".index"}) {
    ForEachBit(path_ + kSealed + suffix, [&] {
      const auto store = Open(path_);
      const Partition orders = *store->partition("orders", 0);
      ExpectTimesRight(orders);
      ExpectOffsetsRight(orders);
    });
  }
}

TEST_P(IndexFlipTest, BitThatFlipsInAMappedIndexHidesNothing) {
  const auto store = Open(path_);
  const Partition orders = *store->partition("orders", 0);
  ExpectTimesRight(orders);
  for (const std::string suffix : {".timeindex", ".index"}) {
    ForEachBit(path_ + kSealed + suffix, [&] {
      ExpectTimesRight(orders);
      ExpectOffsetsRight(orders);
    });
  }
}

TEST_P(IndexFlipTest, BitThatFlipsHidesNothingFromAReadOnlyStore) {
  const auto store = LogStore::OpenReadOnly(path_);
  ASSERT_THAT(store, IsOk());
  auto orders = (*store)->partition("orders", 0);
  ASSERT_THAT(orders, IsOk());
  for (const std::string suffix : {".timeindex", ".index"}) {
    ForEachBit(path_ + kSealed + suffix, [&] {
      ExpectTimesRight(*orders, 4);
      if (suffix == ".index") ExpectOffsetsRight(*orders);
    });
  }
}

// An error on disk is not carried into the entries that follow.
TEST_P(IndexFlipTest, BitThatFlippedInASegmentThatIsContinuedHidesNothing) {
  times_.push_back(TimeOf(kRecords - 1) - 500);
  times_.push_back(TimeOf(kRecords - 1) + 1);
  for (const std::string suffix : {".timeindex", ".index"}) {
    ForEachBit(path_ + kLast + suffix, [&] {
      CopyStore(path_, copy_);
      for (int pass = 0; pass < 2; ++pass) {
        const auto store = Open(copy_);
        Partition orders = *store->partition("orders", 0);
        if (pass == 0) {
          Append(orders, times_[kRecords]);
          Append(orders, times_[kRecords + 1]);
        }
        ExpectTimesRight(orders, 4);
        for (const int64_t time : {times_[kRecords], times_[kRecords + 1]}) {
          EXPECT_EQ(
              orders.OffsetForTime(absl::FromUnixMillis(time)).value_or(-1),
              Expected(time));
        }
        ASSERT_THAT(store->Close(), IsOk());
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Sidecars, IndexFlipTest,
                         testing::Values(Sidecars::kKept, Sidecars::kRemoved),
                         [](const auto& tested) {
                           return tested.param == Sidecars::kKept ? "Kept"
                                                                  : "Removed";
                         });

}  // namespace
}  // namespace varve
