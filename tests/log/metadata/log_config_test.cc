// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/log_config.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// A change of this test changes the users' defaults: the defaults are Kafka's
// but for retention.ms and message.timestamp.after.max.ms.
TEST(LogConfigTest, DefaultsAreKafkasButForThoseListed) {
  EXPECT_THAT(
      LogConfig().All(),
      ElementsAre(
          Pair("segment.bytes", "1073741824"), Pair("segment.ms", "604800000"),
          Pair("segment.jitter.ms", "0"),
          Pair("segment.index.bytes", "10485760"),
          Pair("index.interval.bytes", "4096"), Pair("preallocate", "false"),
          Pair("flush.messages", "9223372036854775807"),
          Pair("flush.ms", "9223372036854775807"),
          Pair("retention.bytes", "-1"), Pair("retention.ms", "-1"),
          Pair("cleanup.policy", "delete"),
          Pair("delete.retention.ms", "86400000"),
          Pair("min.compaction.lag.ms", "0"),
          Pair("max.compaction.lag.ms", "9223372036854775807"),
          Pair("min.cleanable.dirty.ratio", "0.5"),
          Pair("file.delete.delay.ms", "60000"),
          Pair("max.message.bytes", "1048588"),
          Pair("compression.type", "producer"),
          Pair("compression.gzip.level", "-1"),
          Pair("compression.lz4.level", "9"),
          Pair("compression.zstd.level", "3"),
          Pair("message.timestamp.type", "CreateTime"),
          Pair("message.timestamp.before.max.ms", "9223372036854775807"),
          Pair("message.timestamp.after.max.ms", "9223372036854775807")));
  EXPECT_THAT(LogConfig().NonDefault(), IsEmpty());
  EXPECT_THAT(LogConfig().Validate(), IsOk());
}

TEST(LogConfigTest, ValueThatIsSetIsListed) {
  const std::pair<std::string_view, std::string_view> kValues[] = {
      {"segment.bytes", "14"},
      {"segment.bytes", "2147483647"},
      {"segment.ms", "1"},
      {"segment.jitter.ms", "5"},
      {"segment.index.bytes", "4"},
      {"index.interval.bytes", "0"},
      {"preallocate", "true"},
      {"flush.messages", "1"},
      {"flush.ms", "0"},
      {"retention.bytes", "0"},
      {"retention.ms", "604800000"},
      {"cleanup.policy", "compact"},
      {"cleanup.policy", "compact,delete"},
      {"delete.retention.ms", "0"},
      {"min.compaction.lag.ms", "1"},
      {"max.compaction.lag.ms", "1"},
      {"min.cleanable.dirty.ratio", "0"},
      {"min.cleanable.dirty.ratio", "0.123456789012345"},
      {"min.cleanable.dirty.ratio", "1"},
      {"file.delete.delay.ms", "0"},
      {"max.message.bytes", "0"},
      {"compression.type", "uncompressed"},
      {"compression.type", "gzip"},
      {"compression.type", "snappy"},
      {"compression.type", "lz4"},
      {"compression.type", "zstd"},
      {"compression.gzip.level", "1"},
      {"compression.gzip.level", "9"},
      {"compression.lz4.level", "1"},
      {"compression.lz4.level", "17"},
      {"compression.zstd.level", "-131072"},
      {"compression.zstd.level", "0"},
      {"compression.zstd.level", "22"},
      {"message.timestamp.type", "LogAppendTime"},
      {"message.timestamp.before.max.ms", "0"},
      {"message.timestamp.after.max.ms", "3600000"},
  };
  for (const auto& [name, value] : kValues) {
    LogConfig config;
    EXPECT_THAT(config.Set(name, value), IsOk());
    EXPECT_THAT(config.NonDefault(), ElementsAre(Pair(name, value)));
    EXPECT_THAT(config.Validate(), IsOk());
    EXPECT_NE(config, LogConfig());
  }
}

TEST(LogConfigTest, SpellingsOfKafkaAreTaken) {
  LogConfig config;
  EXPECT_THAT(config.Set("preallocate", " TRUE "), IsOk());
  EXPECT_TRUE(config.preallocate);
  EXPECT_THAT(config.Set("cleanup.policy", "delete, compact"), IsOk());
  EXPECT_EQ(config.cleanup_policy, CleanupPolicy::kCompactAndDelete);
  EXPECT_THAT(config.Set("segment.bytes", " 1024 "), IsOk());
  EXPECT_EQ(config.segment_bytes, 1024);
}

