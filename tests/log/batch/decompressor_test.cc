// SPDX-License-Identifier: Apache-2.0

// Views of which the records of compressed batches are decompressed: what they
// show, where they end, and whose memory it is.

#include "varve/log/batch/decompressor.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "tests/fixture/fake_codec.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/decompression_memory.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Code = absl::StatusCode;

constexpr int64_t kMaxBytes = int64_t{1} << 20;

// Batches of two records each, whose values are 100 times a letter: "a" and
// "b", then "c" and "d" …
class DecompressorTest : public testing::Test {
 protected:
  void Fill(RecordBatchBuilder& builder) {
    for (int i = 0; i < 2; ++i) {
      const std::string value(100, static_cast<char>('a' + next_ + i));
      ASSERT_THAT(builder.Append({.value = value}, 1), IsOk());
    }
  }
  void Place(std::string_view batch) {
    const size_t at = bytes_->size();
    bytes_->append(batch);
    StoreBig64(bytes_->data() + at, next_);
    begins_.push_back(at);
    next_ = RecordBatch(std::string_view(*bytes_).substr(at)).next_offset();
  }
  void AddPlain() {
    RecordBatchBuilder builder;
    Fill(builder);
    Place(builder.Finish().bytes());
  }
  void AddCompressed() {
    RecordBatchBuilder builder;
    Fill(builder);
    plain_size_ = static_cast<int64_t>(builder.records().size());
    Place(builder.FinishCompressed(codecs_.lz4)->bytes());
  }
  // A batch with this stream, whose checksum is right.
  void AddStream(std::string_view stream) {
    RecordBatchBuilder builder;
    Fill(builder);
    Place(builder.FinishCompressed(Compression::kLz4, stream)->bytes());
  }
  // One that has `count` zeros in it.
  void AddBomb(size_t count) {
    AddStream(FakeCompressed(std::string(count, '\0'), Compression::kLz4));
  }
  // A compressed batch that a log has no reason to hold.
  void AddOfKind(int16_t attributes, int32_t count) {
    AddCompressed();
    const size_t at = begins_.back();
    std::string batch = bytes_->substr(at);
    StoreBig16(batch.data() + batch_layout::kAttributes,
               static_cast<int16_t>(attributes | 3));
    StoreBig32(batch.data() + batch_layout::kRecordCount, count);
    bytes_->replace(at, std::string::npos, WithCrc(batch));
  }

  RecordBatches Raw(int64_t first_offset = 0) const {
    return RecordBatches(bytes_, *bytes_, first_offset, next_);
  }
  RecordBatches View(int64_t max_bytes = kMaxBytes, int64_t first_offset = 0) {
    return decompressor_->Decompress(Raw(first_offset), max_bytes);
  }
  int64_t tries() const { return codecs_.lz4.decompressed_count(); }

  // The first letters of the values that it returns.
  static std::string Letters(RecordBatches::Records& records) {
    std::string letters;
    while (const RecordView* record = records.Next()) {
      EXPECT_EQ(record->value(), std::string(100, record->value()->front()));
      EXPECT_EQ(record->offset(), record->value()->front() - 'a');
      letters += record->value()->front();
    }
    return letters;
  }
  static std::string Letters(const RecordBatches& view) {
    RecordBatches::Records records = view.records();
    std::string letters = Letters(records);
    EXPECT_THAT(records.status(), IsOk());
    EXPECT_EQ(records.next_offset(), view.next_offset());
    return letters;
  }

  FakeCodecs codecs_;
  std::optional<Decompressor> decompressor_{&codecs_.all};
  std::shared_ptr<std::string> bytes_ = std::make_shared<std::string>();
  std::vector<size_t> begins_;
  int64_t next_ = 0;
  int64_t plain_size_ = 0;  // of the records of a batch
};

TEST_F(DecompressorTest, CompressedAndPlainBatchesAreReadAlike) {
  AddPlain();
  AddCompressed();
  AddCompressed();
  AddPlain();
  AddCompressed();
  const RecordBatches view = View();
  EXPECT_EQ(Letters(view), "abcdefghij");
  EXPECT_EQ(view.bytes().data(), bytes_->data());
  EXPECT_EQ(view.bytes(), *bytes_);
  EXPECT_EQ(view.next_offset(), 10);
  EXPECT_EQ(tries(), 3);
}

