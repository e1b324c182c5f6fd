// SPDX-License-Identifier: Apache-2.0

// Batches that `varve produce` compresses, or a topic's compression.type: what
// the other commands show of them, and that every reader gets the same records.

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kLines = 3'000;

// Lines that compress well, and too many for one batch.
std::string Lines() {
  std::string lines;
  for (int i = 0; i < kLines; ++i)
    absl::StrAppend(&lines, "order ", i, ": paid, packed and sent\n");
  return lines;
}

class CompressionTest : public testing::Test {
 protected:
  void ProduceTo(const std::string& topic,
                 const std::vector<std::string>& options) {
    std::vector<std::string> line = {"produce", topic};
    line.insert(line.end(), options.begin(), options.end());
    const CommandResult result = runner_.Varve(line, Lines());
    ASSERT_EQ(result.exit_status, 0) << result.err;
  }

  std::string Consume(const std::vector<std::string>& arguments) {
    std::vector<std::string> line = {"consume"};
    line.insert(line.end(), arguments.begin(), arguments.end());
    const CommandResult result = runner_.Varve(line);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }

  std::string LogOf(const std::string& topic) const {
    return SegmentPath(absl::StrCat(runner_.data(), "/", topic, "-0"), ".log");
  }

  // What dump-log says of the batches of a topic's first partition.
  std::vector<json> BatchesOf(const std::string& topic) {
    const CommandResult result =
        runner_.Varve({"dump-log", "--json", LogOf(topic)});
    EXPECT_EQ(result.exit_status, 0) << result.out << result.err;
    std::vector<json> batches;
    for (const std::string_view line :
         absl::StrSplit(result.out, '\n', absl::SkipEmpty())) {
      json object = json::parse(line);
      if (object["kind"] == "batch") batches.push_back(object);
    }
    EXPECT_FALSE(batches.empty());
    return batches;
  }

  std::vector<std::string> CodecsOf(const std::string& topic) {
    std::vector<std::string> codecs;
    for (const json& batch : BatchesOf(topic))
      codecs.push_back(batch["codec"].get<std::string>());
    return codecs;
  }

  int64_t SizeOf(const std::string& topic) {
    int64_t size = 0;
    for (const json& batch : BatchesOf(topic))
      size += batch["size"].get<int64_t>();
    return size;
  }

  CommandRunner runner_;
};

class EachCodecTest : public CompressionTest,
                      public testing::WithParamInterface<const char*> {};

TEST_P(EachCodecTest, ProducedBatchesHaveItAndComeBackAsLines) {
  runner_.CreateTopic("t");
  ProduceTo("t", {"--compression", GetParam()});
  const std::vector<json> batches = BatchesOf("t");
  EXPECT_GT(batches.size(), 1);
  int64_t records = 0;
  for (const json& batch : batches) {
    EXPECT_EQ(batch["codec"], GetParam());
    EXPECT_LT(batch["size"], batch["decompressed_size"]);
    records += batch["records"].get<int64_t>();
  }
  EXPECT_EQ(records, kLines);
  EXPECT_EQ(Consume({"t"}), Lines());
  EXPECT_EQ(Consume({"t", "--group", "g"}), Lines());
  EXPECT_EQ(Consume({"t", "--offset", "1234", "--count", "1"}),
            "order 1234: paid, packed and sent\n");
  EXPECT_EQ(Consume({"t", "--offset", "-1"}),
            "order 2999: paid, packed and sent\n");
}

TEST_P(EachCodecTest, RecordsAreThoseOfBatchesThatAreNotCompressed) {
  for (const auto& [topic, codec] :
       {std::pair<std::string, std::string>{"plain", "none"},
        {"packed", GetParam()}}) {
    runner_.CreateTopic(topic);
    ProduceTo(topic, {"--compression", codec, "--key-separator", ":",
                      "--header", "a=b", "--timestamp", "1795168800000"});
  }
  EXPECT_EQ(Consume({"packed", "--format", "%p %o %T %h %k %s\\n"}),
            Consume({"plain", "--format", "%p %o %T %h %k %s\\n"}));
  const std::string packed = Consume({"packed", "--json"});
  EXPECT_EQ(packed.size(), Consume({"plain", "--json"}).size() + kLines);
  EXPECT_THAT(packed, HasSubstr(R"("offset":0,"timestamp":1795168800000)"));
}

TEST_P(EachCodecTest, DumpLogPrintsTheRecords) {
  runner_.CreateTopic("t");
  ProduceTo("t", {"--compression", GetParam()});
  const CommandResult result =
      runner_.Varve({"dump-log", "--records", LogOf("t")});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(
      result.out,
      AllOf(HasSubstr(absl::StrCat(" codec=", GetParam(), " ")),
            HasSubstr(" decompressed_size="), HasSubstr("record offset=0 "),
            HasSubstr("record offset=2999 "),
            HasSubstr("value=\"order 2999: paid, packed and sent\"")));
}

