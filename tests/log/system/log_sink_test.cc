// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/log_sink.h"

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/base/thread_annotations.h"
#include "absl/log/log_entry.h"
#include "absl/log/log_sink.h"
#include "absl/log/log_sink_registry.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/topics/config_notices.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

struct Told {
  absl::LogSeverity severity;
  LogEvent event;
  std::string path;
  std::string text;
  absl::StatusCode code;
};

class LogSinkTest : public StoreFixture {
 protected:
  StoreOptions Options() override {
    StoreOptions options = {.background = Background::kNone};
    options.environment.files = &files_;
    options.environment.clock = &clock_;
    options.log_sink = [this](const LogMessage& message) {
      absl::MutexLock lock(&mu_);
      told_.push_back({.severity = message.severity,
                       .event = message.event,
                       .path = std::string(message.path),
                       .text = std::string(message.text),
                       .code = message.code});
    };
    return options;
  }

  absl::Status Append(const std::string& value) {
    auto partition = store_->partition("audit", 0);
    if (!partition.ok()) return partition.status();
    return partition->Append({.value = value}).status();
  }

  std::vector<Told> told() {
    absl::MutexLock lock(&mu_);
    return told_;
  }

  // The reports that contain `what`: others come from doubts of the test's
  // clock, which is not that of its files.
  std::vector<Told> ToldOf(const std::string& what) {
    std::vector<Told> found = told();
    std::erase_if(found, [&](const Told& told) {
      return told.text.find(what) == std::string::npos;
    });
    return found;
  }

  FaultyFileSystem files_;
  ManualClock clock_;
  const std::string file_ = path_ + "/audit-0/00000000000000000000.log";
  absl::Mutex mu_;
  std::vector<Told> told_ ABSL_GUARDED_BY(mu_);
};

TEST_F(LogSinkTest, StoreWithNothingToSaySaysNothing) {
  Open();
  ASSERT_THAT(store_->CreateTopic("audit"), IsOk());
  ASSERT_THAT(Append("x"), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(LogSinkTest, PoisonIsToldOnceWithItsPartitionAndCode) {
  Open();
  ASSERT_THAT(store_->CreateTopic("audit"), IsOk());
  ASSERT_THAT(Append("x"), IsOk());
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kForever);
  const absl::Status failed = Append("a secret");
  EXPECT_FALSE(failed.ok());
  EXPECT_FALSE(Append("x").ok());
  const std::vector<Told> told = this->told();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].severity, absl::LogSeverity::kError);
  EXPECT_EQ(told[0].event, LogEvent::kPoisoned);
  EXPECT_EQ(told[0].path, path_ + "/audit-0");
  EXPECT_EQ(told[0].code, failed.code());
  EXPECT_THAT(told[0].text,
              AllOf(HasSubstr("audit-0"), HasSubstr("takes no appends"),
                    Not(HasSubstr("secret"))));
  // The error comes from the store's close.
  files_.StopFailing();
  store_ = nullptr;
  ASSERT_THAT(this->told(), SizeIs(2));
  EXPECT_EQ(this->told()[1].event, LogEvent::kClose);
  EXPECT_THAT(this->told()[1].text, HasSubstr("not closed cleanly"));
}

TEST_F(LogSinkTest, TornTailIsAWarningAtTheOpen) {
  Open();
  ASSERT_THAT(store_->CreateTopic("audit"), IsOk());
  ASSERT_THAT(Append("payload"), IsOk());
  const std::string copy = scratch_ / "copy";
  std::filesystem::copy(path_, copy, std::filesystem::copy_options::recursive);
  std::filesystem::remove(copy + "/varve.checkpoint");
  const std::string file = copy + "/audit-0/00000000000000000000.log";
  WriteBytes(file, ReadBytes(file).substr(0, 70));
  auto opened = LogStore::Open(copy, Options());
  ASSERT_THAT(opened, IsOk());
  const std::vector<Told> told = this->told();
  ASSERT_THAT(told, Not(IsEmpty()));
  EXPECT_EQ(told[0].severity, absl::LogSeverity::kWarning);
  EXPECT_EQ(told[0].event, LogEvent::kRecovery);
  EXPECT_EQ(told[0].path, file);
  EXPECT_THAT(told[0].text, AllOf(HasSubstr("position 0"), HasSubstr("cut-"),
                                  Not(HasSubstr("payload"))));
}

