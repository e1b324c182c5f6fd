// SPDX-License-Identifier: Apache-2.0

// Writes a store with every shape of record and batch, and prints what it
// wrote, a batch a line (tests/interop/described_batch.h).
//
//   write_stores first DIR       a new store, closed
//   write_stores again DIR       more into the same, closed again
//   write_stores compressed DIR  a new store, of compressed topics alone
//   write_stores killed DIR      a new store; this process kills itself
//   write_stores opened DIR      nothing: opens it, touches all, closes it
//   write_stores recovered DIR   more into that, closed

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "tests/interop/compressed_topics.h"
#include "tests/interop/store_writer.h"
#include "varve/log/batch/control_record.h"

namespace varve {
namespace {

constexpr int64_t kStartMs = 1700000000000;
constexpr int64_t kDayMs = 86400000;

// A topic with small segments and a dense index.
TopicConfig SmallSegments(int32_t partitions) {
  TopicConfig config{.partitions = partitions};
  config.log.segment_bytes = 16384;
  config.log.index_interval_bytes = 1000;
  return config;
}

std::string Everything() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte)
    bytes.push_back(static_cast<char>(byte));
  return bytes;
}

// `count` records at consecutive offsets; times rise and fall.
std::vector<DescribedRecord> Several(int count, int64_t start_ms) {
  std::vector<DescribedRecord> records;
  for (int i = 0; i < count; ++i) {
    DescribedRecord record{.offset = i,
                           .timestamp_ms = start_ms + i * 1000 - (i % 3) * 2500,
                           .key = absl::StrCat("key-", i % 7),
                           .value = absl::StrCat("value ", i, " of ", count)};
    if (i % 4 == 1) record.key.reset();
    if (i % 5 == 3) record.value.reset();
    if (i % 2 == 0) record.headers.emplace_back("n", absl::StrCat(i));
    records.push_back(std::move(record));
  }
  return records;
}

void WriteShapes(StoreWriter& writer) {
  writer.CreateTopic("shapes", {});
  writer.Use("shapes", 0);
  const std::vector<std::optional<std::string>> fields = {
      std::nullopt,
      "",
      "k",
      "grün 漢字 🌊",
      "two\nlines\tand a tab",
      Everything(),
      "key: a payload: b sequence: 7",
      std::string(63, 'x'),
      std::string(64, 'y'),
      std::string(8192, 'z')};
  for (const auto& key : fields) {
    for (const auto& value : fields) {
      writer.Append({.timestamp_ms = kStartMs, .key = key, .value = value});
    }
  }
  writer.Append(
      {.timestamp_ms = kStartMs + 1, .value = std::string(900000, 'L')});
  const std::vector<std::pair<std::string, std::optional<std::string>>>
      headers = {{"", std::nullopt},
                 {"", ""},
                 {"h", std::nullopt},
                 {"h", ""},
                 {"h", "1"},
                 {"h", "2"},
                 {"wörter", "grün"},
                 {"漢字", "🌊"},
                 {"binary", Everything()},
                 {std::string(200, 'k'), std::string(20000, 'v')}};
  for (size_t count = 1; count <= headers.size(); ++count) {
    writer.Append({.timestamp_ms = kStartMs + 2,
                   .value = "v",
                   .headers = {headers.begin(), headers.begin() + count}});
  }
  DescribedRecord many{.timestamp_ms = kStartMs + 3};
  for (int i = 0; i < 300; ++i) many.headers.emplace_back(absl::StrCat(i), "");
  writer.Append(many);
  // Times: the first possible, far future, the append's, backwards.
  for (const int64_t ms : {int64_t{0}, int64_t{1}, int64_t{253402300799999},
                           kStartMs, int64_t{-1}}) {
    writer.Append({.timestamp_ms = ms, .key = "time"});
  }
  // Batches: no record has a time; the first has the latest; all alike.
  BatchPlan timeless{.records = Several(3, kStartMs)};
  for (DescribedRecord& record : timeless.records) record.timestamp_ms = -1;
  writer.Append(timeless);
  BatchPlan backwards{.records = Several(10, kStartMs)};
  for (DescribedRecord& record : backwards.records) {
    record.timestamp_ms = kStartMs - record.offset * kDayMs;
  }
  writer.Append(backwards);
  // A log stamped these already.
  writer.Append({.options = {.timestamp_type = TimestampType::kLogAppendTime},
                 .records = Several(5, kStartMs)});
}

void WriteBatches(StoreWriter& writer, int rounds, int64_t start_ms) {
  for (int32_t partition = 0; partition < 3; ++partition) {
    writer.Use("batches", partition);
    for (int round = 0; round < rounds; ++round) {
      const int64_t at_ms = start_ms + round * 700 - (round % 5) * 9000;
      if (round % 3 == partition) {
        writer.Append(
            {.timestamp_ms = at_ms, .value = std::string(round, '.')});
      }
      writer.Append({.records = Several(1 + round * 7 % 40, at_ms)});
    }
  }
}

// Ends each partition with a batch that no sync covers, in a segment that has
// its name: Kafka does not see one that no sync has named yet.
void WriteUnsyncedTails(StoreWriter& writer) {
  for (int32_t partition = 0; partition < 3; ++partition) {
    writer.Use("batches", partition);
    writer.Sync();
    const int64_t segments = writer.segments();
    writer.Append({.records = Several(2, kStartMs + kDayMs / 2)});
    CHECK_EQ(writer.segments(), segments);
  }
}

