// SPDX-License-Identifier: Apache-2.0

// The bytes of log/FORMAT.md against the code, in both directions. Changing
// this test, or a dump there, changes the format: ask for a second reviewer.

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/incoming_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/segment/segment_sidecar.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::IsOkAndHolds;
using testing::ElementsAre;

constexpr int64_t kTime = 1700000000000;

// The dumps of log/FORMAT.md by name: blocks fenced as ```hex NAME, in which
// each line is a position, a colon and bytes in hex.
std::map<std::string, std::string> ReadDumps() {
  std::ifstream file("log/FORMAT.md");
  EXPECT_TRUE(file.is_open()) << "run by bazel, from the workspace's root";
  std::map<std::string, std::string> dumps;
  std::string* dump = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "```hex ")) {
      dump = &dumps[line.substr(7)];
    } else if (absl::StartsWith(line, "```")) {
      dump = nullptr;
    } else if (dump != nullptr) {
      EXPECT_EQ(std::stoul(line, nullptr, 16), dump->size()) << line;
      std::istringstream bytes(line.substr(line.find(':') + 1));
      for (std::string byte; bytes >> byte;) {
        dump->push_back(static_cast<char>(std::stoul(byte, nullptr, 16)));
      }
    }
  }
  return dumps;
}

std::string Golden(const std::string& name) {
  static const auto& dumps =
      *new std::map<std::string, std::string>(ReadDumps());
  const auto found = dumps.find(name);
  EXPECT_TRUE(found != dumps.end()) << "no such dump: " << name;
  return found == dumps.end() ? "" : found->second;
}

// The text fenced as ```text NAME.
std::string GoldenText(const std::string& name) {
  std::ifstream file("log/FORMAT.md");
  std::ostringstream contents;
  contents << file.rdbuf();
  const std::string page = contents.str();
  const std::string fence = "```text " + name + "\n";
  const size_t begin = page.find(fence);
  EXPECT_NE(begin, page.npos) << "no such text: " << name;
  if (begin == page.npos) return "";
  const size_t text = begin + fence.size();
  return page.substr(text, page.find("```", text) - text);
}

std::string Hex(std::string_view bytes) {
  std::ostringstream hex;
  hex << std::hex;
  for (const char byte : bytes) {
    hex << (static_cast<uint8_t>(byte) < 16 ? "0" : "")
        << int{static_cast<uint8_t>(byte)} << ' ';
  }
  return hex.str();
}

// Compares as hex, so that a difference can be read.
void ExpectGolden(const EncodedBatch& batch, const BatchPlacement& placement,
                  const std::string& name) {
  std::string placed(static_cast<size_t>(batch.size_bytes()), '\0');
  IncomingBatch(batch, /*now_ms=*/0).PlaceAt(placed.data(), placement);
  EXPECT_EQ(Hex(placed), Hex(Golden(name)));
}

RecordBatch ParseGolden(const std::string& bytes, int64_t size) {
  absl::StatusOr<RecordBatch> batch =
      RecordBatch::Parse(bytes, CrcCheck::kVerify);
  EXPECT_THAT(batch, IsOk());
  EXPECT_EQ(batch->size(), size);
  return *batch;
}

TEST(FormatGoldenTest, TwoRecordsAreWrittenAsTheDumpSays) {
  const Header header{.key = "h"};
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.key = "k", .value = "v"}, kTime), IsOk());
  ASSERT_THAT(
      builder.Append({.value = "", .headers = absl::MakeConstSpan(&header, 1)},
                     kTime + 5),
      IsOk());
  ExpectGolden(builder.Finish(), {.base_offset = 100, .leader_epoch = 3},
               "two-records");
}

TEST(FormatGoldenTest, TwoRecordsAreReadAsTheTableSays) {
  const std::string bytes = Golden("two-records");
  const RecordBatch batch = ParseGolden(bytes, 80);
  EXPECT_EQ(batch.base_offset(), 100);
  EXPECT_EQ(batch.next_offset(), 102);
  EXPECT_EQ(batch.leader_epoch(), 3);
  EXPECT_EQ(batch.crc(), 0x13f3c0b7u);
  EXPECT_EQ(batch.base_timestamp_ms(), kTime);
  EXPECT_EQ(batch.max_timestamp_ms(), kTime + 5);
  EXPECT_EQ(batch.producer_id(), -1);
  EXPECT_EQ(batch.producer_epoch(), -1);
  EXPECT_EQ(batch.base_sequence(), -1);
  RecordCursor cursor(batch);
  const RecordView first = *cursor.Next();
  EXPECT_EQ(first.offset(), 100);
  EXPECT_EQ(first.timestamp_ms(), kTime);
  EXPECT_EQ(first.key(), "k");
  EXPECT_EQ(first.value(), "v");
  EXPECT_TRUE(first.headers().empty());
  EXPECT_EQ(first.size_bytes(), 9);
  const RecordView second = *cursor.Next();
  EXPECT_EQ(second.offset(), 101);
  EXPECT_EQ(second.timestamp_ms(), kTime + 5);
  EXPECT_EQ(second.key(), std::nullopt);
  EXPECT_EQ(second.value(), "");
  EXPECT_THAT(second.headers(), ElementsAre(Header{.key = "h"}));
  EXPECT_EQ(second.size_bytes(), 10);
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(), IsOk());
}