TEST_F(LogSinkTest, DamageBelowTheRecoveryPointIsAnError) {
  Open();
  ASSERT_THAT(store_->CreateTopic("audit"), IsOk());
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Append("payload"), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  std::filesystem::remove(path_ + "/.kafka_cleanshutdown");
  WriteBytes(file_, WithBitFlipped(ReadBytes(file_), 8 * 70));
  Open();
  const std::vector<Told> told = this->told();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].severity, absl::LogSeverity::kError);
  EXPECT_EQ(told[0].event, LogEvent::kRecovery);
  EXPECT_EQ(told[0].path, file_);
  EXPECT_EQ(told[0].code, absl::StatusCode::kDataLoss);
  EXPECT_THAT(told[0].text, AllOf(HasSubstr("position 0, offset 0"),
                                  Not(HasSubstr("payload"))));
}

TEST_F(LogSinkTest, SlowSyncIsTold) {
  // Each call of the clock is a second later.
  class SlowClock final : public Clock {
   public:
    absl::Time Now() override { return absl::FromUnixMillis(1700000000000); }
    absl::Time Steady() override { return absl::FromUnixMillis(5000); }
    int64_t SteadyNanoseconds() override { return seconds_++ * 1000000000; }

   private:
    std::atomic<int64_t> seconds_ = 0;
  };
  SlowClock clock;
  StoreOptions options = Options();
  options.environment.clock = &clock;
  auto opened = LogStore::Open(path_, options);
  ASSERT_THAT(opened, IsOk());
  store_ = *std::move(opened);
  ASSERT_THAT(store_->CreateTopic("audit"), IsOk());
  ASSERT_THAT(Append("x"), IsOk());
  const std::vector<Told> told = this->told();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].severity, absl::LogSeverity::kWarning);
  EXPECT_EQ(told[0].event, LogEvent::kSlowSync);
  EXPECT_THAT(told[0].text, HasSubstr("audit-0: a sync took 1s"));
  store_ = nullptr;
}

TEST_F(LogSinkTest, FailedDeletionOfATopicIsAWarningAndIsCounted) {
  Open();
  ASSERT_THAT(store_->CreateTopic("audit"), IsOk());
  ASSERT_THAT(Append("x"), IsOk());
  ASSERT_THAT(store_->DeleteTopic("audit"), IsOk());
  files_.FailCallsNamed("Directory::RemoveFile", EIO,
                        FaultyFileSystem::Repeat::kForever);
  clock_.Advance(absl::Minutes(2));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  files_.StopFailing();
  const std::vector<Told> told = ToldOf("deletion of topics: ");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].severity, absl::LogSeverity::kWarning);
  EXPECT_EQ(told[0].event, LogEvent::kBackground);
  EXPECT_EQ(store_->Metrics().duty_errors[2], 1);
}

TEST_F(LogSinkTest, RetentionSaysWhichOffsetsItGivesUp) {
  Open();
  TopicConfig config;
  config.log.segment_bytes = 2 * (61 + 17);
  config.log.retention_bytes = 100;
  ASSERT_THAT(store_->CreateTopic("audit", config), IsOk());
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Append("0123456789"), IsOk());
  clock_.Advance(absl::Minutes(10));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  const std::vector<Told> told =
      ToldOf("audit-0: retention gives up offsets 0 to 1");
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].severity, absl::LogSeverity::kInfo);
  EXPECT_EQ(told[0].event, LogEvent::kRetention);
}

TEST_F(LogSinkTest, FailedCheckpointIsAWarningOfBackgroundWork) {
  Open();
  ASSERT_THAT(store_->CreateTopic("audit"), IsOk());
  ASSERT_THAT(Append("x"), IsOk());
  files_.FailCallsNamed("Directory::Rename", ENOSPC,
                        FaultyFileSystem::Repeat::kForever);
  clock_.Advance(absl::Seconds(2));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  const std::vector<Told> told = this->told();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].severity, absl::LogSeverity::kWarning);
  EXPECT_EQ(told[0].event, LogEvent::kBackground);
  EXPECT_EQ(told[0].code, absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(told[0].text, HasSubstr("varve.checkpoint"));
  files_.StopFailing();
}

