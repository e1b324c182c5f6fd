// SPDX-License-Identifier: Apache-2.0

#include "varve/api/metrics/metrics_file.h"

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/exposition_parser.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// A store whose duties run only when the test runs them.
class MetricsFileTest : public StoreFixture {
 protected:
  void SetUp() override { Open(); }

  StoreOptions Options() override {
    StoreOptions options = {.background = Background::kNone,
                            .metrics_interval = interval_};
    options.environment.files = &files_;
    options.environment.clock = &clock_;
    options.log_sink = [this](const LogMessage& message) {
      told_.emplace_back(message.text);
    };
    return options;
  }

  void Append() {
    const absl::Status created = store_->CreateTopic("audit");
    ASSERT_TRUE(created.ok() || absl::IsAlreadyExists(created)) << created;
    auto partition = store_->partition("audit", 0);
    ASSERT_THAT(partition, IsOk());
    ASSERT_THAT(partition->Append({.value = "x"}, Durability::kMemory), IsOk());
  }

  void Wait(absl::Duration time) {
    clock_.Advance(time);
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
  }

  bool Written() const { return std::filesystem::exists(file_); }

  // The appends to "audit" that the file shows.
  std::string Appends() const {
    const auto families = ParseExposition(ReadBytes(file_));
    EXPECT_THAT(families, IsOk());
    for (const ExposedFamily& family : *families) {
      if (family.name == "varve_appends_total" && !family.samples.empty())
        return family.samples[0].value;
    }
    return "";
  }

  FaultyFileSystem files_;
  ManualClock clock_;
  absl::Duration interval_ = absl::Seconds(10);
  std::vector<std::string> told_;
  const std::string file_ = path_ + "/varve.metrics";
};

TEST_F(MetricsFileTest, IsWrittenWhenTheIntervalIsOverAndSomethingChanged) {
  Append();
  Wait(absl::Seconds(9));
  EXPECT_FALSE(Written());
  Wait(absl::Seconds(1));
  ASSERT_TRUE(Written());
  EXPECT_EQ(Appends(), "1");
  Append();
  Wait(absl::Seconds(9));
  EXPECT_EQ(Appends(), "1");
  Wait(absl::Seconds(1));
  EXPECT_EQ(Appends(), "2");
  EXPECT_THAT(NamesIn(path_), Not(Contains(EndsWith(".tmp"))));
}

TEST_F(MetricsFileTest, IsLeftAloneWhileNothingChanges) {
  Wait(absl::Seconds(10));  // the topic that was created counts
  std::filesystem::remove(file_);
  Wait(absl::Seconds(100));
  EXPECT_FALSE(Written());
  Append();
  Wait(absl::Seconds(10));
  files_.ForgetCalls();
  Wait(absl::Seconds(10));
  Wait(absl::Seconds(10));
  EXPECT_THAT(files_.calls(), Not(Contains(HasSubstr("varve.metrics"))));
}

TEST_F(MetricsFileTest, CloseWritesWhatCameLast) {
  Append();
  Wait(absl::Seconds(10));
  Append();
  Append();
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_EQ(Appends(), "3");
}

TEST_F(MetricsFileTest, StoreThatDidNothingLeavesTheFileOfTheLastOne) {
  Append();
  ASSERT_THAT(store_->Close(), IsOk());
  const std::string before = ReadBytes(file_);
  clock_.Advance(absl::Hours(1));
  Open();
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_EQ(ReadBytes(file_), before);
}

TEST_F(MetricsFileTest, IsNeverWrittenWithAnInfiniteInterval) {
  ASSERT_THAT(store_->Close(), IsOk());
  std::filesystem::remove(file_);
  interval_ = absl::InfiniteDuration();
  Open();
  Append();
  Wait(absl::Hours(100));
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_FALSE(Written());
}

TEST_F(MetricsFileTest, IsNeverSynced) {
  Append();
  files_.ForgetCalls();
  Wait(absl::Seconds(10));
  ASSERT_TRUE(Written());
  for (const std::string& call : files_.calls()) {
    EXPECT_FALSE(call.find("::Sync") != call.npos &&
                 call.find("varve.metrics") != call.npos)
        << call;
  }
}

TEST_F(MetricsFileTest, FailureIsToldOnceAndHarmsNothing) {
  Append();
  files_.FailCallsNamed("File::WriteAt " + file_, ENOSPC,
                        FaultyFileSystem::Repeat::kForever);
  Wait(absl::Seconds(10));
  Wait(absl::Seconds(10));
  EXPECT_THAT(told_, SizeIs(1));
  EXPECT_THAT(told_[0], HasSubstr("varve.metrics"));
  EXPECT_FALSE(Written());
  EXPECT_THAT(NamesIn(path_), Not(Contains(EndsWith(".tmp"))));
  files_.StopFailing();
  Wait(absl::Seconds(10));
  EXPECT_TRUE(Written());
  EXPECT_THAT(store_->Close(), IsOk());
}

TEST_F(MetricsFileTest, IntervalThatIsTooShortIsRefused) {
  StoreOptions options = {.metrics_interval = absl::Milliseconds(99)};
  EXPECT_THAT(options.Validate(),
              absl_testing::StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("metrics_interval: 99ms")));
  options.metrics_interval = absl::Milliseconds(100);
  EXPECT_THAT(options.Validate(), IsOk());
}

}  // namespace
}  // namespace varve
