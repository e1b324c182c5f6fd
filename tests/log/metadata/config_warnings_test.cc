// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/config_warnings.h"

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(ConfigWarnings, OfTheDefaultsAreNone) {
  EXPECT_THAT(ConfigWarnings(LogConfig()), IsEmpty());
}

// Every config is in one of the two columns: a new one has to choose.
TEST(ConfigWarnings, EveryConfigActsOrSaysThatItDoesNot) {
  enum class Does { kAct, kNothing };
  struct Set {
    std::string value;
    Does does;
  };
  const std::map<std::string, Set> sets = {
      {"segment.bytes", {"1000", Does::kAct}},
      {"segment.ms", {"1000", Does::kAct}},
      {"segment.jitter.ms", {"1000", Does::kAct}},
      {"segment.index.bytes", {"1000", Does::kAct}},
      {"index.interval.bytes", {"1000", Does::kAct}},
      {"preallocate", {"true", Does::kNothing}},
      {"flush.messages", {"1000", Does::kAct}},
      {"flush.ms", {"1000", Does::kAct}},
      {"retention.bytes", {"1000", Does::kAct}},
      {"retention.ms", {"1000", Does::kAct}},
      {"cleanup.policy", {"compact", Does::kAct}},
      {"delete.retention.ms", {"1000", Does::kAct}},
      {"min.compaction.lag.ms", {"1000", Does::kAct}},
      {"max.compaction.lag.ms", {"1000", Does::kAct}},
      {"min.cleanable.dirty.ratio", {"0.25", Does::kAct}},
      {"file.delete.delay.ms", {"1000", Does::kAct}},
      {"max.message.bytes", {"1000", Does::kAct}},
      {"compression.type", {"uncompressed", Does::kAct}},
      {"compression.gzip.level", {"1", Does::kAct}},
      {"compression.lz4.level", {"1", Does::kAct}},
      {"compression.zstd.level", {"1", Does::kAct}},
      {"message.timestamp.type", {"LogAppendTime", Does::kAct}},
      {"message.timestamp.before.max.ms", {"1000", Does::kAct}},
      {"message.timestamp.after.max.ms", {"1000", Does::kAct}},
  };
  for (const auto& [name, default_value] : LogConfig().All()) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(sets.contains(name));
    const Set& set = sets.at(name);
    LogConfig config;
    ASSERT_THAT(config.Set(name, set.value), IsOk());
    if (set.does == Does::kAct) {
      EXPECT_THAT(ConfigWarnings(config), IsEmpty());
    } else {
      EXPECT_THAT(ConfigWarnings(config),
                  ElementsAre(StartsWith(name + "=" + set.value + " ")));
    }
  }
}

}  // namespace
}  // namespace varve
