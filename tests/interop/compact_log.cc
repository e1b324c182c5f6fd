// SPDX-License-Identifier: Apache-2.0

// Writes a partition for compaction, and compacts one in memory:
//
//   compact_log write STORE START_MS
//   compact_log clean DIRECTORY RETENTION_MS SEGMENT_BYTES PRODUCERS
//   FROM:TO:NOW…
//
// The first writes the topic `keyed`, with keys, tombstones, producers,
// transactions and all codecs; times begin at START_MS. The second prints what
// is left after each pass, as CleanLogs.java does, whose arguments have the
// same meaning; it changes no file.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "tests/interop/described_batch.h"
#include "tests/interop/store_writer.h"
#include "tests/log/compaction/zeroed_offset_map.h"
#include "varve/codec/all_codecs.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/compaction/batch_cleaner.h"
#include "varve/log/compaction/compaction_segment.h"
#include "varve/log/compaction/dirty_keys.h"
#include "varve/log/compaction/last_batches.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/compaction/segment_groups.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {
namespace {

constexpr int kRounds = 400;
constexpr int64_t kIndexBytesMax = 10485760;

int64_t Number(std::string_view text) {
  int64_t number = 0;
  CHECK(absl::SimpleAtoi(text, &number)) << text;
  return number;
}

// Draws the batches of the log.
class KeyedLog {
 public:
  KeyedLog(StoreWriter& writer, int64_t start_ms)
      : writer_(writer), start_ms_(start_ms) {}

  void Append(int round) {
    round_ = round;
    switch (round % 8) {
      case 0:
      case 3:
        return AppendOf(-1, Transactional::kNo);
      case 1:
        // The first of these goes on to the end, the second stops early.
        return AppendOf(round % 16 == 1 || round > kRounds / 3 ? 70 : 71,
                        Transactional::kNo);
      case 7:
        End(round % 16 == 7 ? 4000 : 4001);
        return;
      default:
        return AppendOf(4000 + round % 2, Transactional::kYes);
    }
  }

  void EndAll() {
    End(4000);
    End(4001);
  }

 private:
  std::vector<DescribedRecord> Records() {
    std::vector<DescribedRecord> records;
    const int count = 1 + round_ * 7 % 12;
    for (int i = 0; i < count; ++i) {
      const int draw = round_ * 31 + i * 17;
      DescribedRecord record{
          .offset = i,
          .timestamp_ms = start_ms_ + round_ * 100 - i % 3 * 250,
          .key = absl::StrCat("key-", draw % 97,
                              std::string(draw % 11 == 0 ? 3000 : 0, 'k')),
          .value =
              absl::StrCat("value ", round_, " ", i,
                           std::string(static_cast<size_t>(draw % 90), 'v'))};
      if (draw % 23 == 5) record.key.reset();
      if (draw % 4 == 1) record.value.reset();
      if (draw % 5 == 0) record.headers.emplace_back("n", record.value);
      if (draw % 19 == 0) record.timestamp_ms = -1;
      records.push_back(std::move(record));
    }
    return records;
  }

  void AppendOf(int64_t producer_id, Transactional transactional) {
    BatchPlan plan{.records = Records()};
    plan.compressed.codec = static_cast<Compression>(round_ / 8 % 5);
    if (round_ % 8 == 3) {
      plan.options.timestamp_type = TimestampType::kLogAppendTime;
    }
    if (producer_id >= 0) {
      plan.options.producer_id = producer_id;
      plan.options.producer_epoch = 2;
      plan.options.base_sequence = sequences_[producer_id];
      plan.options.transactional = transactional;
      sequences_[producer_id] += static_cast<int32_t>(plan.records.size());
    }
    writer_.Append(plan);
  }

  void End(int64_t producer_id) {
    const auto type = round_ % 3 == 0 ? ControlRecordType::kAbort
                                      : ControlRecordType::kCommit;
    writer_.Append(
        {.options = {.producer_id = producer_id,
                     .producer_epoch = 2,
                     .transactional = Transactional::kYes,
                     .kind = BatchKind::kControl},
         .records = {{.timestamp_ms = start_ms_ + round_ * 100,
                      .key = std::string(ControlRecordKey(type).bytes()),
                      .value = std::string(EndTransactionValue(7).bytes())}}});
  }

  StoreWriter& writer_;
  const int64_t start_ms_;
  int round_ = 0;
  std::map<int64_t, int32_t> sequences_;
};

void Write(const std::string& store, int64_t start_ms) {
  StoreWriter writer(store, 0);
  TopicConfig config;
  config.log.cleanup_policy = CleanupPolicy::kCompact;
  config.log.segment_bytes = 16384;
  config.log.index_interval_bytes = 1000;
  writer.CreateTopic("keyed", config);
  writer.Use("keyed", 0);
  KeyedLog log(writer, start_ms);
  for (int round = 0; round < kRounds; ++round) log.Append(round);
  log.EndAll();
  writer.Close();
}

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The files of a partition, in memory.
struct Source {
  explicit Source(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> logs;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (entry.path().extension() == ".log") logs.push_back(entry.path());
    }
    std::sort(logs.begin(), logs.end());
    for (std::filesystem::path path : logs) Add(path);
  }

