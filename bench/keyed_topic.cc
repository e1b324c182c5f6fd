// SPDX-License-Identifier: Apache-2.0

#include "bench/keyed_topic.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/compaction/topic_compaction.h"
#include "varve/api/log_store.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"

namespace varve::bench {
namespace {

constexpr int64_t kTimestampMs = 1'700'000'000'000;
constexpr int64_t kSharedPerKey = 100;

// A permutation of the numbers ("splitmix64"), which scatters them.
uint64_t Scatter(uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

bool HasOwnKey(const Keying& keying, int64_t i) {
  return keying.stays == Stays::kAll ||
         (keying.stays == Stays::kHalf && i % 2 == 0);
}

// The key of the i-th record. Those of shared keys are small.
uint64_t KeyOf(const Keying& keying, int64_t i) {
  const uint64_t scattered = Scatter(static_cast<uint64_t>(i));
  if (HasOwnKey(keying, i)) return scattered;
  return scattered % static_cast<uint64_t>(keying.records / kSharedPerKey + 1);
}

TopicConfig ConfigOf(const Keying& keying) {
  TopicConfig config;
  config.log.cleanup_policy = CleanupPolicy::kCompact;
  const int64_t bytes = keying.records / keying.batch * BatchBytes(keying);
  config.log.segment_bytes = std::max<int64_t>(bytes / keying.segments, 4096);
  return config;
}

}  // namespace

std::string_view NameOf(Stays stays) {
  switch (stays) {
    case Stays::kOnePercent:
      return "one_percent";
    case Stays::kHalf:
      return "half";
    case Stays::kAll:
      return "all";
  }
  return "unknown";
}

int64_t BatchBytes(const Keying& keying) {
  RecordBatchBuilder builder;
  const std::string value(static_cast<size_t>(keying.value_bytes), 'v');
  for (int i = 0; i < keying.batch; ++i) {
    CHECK_OK(builder.Append({.key = "0123456789abcdef", .value = value},
                            kTimestampMs));
  }
  return builder.size_bytes();
}

int64_t RecordsIn(int64_t size_bytes, const Keying& keying) {
  return std::max<int64_t>(1, size_bytes / BatchBytes(keying)) * keying.batch;
}

KeyedTopic::KeyedTopic(LogStore* store, const std::string& name,
                       const Keying& keying)
    : store_(store), name_(name) {
  CHECK_OK(store_->CreateTopic(name_, ConfigOf(keying)));
  absl::StatusOr<Partition> partition = store_->partition(name_, 0);
  CHECK_OK(partition.status());
  partition_ = *std::move(partition);
  Append(keying);
  CHECK_OK(partition_.Sync());
}

void KeyedTopic::Append(const Keying& keying) {
  const std::string value(static_cast<size_t>(keying.value_bytes), 'v');
  RecordBatchBuilder builder;
  for (int64_t i = 0; i < keying.records;) {
    builder.Clear();
    for (int k = 0; k < keying.batch; ++k, ++i) {
      const uint64_t number = KeyOf(keying, i);
      const std::string key = absl::StrCat(absl::Hex(number, absl::kZeroPad16));
      CHECK_OK(builder.Append({.key = key, .value = value}, kTimestampMs));
    }
    CHECK_OK(partition_.Append(builder.Finish(), Durability::kMemory).status());
  }
}

KeyedTopic::Compacted KeyedTopic::Compact() {
  Compacted sum = {.bytes_read = SealedBytes()};
  int64_t clean_end = -1;
  while (true) {
    const absl::StatusOr<std::vector<PartitionCompacted>> compacted =
        store_->CompactTopic(name_);
    CHECK_OK(compacted.status());
    const PartitionCompacted& one = compacted->front();
    if (!one.compacted || one.clean_end == clean_end) break;
    clean_end = one.clean_end;
    ++sum.compactions;
    sum.bytes_written += one.bytes_after;
  }
  return sum;
}

std::vector<std::string> KeyedTopic::SealedSegments() const {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(
           absl::StrCat(store_->path(), "/", name_, "-0"))) {
    const std::string name = entry.path().filename();
    if (name.ends_with(".log") && !name.starts_with("ready")) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  paths.pop_back();  // the active one
  return paths;
}

int64_t KeyedTopic::SealedBytes() const {
  int64_t bytes = 0;
  for (const std::string& path : SealedSegments())
    bytes += static_cast<int64_t>(std::filesystem::file_size(path));
  return bytes;
}

std::vector<std::string> KeyedTopic::KeepSegments() {
  std::vector<std::string> kept;
  for (const std::string& path : SealedSegments()) {
    kept.push_back(absl::StrCat(kept_.path(), "/", kept.size()));
    std::filesystem::create_hard_link(path, kept.back());
  }
  return kept;
}

}  // namespace varve::bench
