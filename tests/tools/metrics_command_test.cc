// SPDX-License-Identifier: Apache-2.0

// `varve metrics` shows the counts of the last writer, to any process.

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/fixture/exposition_parser.h"
#include "tests/tools/command_runner.h"
#include "varve/api/prometheus_text.h"
#include "varve/api/store_metrics.h"
#include "varve/tools/monitor/metrics_summary.h"
#include "varve/tools/monitor/metrics_text.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// A text as a store writes it.
StoreMetrics Metrics() {
  StoreMetrics metrics;
  metrics.opened_at = absl::FromUnixSeconds(1700000000);
  metrics.taken_at = absl::FromUnixSeconds(1700000060);
  metrics.topics["a\"b"] = {.appends = 2, .appended_records = 1234567};
  metrics.read_ns.Add(HistogramBucket(1000), 3);
  metrics.read_ns.Add(HistogramBucket(3000), 1);
  metrics.read_ns.AddSum(6000);
  metrics.append_errors[8] = 7;
  return metrics;
}

TEST(MetricsTextTest, WhatWasWrittenIsReadBack) {
  const auto text = MetricsText::Parse(ToPrometheusText(Metrics()));
  ASSERT_THAT(text, IsOk());
  EXPECT_EQ(text->taken_at(), absl::FromUnixSeconds(1700000060));
  EXPECT_EQ(text->opened_at(), absl::FromUnixSeconds(1700000000));
  EXPECT_EQ(text->Value("varve_append_records_total", {{"topic", "a\"b"}}),
            1234567);
  EXPECT_EQ(text->Value("varve_append_records_total"), 0);
  EXPECT_DOUBLE_EQ(text->Percentile("varve_read_seconds", {}, 0.5), 1.024e-6);
  EXPECT_DOUBLE_EQ(text->Percentile("varve_read_seconds", {}, 1), 4.096e-6);
  EXPECT_EQ(text->Percentile("varve_sync_seconds", {}, 0.5), 0);
}

TEST(MetricsTextTest, ValueBehindTheLastBucketHasNoBound) {
  StoreMetrics metrics = Metrics();
  metrics.read_ns.Add(kHistogramBuckets - 1, 100);
  const auto text = MetricsText::Parse(ToPrometheusText(metrics));
  ASSERT_THAT(text, IsOk());
  EXPECT_EQ(text->Percentile("varve_read_seconds", {}, 0.99),
            std::numeric_limits<double>::infinity());
}