TEST_F(DecompressorTest, ReadBeginsInsideACompressedBatch) {
  AddCompressed();
  AddCompressed();
  EXPECT_EQ(Letters(View(kMaxBytes, 1)), "bcd");
}

TEST_F(DecompressorTest, ViewEndsBeforeTheBatchThatPassesMaxBytes) {
  for (int i = 0; i < 4; ++i) AddCompressed();
  const struct {
    int64_t max_bytes;
    std::string letters;
  } kCases[] = {{4 * plain_size_, "abcdefgh"},
                {3 * plain_size_, "abcdef"},
                {3 * plain_size_ - 1, "abcd"},
                {plain_size_ - 1, "ab"},
                {0, "ab"}};
  for (const auto& [max_bytes, letters] : kCases) {
    const int64_t before = tries();
    const RecordBatches view = View(max_bytes);
    EXPECT_EQ(Letters(view), letters);
    EXPECT_EQ(view.next_offset(), std::ssize(letters));
    const size_t batches = letters.size() / 2;
    EXPECT_EQ(view.bytes().size(),
              batches == 4 ? bytes_->size() : begins_[batches]);
    // By the ratio so far the next one would not fit.
    EXPECT_EQ(tries() - before, std::ssize(letters) / 2);
  }
}

TEST_F(DecompressorTest, BatchThatProvesTooLargeLeavesThoseBefore) {
  AddCompressed();
  AddBomb(10'000);
  const RecordBatches view = View(3000);
  EXPECT_EQ(tries(), 2);
  EXPECT_EQ(view.next_offset(), 2);
  EXPECT_EQ(view.bytes().size(), begins_[1]);
  EXPECT_EQ(Letters(view), "ab");
}

TEST_F(DecompressorTest, PlainBatchesStayWhateverTheRecordsBeforeTook) {
  AddCompressed();
  AddPlain();
  AddCompressed();
  EXPECT_EQ(Letters(View(0)), "abcd");
  // A compressed one is not the first after a plain one.
  EXPECT_EQ(Letters(View(plain_size_ - 1)), "abcd");
}

TEST_F(DecompressorTest, PlainBatchBeforeOneThatDoesNotFitIsAViewOfItsOwn) {
  AddPlain();
  AddCompressed();
  EXPECT_EQ(Letters(View(plain_size_ - 1)), "ab");
  EXPECT_EQ(Letters(View(plain_size_)), "abcd");
}

TEST_F(DecompressorTest, NegativeMaxBytesAreAsNone) {
  AddPlain();
  AddCompressed();
  EXPECT_EQ(Letters(View(-1)), "ab");
  EXPECT_EQ(tries(), 0);
}

TEST_F(DecompressorTest, DamagedStreamEndsTheRecordsAndNotTheView) {
  AddCompressed();
  AddStream("no stream");
  AddCompressed();
  const RecordBatches view = View();
  EXPECT_EQ(view.bytes(), *bytes_);
  EXPECT_EQ(view.next_offset(), 6);
  EXPECT_EQ(tries(), 2);
  RecordBatches::Records records = view.records();
  EXPECT_EQ(Letters(records), "ab");
  EXPECT_THAT(records.status(),
              StatusIs(Code::kDataLoss, HasSubstr("offset 2, lz4: no stream")));
  EXPECT_EQ(records.next_offset(), 4);
  EXPECT_EQ(records.Next(), nullptr);
}

TEST_F(DecompressorTest, DecompressedBytesThatAreNoRecordsAreDataLoss) {
  AddStream(FakeCompressed("\x7f\x7f", Compression::kLz4));
  const RecordBatches view = View();
  RecordBatches::Records records = view.records();
  EXPECT_EQ(Letters(records), "");
  EXPECT_THAT(records.status(),
              StatusIs(Code::kDataLoss, HasSubstr("offset 0, record 0")));
  EXPECT_EQ(records.next_offset(), 2);
}

TEST_F(DecompressorTest, BatchAboveTheCodecsLimitIsResourceExhausted) {
  const Codecs limited({&codecs_.lz4}, 5000);
  decompressor_.emplace(&limited);
  AddCompressed();
  AddBomb(5001);
  AddCompressed();
  const RecordBatches view = View();
  EXPECT_EQ(view.next_offset(), 6);
  RecordBatches::Records records = view.records();
  EXPECT_EQ(Letters(records), "ab");
  EXPECT_THAT(records.status(),
              StatusIs(Code::kResourceExhausted,
                       AllOf(HasSubstr("offset 2"), HasSubstr("5000"))));
  EXPECT_EQ(records.next_offset(), 4);
}

TEST_F(DecompressorTest, FirstBatchHasTheCodecsLimitAndNotThatOfTheRead) {
  AddBomb(5000);
  decompressor_.emplace(&codecs_.all);
  const RecordBatches view = View(0);
  RecordBatches::Records records = view.records();
  EXPECT_EQ(records.Next(), nullptr);
  EXPECT_THAT(records.status(), StatusIs(Code::kDataLoss));  // zeros
}

TEST_F(DecompressorTest, WithoutCodecsTheRecordsBeforeAreRead) {
  decompressor_.emplace();
  AddPlain();
  AddCompressed();
  AddPlain();
  const RecordBatches view = View();
  EXPECT_EQ(view.next_offset(), 6);
  RecordBatches::Records records = view.records();
  EXPECT_EQ(Letters(records), "ab");
  EXPECT_THAT(records.status(),
              StatusIs(Code::kUnimplemented, HasSubstr("field `codecs`")));
  EXPECT_EQ(records.next_offset(), 4);
}

TEST_F(DecompressorTest, RawViewSaysThatItWasNotDecompressed) {
  AddCompressed();
  const RecordBatches view = Raw();
  RecordBatches::Records records = view.records();
  EXPECT_EQ(records.Next(), nullptr);
  EXPECT_THAT(records.status(), StatusIs(Code::kUnimplemented,
                                         HasSubstr("without decompression")));
}

TEST_F(DecompressorTest, ControlAndEmptiedBatchesAreNotDecompressed) {
  AddOfKind(batch_attributes::kControl, 2);
  AddOfKind(0, 0);
  AddPlain();
  const RecordBatches view = View();
  EXPECT_EQ(Letters(view), "ef");
  EXPECT_EQ(tries(), 0);
}

TEST_F(DecompressorTest, BatchThatIsCompressedSinceItWasReadIsDataLoss) {
  AddCompressed();
  AddPlain();
  const RecordBatches view = View();
  (*bytes_)[begins_[1] + batch_layout::kAttributes + 1] = 3;
  RecordBatches::Records records = view.records();
  EXPECT_EQ(Letters(records), "ab");
  EXPECT_THAT(
      records.status(),
      StatusIs(Code::kDataLoss, HasSubstr("offset 2 has changed since")));
  EXPECT_EQ(records.next_offset(), 2);
}

TEST_F(DecompressorTest, CopyOutlivesTheViewTheReaderAndTheBytesOwner) {
  AddCompressed();
  AddPlain();
  std::optional<RecordBatches> view = View();
  RecordBatches::Records records = view->records();
  const RecordBatches copy = *view;
  view.reset();
  decompressor_.reset();
  const std::weak_ptr<std::string> owner = bytes_;
  bytes_ = nullptr;
  EXPECT_FALSE(owner.expired());
  EXPECT_EQ(Letters(copy), "abcd");
  EXPECT_EQ(Letters(records), "abcd");
}

TEST_F(DecompressorTest, LastCopyLetsGoOfBytesAndMemory) {
  AddCompressed();
  const std::weak_ptr<std::string> owner = bytes_;
  std::optional<RecordBatches> view = View();
  std::optional<RecordBatches> copy = view;
  bytes_ = nullptr;
  view.reset();
  EXPECT_FALSE(owner.expired());
  copy.reset();
  EXPECT_TRUE(owner.expired());
}

TEST_F(DecompressorTest, MemoryOfAViewThatIsGoneIsUsedAgain) {
  AddCompressed();
  const auto memory = std::make_shared<DecompressionMemory>();
  decompressor_.emplace(&codecs_.all, memory);
  std::optional<RecordBatches> view = View();
  const char* const first = view->records().Next()->value()->data();
  EXPECT_EQ(memory->Take()->bytes.capacity(), 0u);
  view.reset();
  // Copies of a decompressor share the memory.
  const Decompressor copy = *decompressor_;
  view = copy.Decompress(Raw(), kMaxBytes);
  EXPECT_EQ(view->records().Next()->value()->data(), first);
  EXPECT_EQ(memory->Take()->bytes.capacity(), 0u);
  view.reset();
  EXPECT_GE(memory->Take()->bytes.capacity(), static_cast<size_t>(plain_size_));
}

}  // namespace
}  // namespace varve