TEST(LogConfigTest, EveryListedValueCanBeSet) {
  LogConfig config;
  for (const auto& [name, value] : LogConfig().All()) {
    EXPECT_THAT(config.Set(name, value), IsOk()) << name;
  }
  EXPECT_EQ(config, LogConfig());
}

TEST(LogConfigTest, BadValuesAreRefusedAndChangeNothing) {
  const std::pair<std::string_view, std::string_view> kValues[] = {
      {"segment.bytes", "13"},
      {"segment.bytes", "2147483648"},
      {"segment.bytes", "-1"},
      {"segment.bytes", "1k"},
      {"segment.bytes", ""},
      {"segment.bytes", "1.5"},
      {"segment.bytes", "99999999999999999999"},
      {"segment.ms", "0"},
      {"segment.jitter.ms", "-1"},
      {"segment.index.bytes", "3"},
      {"index.interval.bytes", "2147483648"},
      {"preallocate", "yes"},
      {"flush.messages", "0"},
      {"retention.ms", "-2"},
      {"cleanup.policy", ""},
      {"cleanup.policy", "delete,"},
      {"cleanup.policy", "Delete"},
      {"max.compaction.lag.ms", "0"},
      {"min.cleanable.dirty.ratio", "1.01"},
      {"min.cleanable.dirty.ratio", "-0.1"},
      {"min.cleanable.dirty.ratio", "nan"},
      {"max.message.bytes", "-1"},
      {"compression.type", ""},
      {"compression.type", "none"},
      {"compression.type", "Zstd"},
      {"compression.gzip.level", "-2"},
      {"compression.gzip.level", "0"},
      {"compression.gzip.level", "10"},
      {"compression.lz4.level", "0"},
      {"compression.lz4.level", "-1"},
      {"compression.lz4.level", "18"},
      {"compression.zstd.level", "-131073"},
      {"compression.zstd.level", "23"},
      {"message.timestamp.type", "createtime"},
      {"message.timestamp.after.max.ms", "-1"},
  };
  for (const auto& [name, value] : kValues) {
    LogConfig config;
    EXPECT_THAT(config.Set(name, value),
                StatusIs(kInvalid,
                         AllOf(HasSubstr(std::string(name) + ": \"" +
                                         std::string(value) + "\" is not "))));
    EXPECT_EQ(config, LogConfig()) << name;
  }
}

TEST(LogConfigTest, ErrorsSayWhatAValueMayBe) {
  LogConfig config;
  EXPECT_THAT(config.Set("segment.bytes", "12k"),
              StatusIs(kInvalid,
                       "segment.bytes: \"12k\" is not a whole number "
                       "from 14 to 2147483647"));
  EXPECT_THAT(config.Set("compression.type", "brotli"),
              StatusIs(kInvalid,
                       "compression.type: \"brotli\" is not uncompressed, "
                       "zstd, lz4, snappy, gzip or producer"));
  EXPECT_THAT(config.Set("compression.gzip.level", "0"),
              StatusIs(kInvalid,
                       "compression.gzip.level: \"0\" is not a whole number "
                       "from 1 to 9, or -1"));
  EXPECT_THAT(config.Set("preallocate", "1"),
              StatusIs(kInvalid, HasSubstr("true or false")));
}

TEST(LogConfigTest, UnknownNameGetsTheNearestOne) {
  LogConfig config;
  const std::pair<std::string_view, std::string_view> kNames[] = {
      {"segment_bytes", "segment.bytes"},
      {"retention.mss", "retention.ms"},
      {"log.retention.bytes", "retention.bytes"},
      {"cleanup-policy", "cleanup.policy"},
      {"message.timestamp.typ", "message.timestamp.type"},
      {"compression.zstd-level", "compression.zstd.level"},
      {"compression.snappy.level", "compression.gzip.level"},
  };
  for (const auto& [name, nearest] : kNames) {
    EXPECT_THAT(config.Set(name, "1"),
                StatusIs(kInvalid, HasSubstr("the nearest name is \"" +
                                             std::string(nearest) + "\"")))
        << name;
  }
  for (const std::string_view far : {"foo", "bytes", "no.such.config", ""}) {
    EXPECT_THAT(config.Set(far, "1"),
                StatusIs(kInvalid, AllOf(HasSubstr("there are segment.bytes, "),
                                         Not(HasSubstr("nearest")))))
        << far;
  }
  EXPECT_THAT(config.Set(std::string(100000, '\n'), "1"), StatusIs(kInvalid));
}

