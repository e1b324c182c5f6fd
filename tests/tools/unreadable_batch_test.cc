// SPDX-License-Identifier: Apache-2.0

// A compressed batch whose checksum is right, and which cannot be decompressed:
// each command says which one it is and why, and how to go on, and shows what
// is around it.

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"
#include "varve/codec/zstd_codec.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The batch with another stream in the place of its records.
std::string WithRecords(const RecordBatch& batch, std::string_view stream) {
  std::string bytes =
      absl::StrCat(batch.bytes().substr(0, batch_layout::kRecords), stream);
  StoreBig32(bytes.data() + batch_layout::kBatchLength,
             static_cast<int32_t>(bytes.size()) - batch_layout::kLengthEnd);
  StoreBig32(bytes.data() + batch_layout::kCrc,
             static_cast<int32_t>(RecordBatch(bytes).ComputeCrc()));
  return bytes;
}

// More than a batch may decompress to, in a few bytes.
std::string Bomb() {
  const std::string zeros(size_t{Codecs::kDecompressedSizeMax} + 1, '\0');
  ByteBuffer stream;
  CHECK_OK(ZstdCodec()->Compress(zeros, Codec::kDefaultLevel, stream));
  return std::string(stream.view());
}

// A topic with a batch of a and b, one of c and d, and one of e.
class UnreadableBatchTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t");
    for (const char* lines : {"a\nb\n", "c\nd\n", "e\n"}) {
      const CommandResult result =
          runner_.Varve({"produce", "t", "--compression", "zstd"}, lines);
      ASSERT_EQ(result.exit_status, 0) << result.err;
    }
    log_ = SegmentPath(runner_.data() + "/t-0", ".log");
  }

  // Gives the second batch another stream, and a checksum that is right.
  void ReplaceStream(std::string_view stream) {
    const std::string bytes = ReadFileOrDie(log_);
    const size_t first = SizeOfBatchAt(bytes, 0);
    const size_t second = SizeOfBatchAt(bytes, first);
    const RecordBatch batch(std::string_view(bytes).substr(first, second));
    ASSERT_EQ(batch.base_offset(), 2);
    ASSERT_EQ(batch.compression(), Compression::kZstd);
    WriteFileOrDie(
        log_, absl::StrCat(bytes.substr(0, first), WithRecords(batch, stream),
                           bytes.substr(first + second)));
    // It has the sizes and checksums of what was there.
    ASSERT_EQ(
        unlink(absl::StrCat(runner_.data(), "/t-0/sealed-00000000000000000000")
                   .c_str()),
        0);
  }

  // What is no frame of zstd, in as many bytes.
  void DamageStream() {
    const std::string bytes = ReadFileOrDie(log_);
    const size_t second = SizeOfBatchAt(bytes, SizeOfBatchAt(bytes, 0));
    ReplaceStream(std::string(second - batch_layout::kRecords, '\xab'));
  }

  CommandRunner runner_;
  std::string log_;

 private:
  static size_t SizeOfBatchAt(std::string_view bytes, size_t at) {
    int64_t size = 0;
    CHECK(RecordBatch::Check(bytes.substr(at), CrcCheck::kVerify, kBatchSizeMax,
                             &size) == BatchDefect::kNone);
    return static_cast<size_t>(size);
  }
};

TEST_F(UnreadableBatchTest, ConsumeNamesItAndHowToGoOn) {
  DamageStream();
  const CommandResult result = runner_.Varve({"consume", "t"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.out, "a\nb\n");
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("varve: t, partition 0: "), HasSubstr("offset 2"),
                    HasSubstr("zstd"),
                    HasSubstr("; go on with --partition 0 --offset 4\n")));
  const CommandResult rest =
      runner_.Varve({"consume", "t", "--partition", "0", "--offset", "4"});
  EXPECT_EQ(rest.exit_status, 0) << rest.err;
  EXPECT_EQ(rest.out, "e\n");
}

TEST_F(UnreadableBatchTest, ConsumerGroupGoesOnAfterAReset) {
  DamageStream();
  for (const char* printed : {"a\nb\n", ""}) {
    const CommandResult result =
        runner_.Varve({"consume", "t", "--group", "g"});
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_EQ(result.out, printed);
    EXPECT_THAT(
        result.err,
        HasSubstr("; go on after \"varve groups reset g t:0 --to 4\"\n"));
  }
  const CommandResult reset =
      runner_.Varve({"groups", "reset", "g", "t:0", "--to", "4"});
  EXPECT_EQ(reset.exit_status, 0) << reset.err;
  EXPECT_EQ(runner_.Varve({"consume", "t", "--group", "g"}).out, "e\n");
}

TEST_F(UnreadableBatchTest, DumpLogSaysWhyAndGoesOn) {
  DamageStream();
  const CommandResult result = runner_.Varve({"dump-log", "--records", log_});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(
      result.out,
      AllOf(HasSubstr("decompressed_size=null"), HasSubstr("DAMAGE position="),
            HasSubstr("record batch at offset 2, zstd: "),
            Not(HasSubstr("record offset=2 ")), HasSubstr("base_offset=4 "),
            HasSubstr("record offset=4 "), HasSubstr("end position=")));
  EXPECT_THAT(runner_.Varve({"dump-log", "--json", log_}).out,
              HasSubstr(R"("decompressed_size":null})"));
}

TEST_F(UnreadableBatchTest, VerifyCallsItDamage) {
  DamageStream();
  const CommandResult result = runner_.Varve({"verify"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("DAMAGE"), HasSubstr(log_), HasSubstr("zstd")));
}

TEST_F(UnreadableBatchTest, BackupRefusesItAsOtherDamage) {
  DamageStream();
  const CommandResult result =
      runner_.Varve({"backup", runner_.PathTo("copy")});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("record batch at offset 2, zstd: "),
                                HasSubstr("--keep-damage")));
}

TEST_F(UnreadableBatchTest, StreamThatIsFarLargerThanItLooksIsNotReadWhole) {
  ReplaceStream(Bomb());
  const CommandResult consumed = runner_.Varve({"consume", "t"});
  EXPECT_EQ(consumed.exit_status, 1);
  EXPECT_EQ(consumed.out, "a\nb\n");
  EXPECT_THAT(consumed.err,
              AllOf(HasSubstr("offset 2"), HasSubstr("134217728"),
                    HasSubstr("go on with --partition 0 --offset 4\n"),
                    Not(HasSubstr("make room"))));
  const CommandResult dumped = runner_.Varve({"dump-log", "--records", log_});
  EXPECT_THAT(dumped.out,
              AllOf(HasSubstr("decompressed_size=null"), HasSubstr("134217728"),
                    HasSubstr("record offset=4 ")));
}

}  // namespace
}  // namespace varve
