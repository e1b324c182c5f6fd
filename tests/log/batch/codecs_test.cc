// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/codecs.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "tests/fixture/fake_codec.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Code = absl::StatusCode;

// A batch with one record, compressed with lz4, and its records as they were.
class CodecsTest : public testing::Test {
 protected:
  CodecsTest() {
    EXPECT_THAT(builder_.Append({.value = std::string(200, 'v')}, 1), IsOk());
    plain_ = std::string(builder_.records());
    const auto batch = builder_.FinishCompressed(codecs_.lz4);
    EXPECT_THAT(batch, IsOk());
    bytes_ = std::string(batch->bytes());
  }
  RecordBatch batch() const { return RecordBatch(bytes_); }
  int64_t plain_size() const { return static_cast<int64_t>(plain_.size()); }

  FakeCodecs codecs_;
  RecordBatchBuilder builder_;
  std::string plain_;
  std::string bytes_;
  ByteBuffer out_;
};

TEST_F(CodecsTest, EachIsFoundByItsCompressionAndOthersAreNot) {
  EXPECT_EQ(codecs_.all.Find(Compression::kZstd), &codecs_.zstd);
  EXPECT_EQ(codecs_.all.Find(Compression::kGzip), &codecs_.gzip);
  EXPECT_EQ(codecs_.all.Find(Compression::kNone), nullptr);
  EXPECT_EQ(codecs_.all.Find(static_cast<Compression>(5)), nullptr);
  const Codecs one({&codecs_.lz4});
  EXPECT_EQ(one.Find(Compression::kZstd), nullptr);
}

TEST_F(CodecsTest, TwoOfOneKindEndTheProgram) {
  EXPECT_DEATH(Codecs({&codecs_.lz4, &codecs_.lz4}), "two codecs for lz4");
  EXPECT_DEATH(Codecs({nullptr}), "");
}

TEST_F(CodecsTest, RecordsAreAppendedToWhatIsThere) {
  out_.Append("before");
  ASSERT_THAT(DecompressRecords(batch(), &codecs_.all, out_), IsOk());
  EXPECT_EQ(out_.view(), "before" + plain_);
}

TEST_F(CodecsTest, WithoutItsCodecABatchIsUnimplemented) {
  const Codecs zstd({&codecs_.zstd});
  for (const Codecs* codecs : {static_cast<const Codecs*>(nullptr), &zstd}) {
    EXPECT_THAT(DecompressRecords(batch(), codecs, out_),
                StatusIs(Code::kUnimplemented,
                         AllOf(HasSubstr("offset 0 is compressed with lz4"),
                               HasSubstr("field `codecs`"))));
  }
}

TEST_F(CodecsTest, LargerThanEitherLimitIsResourceExhausted) {
  EXPECT_THAT(
      DecompressRecords(batch(), &codecs_.all, out_, plain_size() - 1),
      StatusIs(Code::kResourceExhausted, HasSubstr("offset 0, lz4: more")));
  const Codecs small({&codecs_.lz4}, plain_size() - 1);
  EXPECT_THAT(DecompressRecords(batch(), &small, out_),
              StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(out_.size(), 0u);
  EXPECT_THAT(DecompressRecords(batch(), &codecs_.all, out_, plain_size()),
              IsOk());
}

TEST_F(CodecsTest, PlainRecordsOfACompressedBatchReplaceTheScratch) {
  out_.Append("before");
  EXPECT_THAT(PlainRecords(batch(), &codecs_.all, out_), IsOkAndHolds(plain_));
  EXPECT_EQ(out_.view(), plain_);
  EXPECT_THAT(PlainRecords(batch(), nullptr, out_),
              StatusIs(Code::kUnimplemented));
}

TEST_F(CodecsTest, PlainRecordsOfAPlainBatchAreWhereTheyWere) {
  const RecordBatch plain = builder_.Finish().batch();
  const auto records = PlainRecords(plain, nullptr, out_);
  ASSERT_THAT(records, IsOk());
  EXPECT_EQ(records->data(), plain.records().data());
  EXPECT_EQ(out_.capacity(), 0u);
}

TEST_F(CodecsTest, BatchWithoutRecordsHasNoneWhateverItsAttributesSay) {
  const std::string emptied = WithRecords(batch(), "", 0);
  EXPECT_THAT(PlainRecords(RecordBatch(emptied), nullptr, out_),
              IsOkAndHolds(""));
}

}  // namespace
}  // namespace varve
