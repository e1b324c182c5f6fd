// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/compressed_topics.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "tests/interop/described_batch.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

constexpr int64_t kStartMs = 1700000000000;

// Every codec and level but zstd's largest, which takes half a second a batch.
constexpr std::array<CodecLevel, 10> kLevels = {{{Compression::kNone},
                                                 {Compression::kGzip, 1},
                                                 {Compression::kGzip},
                                                 {Compression::kGzip, 9},
                                                 {Compression::kSnappy},
                                                 {Compression::kLz4},
                                                 {Compression::kLz4, 1},
                                                 {Compression::kLz4, 17},
                                                 {Compression::kZstd, -7},
                                                 {Compression::kZstd}}};
constexpr CodecLevel kHardest = {Compression::kZstd, 22};

// Words, of which a codec makes little, and bytes of which it can make nothing.
class Content {
 public:
  std::string Words(size_t count) {
    constexpr std::array<std::string_view, 6> kWords = {
        "layer ", "of ", "sediment ", "laid ", "down ", "in order, "};
    std::string words;
    for (size_t i = 0; i < count; ++i) words += kWords[random_() % 6];
    return words;
  }

  std::string Noise(size_t size) {
    std::string noise(size, '\0');
    for (char& byte : noise) byte = static_cast<char>(random_());
    return noise;
  }

  // Below `end`.
  size_t Number(size_t end) { return random_() % end; }

 private:
  std::mt19937 random_{20240229};
};

DescribedRecord MakeRecord(Content& content, int64_t offset, int64_t at_ms) {
  DescribedRecord record{.offset = offset,
                         .timestamp_ms = at_ms + offset * 10,
                         .key = absl::StrCat("key-", content.Number(50)),
                         .value = content.Words(content.Number(30))};
  if (offset % 7 == 1) record.key.reset();
  if (offset % 11 == 2) record.value.reset();
  if (offset % 13 == 3) record.timestamp_ms = at_ms - offset * 1000;
  if (offset % 5 == 4) {
    record.headers = {{"größe", std::to_string(offset)},
                      {"", std::string()},
                      {"none", std::nullopt}};
  }
  return record;
}

std::vector<DescribedRecord> MakeRecords(Content& content, int count,
                                         int64_t at_ms) {
  std::vector<DescribedRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(MakeRecord(content, i, at_ms));
  }
  return records;
}

TopicConfig SmallSegments() {
  TopicConfig config;
  config.log.segment_bytes = 16384;
  config.log.index_interval_bytes = 1000;
  return config;
}

// Batches of 1 to 40 records, with every codec and level; some have a
// producer's fields.
void WriteEveryLevel(Content& content, int rounds, StoreWriter& writer) {
  int32_t sequence = 0;
  for (int round = 0; round < rounds; ++round) {
    BatchPlan plan{.records = MakeRecords(content, 1 + round * 7 % 40,
                                          kStartMs + round * 60000),
                   .compressed = kLevels[round % kLevels.size()]};
    if (round % 3 == 1) {
      plan.options = {
          .producer_id = 4000, .producer_epoch = 2, .base_sequence = sequence};
      sequence += static_cast<int32_t>(plan.records.size());
    }
    if (round % 4 == 2) plan.records.front().value = content.Noise(3000);
    writer.Append(plan);
  }
}

void WriteCarried(Content& content, StoreWriter& writer) {
  writer.CreateTopic("compressed", SmallSegments());
  writer.Use("compressed", 0);
  WriteEveryLevel(content, 60, writer);
}

void WriteLarge(Content& content, StoreWriter& writer) {
  writer.CreateTopic("large", {});
  writer.Use("large", 0);
  std::vector<CodecLevel> levels(kLevels.begin(), kLevels.end());
  levels.push_back(kHardest);
  for (size_t i = 0; i < levels.size(); ++i) {
    BatchPlan plan{
        .records = MakeRecords(content, 1500,
                               kStartMs + static_cast<int64_t>(i) * 60000),
        .compressed = levels[i]};
    for (const size_t at : {0, 700, 1499}) {
      plan.records[at].value = content.Noise(20000 + at);
    }
    writer.Append(plan);
  }
}

// A topic that encodes what it gets again.
struct Encoding {
  std::string_view topic;
  std::string_view type;
  std::string_view level_config;
  std::string_view level;
};

void WriteEncoded(const Encoding& encoding, TopicConfig config,
                  Content& content, StoreWriter& writer) {
  CHECK_OK(config.log.Set("compression.type", encoding.type));
  if (!encoding.level.empty()) {
    CHECK_OK(config.log.Set(encoding.level_config, encoding.level));
  }
  writer.CreateTopic(encoding.topic, config);
  writer.Use(encoding.topic, 0);
  for (int i = 0; i < 10; ++i) {
    writer.Append(MakeRecord(content, i, kStartMs));
  }
  writer.Append({.timestamp_ms = -1, .value = "now"});
  WriteEveryLevel(content, 30, writer);
  writer.Append({.timestamp_ms = kStartMs, .value = content.Noise(5000)});
}

}  // namespace

void WriteCompressedTopics(StoreWriter& writer) {
  Content content;
  WriteCarried(content, writer);
  WriteLarge(content, writer);
  for (const Encoding& encoding : std::initializer_list<Encoding>{
           {"gzip", "gzip", "compression.gzip.level", "6"},
           {"snappy", "snappy", {}, {}},
           {"lz4", "lz4", "compression.lz4.level", "12"},
           {"zstd", "zstd", "compression.zstd.level", "5"},
           {"decompressed", "uncompressed", {}, {}}}) {
    WriteEncoded(encoding, SmallSegments(), content, writer);
  }
  TopicConfig stamped = SmallSegments();
  stamped.log.message_timestamp_type = TimestampType::kLogAppendTime;
  WriteEncoded({"lz4_stamped", "lz4", {}, {}}, stamped, content, writer);
}

}  // namespace varve
