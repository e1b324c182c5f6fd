// SPDX-License-Identifier: Apache-2.0

#include "varve/api/prometheus_text.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/exposition_parser.h"
#include "varve/api/exposition_writer.h"
#include "varve/api/store_metrics.h"
#include "varve/log/meters/distribution.h"
#include "varve/log/meters/histogram.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Labels = std::map<std::string, std::string>;

Distribution Of(const std::vector<int64_t>& values) {
  Histogram histogram;
  for (const int64_t value : values) histogram.Add(value);
  return histogram.Snapshot();
}

// The value of one sample, as written; "none" when there is none.
std::string ValueOf(std::string_view text, std::string_view name,
                    const Labels& labels = {}) {
  const auto families = ParseExposition(text);
  EXPECT_THAT(families, IsOk());
  if (!families.ok()) return "unreadable";
  for (const ExposedFamily& family : *families) {
    for (const ExposedSample& sample : family.samples) {
      if (sample.name == name && sample.labels == labels) return sample.value;
    }
  }
  return "none";
}

TEST(ExpositionWriterTest, CounterIsWrittenAsTheFormatHasIt) {
  ExpositionWriter writer;
  writer.Counter("a_total", "What it is.");
  writer.Sample(7);
  writer.Sample({{"x", "1"}, {"y", "2"}}, int64_t{-3});
  EXPECT_EQ(writer.Take(),
            "# HELP a_total What it is.\n"
            "# TYPE a_total counter\n"
            "a_total 7\n"
            "a_total{x=\"1\",y=\"2\"} -3\n");
}

TEST(ExpositionWriterTest, QuotesBackslashesAndLineEndsAreEscaped) {
  ExpositionWriter writer;
  writer.Gauge("a", "one\\two\nthree \"four\"");
  writer.Sample({{"x", "a\\b\"c\nd"}}, int64_t{1});
  const std::string text = writer.Take();
  EXPECT_THAT(text, StartsWith("# HELP a one\\\\two\\nthree \"four\"\n"));
  EXPECT_THAT(text, EndsWith("a{x=\"a\\\\b\\\"c\\nd\"} 1\n"));
  EXPECT_EQ(ValueOf(text, "a", {{"x", "a\\b\"c\nd"}}), "1");
}

TEST(ExpositionWriterTest, NanosecondsBecomeSecondsInCumulativeBuckets) {
  ExpositionWriter writer;
  writer.Histogram("h_seconds", "Time.");
  writer.Samples({{"d", "m"}}, Of({64, 65, 128, 1000000000, int64_t{1} << 36}),
                 ExpositionWriter::Unit::kNanoseconds);
  const std::string text = writer.Take();
  const auto bucket = [&](const std::string& le) {
    return ValueOf(text, "h_seconds_bucket", {{"d", "m"}, {"le", le}});
  };
  EXPECT_EQ(bucket("6.4e-08"), "1");
  EXPECT_EQ(bucket("1.28e-07"), "3");
  EXPECT_EQ(bucket("0.536870912"), "3");
  EXPECT_EQ(bucket("1.073741824"), "4");
  EXPECT_EQ(bucket("34.359738368"), "4");
  EXPECT_EQ(bucket("+Inf"), "5");
  EXPECT_EQ(ValueOf(text, "h_seconds_sum", {{"d", "m"}}), "69.719476993");
  EXPECT_EQ(ValueOf(text, "h_seconds_count", {{"d", "m"}}), "5");
}

TEST(ExpositionWriterTest, CountsKeepTheirUnit) {
  ExpositionWriter writer;
  writer.Histogram("h", "Things.");
  writer.Samples({}, Of({1, 2, 3, 100000}), ExpositionWriter::Unit::kCount);
  const std::string text = writer.Take();
  EXPECT_EQ(ValueOf(text, "h_bucket", {{"le", "1"}}), "1");
  EXPECT_EQ(ValueOf(text, "h_bucket", {{"le", "4"}}), "3");
  EXPECT_EQ(ValueOf(text, "h_bucket", {{"le", "65536"}}), "3");
  EXPECT_EQ(ValueOf(text, "h_bucket", {{"le", "+Inf"}}), "4");
  EXPECT_EQ(ValueOf(text, "h_sum"), "100006");
}

