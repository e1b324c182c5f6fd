// SPDX-License-Identifier: Apache-2.0

// Topics whose config says how batches are stored, in stores that were opened
// with codecs and without.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/store_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/store_verifier.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Code = absl::StatusCode;

class TopicCompressionTest : public StoreFixture {
 protected:
  StoreOptions Options() override {
    return {.background = Background::kNone, .codecs = codecs_};
  }
  void Create(CompressionType type) {
    Open();
    TopicConfig config;
    config.log.compression_type = type;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
  }
  void Alter(std::string_view name, std::string_view value) {
    ASSERT_THAT(
        store_->AlterTopic("orders",
                           {.set = {{std::string(name), std::string(value)}}}),
        IsOk());
  }
  // The offset; -1 after a failure.
  int64_t Append(std::string_view value) {
    const auto result = Orders().Append({.value = value}, Durability::kMemory);
    EXPECT_THAT(result, IsOk());
    return result.ok() ? result->offset : -1;
  }
  // The records of the batch that holds `offset`, as they are in the log.
  std::string StoredRecords(int64_t offset) {
    const auto view =
        Orders().Read(offset, {.max_bytes = 0,
                               .level = ReadLevel::kVisible,
                               .decompression = Decompression::kLeave});
    EXPECT_THAT(view, IsOk());
    return std::string((*view->begin()).records());
  }

  FakeCodecs fake_;
  const Codecs* codecs_ = &fake_.all;
};

TEST_F(TopicCompressionTest, ConfigCompressesWhatIsAppendedFromThenOn) {
  Create(CompressionType::kProducer);
  EXPECT_EQ(FakeCodec::LevelOf(StoredRecords(Append("plain"))), std::nullopt);
  Alter("compression.type", "zstd");
  EXPECT_EQ(FakeCodec::LevelOf(StoredRecords(Append("default level"))), 3);
  Alter("compression.zstd.level", "-9");
  EXPECT_EQ(FakeCodec::LevelOf(StoredRecords(Append("own level"))), -9);
  ASSERT_THAT(Orders().Sync(), IsOk());
  Reopen();
  EXPECT_EQ(FakeCodec::LevelOf(StoredRecords(Append("opened again"))), -9);
  Alter("compression.type", "uncompressed");
  EXPECT_EQ(FakeCodec::LevelOf(StoredRecords(Append("plain"))), std::nullopt);

  const auto records = ReadAll(Orders());
  ASSERT_THAT(records, IsOk());
  ASSERT_EQ(records->size(), 5);
  EXPECT_EQ((*records)[1].second.value, "default level");
  EXPECT_EQ((*records)[3].second.value, "opened again");
  ASSERT_THAT(store_->Close(), IsOk());
  const auto verified = VerifyStore(path_, {}, {.codecs = &fake_.all});
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->damage_count(), 0);
}

TEST_F(TopicCompressionTest, StoreWithoutTheCodecOpensReadsAndRefusesAppends) {
  Create(CompressionType::kProducer);
  EXPECT_EQ(Append("plain"), 0);
  Alter("compression.type", "lz4");
  ASSERT_THAT(Orders().Sync(), IsOk());
  codecs_ = nullptr;
  Reopen();
  const auto records = ReadAll(Orders());
  ASSERT_THAT(records, IsOk());
  EXPECT_EQ((*records)[0].second.value, "plain");

  const auto refused =
      StatusIs(Code::kFailedPrecondition,
               AllOf(HasSubstr("compression.type=lz4"), HasSubstr("codec lz4"),
                     HasSubstr("StoreOptions::codecs")));
  EXPECT_THAT(Orders().Append({.value = "v"}), refused);
  EXPECT_THAT(Orders().AppendAsync({.value = "v"}, [](auto) { FAIL(); }),
              refused);
  EXPECT_EQ(Orders().visible_end(), 1);
  // Nor is a topic refused that another program may fill.
  TopicConfig config;
  config.log.compression_type = CompressionType::kSnappy;
  EXPECT_THAT(store_->CreateTopic("others", config), IsOk());

  codecs_ = &fake_.all;
  Reopen();
  EXPECT_EQ(Append("compressed"), 1);
}

TEST_F(TopicCompressionTest, BatchOfAnotherCodecIsEncodedAgain) {
  Create(CompressionType::kGzip);
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "one"}, 1), IsOk());
  ASSERT_THAT(builder.Append({.value = "two"}, 2), IsOk());
  const auto lz4 =
      EncodedBatch::Parse(builder.FinishCompressed(fake_.lz4)->bytes());
  ASSERT_THAT(lz4, IsOk());
  ASSERT_THAT(Orders().Append(*lz4), IsOk());
  EXPECT_EQ(FakeDecompressed(StoredRecords(0), Compression::kGzip),
            builder.records());
}

}  // namespace
}  // namespace varve
