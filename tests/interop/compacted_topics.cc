// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/compacted_topics.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

constexpr int64_t kYoungerMs = 3000000;

std::string Filled(size_t size, char with) { return std::string(size, with); }

BatchPlan Marker(ControlRecordType type, int64_t producer_id, int64_t at_ms) {
  return {.options = {.producer_id = producer_id,
                      .producer_epoch = 2,
                      .transactional = Transactional::kYes,
                      .kind = BatchKind::kControl},
          .records = {{.timestamp_ms = at_ms,
                       .key = std::string(ControlRecordKey(type).bytes()),
                       .value = std::string(EndTransactionValue(7).bytes())}}};
}

// Gives batches to producers, with the sequence that each of them is at.
class Sequences {
 public:
  void Set(int64_t producer_id, Transactional transactional, BatchPlan& plan) {
    plan.options.producer_id = producer_id;
    plan.options.producer_epoch = 2;
    plan.options.base_sequence = next_[producer_id];
    plan.options.transactional = transactional;
    next_[producer_id] += static_cast<int32_t>(plan.records.size());
  }

 private:
  std::map<int64_t, int32_t> next_;
};

// Everything: null keys, tombstones, headers, every codec, both kinds of time,
// idempotent producers of which one ends early, and transactions of two
// producers, committed, aborted, and always one that is open.
class MixedBatches {
 public:
  explicit MixedBatches(int64_t start_ms) : start_ms_(start_ms) {}

  BatchPlan operator()(int round) {
    BatchPlan plan{.records = Records(round)};
    plan.compressed.codec = static_cast<Compression>(round / 8 % 5);
    switch (round % 8) {
      case 0:
        return plan;
      case 3:
        plan.options.timestamp_type = TimestampType::kLogAppendTime;
        return plan;
      case 1:
        sequences_.Set(round % 16 == 1 || round > 60 ? 70 : 71,
                       Transactional::kNo, plan);
        return plan;
      case 7:
        return Marker(round % 3 == 0 ? ControlRecordType::kAbort
                                     : ControlRecordType::kCommit,
                      round % 16 == 7 ? 4000 : 4001, start_ms_ + round * 100);
      default:
        sequences_.Set(4000 + round % 2, Transactional::kYes, plan);
        return plan;
    }
  }

 private:
  std::vector<DescribedRecord> Records(int round) const {
    std::vector<DescribedRecord> records;
    const int count = 1 + round * 7 % 12;
    for (int i = 0; i < count; ++i) {
      const int draw = round * 31 + i * 17;
      DescribedRecord record{
          .offset = i,
          .timestamp_ms = start_ms_ + round * 100 - i % 3 * 250,
          .key = absl::StrCat("key-", draw % 97,
                              Filled(draw % 11 == 0 ? 3000 : 0, 'k')),
          .value = absl::StrCat("value ", round, " ", i,
                                Filled(static_cast<size_t>(draw % 90), 'v'))};
      if (draw % 23 == 5) record.key.reset();
      if (draw % 4 == 1) record.value.reset();
      if (draw % 5 == 0) record.headers.emplace_back("n", record.value);
      if (draw % 19 == 0) record.timestamp_ms = -1;
      records.push_back(std::move(record));
    }
    return records;
  }

  const int64_t start_ms_;
  Sequences sequences_;
};

// Four records of the keys of a cycle, of which every `tombstone`th is one.
struct Cycle {
  int64_t start_ms = 0;
  int keys = 0;
  int tombstone = 7;

  BatchPlan operator()(int round) const {
    const int64_t at_ms =
        start_ms + round * 100 + (round >= kYoungFrom ? kYoungerMs : 0);
    BatchPlan plan;
    for (int i = 0; i < 4; ++i) {
      const int at = round * 4 + i;
      DescribedRecord record{.offset = i,
                             .timestamp_ms = at_ms + i,
                             .key = absl::StrCat("k", at % keys),
                             .value = absl::StrCat("v", at, Filled(100, 'v'))};
      if (at % tombstone == tombstone - 1) record.value.reset();
      plan.records.push_back(std::move(record));
    }
    return plan;
  }
};

// Keys of every size about which a hash may err, alike but for their last byte;
// values that are null, empty, and larger than a reader's buffer.
BatchPlan KeyOfEverySize(int64_t start_ms, int round) {
  constexpr size_t kSizes[] = {0,   1,   2,   7,   8,    15,   16,    17,   31,
                               32,  33,  55,  56,  57,   63,   64,    65,   119,
                               120, 127, 128, 129, 1023, 1024, 20000, 70000};
  BatchPlan plan;
  for (int i = 0; i < 5; ++i) {
    const int draw = round * 5 + i;
    const int lap = draw / static_cast<int>(std::size(kSizes));
    const size_t size = kSizes[static_cast<size_t>(draw) % std::size(kSizes)];
    std::string key = Filled(lap % 4 == 0 ? size : size % 2000, 'k');
    if (!key.empty()) key.back() = static_cast<char>(lap % 3);
    DescribedRecord record{.offset = i,
                           .timestamp_ms = start_ms + round,
                           .key = std::move(key),
                           .value = absl::StrCat("v", draw)};
    if (draw % 9 == 0) record.value.emplace();
    if (draw % 10 == 0) record.value.reset();
    if (draw % 205 == 0) record.value = Filled(90000, 'V');
    plan.records.push_back(std::move(record));
  }
  if (round % 4 == 3) {
    plan.compressed.codec = static_cast<Compression>(1 + round / 4 % 4);
  }
  return plan;
}