TEST(LogConfigTest, ConfigsOfAClusterAreRefusedWithTheReason) {
  LogConfig config;
  EXPECT_THAT(config.Set("min.insync.replicas", "2"),
              StatusIs(kInvalid, HasSubstr("it is about replicas")));
  EXPECT_THAT(config.Set("remote.storage.enable", "true"),
              StatusIs(kInvalid, HasSubstr("remote storage")));
}

TEST(LogConfigTest, ResetGivesCompressionItsDefaultAgain) {
  LogConfig config;
  for (const auto& [name, value] : {std::pair{"compression.type", "zstd"},
                                    {"compression.gzip.level", "9"},
                                    {"compression.lz4.level", "17"},
                                    {"compression.zstd.level", "-7"}}) {
    ASSERT_THAT(config.Set(name, value), IsOk());
    ASSERT_NE(config, LogConfig());
    EXPECT_THAT(config.Reset(name), IsOk());
    EXPECT_EQ(config, LogConfig()) << name;
  }
}

TEST(LogConfigTest, ValidateChecksFieldsSetDirectly) {
  LogConfig config;
  config.segment_ms = 0;
  EXPECT_THAT(config.Validate(),
              StatusIs(kInvalid, HasSubstr("segment.ms: \"0\" is not")));
  config = {.compression_gzip_level = 0};
  EXPECT_THAT(config.Validate(),
              StatusIs(kInvalid, HasSubstr("compression.gzip.level: \"0\"")));
  config = {.min_cleanable_dirty_ratio =
                std::numeric_limits<double>::quiet_NaN()};
  EXPECT_THAT(config.Validate(), StatusIs(kInvalid));
  config = {.min_compaction_lag_ms = 5, .max_compaction_lag_ms = 4};
  EXPECT_THAT(config.Validate(),
              StatusIs(kInvalid,
                       "min.compaction.lag.ms: 5 is more than "
                       "max.compaction.lag.ms, 4"));
}

TEST(LogConfigTest, BatchHasToFitItsLimitAndASegment) {
  EXPECT_EQ(LogConfig().batch_size_max(), 1048588);
  EXPECT_EQ(LogConfig{.segment_bytes = 1024}.batch_size_max(), 1024);
}

TEST(LogConfigTest, TimestampIsCheckedAgainstBothSidesOfNow) {
  const LogConfig config = {.message_timestamp_before_max_ms = 1000,
                            .message_timestamp_after_max_ms = 500};
  for (const int64_t time_ms : {9000, 10'000, 10'500, -1}) {
    EXPECT_TRUE(config.AcceptsTimestamp(time_ms, 10'000)) << time_ms;
    EXPECT_THAT(config.CheckTimestamp(time_ms, 10'000), IsOk());
  }
  EXPECT_FALSE(config.AcceptsTimestamp(8999, 10'000));
  EXPECT_THAT(config.CheckTimestamp(8999, 10'000),
              StatusIs(kInvalid,
                       "timestamp 8999 ms is outside of "
                       "message.timestamp.before.max.ms (1000) around now, "
                       "10000 ms"));
  EXPECT_FALSE(config.AcceptsTimestamp(10'501, 10'000));
  EXPECT_THAT(config.CheckTimestamp(10'501, 10'000),
              StatusIs(kInvalid,
                       "timestamp 10501 ms is outside of "
                       "message.timestamp.after.max.ms (500) around now, "
                       "10000 ms"));
}

TEST(LogConfigTest, TimestampDoesNotCountUnlessItIsKept) {
  const LogConfig config = {
      .message_timestamp_type = TimestampType::kLogAppendTime,
      .message_timestamp_before_max_ms = 0,
      .message_timestamp_after_max_ms = 0};
  EXPECT_TRUE(config.AcceptsTimestamp(1, 10'000));
  EXPECT_THAT(config.CheckTimestamp(1, 10'000), IsOk());
  EXPECT_TRUE(LogConfig().AcceptsTimestamp(LogConfig::kForever, 0));
  EXPECT_TRUE(LogConfig().AcceptsTimestamp(0, LogConfig::kForever));
}

}  // namespace
}  // namespace varve
