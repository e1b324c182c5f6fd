// SPDX-License-Identifier: Apache-2.0

// Reads a partition directory that Kafka wrote with varve's own classes, prints
// every batch (tests/interop/described_batch.h) and what the indexes answer,
// and appends the same batches to a new store, which is closed and opened again
// before OFFSET, and in which a cursor finds the same records.
//
//   replay_log DIRECTORY STORE OFFSET [config=value...]

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "tests/interop/described_batch.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"
#include "varve/codec/all_codecs.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/segment/batch_scanner.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file.is_open()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// A partition of a new store.
class ReopenedPartition {
 public:
  ReopenedPartition(std::string path, std::string topic, int64_t reopen_at)
      : path_(std::move(path)),
        topic_(std::move(topic)),
        reopen_at_(reopen_at) {}

  void Create(const TopicConfig& config) {
    Open();
    CHECK_OK(store_->CreateTopic(topic_, config));
  }

  void Append(const RecordBatch& batch) {
    if (batch.base_offset() == reopen_at_) {
      Close();
      Open();
    }
    // Not parsed: that would refuse what compaction leaves.
    CHECK_OK(store_->partition(topic_, 0)
                 ->Append(EncodedBatch::Unchecked(batch), Durability::kMemory)
                 .status());
  }

  // That these are the records that a cursor returns.
  void Check(const std::vector<DescribedRecord>& due) {
    const Partition partition = store_->partition(topic_, 0).value();
    Cursor cursor(partition, partition.log_start());
    for (const DescribedRecord& record : due) {
      const RecordView* const found = cursor.Next();
      CHECK(found != nullptr) << record.offset << ": " << cursor.status();
      CHECK(DescribedRecord::Of(*found) == record) << record.offset;
    }
    CHECK(cursor.Next() == nullptr);
    CHECK_OK(cursor.status());
  }

  void Close() { CHECK_OK(store_->Close()); }

  const std::string& topic() const { return topic_; }

 private:
  void Open() {
    store_ = LogStore::Open(path_, {.codecs = AllCodecs()}).value();
  }

  const std::string path_;
  const std::string topic_;
  const int64_t reopen_at_;
  std::unique_ptr<LogStore> store_;
};

// One segment of Kafka's.
class SegmentReplay {
 public:
  explicit SegmentReplay(const fs::path& log)
      : stem_(fs::path(log).replace_extension()),
        bytes_(Contents(log)),
        index_bytes_(Contents(fs::path(stem_).concat(".index"))),
        time_bytes_(Contents(fs::path(stem_).concat(".timeindex"))) {
    CHECK(absl::SimpleAtoi(stem_.filename().string(), &base_offset_));
  }

  // Prints the batches, and appends them. Adds those of their records that a
  // cursor returns.
  void Replay(ReopenedPartition& to, std::vector<DescribedRecord>& records) {
    BatchScanner scanner(bytes_, {.position = 0, .base_offset = base_offset_},
                         {});
    while (const RecordBatch* batch = scanner.Peek()) {
      DescribedBatch described = DescribedBatch::Of(*batch);
      described.topic = to.topic();
      std::puts(described.ToJson().c_str());
      to.Append(*batch);
      if (!batch->is_control()) {
        std::move(described.records.begin(), described.records.end(),
                  std::back_inserter(records));
      }
      batches_.push_back(*batch);
      scanner.Advance();
    }
    CHECK(scanner.stop() == ScanStop::kEnd) << ScanStopText(scanner.stop());
  }

  // Asks Kafka's indexes for every offset and time at which a batch begins or
  // ends.
  void LookUp() {
    const std::string name =
        absl::StrCat("{\"segment\":\"", stem_.parent_path().filename().string(),
                     "/", base_offset_, "\",\"target\":");
    OffsetIndex index(base_offset_, absl::MakeSpan(index_bytes_),
                      static_cast<int64_t>(index_bytes_.size()) / 8);
    CHECK_OK(index.SanityCheck());
    for (const RecordBatch& batch : batches_) {
      for (const int64_t target :
           {batch.base_offset(), batch.last_offset(), batch.next_offset()}) {
        const OffsetPosition found = index.Lookup(target);
        std::puts(absl::StrCat(name, target, ",\"offset\":", found.offset,
                               ",\"position\":", found.position, "}")
                      .c_str());
      }
    }
    TimeIndex times(base_offset_, absl::MakeSpan(time_bytes_),
                    static_cast<int64_t>(time_bytes_.size()) / 12);
    CHECK_OK(times.SanityCheck());
    for (const RecordBatch& batch : batches_) {
      for (const int64_t ms : {-1, 0, 1}) {
        const int64_t target = batch.max_timestamp_ms() + ms;
        const TimestampOffset found = times.Lookup(target);
        std::puts(absl::StrCat(name, target,
                               ",\"timestamp\":", found.timestamp_ms,
                               ",\"offset\":", found.offset, "}")
                      .c_str());
      }
    }
  }

 private:
  const fs::path stem_;
  const std::string bytes_;
  std::string index_bytes_;
  std::string time_bytes_;
  int64_t base_offset_ = -1;
  std::vector<RecordBatch> batches_;
};

void Run(const fs::path& directory, const std::string& store_path,
         int64_t reopen_at, const std::vector<std::string>& configs) {
  std::string topic = directory.filename().string();
  topic.resize(topic.rfind('-'));
  TopicConfig config;
  for (const std::string& text : configs) {
    const std::pair<std::string, std::string> setting =
        absl::StrSplit(text, absl::MaxSplits('=', 1));
    CHECK_OK(config.log.Set(setting.first, setting.second));
  }
  ReopenedPartition partition(store_path, topic, reopen_at);
  partition.Create(config);
  std::vector<fs::path> logs;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  }
  std::sort(logs.begin(), logs.end());
  std::vector<DescribedRecord> records;
  for (const fs::path& log : logs) {
    SegmentReplay segment(log);
    segment.Replay(partition, records);
    segment.LookUp();
  }
  partition.Check(records);
  partition.Close();
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  int64_t reopen_at;
  if (argc < 4 || !absl::SimpleAtoi(argv[3], &reopen_at)) {
    std::fputs("replay_log DIRECTORY STORE OFFSET [config=value...]\n", stderr);
    return 2;
  }
  varve::Run(argv[1], argv[2], reopen_at, {argv + 4, argv + argc});
  return 0;
}
