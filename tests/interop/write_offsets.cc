// SPDX-License-Identifier: Apache-2.0

// Writes a store in which groups have committed offsets, in two leader epochs,
// and prints what was committed, in order, an object a line; "offset" is null
// for one that was deleted.
//
//   write_offsets before DIR    a new store; this process kills itself
//   write_offsets after DIR     more into the same, closed

#include <signal.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"

namespace varve {
namespace {

class GroupWriter {
 public:
  explicit GroupWriter(const std::string& path) {
    // As many partitions as a broker has.
    auto store = LogStore::Open(path, {.offsets_topic_num_partitions = 50});
    CHECK(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  void CreateTopic(std::string_view topic, int32_t partitions) {
    CHECK_OK(store_->CreateTopic(topic, {.partitions = partitions}));
  }

  void Append(std::string_view topic, int32_t partition, int count) {
    auto log = store_->partition(topic, partition);
    CHECK(log.ok()) << log.status();
    for (int i = 0; i < count; ++i) CHECK_OK(log->Append({.value = "v"}));
  }

  void Commit(std::string_view group, const OffsetCommit& commit) {
    CHECK_OK(store_->CommitOffsets(group, {commit}));
    auto found = store_->CommittedOffset(group, commit.topic, commit.partition);
    CHECK(found.ok()) << found.status();
    Print(
        group, commit.topic, commit.partition,
        absl::StrCat(
            commit.offset, ", \"leaderEpoch\": ", found->leader_epoch,
            ", \"metadata\": \"", commit.metadata,
            "\", \"commitTimestamp\": ", absl::ToUnixMillis(found->commit_time),
            ", \"topicId\": \"", IdOf(commit.topic), "\""));
  }

  void Delete(std::string_view group, std::string_view topic,
              int32_t partition) {
    CHECK_OK(store_->DeleteOffsets(
        group, {{.topic = std::string(topic), .partition = partition}}));
    Print(group, topic, partition, "null");
  }

  void Close() { CHECK_OK(store_->Close()); }

 private:
  std::string IdOf(std::string_view topic) const {
    auto description = store_->DescribeTopic(topic);
    CHECK(description.ok()) << description.status();
    return description->id.ToText();
  }

  static void Print(std::string_view group, std::string_view topic,
                    int32_t partition, std::string_view rest) {
    const std::string line = absl::StrCat(
        "{\"group\": \"", group, "\", \"topic\": \"", topic,
        "\", \"partition\": ", partition, ", \"offset\": ", rest, "}\n");
    CHECK_GE(std::fputs(line.c_str(), stdout), 0);
  }

  std::unique_ptr<LogStore> store_;
};

int Run(std::string_view what, const std::string& path) {
  GroupWriter writer(path);
  if (what == "before") {
    writer.CreateTopic("orders", 3);
    writer.CreateTopic("t", 1);
    writer.Append("orders", 0, 10);
    writer.Append("t", 0, 5);
    writer.Commit("test", {.topic = "orders", .partition = 0, .offset = 7});
    writer.Commit("test", {.topic = "orders", .partition = 2, .offset = 0});
    writer.Commit("my-group",
                  {.topic = "t", .offset = 5, .metadata = "höst 1"});
    writer.Commit("polygenelubricants", {.topic = "t", .offset = 1});
    writer.Commit("grün 漢字 🌊", {.topic = "t", .offset = 2});
    std::fflush(stdout);
    raise(SIGKILL);
  }
  writer.Append("orders", 0, 10);
  writer.Commit("test", {.topic = "orders", .partition = 0, .offset = 15});
  writer.Commit("test", {.topic = "orders", .partition = 0, .offset = 4});
  writer.Delete("my-group", "t", 0);
  writer.Close();
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("write_offsets before|after DIR\n", stderr);
    return 2;
  }
  return varve::Run(argv[1], argv[2]);
}
