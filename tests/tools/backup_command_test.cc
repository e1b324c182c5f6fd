// SPDX-License-Identifier: Apache-2.0

// `varve backup` and `varve restore`, as a user runs them.

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command_runner.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class BackupCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("orders", {"--config", "segment.bytes=2000"});
    std::string lines;
    for (int i = 0; i < 300; ++i) absl::StrAppend(&lines, "line ", i, "\n");
    runner_.Produce("orders", lines);
  }

  std::string backup() const { return runner_.data() + "-backup"; }
  std::string restored() const { return runner_.data() + "-restored"; }

  std::string RecordsIn(const std::string& data) {
    const CommandResult result =
        runner_.Varve({"--data", data, "consume", "orders"});
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return result.out;
  }

  // As a writer has it, until the file is closed.
  static std::unique_ptr<File> Lock(const std::string& path) {
    auto lock = FileSystem::Posix()->OpenDirectory(path).value()->OpenFile(
        ".lock", OpenMode::kCreate);
    CHECK_OK(lock.status());
    CHECK_OK((*lock)->Lock());
    return *std::move(lock);
  }

  void ExpectSound(const std::string& data) {
    const CommandResult result =
        runner_.Varve({"--data", data, "verify", "--json"});
    EXPECT_EQ(result.exit_status, 0) << result.err;
    const json report = json::parse(result.out);
    EXPECT_EQ(report["state"], "closed");
    EXPECT_EQ(report["findings"].size(), 0) << report["findings"];
  }

  CommandRunner runner_;
};

TEST_F(BackupCommandTest, BackupIsReadAndRestored) {
  const CommandResult made = runner_.Varve({"backup", backup()});
  EXPECT_EQ(made.exit_status, 0) << made.err;
  EXPECT_THAT(made.out,
              AllOf(HasSubstr(backup() + ": a backup of " + runner_.data()),
                    HasSubstr("1 partition, "), HasSubstr("300 records"),
                    HasSubstr("all verified")));
  ExpectSound(backup());
  EXPECT_EQ(RecordsIn(backup()), RecordsIn(runner_.data()));
  const CommandResult restored_now =
      runner_.Varve({"--data", restored(), "restore", backup()});
  EXPECT_EQ(restored_now.exit_status, 0) << restored_now.err;
  EXPECT_THAT(restored_now.out,
              HasSubstr(restored() + ": restored from " + backup()));
  ExpectSound(restored());
  EXPECT_EQ(RecordsIn(restored()), RecordsIn(runner_.data()));
}

TEST_F(BackupCommandTest, StoreMayStandOnTheLineInTheOrderOfTheCopy) {
  const std::string store = runner_.data();
  EXPECT_EQ(
      runner_.Varve({"--data", "", "backup", store, backup()}).exit_status, 0);
  EXPECT_EQ(runner_.Varve({"--data", "", "restore", backup(), restored()})
                .exit_status,
            0);
  EXPECT_EQ(RecordsIn(restored()), RecordsIn(store));
}

TEST_F(BackupCommandTest, JsonSaysWhereEachPartitionEnds) {
  const CommandResult made = runner_.Varve({"backup", backup(), "--json"});
  EXPECT_EQ(made.exit_status, 0) << made.err;
  const json report = json::parse(made.out);
  EXPECT_EQ(report["store"], runner_.data());
  EXPECT_EQ(report["backup"], backup());
  EXPECT_EQ(report["ok"], true);
  EXPECT_EQ(report["damage"].size(), 0);
  ASSERT_EQ(report["partitions"].size(), 1);
  const json& orders = report["partitions"][0];
  EXPECT_EQ(orders["topic"], "orders");
  EXPECT_EQ(orders["partition"], 0);
  EXPECT_EQ(orders["log_start"], 0);
  EXPECT_EQ(orders["end_offset"], 300);
  EXPECT_EQ(orders["records"], 300);
  EXPECT_GT(orders["segments"], 1);
  EXPECT_EQ(orders["kept_bytes"], 0);
}

TEST_F(BackupCommandTest, BackupRunsBesideAWriter) {
  runner_.StartProducer("orders");
  const CommandResult made = runner_.Varve({"backup", backup()});
  EXPECT_EQ(made.exit_status, 0) << made.err;
  EXPECT_EQ(runner_.EndProducer(), 0);
  ExpectSound(backup());
  EXPECT_EQ(RecordsIn(backup()), RecordsIn(runner_.data()));
}

TEST_F(BackupCommandTest, ReplaceBringsABackupUpToDate) {
  ASSERT_EQ(runner_.Varve({"backup", backup()}).exit_status, 0);
  runner_.Produce("orders", "one more\n");
  const CommandResult refused = runner_.Varve({"backup", backup()});
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr(backup()), HasSubstr("--replace")));
  const CommandResult replaced =
      runner_.Varve({"backup", backup(), "--replace", "--json"});
  EXPECT_EQ(replaced.exit_status, 0) << replaced.err;
  const json orders = json::parse(replaced.out)["partitions"][0];
  EXPECT_EQ(orders["end_offset"], 301);
  EXPECT_GT(orders["kept_bytes"], 0);
  EXPECT_EQ(RecordsIn(backup()), RecordsIn(runner_.data()));
}