TEST_P(EachCodecTest, VerifyLooksInsideAndFindsNothing) {
  runner_.CreateTopic("t");
  ProduceTo("t", {"--compression", GetParam()});
  const CommandResult result = runner_.Varve({"verify", "--json"});
  EXPECT_EQ(result.exit_status, 0) << result.out;
  const json report = json::parse(result.out);
  EXPECT_EQ(report["records"], kLines);
  EXPECT_EQ(report["findings"].size(), 0) << report["findings"];
}

TEST_P(EachCodecTest, TopicStoresWithItWhateverTheProducerDid) {
  runner_.CreateTopic(
      "t", {"--config", absl::StrCat("compression.type=", GetParam())});
  for (const char* codec : {"none", "gzip", "zstd"})
    ProduceTo("t", {"--compression", codec});
  EXPECT_THAT(CodecsOf("t"), Each(GetParam()));
  EXPECT_EQ(Consume({"t"}), absl::StrCat(Lines(), Lines(), Lines()));
  EXPECT_EQ(runner_.Varve({"verify"}).exit_status, 0);
}

INSTANTIATE_TEST_SUITE_P(All, EachCodecTest,
                         testing::Values("gzip", "snappy", "lz4", "zstd"),
                         [](const auto& info) { return info.param; });

TEST_F(CompressionTest, NothingIsCompressedUnlessAskedFor) {
  runner_.CreateTopic("t");
  ProduceTo("t", {});
  EXPECT_THAT(CodecsOf("t"), Each("none"));
  EXPECT_FALSE(BatchesOf("t")[0].contains("decompressed_size"));
}

TEST_F(CompressionTest, UncompressedTopicDecompressesWhatComes) {
  runner_.CreateTopic("t", {"--config", "compression.type=uncompressed"});
  ProduceTo("t", {"--compression", "lz4"});
  EXPECT_THAT(CodecsOf("t"), Each("none"));
  EXPECT_EQ(Consume({"t"}), Lines());
}

TEST_F(CompressionTest, AlteredTopicCompressesWhatComesFromThenOn) {
  runner_.CreateTopic("t");
  ProduceTo("t", {});
  const CommandResult altered = runner_.Varve(
      {"topics", "alter", "t", "--config", "compression.type=zstd"});
  EXPECT_EQ(altered.exit_status, 0) << altered.err;
  EXPECT_EQ(altered.err, "");
  EXPECT_THAT(
      runner_.Varve({"topics", "describe", "t"}).out,
      AllOf(HasSubstr("compression.type  zstd"), Not(HasSubstr("warning"))));
  ProduceTo("t", {});
  const std::vector<std::string> codecs = CodecsOf("t");
  EXPECT_EQ(codecs.front(), "none");
  EXPECT_EQ(codecs.back(), "zstd");
  EXPECT_EQ(Consume({"t"}), Lines() + Lines());
}

TEST_F(CompressionTest, HigherLevelIsSmaller) {
  for (const char* level : {"1", "9"}) {
    const std::string topic = absl::StrCat("level-", level);
    runner_.CreateTopic(topic);
    ProduceTo(topic, {"--compression", "gzip", "--compression-level", level});
    EXPECT_EQ(Consume({topic}), Lines());
  }
  EXPECT_LT(SizeOf("level-9"), SizeOf("level-1"));
}

TEST_F(CompressionTest, OptionHasKafkasNameToo) {
  runner_.CreateTopic("t");
  ProduceTo("t", {"--compression-codec=snappy"});
  EXPECT_THAT(CodecsOf("t"), Each("snappy"));
}

TEST_F(CompressionTest, BatchThatWouldBeTooLargeByItIsAppendedAsItIs) {
  runner_.CreateTopic("t", {"--config", "max.message.bytes=1000"});
  std::mt19937 random(20240607);
  std::string line;
  while (line.size() < 920) {
    const char byte = static_cast<char>(random() % 256);
    if (byte != '\n') line += byte;
  }
  line += '\n';
  const CommandResult result =
      runner_.Varve({"produce", "t", "--compression", "gzip"}, line);
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(CodecsOf("t"), Each("none"));
  EXPECT_EQ(Consume({"t"}), line);
}

TEST_F(CompressionTest, SummaryNamesTheCodec) {
  runner_.CreateTopic("t");
  EXPECT_THAT(
      runner_.Varve({"produce", "t", "--compression", "lz4"}, "a\n").err,
      HasSubstr("durability synced, compression lz4\n"));
  EXPECT_THAT(runner_.Varve({"produce", "t"}, "a\n").err,
              HasSubstr("durability synced\n"));
  const CommandResult result = runner_.Varve(
      {"produce", "t", "--json", "--compression", "zstd"}, "{\"value\":\"a\"}");
  EXPECT_EQ(json::parse(result.out)["compression"], "zstd");
}

TEST_F(CompressionTest, CompressedBatchesStandBesideOthersInOneLog) {
  runner_.CreateTopic("t");
  std::string all;
  for (const char* codec : {"none", "zstd", "gzip", "none", "lz4", "snappy"}) {
    ProduceTo("t", {"--compression", codec});
    all += Lines();
  }
  EXPECT_EQ(Consume({"t"}), all);
  EXPECT_EQ(runner_.Varve({"verify"}).exit_status, 0);
}

}  // namespace
}  // namespace varve