EncodedBatch Marker(RecordBatchBuilder& builder, ControlRecordType type) {
  const ControlRecordKey key(type);
  const EndTransactionValue value(7);
  EXPECT_THAT(
      builder.Append({.key = key.bytes(), .value = value.bytes()}, kTime + 10),
      IsOk());
  return builder.Finish();
}

constexpr BatchOptions kMarkerOptions{.producer_id = 4000,
                                      .producer_epoch = 0,
                                      .transactional = Transactional::kYes,
                                      .kind = BatchKind::kControl};

TEST(FormatGoldenTest, CommitMarkerIsWrittenAsTheDumpSays) {
  RecordBatchBuilder builder(kMarkerOptions);
  ExpectGolden(Marker(builder, ControlRecordType::kCommit),
               {.base_offset = 102, .leader_epoch = 3}, "commit-marker");
}

TEST(FormatGoldenTest, AbortMarkerDiffersInOneByteAndItsCrc) {
  RecordBatchBuilder builder(kMarkerOptions);
  const EncodedBatch abort = Marker(builder, ControlRecordType::kAbort);
  EXPECT_EQ(abort.batch().crc(), 0x7c8e862bu);
  EXPECT_EQ(abort.bytes()[0x45], 0);
  EXPECT_EQ(Golden("commit-marker")[0x45], 1);
}

TEST(FormatGoldenTest, CommitMarkerIsReadAsSuch) {
  const std::string bytes = Golden("commit-marker");
  const RecordBatch batch = ParseGolden(bytes, 78);
  EXPECT_EQ(batch.attributes(), 0x30);
  EXPECT_EQ(batch.producer_id(), 4000);
  RecordCursor cursor(batch);
  const RecordView* record = cursor.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_THAT(ParseControlRecordType(record->key()),
              IsOkAndHolds(ControlRecordType::kCommit));
  EXPECT_THAT(ParseCoordinatorEpoch(record->value()), IsOkAndHolds(7));
}

TEST(FormatGoldenTest, EmptiedBatchIsWrittenAndReadAsTheDumpSays) {
  // The horizon does not survive the last record.
  RecordBatchBuilder builder({.producer_id = 4000,
                              .producer_epoch = 0,
                              .base_sequence = 0,
                              .delete_horizon_ms = kTime});
  absl::StatusOr<EncodedBatch> emptied =
      builder.FinishAs({.last_offset_delta = 1, .max_timestamp_ms = kTime + 5});
  ASSERT_THAT(emptied, IsOk());
  ExpectGolden(*emptied, {.base_offset = 100, .leader_epoch = 3},
               "emptied-batch");
  const std::string bytes = Golden("emptied-batch");
  const RecordBatch batch = ParseGolden(bytes, 61);
  EXPECT_EQ(batch.next_offset(), 102);
  EXPECT_EQ(batch.record_count(), 0);
}

TEST(FormatGoldenTest, TombstoneWithHorizonIsWrittenAndReadAsTheDumpSays) {
  RecordBatchBuilder builder({.delete_horizon_ms = kTime + 86400000});
  ASSERT_THAT(builder.Append({.key = "k"}, kTime), IsOk());
  ExpectGolden(builder.Finish(), {.base_offset = 7, .leader_epoch = 0},
               "tombstone");
  const std::string bytes = Golden("tombstone");
  const RecordBatch batch = ParseGolden(bytes, 72);
  EXPECT_TRUE(batch.has_delete_horizon());
  RecordCursor cursor(batch);
  const RecordView* record = cursor.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->timestamp_ms(), kTime);
  EXPECT_EQ(record->value(), std::nullopt);
}

TEST(FormatGoldenTest, SidecarIsWrittenAndReadAsTheTextSays) {
  const std::string first = Golden("two-records");
  const std::string second = Golden("commit-marker");
  std::string last_time(12, '\0');
  StoreBig64(last_time.data(), kTime + 10);
  StoreBig32(last_time.data() + 8, 2);
  SegmentSidecar sidecar = SegmentSidecar::OfEmpty(100);
  sidecar.Add(RecordBatch(first));
  sidecar.Add(RecordBatch(second));
  sidecar.index_crc = 0;
  sidecar.time_index_crc =
      static_cast<uint32_t>(absl::ComputeCrc32c(last_time));
  const std::string golden = GoldenText(SidecarFileName(100));
  EXPECT_EQ(sidecar.ToText(), golden);
  EXPECT_THAT(SegmentSidecar::FromText(golden), IsOkAndHolds(sidecar));
}

}  // namespace
}  // namespace varve