  void Add(std::filesystem::path path) {
    const int64_t base_offset = Number(path.stem().string());
    const std::string log = Contents(path);
    std::string entries = Contents(path.replace_extension(".txnindex"));
    const TransactionIndex index(
        base_offset, absl::MakeSpan(entries),
        static_cast<int64_t>(entries.size()) / TransactionIndex::kEntrySize);
    for (int64_t i = 0; i < index.entry_count(); ++i) {
      aborted.push_back(index.entry(i));
    }
    const auto size = [&path](const char* suffix) {
      return static_cast<int64_t>(
          Contents(path.replace_extension(suffix)).size());
    };
    segments.push_back({.base_offset = base_offset,
                        .size_bytes = static_cast<int64_t>(log.size()),
                        .offset_index_bytes = size(".index"),
                        .time_index_bytes = size(".timeindex")});
    batches += log;
  }

  std::string batches;
  std::vector<CompactionSegment> segments;
  std::vector<AbortedTransaction> aborted;
};

// Collects what stays.
class KeptBytes final : public CleanedBatchSink {
 public:
  absl::Status Append(
      const RecordBatch& batch,
      const std::optional<AbortedTransaction>& index_entry) override {
    batches.append(batch.bytes());
    if (index_entry.has_value()) aborted.push_back(*index_entry);
    return absl::OkStatus();
  }

  std::string batches;
  std::vector<AbortedTransaction> aborted;
};

struct Pass {
  explicit Pass(std::string_view text) {
    const std::vector<std::string> parts = absl::StrSplit(text, ':');
    CHECK_EQ(parts.size(), 3U) << text;
    dirty = {Number(parts[0]), Number(parts[1])};
    now_ms = Number(parts[2]);
  }

  OffsetRange dirty;
  int64_t now_ms = 0;
};

std::vector<ProducerEntry> ParseProducers(std::string_view text) {
  std::vector<ProducerEntry> producers;
  for (const std::string_view one : absl::StrSplit(text, ',')) {
    const std::vector<std::string> parts = absl::StrSplit(one, ':');
    CHECK_EQ(parts.size(), 3U) << one;
    producers.push_back(
        {.producer_id = Number(parts[0]),
         .producer_epoch = static_cast<int16_t>(Number(parts[1])),
         .last_offset = Number(parts[2])});
  }
  return producers;
}

void PrintGroups(const Source& source, const Pass& pass,
                 int64_t segment_bytes) {
  std::vector<CompactionSegment> cleaned = source.segments;
  std::erase_if(cleaned, [&pass](const CompactionSegment& segment) {
    return segment.base_offset >= pass.dirty.to;
  });
  std::vector<int64_t> bases;
  for (const SegmentGroup& group :
       GroupSegments(cleaned, {.segment_bytes = segment_bytes,
                              .segment_index_bytes = kIndexBytesMax,
                              .end = pass.dirty.to})) {
    bases.push_back(cleaned[group.first].base_offset);
  }
  std::printf("{\"groups\":[%s]}\n", absl::StrJoin(bases, ",").c_str());
}

void Print(std::string_view batches, int32_t pass) {
  while (!batches.empty()) {
    const RecordBatch batch =
        RecordBatch::Parse(batches, CrcCheck::kVerify).value();
    DescribedBatch described = DescribedBatch::Of(batch);
    described.topic = "pass";
    described.partition = pass;
    std::puts(described.ToJson().c_str());
    batches.remove_prefix(batch.bytes().size());
  }
}

// Compacts the batches below the end of the pass, and leaves the others.
void Clean(const Pass& pass, int64_t retention_ms,
           const LastBatches& last_batches, Source& source) {
  size_t size = 0;
  while (size < source.batches.size()) {
    const RecordBatch batch =
        RecordBatch::Parse(std::string_view(source.batches).substr(size),
                           CrcCheck::kSkip)
            .value();
    if (batch.base_offset() >= pass.dirty.to) break;
    size += batch.bytes().size();
  }
  const std::string_view cleaned =
      std::string_view(source.batches).substr(0, size);
  ZeroedOffsetMap map({.memory_bytes = 1 << 20, .secret = {1, 2}});
  DirtyKeys keys(pass.dirty, AllCodecs(), *map);
  keys.AddAborted(source.aborted);
  CHECK(keys.Add(cleaned).value() == DirtyKeys::Progress::kMore);
  BatchCleaner cleaner({.range_end = pass.dirty.to,
                        .mapped_end = keys.Finish(),
                        .now_ms = pass.now_ms,
                        .delete_retention_ms = retention_ms,
                        .codecs = AllCodecs()},
                       *map, last_batches);
  cleaner.AddAborted(source.aborted);
  KeptBytes kept;
  CHECK_OK(cleaner.Clean(cleaned, kept));
  for (const AbortedTransaction& transaction : source.aborted) {
    if (transaction.last_offset >= pass.dirty.to) {
      kept.aborted.push_back(transaction);
    }
  }
  source.batches = kept.batches + source.batches.substr(size);
  source.aborted = kept.aborted;
}

int Run(absl::Span<const std::string> arguments) {
  if (arguments.size() == 4 && arguments[1] == "write") {
    Write(arguments[2], Number(arguments[3]));
    return 0;
  }
  if (arguments.size() < 7 || arguments[1] != "clean") {
    std::fputs(
        "compact_log write STORE START_MS\n"
        "compact_log clean DIRECTORY RETENTION_MS SEGMENT_BYTES "
        "PRODUCERS FROM:TO:NOW...\n",
        stderr);
    return 2;
  }
  Source source(arguments[2]);
  const LastBatches last_batches(ParseProducers(arguments[5]));
  PrintGroups(source, Pass(arguments[6]), Number(arguments[4]));
  for (size_t i = 6; i < arguments.size(); ++i) {
    Clean(Pass(arguments[i]), Number(arguments[3]), last_batches, source);
    Print(source.batches, static_cast<int32_t>(i - 6));
  }
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  return varve::Run(std::vector<std::string>(argv, argv + argc));
}
