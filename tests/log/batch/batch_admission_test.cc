// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/batch_admission.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/store_verifier.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/producer/producer_refusal.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();
constexpr int32_t kInt32Max = std::numeric_limits<int32_t>::max();

// Three records at 1000, 3000 and 2000 ms.
std::string ThreeRecords(const BatchOptions& options = {}) {
  RecordBatchBuilder builder(options);
  for (const int64_t time : {1000, 3000, 2000})
    CHECK_OK(builder.Append({.value = "v"}, time));
  return std::string(builder.Finish().bytes());
}

std::string With16(std::string bytes, int at, int16_t value) {
  StoreBig16(bytes.data() + at, value);
  return WithCrc(bytes);
}
std::string With32(std::string bytes, int at, int32_t value) {
  StoreBig32(bytes.data() + at, value);
  return WithCrc(bytes);
}
std::string With64(std::string bytes, int at, int64_t value) {
  StoreBig64(bytes.data() + at, value);
  return WithCrc(bytes);
}

class BatchAdmissionTest : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  }
  void Open() {
    auto store = LogStore::Open(path_, {.background = Background::kNone});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }
  Partition Orders() { return *store_->partition("orders", 0); }

  // It is refused as a batch from elsewhere, and as one that is said to be
  // good.
  void ExpectRefused(const std::string& bytes) {
    EXPECT_THAT(EncodedBatch::Parse(bytes), StatusIs(kInvalid));
    EXPECT_THAT(Orders().Append(EncodedBatch::Unchecked(RecordBatch(bytes)),
                                Durability::kMemory),
                StatusIs(kInvalid));
    EXPECT_EQ(Orders().visible_end(), 0);
  }
  // The files that a process that is killed now leaves are whole.
  void ExpectNoRecoveryRefusesWhatIsThere() {
    const int64_t end = Orders().visible_end();
    CopyStore(path_, copy_);
    const auto verified = VerifyStore(copy_, {}, {});
    ASSERT_THAT(verified, IsOk());
    EXPECT_EQ(verified->damage_count(), 0);
    auto recovered = LogStore::Open(copy_, {.background = Background::kNone});
    ASSERT_THAT(recovered, IsOk());
    EXPECT_FALSE((*recovered)->recovery_report().has_damage());
    EXPECT_EQ((*recovered)->partition("orders", 0)->visible_end(), end);
  }

  MemoryDirectory scratch_;
  const std::string path_ = scratch_.path() + "/store";
  const std::string copy_ = scratch_.path() + "/copy";
  std::unique_ptr<LogStore> store_;
};

TEST_F(BatchAdmissionTest, TimestampsOutOfRangeAreRefused) {
  for (const int64_t time : {kInt64Max, int64_t{-2}, kInt64Min}) {
    SCOPED_TRACE(time);
    ExpectRefused(With64(ThreeRecords(), batch_layout::kMaxTimestamp, time));
    ExpectRefused(With64(ThreeRecords(), batch_layout::kBaseTimestamp, time));
    // This holds, too, where they are not the records' own times.
    const BatchOptions stamped = {.timestamp_type =
                                      TimestampType::kLogAppendTime};
    ExpectRefused(
        With64(ThreeRecords(stamped), batch_layout::kMaxTimestamp, time));
    const BatchOptions horizon = {.delete_horizon_ms = 5000};
    ExpectRefused(
        With64(ThreeRecords(horizon), batch_layout::kBaseTimestamp, time));
  }
}

TEST_F(BatchAdmissionTest, TimestampsAtTheEdgeOfTheRangeAreTaken) {
  for (const int64_t time : {int64_t{-1}, int64_t{0}, kInt64Max - 1}) {
    RecordBatchBuilder builder;
    ASSERT_THAT(builder.Append({.value = "v"}, time), IsOk());
    const auto batch = EncodedBatch::Parse(builder.Finish().bytes());
    ASSERT_THAT(batch, IsOk());
    EXPECT_THAT(Orders().Append(*batch), IsOk());
  }
  ExpectNoRecoveryRefusesWhatIsThere();
}

TEST_F(BatchAdmissionTest, LargestTimestampBelowTheBaseIsRefused) {
  ExpectRefused(With64(ThreeRecords(), batch_layout::kMaxTimestamp, 999));
  ExpectRefused(With64(ThreeRecords(), batch_layout::kMaxTimestamp, -1));
}

TEST_F(BatchAdmissionTest, LargestTimestampThatIsNotTheRecordsIsRefused) {
  for (const int64_t time : {2000, 2999, 3001}) {
    EXPECT_THAT(EncodedBatch::Parse(
                    With64(ThreeRecords(), batch_layout::kMaxTimestamp, time)),
                StatusIs(kInvalid));
  }
}