// A transaction that is open at the end of three of the compactions, and
// others. None is at the end of all.
class LongTransaction {
 public:
  explicit LongTransaction(int64_t start_ms)
      : start_ms_(start_ms), data_{.start_ms = start_ms, .keys = 30} {}

  BatchPlan operator()(int round) {
    BatchPlan plan = data_(round);
    const int64_t at_ms = start_ms_ + round * 100;
    if (round == kOpenTo) return Marker(ControlRecordType::kAbort, 5000, at_ms);
    if (round >= kOpenFrom && round < kOpenTo && round % 9 == 0) {
      sequences_.Set(5000, Transactional::kYes, plan);
    } else if (round % 6 == 1) {
      sequences_.Set(5001, Transactional::kYes, plan);
    } else if (round % 6 == 5 || round == kLast) {
      return Marker(round % 12 != 11 ? ControlRecordType::kCommit
                                     : ControlRecordType::kAbort,
                    5001, at_ms);
    }
    return plan;
  }

 private:
  static constexpr int kOpenFrom = 99;
  static constexpr int kOpenTo = 300;
  static constexpr int kLast =
      std::accumulate(std::begin(kRoundsBefore), std::end(kRoundsBefore), -1);

  const int64_t start_ms_;
  Cycle data_;
  Sequences sequences_;
};

// Offsets that no index entry could hold, were such segments made one.
BatchPlan WithGaps(int64_t start_ms, int round) {
  BatchPlan plan = Cycle{.start_ms = start_ms, .keys = 300}(round);
  if (round % 20 == 10) plan.shape.last_offset_delta = 2000000000;
  return plan;
}

LogConfig Config(int64_t segment_bytes) {
  LogConfig config;
  config.cleanup_policy = CleanupPolicy::kCompact;
  config.delete_retention_ms = 1000;
  config.segment_bytes = segment_bytes;
  config.index_interval_bytes = 1000;
  return config;
}

LogConfig WithDelete(LogConfig config) {
  config.cleanup_policy = CleanupPolicy::kCompactAndDelete;
  return config;
}

LogConfig Stamped(LogConfig config) {
  config.message_timestamp_type = TimestampType::kLogAppendTime;
  config.index_interval_bytes = 1;
  return config;
}

}  // namespace

std::vector<CompactedTopic> CompactedTopics(int64_t start_ms) {
  const Cycle few = {.start_ms = start_ms, .keys = 50};
  const Cycle many = {.start_ms = start_ms, .keys = 700};
  return {
      // Its own compression.type is not that of the batches.
      {"mixed",
       Config(16384),
       MixedBatches(start_ms),
       {{"segment.bytes", "50000"}, {"compression.type", "zstd"}}},
      {"sizes",
       Config(200000),
       [=](int round) { return KeyOfEverySize(start_ms, round); },
       {{"segment.bytes", "100000"}, {"max.message.bytes", "1000"}}},
      {"transacted", Config(8000), LongTransaction(start_ms)},
      {"aged", WithDelete(Config(8000)), many, {{"retention.ms", "1800000"}}},
      {"sized", WithDelete(Config(8000)), many, {{"retention.bytes", "60000"}}},
      {"young", Config(8000), few, {{"min.compaction.lag.ms", "1800000"}}},
      {"stamped",
       Stamped(Config(8000)),
       few,
       {{"segment.bytes", "50000"}, {"segment.index.bytes", "200"}}},
      {"trimmed", Config(8000), few, {{"segment.bytes", "17000"}}, 1 << 20, 6},
      // Room for 180 keys. No tombstones: where the map is full, varve gives
      // those after its end no horizon yet, and Kafka does.
      {"full",
       Config(8000),
       Cycle{.start_ms = start_ms, .keys = 700, .tombstone = 1 << 30},
       {},
       4800},
      {"gaps",
       Config(8000),
       [=](int round) { return WithGaps(start_ms, round); },
       {{"segment.bytes", "50000"}}},
  };
}

CompactedTopic ImportedTopic(const std::string& name) {
  return {.name = name,
          .compacted_with = {{"cleanup.policy", "compact"},
                             {"delete.retention.ms", "1000"},
                             {"segment.bytes", "60000"},
                             {"index.interval.bytes", "1000"}}};
}

}  // namespace varve
