// SPDX-License-Identifier: Apache-2.0

// A reader reads two files of a store that change meanwhile.

#include "varve/api/read_only/store_files_cache.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

// Another directory, but for what happens once before a file is opened.
class ChangingDirectory final : public Directory {
 public:
  explicit ChangingDirectory(std::unique_ptr<Directory> base)
      : Directory(base->path()), base_(std::move(base)) {}

  void DoBeforeOpening(std::string_view name, std::function<void()> event) {
    name_ = name;
    event_ = std::move(event);
  }

  absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                 OpenMode mode) override {
    if (event_ && name == name_) std::exchange(event_, nullptr)();
    return base_->OpenFile(name, mode);
  }
  absl::StatusOr<FileSystemType> Type() override { return base_->Type(); }
  absl::StatusOr<std::vector<DirectoryIdentity>> Lineage() override {
    return base_->Lineage();
  }
  absl::StatusOr<std::vector<DirectoryEntry>> List() override {
    return base_->List();
  }
  absl::StatusOr<int64_t> DiskBytes() override { return base_->DiskBytes(); }
  absl::StatusOr<int64_t> FreeBytes() override { return base_->FreeBytes(); }
  absl::Status Rename(std::string_view from, std::string_view to) override {
    return base_->Rename(from, to);
  }
  absl::Status RemoveFile(std::string_view name) override {
    return base_->RemoveFile(name);
  }
  absl::Status Sync() override { return base_->Sync(); }
  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view name) override {
    return base_->OpenDirectory(name);
  }
  absl::Status CreateDirectory(std::string_view name) override {
    return base_->CreateDirectory(name);
  }
  absl::Status RemoveDirectory(std::string_view name) override {
    return base_->RemoveDirectory(name);
  }

 private:
  const std::unique_ptr<Directory> base_;
  std::string name_;
  std::function<void()> event_;
};

constexpr TopicId kOld(1, 1);
constexpr TopicId kNew(2, 2);

class StoreFilesCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    auto directory = FileSystem::Posix()->OpenDirectory(scratch_ / ".");
    ASSERT_THAT(directory, IsOk());
    data_ = std::make_shared<ChangingDirectory>(*std::move(directory));
    Write(kOld, 5);
  }

  void Write(TopicId id, int64_t recovery_point) {
    TopicCatalog catalog;
    ASSERT_THAT(catalog.Add(OrdersOf(id)), IsOk());
    ASSERT_THAT(WriteTopicCatalog(*data_, catalog), IsOk());
    ASSERT_THAT(
        WriteStoreCheckpoint(
            *data_, {{{"orders", 0},
                      {.log_start = 0, .recovery_point = recovery_point}}}),
        IsOk());
  }

  static Topic OrdersOf(TopicId id) {
    return {.name = "orders", .id = id, .config = {}};
  }

  ScratchDirectory scratch_;
  std::shared_ptr<ChangingDirectory> data_;
};

TEST_F(StoreFilesCacheTest, RecoveryPointIsTheOneOfTheTopicThatHasTheId) {
  StoreFilesCache outline(data_, Clock::Real());
  auto known = outline.FactsOf(OrdersOf(kOld), 0, FactsAge::kRecent);
  ASSERT_THAT(known, IsOk());
  EXPECT_EQ(known->checkpoint.recovery_point, 5);
  EXPECT_THAT(outline.FactsOf(OrdersOf(kNew), 0, FactsAge::kRecent),
              StatusIs(absl::StatusCode::kNotFound));
}

// Between the reads of the two files, the topic is deleted and made again.
TEST_F(StoreFilesCacheTest, RecoveryPointOfANewTopicIsNotTheOldOnesOfItsName) {
  StoreFilesCache outline(data_, Clock::Real());
  data_->DoBeforeOpening(kCheckpointName, [&] { Write(kNew, 1000); });
  auto known = outline.FactsOf(OrdersOf(kNew), 0, FactsAge::kRecent);
  ASSERT_THAT(known, IsOk());
  EXPECT_EQ(known->checkpoint.recovery_point, 0);
  EXPECT_THAT(outline.FactsOf(OrdersOf(kOld), 0, FactsAge::kRecent),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace varve