TEST(PrometheusTextTest, MetricsOfAnUnusedStoreAreWellFormed) {
  const std::string text = ToPrometheusText(StoreMetrics());
  ASSERT_THAT(ParseExposition(text), IsOk());
  EXPECT_EQ(ValueOf(text, "varve_checkpoints_total"), "0");
  EXPECT_EQ(ValueOf(text, "varve_errors_total",
                    {{"operation", "read"}, {"code", "DATA_LOSS"}}),
            "0");
  EXPECT_EQ(ValueOf(text, "varve_errors_total",
                    {{"operation", "read"}, {"code", "OUT_OF_RANGE"}}),
            "none");
}

TEST(PrometheusTextTest, LimitsOfTheDiskAreThere) {
  StoreMetrics metrics;
  metrics.disk = {.free_bytes = 1,
                  .free_space_floor_bytes = 2,
                  .free_space_resume_bytes = 3,
                  .refuses_appends = true,
                  .refused_appends = 4,
                  .store_size_bytes = 5,
                  .store_size_max_bytes = 6,
                  .size_deleted_segments = 7,
                  .size_deleted_bytes = 8};
  const std::string text = ToPrometheusText(metrics);
  EXPECT_EQ(ValueOf(text, "varve_free_bytes"), "1");
  EXPECT_EQ(ValueOf(text, "varve_free_space_floor_bytes"), "2");
  EXPECT_EQ(ValueOf(text, "varve_free_space_resume_bytes"), "3");
  EXPECT_EQ(ValueOf(text, "varve_refuses_appends"), "1");
  EXPECT_EQ(ValueOf(text, "varve_refused_appends_total"), "4");
  EXPECT_EQ(ValueOf(text, "varve_store_size_bytes"), "5");
  EXPECT_EQ(ValueOf(text, "varve_store_size_max_bytes"), "6");
  EXPECT_EQ(ValueOf(text, "varve_size_deleted_segments_total"), "7");
  EXPECT_EQ(ValueOf(text, "varve_size_deleted_bytes_total"), "8");
  EXPECT_EQ(ValueOf(ToPrometheusText({}), "varve_refuses_appends"), "0");
}

TEST(PrometheusTextTest, PartitionsAreThereForWhatTheyHold) {
  StoreMetrics metrics;
  metrics.holdings = {.unsynced_bytes = 5,
                      .pins = {.pins = 3,
                               .deleted_segments = 1,
                               .deleted_bytes = 7,
                               .oldest_deleted_age = absl::Milliseconds(1500)}};
  metrics.partitions[{"a", 0}] = {.unsynced_bytes = 5};
  metrics.partitions[{"a", 1}] = {.pins = metrics.holdings.pins};
  const std::string text = ToPrometheusText(metrics);
  const Labels first = {{"topic", "a"}, {"partition", "0"}};
  const Labels second = {{"topic", "a"}, {"partition", "1"}};
  EXPECT_EQ(ValueOf(text, "varve_unsynced_bytes"), "5");
  EXPECT_EQ(ValueOf(text, "varve_pins"), "3");
  EXPECT_EQ(ValueOf(text, "varve_pinned_deleted_bytes"), "7");
  EXPECT_EQ(ValueOf(text, "varve_pinned_deleted_seconds"), "1.5");
  EXPECT_EQ(ValueOf(text, "varve_partition_unsynced_bytes", first), "5");
  EXPECT_EQ(ValueOf(text, "varve_partition_unsynced_bytes", second), "none");
  EXPECT_EQ(ValueOf(text, "varve_partition_pins", first), "none");
  EXPECT_EQ(ValueOf(text, "varve_partition_pins", second), "3");
  EXPECT_EQ(ValueOf(text, "varve_partition_pinned_deleted_bytes", second), "7");
  EXPECT_EQ(ValueOf(text, "varve_partition_pinned_deleted_seconds", second),
            "1.5");
}

TEST(PrometheusTextTest, LagIsThereByGroupTopicAndPartition) {
  StoreMetrics metrics;
  metrics.group_lags = {
      {.group = "a \"b\"", .partition = {"t", 3}, .offset = 5, .lag = 0},
      {.group = "grün", .partition = {"t", 12}, .offset = 1, .lag = 42}};
  metrics.unseen_group_offsets = 7;
  const std::string text = ToPrometheusText(metrics);
  EXPECT_EQ(ValueOf(text, "varve_group_lag",
                    {{"group", "a \"b\""}, {"topic", "t"}, {"partition", "3"}}),
            "0");
  EXPECT_EQ(ValueOf(text, "varve_group_lag",
                    {{"group", "grün"}, {"topic", "t"}, {"partition", "12"}}),
            "42");
  EXPECT_EQ(ValueOf(text, "varve_group_offsets_unseen"), "7");
}

