// SPDX-License-Identifier: Apache-2.0

// Every export with each of its system calls failing in turn, and with all
// after it failing too, as a kill leaves it: each partition is there as a
// whole, or still the broker's empty one, and the next call completes it.

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/export_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "varve/api/export/export_report.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AnyOf;
using ::testing::Eq;

using Repeat = FaultyFileSystem::Repeat;
using Files = std::map<std::string, std::string>;

class BrokerExportFaultsTest : public ExportFixture {
 protected:
  // Each partition by its files; one that is not there is left out, as its
  // directory may be for a moment.
  std::map<std::string, Files> Partitions() const {
    std::map<std::string, Files> found;
    for (const std::string partition : {"keys-0", "orders-0", "orders-1"}) {
      const std::string path = target_.PathOf(partition);
      if (std::filesystem::exists(path)) found[partition] = FilesOf(path);
    }
    return found;
  }

  void ExpectWholePartitions() const {
    for (const auto& [partition, files] : Partitions()) {
      EXPECT_THAT(files,
                  AnyOf(Eq(empty_.at(partition)), Eq(done_.at(partition))))
          << partition;
    }
  }

  void StartAnew() const {
    std::filesystem::remove_all(target_.path());
    std::filesystem::copy(scratch_ / "untouched", target_.path(),
                          std::filesystem::copy_options::recursive);
  }

  void SetUp() override {
    std::filesystem::copy(target_.path(), scratch_ / "untouched",
                          std::filesystem::copy_options::recursive);
    empty_ = Partitions();
    ASSERT_THAT(Export(orders_), IsOk());
    done_ = Partitions();
    names_ = NamesIn(target_.path());
  }

  // The number of calls of an export that failed.
  int FailEachCall(Repeat repeat) {
    int failures = 0;
    for (int64_t i = 0;; ++i) {
      SCOPED_TRACE(absl::StrCat("call ", i));
      StartAnew();
      FaultyFileSystem files;
      files.FailCall(i, EIO, repeat);
      if (!Export(orders_, &files).ok()) ++failures;
      ExpectWholePartitions();
      EXPECT_THAT(Export(orders_), IsOk());
      EXPECT_EQ(Partitions(), done_);
      // Nothing of the first call is left, but for a lock that it could not
      // remove.
      std::vector<std::string> names = NamesIn(target_.path());
      std::erase(names, ".lock");
      EXPECT_EQ(names, names_);
      if (files.call_count() <= i || HasFailure()) return failures;
    }
  }

  const ExportOptions orders_ = {.topics = {"orders"}};
  std::map<std::string, Files> empty_;
  std::map<std::string, Files> done_;
  std::vector<std::string> names_;
};

TEST_F(BrokerExportFaultsTest, CallThatFailsIsMadeGoodByTheNextExport) {
  EXPECT_GT(FailEachCall(Repeat::kOnce), 50);
}

TEST_F(BrokerExportFaultsTest, InterruptedExportGoesOn) {
  EXPECT_GT(FailEachCall(Repeat::kForever), 50);
}

TEST_F(BrokerExportFaultsTest, FullDiskInTheMiddleChangesNoPartition) {
  StartAnew();
  FaultyFileSystem files;
  files.FailCallsNamed(
      absl::StrCat("File::WriteAt ", target_.PathOf("orders-1.")), ENOSPC,
      Repeat::kForever);
  EXPECT_THAT(Export(orders_, &files),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(Partitions(), empty_);
  files.StopFailing();
  EXPECT_THAT(Export(orders_, &files), IsOk());
  EXPECT_EQ(Partitions(), done_);
}

TEST_F(BrokerExportFaultsTest, InterruptedExportKeepsWhatIsDone) {
  StartAnew();
  FaultyFileSystem files;
  files.FailCallsNamed(absl::StrCat("File::Sync ", target_.PathOf("orders-1.")),
                       EIO, Repeat::kForever);
  EXPECT_FALSE(Export({}, &files).ok());
  EXPECT_EQ(Partitions().at("orders-0"), empty_.at("orders-0"));
  const auto report = Export();
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->topics.size(), 2);
  EXPECT_EQ(report->topics[0].outcome, ExportOutcome::kWasThere);
  const ExportedTopic& orders = report->topics[1];
  EXPECT_EQ(orders.partitions[0].copied_bytes, 0);
  EXPECT_GT(orders.partitions[0].kept_bytes, 0);
  EXPECT_EQ(orders.partitions[0].records, 5);
  EXPECT_GT(orders.partitions[1].copied_bytes, 0);
  EXPECT_EQ(Partitions().at("orders-0"), done_.at("orders-0"));
  EXPECT_EQ(LogsOf(target_.path()), LogsOf(store_path_));
}

// The store goes on between the two calls: what was done is not as it is now.
TEST_F(BrokerExportFaultsTest, PartitionThatHasGoneOnIsMadeAgain) {
  StartAnew();
  FaultyFileSystem files;
  files.FailCallsNamed(absl::StrCat("File::Sync ", target_.PathOf("orders-1.")),
                       EIO, Repeat::kForever);
  EXPECT_FALSE(Export(orders_, &files).ok());
  {
    const auto store = OpenStore();
    ASSERT_THAT(store->partition("orders", 0)->Append({.value = "x"}), IsOk());
  }
  ASSERT_THAT(Export(orders_), IsOk());
  EXPECT_THAT(LogsOf(target_.path()), testing::Contains("orders-0 5 x"));
}

}  // namespace
}  // namespace varve
