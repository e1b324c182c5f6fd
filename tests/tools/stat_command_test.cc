// SPDX-License-Identifier: Apache-2.0

// `varve stat`, beside a writer and without one.

#include <signal.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"
#include "varve/api/prometheus_text.h"
#include "varve/api/store_metrics.h"
#include "varve/tools/monitor/metrics_text.h"
#include "varve/tools/monitor/store_stat.h"
#include "varve/tools/monitor/store_stat_text.h"
#include "varve/tools/monitor/writer_holdings.h"
#include "varve/tools/shell/topic_target.h"

namespace varve {
namespace {

using ::absl_testing::StatusIs;
using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TopicTargetTest, TopicsAndPartitionsAreToldApart) {
  const auto topic = ParseTopicTarget("a.b-c");
  ASSERT_TRUE(topic.ok());
  EXPECT_EQ(topic->topic, "a.b-c");
  EXPECT_EQ(topic->partition, std::nullopt);
  const auto partition = ParseTopicTarget("a:12");
  ASSERT_TRUE(partition.ok());
  EXPECT_EQ(partition->topic, "a");
  EXPECT_EQ(partition->partition, 12);
  for (const char* text : {"a:", "a:x", "a:-1", "a:99999999999"}) {
    EXPECT_THAT(ParseTopicTarget(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("TOPIC:PARTITION")))
        << text;
  }
}

TEST(WriterHoldingsTest, SnapshotOfAStoreIsReadBack) {
  StoreMetrics metrics;
  metrics.partitions[{"a", 3}] = {
      .unsynced_bytes = 5,
      .pins = {.pins = 2,
               .deleted_bytes = 7,
               .oldest_deleted_age = absl::Milliseconds(1500)}};
  const auto text = MetricsText::Parse(ToPrometheusText(metrics));
  ASSERT_TRUE(text.ok());
  const auto holdings = HoldingsIn(*text);
  ASSERT_EQ(holdings.size(), 1);
  const Holding& holding = holdings.at({"a", 3});
  EXPECT_EQ(holding.unsynced_bytes, 5);
  EXPECT_EQ(holding.pins, 2);
  EXPECT_EQ(holding.pinned_deleted_bytes, 7);
  EXPECT_EQ(holding.pinned_deleted_seconds, 1.5);
}

TEST(StoreStatTextTest, HoldingsAndTotalsAreShownAndWhatIsNotKnownAsSuch) {
  StoreStat stat = {.taken_at = absl::FromUnixMillis(1700000000123)};
  TopicStat topic = {.topic = "orders"};
  topic.partitions.push_back(
      {.partition = 0,
       .stats = {.visible_end = 9,
                 .segments = 2,
                 .batch_bytes = 1000,
                 .disk_bytes = 4096,
                 .epochs = {{0, 0}, {4, 7}},
                 .oldest_time = absl::FromUnixMillis(1700000000001)},
       .holding = Holding{.unsynced_bytes = 12,
                          .pins = 3,
                          .pinned_deleted_bytes = 5000,
                          .pinned_deleted_seconds = 40}});
  topic.partitions.push_back({.partition = 1, .holding = Holding{.pins = 1}});
  stat.topics.push_back(topic);
  const std::string known = ToText(stat);
  EXPECT_THAT(known, HasSubstr("2023-11-14T22:13:20.123Z"));
  EXPECT_THAT(known,
              ContainsRegex("orders +0 +0 +0 +9 +2 +1.0 kB +4.1 kB +4 "
                            "+2023-11-14T22:13:20.001Z +- +12 B +3 \\(5.0 kB "
                            "deleted, held for 40.00 s\\)"));
  EXPECT_THAT(known, ContainsRegex("orders +all +2 .* 12 B +4 \\("));
  stat.topics[0].partitions[1].holding = std::nullopt;
  EXPECT_THAT(ToText(stat), ContainsRegex("orders +1 .*[?] +[?]\n"));
  EXPECT_THAT(ToText(stat), ContainsRegex("orders +all .*[?] +[?]\n"));
  EXPECT_THAT(ToText(stat), Not(HasSubstr("refuses appends")));
  EXPECT_TRUE(json::parse(ToJson(stat).dump())["refuses_appends"].is_null());
  stat.writer.refuses_appends = true;
  EXPECT_THAT(ToText(stat), HasSubstr("writer  refuses appends, since its "
                                      "disk is nearly full (varve metrics); "));
  EXPECT_EQ(json::parse(ToJson(stat).dump())["refuses_appends"], true);
  const json unknown = json::parse(ToJson(stat).dump());
  EXPECT_EQ(unknown["topics"][0]["partitions"][0]["pins"], 3);
  EXPECT_TRUE(unknown["topics"][0]["partitions"][1]["pins"].is_null());
  EXPECT_TRUE(unknown["topics"][0]["totals"]["unsynced_bytes"].is_null());
}

class StatCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("orders", {"--partitions", "2"});
    runner_.CreateTopic("audit");
    runner_.Produce("orders", "one\ntwo\nthree\n");
  }

  CommandResult Stat(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), "stat");
    return runner_.Varve(arguments);
  }
  json StatJson(std::vector<std::string> arguments = {}) {
    arguments.push_back("--json");
    const CommandResult result = Stat(arguments);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return json::parse(result.out);
  }

  CommandRunner runner_;
};

