// SPDX-License-Identifier: Apache-2.0

// Replays the offsets that a broker's groups committed.
//
//   replay_offsets create STORE      a new store with the topic `orders`, whose
//                                    id is printed
//   replay_offsets replay STORE LOG  appends the batches of LOG, a segment of
//                                    Kafka's __consumer_offsets, to the store's
//                                    own; then prints, an object a line, where
//                                    each group has come in each partition: as
//                                    a writer of the store finds it, and again,
//                                    with "readOnly", as a reader does

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/fixture/consumer_offsets_append.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/segment/batch_scanner.h"

namespace varve {
namespace {

constexpr int32_t kPartitions = 3;
constexpr int kRecords = 1000;
constexpr std::string_view kFirstGroup = "first";

std::unique_ptr<LogStore> Open(const std::string& path) {
  return LogStore::Open(path, {.codecs = AllCodecs()}).value();
}

void Create(const std::string& path) {
  const auto store = Open(path);
  CHECK_OK(store->CreateTopic("orders", {.partitions = kPartitions}));
  RecordBatchBuilder records;
  for (int i = 0; i < kRecords; ++i) {
    CHECK_OK(records.Append({.value = "v"}, absl::UnixEpoch()));
  }
  for (int32_t partition = 0; partition < kPartitions; ++partition) {
    CHECK_OK(store->partition("orders", partition)
                 ->Append(records.Finish(), Durability::kMemory)
                 .status());
  }
  // Makes the topic __consumer_offsets.
  CHECK_OK(store->CommitOffset(kFirstGroup, "orders", 0, 1));
  std::puts(absl::StrCat("{\"topicId\":\"",
                         store->DescribeTopic("orders")->id.ToText(), "\"}")
                .c_str());
  CHECK_OK(store->Close());
}

void AppendAll(const std::string& path, const std::string& log) {
  std::ifstream file(log, std::ios::binary);
  CHECK(file.is_open()) << log;
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  BatchScanner scanner(bytes, {.position = 0, .base_offset = 0}, {});
  while (const RecordBatch* batch = scanner.Peek()) {
    CHECK_OK(AppendToConsumerOffsets(path, kFirstGroup,
                                     EncodedBatch::Unchecked(*batch)));
    scanner.Advance();
  }
  CHECK(scanner.stop() == ScanStop::kEnd) << ScanStopText(scanner.stop());
}

void Print(std::string_view group, const GroupOffset& offset,
           std::string_view rest) {
  const OffsetAndMetadata& committed = offset.committed;
  CHECK_EQ(offset.partition.topic, "orders");
  std::puts(absl::StrCat("{\"group\":\"", group,
                         "\",\"partition\":", offset.partition.partition,
                         ",\"offset\":", committed.offset, ",\"leaderEpoch\":",
                         committed.leader_epoch, ",\"metadata\":\"",
                         absl::BytesToHexString(committed.metadata),
                         "\",\"commitTimestamp\":",
                         absl::ToUnixMillis(committed.commit_time), rest, "}")
                .c_str());
}

void Replay(const std::string& path, const std::string& log) {
  AppendAll(path, log);
  const auto store = Open(path);
  const std::vector<std::string> groups = store->ListGroups().value();
  for (const std::string& group : groups) {
    const std::vector<GroupOffset> offsets =
        store->DescribeGroup(group).value();
    for (const GroupOffset& offset : offsets) Print(group, offset, "");
  }
  CHECK_OK(store->Close());
  const auto reader =
      LogStore::OpenReadOnly(path, {.codecs = AllCodecs()}).value();
  const std::map<std::string, std::vector<GroupOffset>> described =
      reader->DescribeGroups().value();
  for (const auto& [group, offsets] : described) {
    for (const GroupOffset& offset : offsets) {
      Print(group, offset, ",\"readOnly\":true");
    }
  }
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "create" && argc == 3) {
    varve::Create(argv[2]);
  } else if (what == "replay" && argc == 4) {
    varve::Replay(argv[2], argv[3]);
  } else {
    std::fputs("replay_offsets create STORE | replay STORE LOG\n", stderr);
    return 2;
  }
  return 0;
}
