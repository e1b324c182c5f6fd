// SPDX-License-Identifier: Apache-2.0

// Directories that are no store of ours, or not in the state we left it in:
// each is refused with a helpful message, or recovered, and nothing in it is
// lost.

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/checksummed_text.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteFile(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}

class LogStoreOpenTest : public testing::Test {
 protected:
  // A store of one record, closed cleanly.
  void MakeStore() {
    auto store = LogStore::Open(path_);
    ASSERT_THAT(store, IsOk());
    ASSERT_THAT((*store)->CreateTopic("orders"), IsOk());
    ASSERT_THAT((*store)->partition("orders", 0)->Append({.value = "a"}),
                IsOk());
    ASSERT_THAT((*store)->Close(), IsOk());
  }

  void ExpectOneRecord() {
    auto store = LogStore::Open(path_);
    ASSERT_THAT(store, IsOk());
    auto records = ReadAll(*(*store)->partition("orders", 0));
    ASSERT_THAT(records, IsOk());
    ASSERT_THAT(*records, SizeIs(1));
    EXPECT_EQ((*records)[0].second.value, "a");
    report_ = (*store)->recovery_report();
  }

  ScratchDirectory scratch_;
  std::string path_ = scratch_ / "store";
  RecoveryReport report_;
};

TEST_F(LogStoreOpenTest, MissingStoreIsCreatedOrNotFound) {
  EXPECT_THAT(LogStore::Open(path_, {.missing = MissingStore::kFail}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_THAT(LogStore::Open(path_ + "/deep/er"), IsOk());
}

TEST_F(LogStoreOpenTest, OptionOutOfRangeIsInvalid) {
  EXPECT_THAT(
      LogStore::Open(path_, {.sync_interval = absl::ZeroDuration()}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("sync_interval")));
}

TEST_F(LogStoreOpenTest, LimitOfTheDiskOutOfRangeIsInvalid) {
  const auto refusal_of = [&](const StoreOptions& options) {
    const absl::Status status = LogStore::Open(path_, options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal_of({.free_space_floor_bytes = -1}),
              HasSubstr("free_space_floor_bytes: -1 is not within 0 to"));
  EXPECT_THAT(refusal_of({.free_space_floor_bytes = (int64_t{1} << 60) + 1}),
              HasSubstr("free_space_floor_bytes"));
  EXPECT_THAT(refusal_of({.free_space_resume_bytes = 5}),
              HasSubstr("means nothing without free_space_floor_bytes"));
  EXPECT_THAT(refusal_of({.free_space_floor_bytes = 100,
                          .free_space_resume_bytes = 100}),
              HasSubstr("is not above free_space_floor_bytes (100)"));
  EXPECT_THAT(refusal_of({.store_size_max_bytes = -2}),
              HasSubstr("store_size_max_bytes: -2 is below -1"));
  EXPECT_THAT(LogStore::Open(path_, {.free_space_floor_bytes = 100,
                                     .free_space_resume_bytes = 101,
                                     .store_size_max_bytes = 0}),
              IsOk());
}

TEST_F(LogStoreOpenTest, BrokerDirectoryIsRefusedUntouched) {
  std::filesystem::create_directory(path_);
  WriteFile(path_ + "/meta.properties", "version=1");
  EXPECT_THAT(LogStore::Open(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("Kafka broker"), HasSubstr(path_))));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/.lock"));
}

TEST_F(LogStoreOpenTest, OtherProgramsDirectoryIsRefusedUntouched) {
  std::filesystem::create_directory(path_);
  WriteFile(path_ + "/photo.jpg", "");
  EXPECT_THAT(
      LogStore::Open(path_),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("photo.jpg")));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/.lock"));
}

TEST_F(LogStoreOpenTest, FileInPlaceOfTheDirectoryIsRefused) {
  WriteFile(path_, "text");
  EXPECT_THAT(LogStore::Open(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(ReadFile(path_), "text");
}

TEST_F(LogStoreOpenTest, CreationThatWasCutShortIsFinished) {
  std::filesystem::create_directory(path_);
  WriteFile(path_ + "/.lock", "");
  WriteFile(path_ + "/varve.topics.tmp", "varve.top");
  EXPECT_THAT(LogStore::Open(path_), IsOk());
}

TEST_F(LogStoreOpenTest, CopyThatBeginsBeforeTheLockIsTakenIsNoStore) {
  MakeStore();
  for (const char* name : {"/varve.restore", "/varve.backup"}) {
    FaultyFileSystem files;
    files.RunBefore("File::Lock", [&] { WriteFile(path_ + name, ""); });
    EXPECT_THAT(
        LogStore::Open(path_, {.environment = {.files = &files}}),
        StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(path_)));
    std::filesystem::remove(path_ + name);
  }
  ExpectOneRecord();
}

TEST_F(LogStoreOpenTest, NewerStoreIsRefusedUntouched) {
  MakeStore();
  const std::string newer = "varve.topics 3\nsomething else\n";
  WriteFile(path_ + "/varve.topics", newer);
  EXPECT_THAT(LogStore::Open(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("newer varve")));
  EXPECT_EQ(ReadFile(path_ + "/varve.topics"), newer);
}

TEST_F(LogStoreOpenTest, DamagedCatalogIsDataLossAndRestoredWithTheFile) {
  MakeStore();
  const std::string catalog = ReadFile(path_ + "/varve.topics");
  for (std::string bad :
       {std::string(), std::string("garbage"),
        catalog.substr(0, catalog.size() - 1), catalog + "x"}) {
    WriteFile(path_ + "/varve.topics", bad);
    EXPECT_THAT(LogStore::Open(path_), StatusIs(absl::StatusCode::kDataLoss,
                                                HasSubstr("varve.topics")));
  }
  WriteFile(path_ + "/varve.topics", catalog);
  ExpectOneRecord();
}

TEST_F(LogStoreOpenTest, LostCatalogOfAFullStoreIsRefused) {
  MakeStore();
  std::filesystem::remove(path_ + "/varve.topics");
  EXPECT_THAT(LogStore::Open(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/varve.topics"));
}

TEST_F(LogStoreOpenTest, DamagedCheckpointFallsBackOnKafkasCopyAndSaysSo) {
  MakeStore();
  WriteFile(path_ + "/varve.checkpoint", "garbage");
  ExpectOneRecord();
  EXPECT_TRUE(report_.clean);
  EXPECT_THAT(report_.notes, Contains(HasSubstr("varve.checkpoint")));
}

TEST_F(LogStoreOpenTest, WithoutAnyCheckpointEverythingIsScanned) {
  MakeStore();
  WriteFile(path_ + "/varve.checkpoint", "");
  WriteFile(path_ + "/recovery-point-offset-checkpoint", "garbage");
  ExpectOneRecord();
  EXPECT_THAT(report_.partitions, SizeIs(1));
}

TEST_F(LogStoreOpenTest, EmptyLogFileAfterACleanShutdownIsReported) {
  MakeStore();
  WriteFile(path_ + "/orders-0/00000000000000000000.log", "");
  auto store = LogStore::Open(path_);
  ASSERT_THAT(store, IsOk());
  auto orders = (*store)->partition("orders", 0);
  ASSERT_THAT(orders, IsOk());
  EXPECT_TRUE((*store)->recovery_report().has_damage());
  EXPECT_THAT(orders->Read(0), StatusIs(absl::StatusCode::kDataLoss));
  // The lost offset is not given to another record.
  auto result = orders->Append({.value = "b"});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->offset, 1);
}

TEST_F(LogStoreOpenTest, SwappedDirectoriesOfTwoTopicsAreNamed) {
  {
    auto store = LogStore::Open(path_);
    ASSERT_THAT(store, IsOk());
    for (const char* topic : {"orders", "audit"}) {
      ASSERT_THAT((*store)->CreateTopic(topic), IsOk());
      ASSERT_THAT((*store)->partition(topic, 0)->Append({.value = topic}),
                  IsOk());
    }
  }
  std::filesystem::rename(path_ + "/orders-0", path_ + "/swapped");
  std::filesystem::rename(path_ + "/audit-0", path_ + "/orders-0");
  std::filesystem::rename(path_ + "/swapped", path_ + "/audit-0");
  auto store = LogStore::Open(path_);
  ASSERT_THAT(store, IsOk());
  EXPECT_THAT((*store)->partition("orders", 0),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("orders"), HasSubstr("audit"))));
}

TEST_F(LogStoreOpenTest, UnreadablePartitionKeepsTheStoreUncleanAndOthersOpen) {
  {
    auto store = LogStore::Open(path_);
    ASSERT_THAT(store, IsOk());
    ASSERT_THAT((*store)->CreateTopic("orders", {.partitions = 2}), IsOk());
    ASSERT_THAT((*store)->partition("orders", 1)->Append({.value = "b"}),
                IsOk());
  }
  std::filesystem::remove(path_ + "/.kafka_cleanshutdown");
  std::filesystem::rename(path_ + "/orders-0", scratch_ / "moved");
  std::filesystem::create_symlink(scratch_ / "moved", path_ + "/orders-0");
  {
    auto store = LogStore::Open(path_);
    ASSERT_THAT(store, IsOk());
    EXPECT_THAT((*store)->recovery_report().notes, SizeIs(1));
    EXPECT_THAT((*store)->partition("orders", 0),
                StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(*ReadAll(*(*store)->partition("orders", 1)), SizeIs(1));
    EXPECT_THAT((*store)->Close(), IsOk());
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + "/.kafka_cleanshutdown"));
}

TEST_F(LogStoreOpenTest, FullDiskAfterAKillStillOpensForReading) {
  MakeStore();
  std::filesystem::remove(path_ + "/.kafka_cleanshutdown");
  FaultyFileSystem files;
  files.LimitSpace(0);
  auto store = LogStore::Open(path_, {.environment = {.files = &files}});
  ASSERT_THAT(store, IsOk());
  auto orders = (*store)->partition("orders", 0);
  ASSERT_THAT(orders, IsOk());
  EXPECT_THAT(*ReadAll(*orders), SizeIs(1));
  EXPECT_THAT(orders->Append({.value = "b"}),
              StatusIs(absl::StatusCode::kResourceExhausted));
  files.UnlimitSpace();
  EXPECT_THAT(orders->Append({.value = "b"}), IsOk());
}

TEST_F(LogStoreOpenTest, FlippedEpochCheckpointOfAKilledStoreLosesNothing) {
  MakeStore();
  std::filesystem::remove(path_ + "/.kafka_cleanshutdown");
  WriteFile(path_ + "/orders-0/leader-epoch-checkpoint", "0\n1\n1 0\n");
  ExpectOneRecord();
  ASSERT_THAT(report_.partitions, SizeIs(1));
  EXPECT_THAT(report_.partitions[0].notes,
              Contains(HasSubstr("leader-epoch-checkpoint contradicts")));
}

TEST_F(LogStoreOpenTest, SymbolicLinkInsideTheStoreIsNotFollowed) {
  MakeStore();
  const std::string log = path_ + "/orders-0/00000000000000000000.log";
  std::filesystem::rename(log, scratch_ / "elsewhere");
  std::filesystem::create_symlink(scratch_ / "elsewhere", log);
  auto store = LogStore::Open(path_);
  ASSERT_THAT(store, IsOk());
  EXPECT_THAT((*store)->partition("orders", 0),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

// Fails each call that opening, creating and appending makes, once: the store
// gives an error and no crash, and opens afterwards with what was acknowledged.
TEST_F(LogStoreOpenTest, EveryFailedCallIsAnErrorAndLosesNothing) {
  int calls = 1;
  for (int failing = 1; failing <= calls; ++failing) {
    SCOPED_TRACE(absl::StrCat("call ", failing));
    std::filesystem::remove_all(path_);
    FaultyFileSystem files;
    files.FailCall(failing, EIO, FaultyFileSystem::Repeat::kOnce);
    bool acknowledged = false;
    {
      auto store = LogStore::Open(path_, {.environment = {.files = &files}});
      if (store.ok() && (*store)->CreateTopic("orders").ok()) {
        auto orders = (*store)->partition("orders", 0);
        acknowledged = orders.ok() && orders->Append({.value = "a"}).ok();
      }
    }
    calls = std::max(calls, static_cast<int>(files.call_count()));
    auto store = LogStore::Open(path_);
    ASSERT_THAT(store, IsOk());
    if (!acknowledged) continue;
    auto records = ReadAll(*(*store)->partition("orders", 0));
    ASSERT_THAT(records, IsOk());
    EXPECT_THAT(*records, SizeIs(1));
  }
  EXPECT_GT(calls, 30);
}

}  // namespace
}  // namespace varve
