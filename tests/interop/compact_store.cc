// SPDX-License-Identifier: Apache-2.0

// Appends to the topics of compacted_topics.h, and compacts them, in turns:
//
//   compact_store append STORE START_MS TURN [TOPIC]
//   compact_store compact STORE START_MS NOW_MS [TOPIC]
//
// Without TOPIC it is done to all of them; TOPIC may also be one that a broker
// wrote. The second compacts each topic until
// nothing is dirty, as if it was NOW_MS, and prints a JSON object for each: its
// configs meanwhile, and where each of its compactions ended.

#include <cstdint>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "tests/interop/compacted_topics.h"
#include "tests/interop/store_writer.h"
#include "varve/api/duty/maintenance_pause.h"
#include "varve/api/log_store.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/system/clock.h"

namespace varve {
namespace {

int64_t Number(std::string_view text) {
  int64_t number = 0;
  CHECK(absl::SimpleAtoi(text, &number)) << text;
  return number;
}

void Append(const std::string& path, int64_t turn,
            const std::vector<CompactedTopic>& topics) {
  CHECK_LT(turn, std::ssize(kRoundsBefore));
  int begin = 0;
  for (int i = 0; i < turn; ++i) begin += kRoundsBefore[i];
  const int end = begin + kRoundsBefore[turn];
  StoreWriter writer(path, 0);
  for (const CompactedTopic& topic : topics) {
    if (turn == 0) writer.CreateTopic(topic.name, {.log = topic.config});
    writer.Use(topic.name, 0);
    for (int round = 0; round < end; ++round) {
      const BatchPlan plan = topic.plan(round);
      if (round >= begin) writer.Append(plan);
    }
  }
  writer.Close();
}

class FixedClock final : public Clock {
 public:
  explicit FixedClock(int64_t now_ms) : now_(absl::FromUnixMillis(now_ms)) {}
  absl::Time Now() override { return now_; }

 private:
  const absl::Time now_;
};

// Where each compaction of the topic has ended, until nothing is dirty.
std::vector<int64_t> CompactAll(LogStore& store, std::string_view topic) {
  std::vector<int64_t> ends;
  while (true) {
    const auto compacted = store.CompactTopic(topic);
    CHECK_OK(compacted.status());
    if (!compacted->front().compacted) return ends;
    ends.push_back(compacted->front().clean_end);
  }
}

std::string JsonOf(
    const std::vector<std::pair<std::string, std::string>>& all) {
  return absl::StrJoin(all, ",", [](std::string* out, const auto& config) {
    absl::StrAppend(out, "\"", config.first, "\":\"", config.second, "\"");
  });
}

void Compact(const std::string& path, const CompactedTopic& topic,
             Clock* clock) {
  const std::unique_ptr<LogStore> store =
      LogStore::Open(path, {.compaction_map_bytes = topic.map_bytes,
                            .background = Background::kNone,
                            .codecs = AllCodecs(),
                            .environment = {.clock = clock}})
          .value();
  // The close compacts nothing.
  const MaintenancePause pause = store->PauseMaintenance();
  Partition partition = store->partition(topic.name, 0).value();
  CHECK_OK(partition.TrimBefore(topic.log_start));
  CHECK_OK(store->AlterTopic(topic.name, {.set = topic.compacted_with}));
  const LogConfig config = store->DescribeTopic(topic.name)->config.log;
  const std::vector<int64_t> ends = CompactAll(*store, topic.name);
  std::puts(absl::StrCat("{\"topic\":\"", topic.name, "\",\"mapBytes\":",
                         topic.map_bytes, ",\"trimmedTo\":", topic.log_start,
                         ",\"logStart\":", partition.log_start(),
                         ",\"logEnd\":", partition.visible_end(), ",\"ends\":[",
                         absl::StrJoin(ends, ","), "],\"configs\":{",
                         JsonOf(config.All()), "}}")
                .c_str());
  TopicChanges back = {.set = topic.config.NonDefault()};
  for (const auto& [name, value] : topic.compacted_with) {
    LogConfig without = topic.config;
    CHECK_OK(without.Reset(name));
    if (without == topic.config) back.reset.push_back(name);
  }
  CHECK_OK(store->AlterTopic(topic.name, back));
  CHECK_OK(store->Close());
}

int Run(absl::Span<const std::string> arguments) {
  if (arguments.size() != 5 && arguments.size() != 6) {
    std::fputs(
        "compact_store append STORE START_MS TURN [TOPIC]\n"
        "compact_store compact STORE START_MS NOW_MS [TOPIC]\n",
        stderr);
    return 2;
  }
  std::vector<CompactedTopic> topics = CompactedTopics(Number(arguments[3]));
  std::erase_if(topics, [&](const CompactedTopic& topic) {
    return arguments.size() == 6 && topic.name != arguments[5];
  });
  if (topics.empty()) topics.push_back(ImportedTopic(arguments[5]));
  if (arguments[1] == "append") {
    Append(arguments[2], Number(arguments[4]), topics);
    return 0;
  }
  FixedClock clock(Number(arguments[4]));
  for (const CompactedTopic& topic : topics)
    Compact(arguments[2], topic, &clock);
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  return varve::Run(std::vector<std::string>(argv, argv + argc));
}