void WriteStamped(StoreWriter& writer) {
  TopicConfig config = SmallSegments(1);
  config.log.message_timestamp_type = TimestampType::kLogAppendTime;
  writer.CreateTopic("stamped", config);
  writer.Use("stamped", 0);
  for (int i = 0; i < 60; ++i) {
    writer.Append({.timestamp_ms = -1, .value = absl::StrCat("now ", i)});
    writer.Append({.timestamp_ms = kStartMs + i, .value = "its own time"});
    writer.Append({.records = Several(20, kStartMs)});
  }
}

BatchPlan Marker(ControlRecordType type, int64_t producer_id, int16_t epoch,
                 int64_t at_ms) {
  return {.options = {.producer_id = producer_id,
                      .producer_epoch = epoch,
                      .transactional = Transactional::kYes,
                      .kind = BatchKind::kControl},
          .records = {{.timestamp_ms = at_ms,
                       .key = std::string(ControlRecordKey(type).bytes()),
                       .value = std::string(EndTransactionValue(7).bytes())}}};
}

void WriteTransactions(StoreWriter& writer) {
  writer.CreateTopic("transactions", SmallSegments(1));
  writer.Use("transactions", 0);
  int32_t sequence = 0;
  for (int i = 0; i < 30; ++i) {
    const int64_t at_ms = kStartMs + i * 1000;
    writer.Append({.options = {.producer_id = 4000,
                               .producer_epoch = 3,
                               .base_sequence = sequence,
                               .transactional = Transactional::kYes},
                   .records = Several(12, at_ms)});
    sequence += 12;
    writer.Append({.timestamp_ms = at_ms, .value = "of nobody"});
    writer.Append(Marker(
        i % 3 == 0 ? ControlRecordType::kAbort : ControlRecordType::kCommit,
        4000, 3, at_ms));
  }
  // Idempotent producers, at every edge of their fields.
  constexpr int32_t kLastSequence = std::numeric_limits<int32_t>::max();
  int64_t producer_id = std::numeric_limits<int64_t>::max();
  for (const int32_t base : {0, kLastSequence, kLastSequence - 2}) {
    writer.Append(
        {.options = {.producer_id = producer_id--,
                     .producer_epoch = std::numeric_limits<int16_t>::max(),
                     .base_sequence = base},
         .records = Several(6, kStartMs + kDayMs)});
  }
}

// What compaction leaves: records missing at every place, batches emptied.
void WriteCompacted(StoreWriter& writer) {
  TopicConfig config = SmallSegments(1);
  config.log.cleanup_policy = CleanupPolicy::kCompact;
  writer.CreateTopic("compacted", config);
  writer.Use("compacted", 0);
  for (int i = 0; i < 40; ++i) {
    BatchPlan plan{.records = Several(30, kStartMs + i * 40000)};
    plan.shape.last_offset_delta = 29;
    if (i % 2 == 0) {
      plan.options = {
          .producer_id = 77, .producer_epoch = 0, .base_sequence = i / 2 * 30};
    }
    if (i % 4 == 1) plan.options.delete_horizon_ms = kStartMs + kDayMs;
    std::erase_if(plan.records, [i](const DescribedRecord& record) {
      return i % 8 == 3 || record.offset * 13 % 8 < i % 8 ||
             (i % 8 == 5 && (record.offset == 0 || record.offset >= 28));
    });
    if (plan.records.empty()) {
      // Its time stays what it was, which here was early.
      plan.shape.max_timestamp_ms = kStartMs - kDayMs;
      plan.options.delete_horizon_ms.reset();
    }
    writer.Append(plan);
  }
}

// Segments end by time, too.
void WriteTimed(StoreWriter& writer) {
  TopicConfig config;
  config.log.segment_ms = 3600000;
  writer.CreateTopic("timed", config);
  writer.Use("timed", 0);
  for (int i = 0; i < 20; ++i) {
    writer.Append({.timestamp_ms = kStartMs + i * 1000000,
                   .key = absl::StrCat(i),
                   .value = "every 1000 s"});
  }
}

int Run(std::string_view what, const std::string& path) {
  StoreWriter writer(path, what == "recovered" ? 1 : 0);
  if (what == "first") {
    WriteShapes(writer);
    writer.CreateTopic("batches", SmallSegments(3));
    WriteBatches(writer, 60, kStartMs);
    WriteStamped(writer);
    WriteTransactions(writer);
    WriteCompacted(writer);
    WriteCompressedTopics(writer);
    WriteTimed(writer);
    writer.CreateTopic("empty", {});
    writer.Use("empty", 0);
  } else if (what == "compressed") {
    WriteCompressedTopics(writer);
  } else if (what == "killed") {
    writer.CreateTopic("batches", SmallSegments(3));
    WriteBatches(writer, 50, kStartMs);
    WriteUnsyncedTails(writer);
    std::fflush(stdout);
    raise(SIGKILL);
  } else if (what == "opened") {
    for (int32_t partition = 0; partition < 3; ++partition) {
      writer.Use("batches", partition);
    }
  } else if (what == "again" || what == "recovered") {
    WriteBatches(writer, 30, kStartMs + kDayMs);
  } else {
    return 2;
  }
  writer.Close();
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs(
        "write_stores first|again|compressed|killed|opened|recovered DIR\n",
        stderr);
    return 2;
  }
  return varve::Run(argv[1], argv[2]);
}
