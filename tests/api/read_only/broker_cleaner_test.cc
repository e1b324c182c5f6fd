// SPDX-License-Identifier: Apache-2.0

// A partition of a running broker, read while its log cleaner replaces segments
// in all the steps that it takes.

#include <atomic>
#include <cstdint>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/memory_directory.h"
#include "varve/api/read_only_store.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr int kRounds = 60;
constexpr int kSegmentsOfRound = 3;
constexpr int64_t kOffsetsOfSegment = 10;

constexpr SegmentFileKind kKinds[] = {SegmentFileKind::kLog,
                                      SegmentFileKind::kIndex,
                                      SegmentFileKind::kTimeIndex};

// The broker: appends segments of ten records each, and compacts all but the
// last one into the first. The last record of each ten is never dropped.
class Broker {
 public:
  explicit Broker(const std::string& path) : directory_(path) {
    directory_.AddPartition("t-0", TopicId(1, 2));
    Append();
  }

  const std::string& path() const { return directory_.path(); }

  void RunRound() {
    for (int i = 0; i < kSegmentsOfRound; ++i) Append();
    Compact();
  }

 private:
  static std::string Name(int64_t base_offset, SegmentFileKind kind) {
    return BrokerDirectory::FileOf("t-0", base_offset, kind);
  }

  void Append() {
    const int64_t base = std::ssize(bases_) == 0 ? 0 : end_;
    std::vector<std::string> values(kOffsetsOfSegment - 1, "dropped");
    values.emplace_back("kept");
    directory_.PutSegment("t-0", base, BrokerBatch(base, values));
    bases_.push_back(base);
    end_ = base + kOffsetsOfSegment;
  }

  // As LocalLog.replaceSegments does it: the new segment becomes `.swap`, the
  // old ones `.deleted`, and the new one gets its name.
  void Compact() {
    const int64_t active = bases_.back();
    std::string bytes;
    for (int64_t kept = kOffsetsOfSegment - 1; kept < active;
         kept += kOffsetsOfSegment) {
      bytes += BrokerBatch(kept, {"kept"});
    }
    directory_.Put(Name(0, SegmentFileKind::kLog) + ".cleaned", bytes);
    directory_.Put(Name(0, SegmentFileKind::kIndex) + ".cleaned", "");
    directory_.Put(Name(0, SegmentFileKind::kTimeIndex) + ".cleaned", "");
    Rename(0, ".cleaned", ".swap");
    for (const int64_t base : bases_) {
      if (base != active) Rename(base, "", ".deleted");
    }
    Rename(0, ".swap", "");
    for (const int64_t base : bases_) {
      for (const SegmentFileKind kind : kKinds)
        directory_.Remove(Name(base, kind) + ".deleted");
    }
    bases_ = {0, active};
  }

  void Rename(int64_t base, const std::string& from, const std::string& to) {
    for (const SegmentFileKind kind : kKinds)
      directory_.Rename(Name(base, kind) + from, Name(base, kind) + to);
  }

  const BrokerDirectory directory_;
  std::vector<int64_t> bases_;
  int64_t end_ = 0;
};

// Reads the whole log, and returns the offsets of what is never dropped.
std::vector<int64_t> KeptOffsets(const ReadOnlyPartition& partition,
                                 int64_t end) {
  std::vector<int64_t> offsets;
  for (int64_t offset = 0; offset < end;) {
    const auto view = partition.Read(offset);
    EXPECT_THAT(view, IsOk()) << offset;
    if (!view.ok() || view->empty()) break;
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      if (record->value() == "kept") offsets.push_back(record->offset());
    }
    offset = view->next_offset();
  }
  return offsets;
}

TEST(BrokerCleanerTest, NothingIsSkippedWhileSegmentsAreReplaced) {
  const MemoryDirectory scratch;
  Broker broker(scratch / "broker");
  std::atomic<bool> done = false;
  const std::jthread cleaner([&] {
    for (int i = 0; i < kRounds; ++i) broker.RunRound();
    done = true;
  });
  int looks = 0;
  while (!done || looks == 0) {
    auto store = ReadOnlyStore::Open(broker.path());
    ASSERT_THAT(store, IsOk());
    auto partition = (*store)->partition("t", 0);
    ASSERT_THAT(partition, IsOk());
    const auto bounds = partition->Bounds();
    ASSERT_THAT(bounds, IsOk());
    ASSERT_EQ(bounds->log_start, 0);
    const std::vector<int64_t> kept =
        KeptOffsets(*partition, bounds->visible_end);
    for (int64_t i = 0; i < std::ssize(kept); ++i)
      ASSERT_EQ(kept[i], (i + 1) * kOffsetsOfSegment - 1);
    ASSERT_GE(std::ssize(kept) * kOffsetsOfSegment, bounds->visible_end);
    ++looks;
  }
}

}  // namespace
}  // namespace varve
