// SPDX-License-Identifier: Apache-2.0

// A store as it was written before committed offsets had the id of their topic:
// values of version 3, and topic ids that do not say when the topic was made.

#ifndef VARVE_TESTS_OLD_OFFSET_STORE_H_
#define VARVE_TESTS_OLD_OFFSET_STORE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "api/log_store.h"
#include "index/big_endian.h"
#include "log/checksummed_text.h"
#include "log/offset_commit_record.h"
#include "log/record_batch_builder.h"
#include "log/topic_id.h"
#include "tests/consumer_offsets_append.h"
#include "tests/file_bytes.h"

namespace varve {

// The value of version 3, which names no topic id, at leader epoch 0.
inline std::string OffsetValueOfVersion3(int64_t offset, int64_t commit_ms) {
  std::string value(24, '\0');
  StoreBig16(value.data(), 3);
  StoreBig64(value.data() + 2, offset);
  StoreBig64(value.data() + 16, commit_ms);
  return value;
}

// Appends such a commit for partition 0 of `topic`, to the closed store in
// `path`, which has committed offsets.
inline void CommitAsVersion3(const std::string& path, std::string_view group,
                             std::string_view topic, int64_t offset,
                             int64_t commit_ms) {
  RecordBatchBuilder builder;
  CHECK_OK(builder.Append(
      {.key = FormatOffsetCommitKey({.group = group, .topic = topic}),
       .value = OffsetValueOfVersion3(offset, commit_ms)},
      commit_ms));
  CHECK_OK(AppendToConsumerOffsets(path, group, builder.Finish()));
}

// Gives the topics of a closed store ids of version 4, as random as they were.
inline void GiveOldTopicIds(const std::string& path) {
  const std::string catalog = path + "/varve.topics";
  auto lines = ParseChecksummedText("varve.topics", ReadBytes(catalog));
  CHECK_OK(lines.status());
  uint64_t number = 0;
  for (std::string& line : *lines) {
    std::vector<std::string> fields = absl::StrSplit(line, ' ');
    const TopicId id(0x4b1e2c6a0f3d4e57, 0x9a8b112233445566 + ++number);
    fields[3] = id.ToText();
    line = absl::StrJoin(fields, " ");
    for (int i = 0;; ++i) {
      const std::string directory = absl::StrCat(path, "/", fields[1], "-", i);
      if (!std::filesystem::exists(directory)) break;
      WriteBytes(directory + "/partition.metadata",
                 FormatPartitionMetadata(id));
    }
  }
  WriteBytes(catalog, FormatChecksummedText("varve.topics", *lines));
}

// A closed store with `records` in the topic "orders", of which the group "g"
// has committed `offset`, at `commit_ms`.
inline void WriteOldStore(const std::string& path, int records, int64_t offset,
                          int64_t commit_ms) {
  auto store = LogStore::Open(path);
  CHECK_OK(store.status());
  CHECK_OK((*store)->CreateTopic("orders"));
  auto orders = (*store)->partition("orders", 0);
  CHECK_OK(orders.status());
  for (int i = 0; i < records; ++i)
    CHECK_OK(orders->Append({.value = "old"}, Durability::kMemory));
  // Makes __consumer_offsets, and leaves no commit in it.
  CHECK_OK((*store)->CommitOffset("g", "orders", 0, 0));
  CHECK_OK((*store)->DeleteGroup("g"));
  CHECK_OK((*store)->Close());
  GiveOldTopicIds(path);
  CommitAsVersion3(path, "g", "orders", offset, commit_ms);
}

}  // namespace varve

#endif  // VARVE_TESTS_OLD_OFFSET_STORE_H_
