// SPDX-License-Identifier: Apache-2.0

#include "varve/log/retention/store_size_policy.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/retention/retention_policy.h"

namespace varve {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kHour = 3'600'000;

// Segments of 10 offsets and 100 bytes, with these ages in hours; durable
// whole.
StoreSizeLog LogOf(const std::vector<int64_t>& ages_h,
                   CleanupPolicy policy = CleanupPolicy::kDelete) {
  StoreSizeLog log;
  log.cleanup_policy = policy;
  for (const int64_t age_h : ages_h) {
    const auto i = static_cast<int64_t>(log.segments.size());
    log.segments.push_back({.base_offset = i * 10,
                            .next_offset = i * 10 + 10,
                            .size_bytes = 100,
                            .max_timestamp_ms = kNow - age_h * kHour});
  }
  log.durable_end = static_cast<int64_t>(ages_h.size()) * 10;
  return log;
}

StoreSizeDecision Decide(const std::vector<StoreSizeLog>& logs,
                         int64_t size_max_bytes) {
  return DecideStoreSize(
      {.logs = logs, .size_max_bytes = size_max_bytes, .now_ms = kNow});
}

TEST(StoreSizePolicyTest, StoreWithinItsLimitKeepsAll) {
  const StoreSizeDecision decision = Decide({LogOf({9, 8, 7})}, 300);
  EXPECT_THAT(decision.counts, ElementsAre(0));
  EXPECT_EQ(decision.deleted_count, 0);
  EXPECT_EQ(decision.left_bytes, 300);
}

TEST(StoreSizePolicyTest, StoreOfNoTopicHasNothing) {
  const StoreSizeDecision decision = Decide({}, 0);
  EXPECT_THAT(decision.counts, ElementsAre());
  EXPECT_EQ(decision.left_bytes, 0);
}

TEST(StoreSizePolicyTest, OneByteTooManyDeletesOneSegment) {
  EXPECT_THAT(Decide({LogOf({9, 8, 7})}, 299).counts, ElementsAre(1));
}

TEST(StoreSizePolicyTest, OldestOfAllLogsGoFirst) {
  const std::vector<StoreSizeLog> logs = {
      LogOf({50, 40, 10, 1}), LogOf({45, 44, 43, 1}), LogOf({30, 20, 1})};
  EXPECT_THAT(Decide(logs, 1000).counts, ElementsAre(1, 0, 0));
  EXPECT_THAT(Decide(logs, 900).counts, ElementsAre(1, 1, 0));
  EXPECT_THAT(Decide(logs, 700).counts, ElementsAre(1, 3, 0));
  EXPECT_THAT(Decide(logs, 600).counts, ElementsAre(2, 3, 0));
  EXPECT_THAT(Decide(logs, 400).counts, ElementsAre(2, 3, 2));
  EXPECT_THAT(Decide(logs, 300).counts, ElementsAre(3, 3, 2));
  EXPECT_EQ(Decide(logs, 300).deleted_bytes, 800);
}

TEST(StoreSizePolicyTest, LastSegmentsStayWhateverTheLimit) {
  const StoreSizeDecision decision = Decide({LogOf({9}), LogOf({8, 7})}, 0);
  EXPECT_THAT(decision.counts, ElementsAre(0, 1));
  EXPECT_EQ(decision.left_bytes, 200);
}

TEST(StoreSizePolicyTest, CompactedLogCountsAndStays) {
  const std::vector<StoreSizeLog> logs = {
      LogOf({90, 80, 70}, CleanupPolicy::kCompact), LogOf({5, 4, 3})};
  EXPECT_THAT(Decide(logs, 500).counts, ElementsAre(0, 1));
  EXPECT_THAT(Decide(logs, 0).counts, ElementsAre(0, 2));
  EXPECT_EQ(Decide(logs, 0).left_bytes, 400);
}

TEST(StoreSizePolicyTest, LogThatIsCompactedAndDeletedGoes) {
  EXPECT_THAT(
      Decide({LogOf({90, 80, 70}, CleanupPolicy::kCompactAndDelete)}, 100)
          .counts,
      ElementsAre(2));
}

TEST(StoreSizePolicyTest, SegmentThatIsNotDurableStaysAndKeepsWhatIsBehind) {
  StoreSizeLog log = LogOf({9, 8, 7, 6});
  log.durable_end = 19;
  EXPECT_THAT(Decide({log}, 0).counts, ElementsAre(1));
  log.durable_end = 20;
  EXPECT_THAT(Decide({log}, 0).counts, ElementsAre(2));
}

TEST(StoreSizePolicyTest, OlderSegmentBehindAYoungerOneCountsAsThat) {
  // The second one of the first log cannot go before the first one.
  const std::vector<StoreSizeLog> logs = {LogOf({10, 90, 1}),
                                          LogOf({20, 15, 1})};
  EXPECT_THAT(Decide(logs, 500).counts, ElementsAre(0, 1));
  EXPECT_THAT(Decide(logs, 400).counts, ElementsAre(0, 2));
  EXPECT_THAT(Decide(logs, 300).counts, ElementsAre(1, 2));
  EXPECT_THAT(Decide(logs, 200).counts, ElementsAre(2, 2));
}

TEST(StoreSizePolicyTest, SegmentsWithoutATimeGoLast) {
  StoreSizeLog timeless = LogOf({1, 1, 1});
  for (RetentionSegment& segment : timeless.segments)
    segment.max_timestamp_ms = -1;
  const std::vector<StoreSizeLog> logs = {timeless, LogOf({3, 2, 1})};
  EXPECT_THAT(Decide(logs, 400).counts, ElementsAre(0, 2));
  EXPECT_THAT(Decide(logs, 300).counts, ElementsAre(1, 2));
}

TEST(StoreSizePolicyTest, LastWriteCountsWhereTheRecordsHaveNoTime) {
  StoreSizeLog written = LogOf({1, 1, 1});
  for (RetentionSegment& segment : written.segments) {
    segment.max_timestamp_ms = 0;
    segment.modified_ms = kNow - 50 * kHour;
  }
  EXPECT_THAT(Decide({LogOf({9, 9, 9}), written}, 500).counts,
              ElementsAre(0, 1));
}

TEST(StoreSizePolicyTest, OfOneAgeTheEarlierLogGoesFirst) {
  EXPECT_THAT(Decide({LogOf({9, 8}), LogOf({9, 8})}, 300).counts,
              ElementsAre(1, 0));
}

// What the header says, once more and slowly: look at all, take the oldest.
class Restated {
 public:
  explicit Restated(std::vector<StoreSizeLog> logs)
      : logs_(std::move(logs)), counts_(logs_.size()) {}