TEST_F(StatCommandTest, ClosedStoreIsShownWhole) {
  const json stat = StatJson();
  EXPECT_EQ(stat["writer"], "none");
  EXPECT_EQ(stat["writer_known"], true);
  ASSERT_EQ(stat["topics"].size(), 2);
  EXPECT_EQ(stat["topics"][0]["topic"], "audit");
  const json& orders = stat["topics"][1];
  ASSERT_EQ(orders["partitions"].size(), 2);
  EXPECT_EQ(orders["totals"]["offsets"], 3);
  EXPECT_EQ(orders["totals"]["unsynced_bytes"], 0);
  int ends = 0;
  for (const json& partition : orders["partitions"]) {
    EXPECT_EQ(partition["durable_end"], partition["visible_end"]);
    EXPECT_EQ(partition["pins"], 0);
    ends += partition["visible_end"].get<int>();
    if (partition["visible_end"] == 0) {
      EXPECT_TRUE(partition["oldest_time_ms"].is_null());
      continue;
    }
    EXPECT_GT(partition["batch_bytes"], 61);
    EXPECT_EQ(partition["epochs"][0],
              (json{{"epoch", 0}, {"start_offset", 0}}));
    EXPECT_GE(partition["newest_time_ms"], partition["oldest_time_ms"]);
  }
  EXPECT_EQ(ends, 3);
  EXPECT_THAT(Stat().out, AllOf(HasSubstr("everything is durable"),
                                ContainsRegex("TOPIC +PARTITION"),
                                ContainsRegex("audit +0 +0 +0 +0 "),
                                ContainsRegex("orders +all +1 ")));
}

TEST_F(StatCommandTest, OneTopicOrPartitionCanBeAskedFor) {
  EXPECT_EQ(StatJson({"orders"})["topics"].size(), 1);
  const json one = StatJson({"orders:1", "audit"});
  ASSERT_EQ(one["topics"].size(), 2);
  ASSERT_EQ(one["topics"][0]["partitions"].size(), 1);
  EXPECT_EQ(one["topics"][0]["partitions"][0]["partition"], 1);
  EXPECT_THAT(Stat({"audit"}).out, Not(HasSubstr(" all ")));
}

TEST_F(StatCommandTest, CompressionTypeIsShownWhereItWasSet) {
  EXPECT_EQ(StatJson()["topics"][1]["compression_type"], "producer");
  EXPECT_THAT(Stat().out, Not(HasSubstr("COMPRESSION.TYPE")));
  ASSERT_EQ(runner_
                .Varve({"topics", "alter", "orders", "--config",
                        "compression.type=zstd"})
                .exit_status,
            0);
  EXPECT_EQ(StatJson()["topics"][0]["compression_type"], "producer");
  EXPECT_EQ(StatJson()["topics"][1]["compression_type"], "zstd");
  EXPECT_THAT(Stat({"orders:0", "orders:1", "audit"}).out,
              EndsWith("\n\nTOPIC   COMPRESSION.TYPE\norders  zstd\n"));
}

TEST_F(StatCommandTest, WriterIsShownAndWhatItHasNotToldIsUnknown) {
  std::filesystem::remove(runner_.data() + "/varve.metrics");
  runner_.StartProducer("orders");
  const json stat = StatJson();
  EXPECT_EQ(stat["writer"], "open");
  EXPECT_EQ(stat["writer_known"], false);
  EXPECT_TRUE(stat["snapshot_age_seconds"].is_null());
  EXPECT_TRUE(stat["topics"][0]["partitions"][0]["pins"].is_null());
  EXPECT_THAT(Stat().out, AllOf(HasSubstr("it has left no snapshot yet"),
                                ContainsRegex("[?] +[?]\n")));
  EXPECT_EQ(runner_.EndProducer(), 0);
}