TEST(MetricsTextTest, EveryPieceOfATextIsRefused) {
  const std::string whole = ToPrometheusText(Metrics());
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_THAT(MetricsText::Parse(whole.substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
}

TEST(MetricsTextTest, WhatIsNoMetricsIsRefusedWithItsLine) {
  EXPECT_THAT(MetricsText::Parse("# x\nroot:x:0:0\n"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("line 2")));
  EXPECT_THAT(MetricsText::Parse(std::string(100, '\0')),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(MetricsSummaryTest, AgeLatenciesAndErrorsAreShown) {
  const auto text = MetricsText::Parse(ToPrometheusText(Metrics()));
  ASSERT_THAT(text, IsOk());
  const std::string summary = MetricsSummary(*text, WriterPresence::kOpen,
                                             absl::FromUnixSeconds(1700000064));
  EXPECT_THAT(summary, HasSubstr("taken 4.00 s ago, 60.00 s after the store"));
  EXPECT_THAT(summary, HasSubstr("a writer has it open"));
  EXPECT_THAT(summary, HasSubstr("1,234,567"));
  EXPECT_THAT(summary, ContainsRegex("read +4 +1.5 us +1.0 us +4.1 us"));
  EXPECT_THAT(summary, HasSubstr("7 append RESOURCE_EXHAUSTED"));
}

TEST(MetricsSummaryTest, LagIsShownWhenThereAreGroups) {
  StoreMetrics metrics = Metrics();
  const auto summary = [&] {
    const auto text = MetricsText::Parse(ToPrometheusText(metrics));
    EXPECT_THAT(text, IsOk());
    return MetricsSummary(*text, WriterPresence::kOpen,
                          absl::FromUnixSeconds(1700000064));
  };
  EXPECT_THAT(summary(), Not(HasSubstr("behind")));
  metrics.group_lags = {{.group = "g", .partition = {"t", 0}, .lag = 1200},
                        {.group = "g", .partition = {"t", 1}, .lag = 34},
                        {.group = "h", .partition = {"t", 0}, .lag = 0}};
  EXPECT_THAT(summary(), HasSubstr("2 groups, 1,234 records behind"));
}

TEST(MetricsSummaryTest, LimitsOfTheDiskAreShownWhereTheyAreSet) {
  StoreMetrics metrics = Metrics();
  const auto summary = [&] {
    const auto text = MetricsText::Parse(ToPrometheusText(metrics));
    EXPECT_THAT(text, IsOk());
    return MetricsSummary(*text, WriterPresence::kOpen,
                          absl::FromUnixSeconds(1700000064));
  };
  EXPECT_THAT(summary(),
              AllOf(Not(HasSubstr("floor")), Not(HasSubstr("at most"))));
  metrics.disk = {.free_bytes = 5000,
                  .free_space_floor_bytes = 1000,
                  .free_space_resume_bytes = 2000,
                  .refused_appends = 3,
                  .store_size_bytes = 7000,
                  .store_size_max_bytes = 9000,
                  .size_deleted_segments = 4,
                  .size_deleted_bytes = 6000};
  EXPECT_THAT(summary(),
              AllOf(HasSubstr("5.0 kB of the disk, the floor is 1.0 kB: "
                              "appends go on; 3 were refused"),
                    HasSubstr("7.0 kB of 9.0 kB at most, 4 segments deleted "
                              "for it, 6.0 kB")));
  metrics.disk.refuses_appends = true;
  EXPECT_THAT(summary(), HasSubstr("appends that need more are refused until "
                                   "2.0 kB are free; 3 were refused"));
}

TEST(MetricsCommandTest, GroupThatWasReadIsThereWithItsLag) {
  CommandRunner runner;
  runner.CreateTopic("orders");
  runner.Produce("orders", "one\ntwo\nthree\n");
  ASSERT_EQ(runner.Varve({"consume", "orders", "--group", "g", "--count", "1"})
                .exit_status,
            0);
  EXPECT_THAT(runner.Varve({"metrics", "--prometheus"}).out,
              HasSubstr("varve_group_lag{group=\"g\",topic=\"orders\","
                        "partition=\"0\"} 2\n"));
}

TEST(MetricsCommandTest, ClosedStoreShowsWhatItsWriterLeft) {
  CommandRunner runner;
  runner.CreateTopic("orders");
  runner.Produce("orders", "one\ntwo\nthree\n");
  const CommandResult text = runner.Varve({"metrics"});
  EXPECT_EQ(text.exit_status, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("no writer has it open"),
                              ContainsRegex("orders +1 +3 ")));
  const CommandResult exposed = runner.Varve({"metrics", "--prometheus"});
  EXPECT_THAT(ParseExposition(exposed.out), IsOk());
  EXPECT_THAT(exposed.out,
              HasSubstr("varve_append_records_total{topic=\"orders\"} 3\n"));
  const json parsed = json::parse(runner.Varve({"metrics", "--json"}).out);
  EXPECT_EQ(parsed["writer"], "none");
  EXPECT_GT(parsed["samples"].size(), 100);
}

TEST(MetricsCommandTest, StoreThatIsOpenShowsItsWriter) {
  CommandRunner runner;
  runner.CreateTopic("orders");
  runner.Produce("orders", "one\n");
  runner.StartProducer("orders");
  const CommandResult result = runner.Varve({"metrics", "--json"});
  EXPECT_EQ(json::parse(result.out)["writer"], "open");
  EXPECT_EQ(runner.EndProducer(), 0);
}

TEST(MetricsCommandTest, WhatIsMissingOrDamagedIsSaid) {
  CommandRunner runner;
  EXPECT_THAT(runner.Varve({"metrics"}).err, HasSubstr("there is no store"));
  runner.CreateTopic("orders");
  std::filesystem::remove(runner.data() + "/varve.metrics");
  CommandResult result = runner.Varve({"metrics"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("there are no metrics yet"));
  WriteFileOrDie(runner.data() + "/varve.metrics", "\1\2\3");
  result = runner.Varve({"metrics"});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("varve.metrics: line 1"),
                                HasSubstr("nothing depends on it")));
  EXPECT_EQ(runner.Varve({"metrics", "--json", "--prometheus"}).exit_status, 2);
}

}  // namespace
}  // namespace varve