  std::vector<int64_t> CountsFor(int64_t size_max_bytes) {
    while (BytesLeft() > size_max_bytes) {
      std::optional<size_t> oldest;
      for (size_t i = 0; i < logs_.size(); ++i) {
        if (!MayGo(i)) continue;
        if (!oldest.has_value() || TimeOfNext(i) < TimeOfNext(*oldest))
          oldest = i;
      }
      if (!oldest.has_value()) break;
      ++counts_[*oldest];
    }
    return counts_;
  }

 private:
  int64_t BytesLeft() const {
    int64_t sum = 0;
    for (size_t i = 0; i < logs_.size(); ++i) {
      for (size_t j = static_cast<size_t>(counts_[i]);
           j < logs_[i].segments.size(); ++j) {
        sum += logs_[i].segments[j].size_bytes;
      }
    }
    return sum;
  }
  bool MayGo(size_t i) const {
    const auto next = static_cast<size_t>(counts_[i]);
    const StoreSizeLog& log = logs_[i];
    return log.cleanup_policy != CleanupPolicy::kCompact &&
           next + 1 < log.segments.size() &&
           log.segments[next].next_offset <= log.durable_end;
  }
  int64_t TimeOfNext(size_t i) const {
    int64_t latest = -1;
    for (size_t j = 0; j <= static_cast<size_t>(counts_[i]); ++j)
      latest = std::max(latest, logs_[i].segments[j].max_timestamp_ms);
    return latest < 0 ? std::numeric_limits<int64_t>::max() : latest;
  }

  const std::vector<StoreSizeLog> logs_;
  std::vector<int64_t> counts_;
};

class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {}
  int64_t Below(int64_t end) {
    return std::uniform_int_distribution<int64_t>(0, end - 1)(random_);
  }

 private:
  std::mt19937_64 random_;
};

StoreSizeLog RandomLog(Chance& chance) {
  StoreSizeLog log;
  log.cleanup_policy = static_cast<CleanupPolicy>(chance.Below(3));
  const int64_t count = chance.Below(7);
  int64_t offset = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t next = offset + 1 + chance.Below(20);
    log.segments.push_back(
        {.base_offset = offset,
         .next_offset = next,
         .size_bytes = chance.Below(1000),
         .max_timestamp_ms =
             chance.Below(5) == 0 ? -1 : kNow - chance.Below(20) * kHour});
    offset = next;
  }
  log.durable_end = chance.Below(2) == 0 ? offset : chance.Below(offset + 1);
  return log;
}

TEST(StoreSizePolicyTest, RandomStoresAreDecidedAsAPlainModelDoes) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Chance chance(seed);
  for (int step = 0; step < 20'000; ++step) {
    std::vector<StoreSizeLog> logs;
    const int64_t count = chance.Below(5);
    for (int64_t i = 0; i < count; ++i) logs.push_back(RandomLog(chance));
    const int64_t size_max_bytes = chance.Below(8000);
    const StoreSizeDecision decision = Decide(logs, size_max_bytes);
    ASSERT_EQ(decision.counts, Restated(logs).CountsFor(size_max_bytes))
        << "step " << step;
  }
}

}  // namespace
}  // namespace varve