TEST_F(StatCommandTest, FreshSnapshotOfTheWriterIsUsedAndAnOldOneIsNot) {
  runner_.StartProducer("orders");
  StoreMetrics metrics;
  metrics.taken_at = absl::Now() - absl::Seconds(1);
  metrics.partitions[{"audit", 0}] = {.unsynced_bytes = 77,
                                      .pins = {.pins = 2}};
  const std::string path = runner_.data() + "/varve.metrics";
  WriteFileOrDie(path, ToPrometheusText(metrics));
  const json fresh = StatJson({"audit", "orders"});
  EXPECT_EQ(fresh["writer_known"], true);
  EXPECT_GE(fresh["snapshot_age_seconds"], 1.0);
  EXPECT_EQ(fresh["topics"][0]["partitions"][0]["unsynced_bytes"], 77);
  EXPECT_EQ(fresh["topics"][0]["partitions"][0]["pins"], 2);
  EXPECT_EQ(fresh["topics"][1]["partitions"][0]["unsynced_bytes"], 0);
  metrics.taken_at = absl::Now() - absl::Seconds(31);
  WriteFileOrDie(path, ToPrometheusText(metrics));
  EXPECT_EQ(StatJson()["writer_known"], false);
  EXPECT_THAT(Stat().out, HasSubstr("nothing has changed since"));
  // The snapshot that the previous writer left when it closed is not of this
  // one.
  metrics.taken_at = absl::Now();
  metrics.is_open = false;
  WriteFileOrDie(path, ToPrometheusText(metrics));
  EXPECT_TRUE(StatJson()["snapshot_age_seconds"].is_null());
  WriteFileOrDie(path, "\1\2");
  EXPECT_EQ(StatJson()["writer_known"], false);
  EXPECT_EQ(runner_.EndProducer(), 0);
}

TEST_F(StatCommandTest, StoreThatWasNotClosedSaysSo) {
  runner_.StartProducer("orders");
  runner_.WriteToProducer("four\n");
  runner_.KillProducer();
  EXPECT_EQ(StatJson()["writer"], "none");
  // A writer that changed nothing leaves the mark of the close before it.
  std::filesystem::remove(runner_.data() + "/.kafka_cleanshutdown");
  EXPECT_EQ(StatJson()["writer_known"], false);
  EXPECT_THAT(Stat().out, HasSubstr("did not close the store"));
}

TEST_F(StatCommandTest, InternalTopicsAreShownWhenAskedFor) {
  runner_.Varve({"consume", "orders", "--group", "g"});
  EXPECT_EQ(StatJson()["topics"].size(), 2);
  EXPECT_EQ(StatJson({"--include-internal"})["topics"].size(), 3);
  EXPECT_EQ(StatJson({"__consumer_offsets:0"})["topics"].size(), 1);
  EXPECT_THAT(runner_.Varve({"topics", "list"}).out,
              Not(HasSubstr("__consumer_offsets")));
  EXPECT_THAT(runner_.Varve({"topics", "list", "--include-internal"}).out,
              HasSubstr("__consumer_offsets"));
}

TEST_F(StatCommandTest, MistakesAreExplained) {
  CommandResult result = Stat({"nothing"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("audit, orders"));
  result = Stat({"orders:2"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("it has 0 to 1"));
  EXPECT_EQ(Stat({"orders:x"}).exit_status, 2);
  EXPECT_EQ(Stat({"--watch", "0"}).exit_status, 2);
  EXPECT_EQ(Stat({"--watch", "soon"}).exit_status, 2);
  EXPECT_EQ(Stat({"--data", runner_.PathTo("none")}).exit_status, 1);
}

TEST_F(StatCommandTest, PartitionThatCannotBeReadIsAnErrorAndTheRestIsShown) {
  std::filesystem::remove_all(runner_.data() + "/audit-0");
  const CommandResult result = Stat();
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("audit-0"));
  EXPECT_THAT(result.out, ContainsRegex("orders +1 "));
}

TEST_F(StatCommandTest, WatchInAPipeAppendsUntilItIsInterrupted) {
  runner_.StartProgram({"stat", "orders", "--watch", "0.1"});
  const auto rounds = [&] {
    const std::string out = runner_.ConsumerOutput();
    int count = 0;
    for (size_t at = 0; (at = out.find("TOPIC ", at)) != out.npos; ++at)
      ++count;
    return count;
  };
  for (int i = 0; i < 4000 && rounds() < 3; ++i)
    absl::SleepFor(absl::Milliseconds(5));
  EXPECT_GE(rounds(), 3);
  const CommandResult result = runner_.EndConsumer(SIGINT);
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(result.out, Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace varve