TEST_F(BatchAdmissionTest, TimestampOfARecordThatLeavesTheRangeIsRefused) {
  // The deltas are 0, 2000 and 1000.
  for (const int64_t base : {kInt64Max - 1, kInt64Max - 1500}) {
    std::string bytes =
        With64(ThreeRecords(), batch_layout::kBaseTimestamp, base);
    bytes = With64(bytes, batch_layout::kMaxTimestamp, kInt64Max - 1);
    EXPECT_THAT(EncodedBatch::Parse(bytes), StatusIs(kInvalid)) << base;
  }
}

TEST_F(BatchAdmissionTest, AttributeBitsThatMeanNothingAreRefused) {
  for (int bit = 7; bit < 16; ++bit) {
    SCOPED_TRACE(bit);
    ExpectRefused(With16(ThreeRecords(), batch_layout::kAttributes,
                         static_cast<int16_t>(1 << bit)));
  }
}

TEST_F(BatchAdmissionTest, OffsetsThatAreNotThoseOfTheRecordsAreRefused) {
  for (const int32_t delta : {3, 100, kInt32Max}) {
    EXPECT_THAT(EncodedBatch::Parse(With32(
                    ThreeRecords(), batch_layout::kLastOffsetDelta, delta)),
                StatusIs(kInvalid));
  }
  // Fewer offsets than records: no reader takes it for a batch.
  for (const int32_t delta : {1, 0, -1, std::numeric_limits<int32_t>::min()}) {
    EXPECT_THAT(EncodedBatch::Parse(With32(
                    ThreeRecords(), batch_layout::kLastOffsetDelta, delta)),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_F(BatchAdmissionTest, PlaceInAnotherLogIsNotLookedAt) {
  std::string bytes = ThreeRecords();
  StoreBig64(bytes.data() + batch_layout::kBaseOffset, kInt64Max - 3);
  StoreBig32(bytes.data() + batch_layout::kLeaderEpoch,
             std::numeric_limits<int32_t>::min());
  const auto batch = EncodedBatch::Parse(bytes);
  ASSERT_THAT(batch, IsOk());
  ASSERT_THAT(Orders().Append(*batch), IsOk());
  EXPECT_EQ(Orders().visible_end(), 3);
  ExpectNoRecoveryRefusesWhatIsThere();
}

TEST_F(BatchAdmissionTest, BuilderMakesNoBatchThatIsRefused) {
  RecordBatchBuilder builder;
  for (const int64_t time : {kInt64Max, int64_t{-2}, kInt64Min})
    EXPECT_THAT(builder.Append({.value = "v"}, time), StatusIs(kInvalid));
  ASSERT_THAT(builder.Append({.value = "v"}, 5), IsOk());
  EXPECT_THAT(builder.FinishAs({.max_timestamp_ms = kInt64Max}),
              StatusIs(kInvalid));
  EXPECT_THAT(BatchOptions{.delete_horizon_ms = kInt64Max}.Validate(),
              StatusIs(kInvalid));
}

// A verification and a recovery find every admitted batch whole.
TEST_F(BatchAdmissionTest, NoRecoveryRefusesWhatAnAppendTook) {
  const auto seed = absl::Uniform<uint32_t>(absl::BitGen());
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::vector<int64_t> edges = {
      kInt64Min, -2, -1, 0, 1000, 3000, 5000, kInt64Max - 1, kInt64Max};
  const auto edge = [&] { return edges[random() % edges.size()]; };
  int taken = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = ThreeRecords();
    for (uint64_t changes = random() % 3; changes > 0; --changes) {
      switch (random() % 6) {
        case 0:
          bytes = With64(bytes, batch_layout::kBaseTimestamp, edge());
          break;
        case 1:
          bytes = With64(bytes, batch_layout::kMaxTimestamp, edge());
          break;
        case 2:
          bytes = With16(bytes, batch_layout::kAttributes,
                         static_cast<int16_t>(1 << (random() % 16)));
          break;
        case 3:
          bytes = With32(bytes, batch_layout::kLastOffsetDelta,
                         static_cast<int32_t>(edge()));
          break;
        case 4:
          bytes = With32(bytes, batch_layout::kRecordCount,
                         static_cast<int32_t>(random() % 5));
          break;
        default:
          bytes = With64(bytes, batch_layout::kProducerId, edge());
      }
    }
    const auto batch = EncodedBatch::Parse(bytes);
    if (!batch.ok()) continue;
    const auto result = Orders().Append(*batch, Durability::kMemory);
    if (ProducerRefusalOf(result.status()).has_value()) continue;
    ASSERT_THAT(result, IsOk());
    ++taken;
  }
  EXPECT_GT(taken, 300);
  ExpectNoRecoveryRefusesWhatIsThere();
}

}  // namespace
}  // namespace varve
