// SPDX-License-Identifier: Apache-2.0

// What a verification finds in compressed batches, with their codec and
// without.

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A partition of three batches with two records each. The second is compressed.
class CompressedBatchVerificationTest : public PartitionFixture {
 protected:
  // Writes the partition, with this batch in the middle.
  void Write(const EncodedBatch& compressed) {
    Recover();
    AppendMany(2);
    ASSERT_THAT(log_->Append(compressed, Durability::kMemory), IsOk());
    AppendMany(2);
    CloseCleanly();
  }
  RecordBatchBuilder& Filled() {
    for (int i = 0; i < 2; ++i)
      EXPECT_THAT(builder_.Append({.value = "squeezed"}, 1000 + i), IsOk());
    return builder_;
  }
  PartitionVerification Verify(const Codecs* codecs) {
    auto directory = FileSystem::Posix()->OpenDirectory(path_);
    auto result = VerifyPartition(
        **directory, {.checkpoint = checkpoint_, .codecs = codecs});
    EXPECT_THAT(result, IsOk());
    EXPECT_EQ(result->counts.batches, 5);
    // The fixture has no partition.metadata.
    std::erase_if(result->findings, [](const VerifyFinding& finding) {
      return finding.what == "missing: Kafka would make it";
    });
    return *result;
  }
  static auto Finds(FindingSeverity severity, std::string_view what) {
    return ElementsAre(
        AllOf(Field("severity", &VerifyFinding::severity, severity),
              Field("offset", &VerifyFinding::offset, 2),
              Field("position", &VerifyFinding::position, testing::Gt(0)),
              Field("what", &VerifyFinding::what, HasSubstr(what))));
  }

  FakeCodecs codecs_of_test_;
  RecordBatchBuilder builder_;
};

TEST_F(CompressedBatchVerificationTest, SoundBatchIsCountedInEitherWay) {
  Write(*Filled().FinishCompressed(codecs_of_test_.snappy));
  const Codecs others({&codecs_of_test_.gzip});
  for (const Codecs* codecs : std::initializer_list<const Codecs*>{
           nullptr, &others, &codecs_of_test_.all}) {
    const PartitionVerification result = Verify(codecs);
    EXPECT_THAT(result.findings, IsEmpty());
    EXPECT_EQ(result.counts.records, 6);
  }
  EXPECT_EQ(codecs_of_test_.snappy.decompressed_count(), 1);
}

TEST_F(CompressedBatchVerificationTest, DamagedStreamIsFoundWithTheCodec) {
  Write(*Filled().FinishCompressed(Compression::kSnappy, "no stream"));
  EXPECT_THAT(Verify(nullptr).findings, IsEmpty());
  EXPECT_THAT(Verify(&codecs_of_test_.all).findings,
              Finds(FindingSeverity::kDamage, "snappy: no stream"));
}

TEST_F(CompressedBatchVerificationTest, MalformedRecordsAreFound) {
  const std::string stream = FakeCompressed("\x7f\x7f", Compression::kSnappy);
  Write(*Filled().FinishCompressed(Compression::kSnappy, stream));
  EXPECT_THAT(Verify(&codecs_of_test_.all).findings,
              Finds(FindingSeverity::kDamage, "record 0 of 2"));
}

TEST_F(CompressedBatchVerificationTest, WrongLargestTimestampIsFound) {
  std::string batch(Filled().FinishCompressed(codecs_of_test_.snappy)->bytes());
  StoreBig64(batch.data() + batch_layout::kMaxTimestamp, 1002);
  batch = WithCrc(batch);
  Write(EncodedBatch::Unchecked(RecordBatch(batch)));
  EXPECT_THAT(Verify(nullptr).findings, IsEmpty());
  EXPECT_THAT(Verify(&codecs_of_test_.all).findings,
              Finds(FindingSeverity::kDamage, "the largest timestamp"));
}

TEST_F(CompressedBatchVerificationTest, BatchAboveTheLimitIsANote) {
  Write(*Filled().FinishCompressed(codecs_of_test_.snappy));
  const Codecs small({&codecs_of_test_.snappy}, 10);
  const PartitionVerification result = Verify(&small);
  EXPECT_THAT(result.findings,
              Finds(FindingSeverity::kNote, "more than 10 bytes"));
  EXPECT_EQ(result.counts.records, 6);
}

}  // namespace
}  // namespace varve