TEST_F(BackupCommandTest, BackupIsNotWritten) {
  ASSERT_EQ(runner_.Varve({"backup", backup()}).exit_status, 0);
  const CommandResult produced =
      runner_.Varve({"--data", backup(), "produce", "orders"}, "x\n");
  EXPECT_EQ(produced.exit_status, 1);
  EXPECT_THAT(produced.err, AllOf(HasSubstr(backup()), HasSubstr("a backup")));
  ExpectSound(backup());
}

TEST_F(BackupCommandTest, StoreIsNotOverwrittenUnlessItIsAskedFor) {
  ASSERT_EQ(runner_.Varve({"backup", backup()}).exit_status, 0);
  const std::string before = RecordsIn(runner_.data());
  runner_.Produce("orders", "one more\n");
  const CommandResult refused = runner_.Varve({"restore", backup()});
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_THAT(refused.err, HasSubstr("--replace"));
  EXPECT_NE(RecordsIn(runner_.data()), before);
  EXPECT_EQ(runner_.Varve({"restore", backup(), "--replace"}).exit_status, 0);
  EXPECT_EQ(RecordsIn(runner_.data()), before);
}

TEST_F(BackupCommandTest, DamageIsNamedAndCopiedOnlyWhenItIsAskedFor) {
  const std::string log = SegmentPath(runner_.data() + "/orders-0", ".log");
  FlipBit(log, 100, 0);
  const CommandResult refused = runner_.Varve({"backup", backup()});
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("position 0"), HasSubstr("--keep-damage")));
  EXPECT_EQ(runner_.Varve({"--data", backup(), "verify"}).exit_status, 1);
  const CommandResult kept =
      runner_.Varve({"backup", backup(), "--keep-damage"});
  EXPECT_EQ(kept.exit_status, 0) << kept.err;
  EXPECT_THAT(kept.out, HasSubstr("DAMAGE  " + backup() + "/orders-0"));
}

TEST_F(BackupCommandTest, StoreThatIsOpenIsNotReplacedAndTheWayOutIsNamed) {
  ASSERT_EQ(runner_.Varve({"backup", backup()}).exit_status, 0);
  runner_.StartProducer("orders");
  const CommandResult refused =
      runner_.Varve({"restore", backup(), "--replace"});
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_EQ(refused.err,
            "varve: " + runner_.data() +
                ": another writer has it open, or copies to it; one process "
                "writes at a time; end the other program first, or choose "
                "another --data\n");
  EXPECT_EQ(runner_.EndProducer(), 0);
}

TEST_F(BackupCommandTest, DamagedTopicsAreNotSaidToBeCopiedByAnOption) {
  std::ofstream(runner_.data() + "/varve.topics") << "nonsense\n";
  const CommandResult refused = runner_.Varve({"backup", backup()});
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("varve.topics"),
                                 Not(HasSubstr("--keep-damage"))));
}

TEST_F(BackupCommandTest, PlaceOfAnotherWriterIsNamedAsTheLineChoosesIt) {
  ASSERT_EQ(runner_.Varve({"backup", backup()}).exit_status, 0);
  const std::string store = runner_.data();
  const std::string taken = runner_.PathTo("taken");
  std::filesystem::create_directory(taken);
  const std::unique_ptr<File> lock = Lock(taken);
  const struct {
    std::vector<std::string> line;
    std::string way_out;
  } cases[] = {
      {{"backup", taken}, "directory for the backup"},
      {{"--data", "", "backup", store, taken}, "directory for the backup"},
      {{"--data", taken, "restore", backup()}, "--data"},
      {{"--data", "", "restore", backup(), taken}, "directory for the store"},
  };
  for (const auto& [line, way_out] : cases) {
    const CommandResult refused = runner_.Varve(line);
    EXPECT_EQ(refused.exit_status, 1);
    EXPECT_EQ(refused.err,
              absl::StrCat("varve: ", taken,
                           ": another writer has it open, or copies to it; one "
                           "process writes at a time; end the other program "
                           "first, or choose another ",
                           way_out, "\n"));
  }
}

// "writer" in a path says nothing of who has it.
TEST_F(BackupCommandTest, StoreIsNoPlaceForABackupWhateverItsName) {
  const std::string other = runner_.PathTo("another writer");
  ASSERT_EQ(
      runner_.Varve({"--data", other, "topics", "create", "t"}).exit_status, 0);
  const CommandResult refused = runner_.Varve({"backup", other});
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_EQ(refused.err,
            absl::StrCat("varve: ", other,
                         ": is a store and no backup, so no backup is written "
                         "into it: choose another directory\n"));
}

TEST_F(BackupCommandTest, MissingPathsAreUsageErrors) {
  EXPECT_EQ(runner_.Varve({"backup"}).exit_status, 2);
  EXPECT_EQ(runner_.Varve({"restore"}).exit_status, 2);
  EXPECT_EQ(runner_.Varve({"--data", "", "backup", backup()}).exit_status, 2);
  EXPECT_EQ(runner_.Varve({"backup", ""}).exit_status, 2);
  const CommandResult none =
      runner_.Varve({"--data", "/no/such", "backup", backup()});
  EXPECT_EQ(none.exit_status, 1);
  EXPECT_THAT(none.err, HasSubstr("/no/such: there is no store"));
  EXPECT_FALSE(std::filesystem::exists(backup()));
}

}  // namespace
}  // namespace varve