TEST_F(LogSinkTest, ConfigThatDoesNothingIsToldAtEachStep) {
  const std::string text = "topic \"audit\": preallocate=true does nothing";
  Open();
  TopicConfig config;
  config.log.preallocate = true;
  ASSERT_THAT(store_->CreateTopic("audit", config), IsOk());
  ASSERT_THAT(ToldOf(text), SizeIs(1));
  EXPECT_EQ(ToldOf(text)[0].severity, absl::LogSeverity::kWarning);
  EXPECT_EQ(ToldOf(text)[0].event, LogEvent::kConfig);
  EXPECT_EQ(ToldOf(text)[0].path, path_);
  EXPECT_THAT(ToldOf(text)[0].text,
              HasSubstr("blocks are always allocated ahead"));

  ASSERT_THAT(store_->AlterTopic("audit", {.set = {{"retention.ms", "1"}}}),
              IsOk());
  EXPECT_THAT(ToldOf(text), SizeIs(2));
  ASSERT_THAT(store_->Close(), IsOk());
  Open();
  EXPECT_THAT(ToldOf(text), SizeIs(3));
  ASSERT_THAT(store_->AlterTopic("audit", {.set = {{"preallocate", "false"}}}),
              IsOk());
  EXPECT_THAT(ToldOf(text), SizeIs(3));
}

TEST_F(LogSinkTest, ConfigsOfTheStoresOwnTopicsAreToldToNobody) {
  Open();
  ASSERT_THAT(store_->CreateTopic("audit"), IsOk());
  ASSERT_THAT(Append("x"), IsOk());
  ASSERT_THAT(store_->CommitOffset("group", "audit", 0, 1), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  Open();
  EXPECT_THAT(ToldOf("does nothing"), IsEmpty());
}

TEST_F(LogSinkTest, OfManyTopicsWhoseConfigsDoNothingSomeAreTold) {
  Open();
  TopicConfig config;
  config.log.preallocate = true;
  for (size_t i = 0; i < kToldTopicsMax + 3; ++i) {
    ASSERT_THAT(store_->CreateTopic(absl::StrCat("audit", i), config), IsOk());
  }
  ASSERT_THAT(store_->Close(), IsOk());
  {
    absl::MutexLock lock(&mu_);
    told_.clear();
  }
  Open();
  EXPECT_THAT(ToldOf("preallocate=true does nothing"), SizeIs(kToldTopicsMax));
  EXPECT_THAT(ToldOf("configs of 3 more topics do nothing"), SizeIs(1));
}

// The messages that Abseil's log receives.
class CapturedLog final : public absl::LogSink {
 public:
  CapturedLog() { absl::AddLogSink(this); }
  ~CapturedLog() override { absl::RemoveLogSink(this); }
  void Send(const absl::LogEntry& entry) override {
    severity = entry.log_severity();
    text = std::string(entry.text_message());
  }

  absl::LogSeverity severity = absl::LogSeverity::kInfo;
  std::string text;
};

TEST(DefaultLogSinkTest, WithoutASinkAbseilsLogHasTheMessage) {
  CapturedLog log;
  SendTo(nullptr, {.severity = absl::LogSeverity::kWarning,
                   .path = "some/path",
                   .text = "some/path: x"});
  EXPECT_EQ(log.severity, absl::LogSeverity::kWarning);
  EXPECT_EQ(log.text, "varve: some/path: x");
}

TEST(LogEventTest, EveryEventHasItsName) {
  EXPECT_EQ(LogEventName(LogEvent::kRecovery), "recovery");
  EXPECT_EQ(LogEventName(LogEvent::kPoisoned), "poisoned");
  EXPECT_EQ(LogEventName(LogEvent::kSlowSync), "slow-sync");
  EXPECT_EQ(LogEventName(LogEvent::kBackground), "background");
  EXPECT_EQ(LogEventName(LogEvent::kRetention), "retention");
  EXPECT_EQ(LogEventName(LogEvent::kConfig), "config");
  EXPECT_EQ(LogEventName(LogEvent::kClose), "close");
}

}  // namespace
}  // namespace varve