TEST(PrometheusTextTest, EveryFieldIsThereInItsUnit) {
  StoreMetrics metrics;
  metrics.taken_at = absl::FromUnixMillis(1700000000500);
  metrics.opened_at = absl::FromUnixSeconds(1700000000);
  metrics.open_time = absl::Milliseconds(250);
  metrics.topics["a.b"] = {.appends = 1,
                           .appended_records = 2,
                           .appended_bytes = 3,
                           .reads = 4,
                           .read_bytes = 5};
  metrics.synced_append_ns = Of({1000});
  metrics.append_errors[8] = 6;
  metrics.sync_errors[2] = 7;
  metrics.poisoned_partitions = 8;
  metrics.waiters = 9;
  metrics.expired_waits = 10;
  metrics.torn_tails = 11;
  metrics.mapped_bytes = int64_t{1} << 40;
  const std::string text = ToPrometheusText(metrics);
  const Labels topic = {{"topic", "a.b"}};
  EXPECT_EQ(ValueOf(text, "varve_appends_total", topic), "1");
  EXPECT_EQ(ValueOf(text, "varve_append_records_total", topic), "2");
  EXPECT_EQ(ValueOf(text, "varve_append_bytes_total", topic), "3");
  EXPECT_EQ(ValueOf(text, "varve_reads_total", topic), "4");
  EXPECT_EQ(ValueOf(text, "varve_read_bytes_total", topic), "5");
  EXPECT_EQ(
      ValueOf(text, "varve_append_seconds_sum", {{"durability", "synced"}}),
      "1e-06");
  EXPECT_EQ(ValueOf(text, "varve_errors_total",
                    {{"operation", "append"}, {"code", "RESOURCE_EXHAUSTED"}}),
            "6");
  EXPECT_EQ(ValueOf(text, "varve_errors_total",
                    {{"operation", "sync"}, {"code", "UNKNOWN"}}),
            "7");
  EXPECT_EQ(ValueOf(text, "varve_poisoned_partitions_total"), "8");
  EXPECT_EQ(ValueOf(text, "varve_waiters"), "9");
  EXPECT_EQ(ValueOf(text, "varve_waits_total", {{"result", "expired"}}), "10");
  EXPECT_EQ(ValueOf(text, "varve_recovery_findings", {{"kind", "torn_tail"}}),
            "11");
  EXPECT_EQ(ValueOf(text, "varve_mapped_bytes"), "1099511627776");
  EXPECT_EQ(ValueOf(text, "varve_open_seconds"), "0.25");
  EXPECT_EQ(ValueOf(text, "varve_start_time_seconds"), "1.7e+09");
  EXPECT_THAT(text, EndsWith("\nvarve_snapshot_time_seconds 1700000000.5\n"));
}

// The parser is what the tests above trust.
TEST(ExpositionParserTest, WhatPrometheusRefusesIsRefused) {
  const std::string head = "# HELP a A.\n# TYPE a gauge\n";
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"a 1\n", "without a family"},
      {"# HELP a A.\na 1\n", "before TYPE"},
      {"# TYPE a gauge\n", "without its HELP"},
      {head + "# TYPE a gauge\n", "TYPE twice"},
      {head + "a 1\n" + head, "a family twice"},
      {head + "a 1", "no end"},
      {head + "a 1\na 2\n", "a sample twice"},
      {head + "b 1\n", "another family"},
      {head + "a one\n", "no number"},
      {head + "a{x=\"1} 1\n", "without end"},
      {head + "a{x=\"\\q\"} 1\n", "bad escape"},
      {head + "a{x=\"1\",x=\"2\"} 1\n", "a label twice"},
      {head + "a{} 1\n", "empty braces"},
      {"# HELP a A.\n# TYPE a counter\na 1\n", "_total"},
      {"# HELP a_total A.\n# TYPE a_total counter\na_total -1\n", "negative"},
      {"# HELP h H.\n# TYPE h histogram\nh_sum 1\nh_count 1\n", "+Inf"},
      {"# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"2\"} 2\n"
       "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
       "accumulate"},
      {"# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\n"
       "h_sum 1\nh_count 2\n",
       "no count"},
  };
  for (const auto& [text, reason] : bad) {
    EXPECT_THAT(ParseExposition(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(reason)))
        << text;
  }
}

}  // namespace
}  // namespace varve
