// SPDX-License-Identifier: Apache-2.0

// What is not exported, and why. Nothing is changed then.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/export_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/import_fixture.h"
#include "varve/api/export/broker_export.h"
#include "varve/api/export/export_report.h"
#include "varve/log/metadata/lock_conflict.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Code = absl::StatusCode;

class BrokerExportRefusalsTest : public ExportFixture {
 protected:
  void TearDown() override {
    // What was refused has left nothing.
    EXPECT_EQ(NamesIn(target_.path()), before_);
    if (std::filesystem::exists(target_.PathOf("keys-0"))) {
      EXPECT_EQ(ReadBytes(target_.PathOf("keys-0/00000000000000000000.log")),
                keys_);
    }
  }
  void Note() { before_ = NamesIn(target_.path()); }

  std::vector<std::string> before_ = NamesIn(target_.path());
  std::string keys_;
};

TEST_F(BrokerExportRefusalsTest, TopicThatTheBrokerHasNot) {
  target_.Remove("keys-0");
  Note();
  EXPECT_THAT(Export(),
              StatusIs(Code::kNotFound, AllOf(HasSubstr("no topic \"keys\""),
                                              HasSubstr("with 1 partition and"),
                                              HasSubstr("kafka-topics.sh"))));
}

TEST_F(BrokerExportRefusalsTest, OtherNumberOfPartitions) {
  AddEmpty("orders-2", kTheirOrdersId);
  Note();
  EXPECT_THAT(Export(), StatusIs(Code::kFailedPrecondition,
                                 AllOf(HasSubstr("partitions 0 to 2"),
                                       HasSubstr("the store has 2"))));
  target_.Remove("orders-2");
  target_.Rename("orders-0", "orders-5");
  Note();
  EXPECT_THAT(Export(), StatusIs(Code::kFailedPrecondition,
                                 HasSubstr("partitions 1, 5 of topic")));
}

TEST_F(BrokerExportRefusalsTest, PartitionWithRecords) {
  keys_ = BrokerBatch(0, {"theirs"});
  target_.PutSegment("keys-0", 0, keys_);
  EXPECT_THAT(Export(), StatusIs(Code::kAlreadyExists,
                                 AllOf(HasSubstr("keys-0"),
                                       HasSubstr("holds other records"),
                                       HasSubstr("delete the topic"))));
}

TEST_F(BrokerExportRefusalsTest, PartitionThatHadRecords) {
  target_.Rename("orders-1/00000000000000000000.log",
                 "orders-1/00000000000000000007.log");
  EXPECT_THAT(Export(), StatusIs(Code::kAlreadyExists, HasSubstr("orders-1")));
}

TEST_F(BrokerExportRefusalsTest, BrokerThatRuns) {
  target_.Put(".lock", "");
  Note();
  auto directory = FileSystem::Posix()->OpenDirectory(target_.path());
  ASSERT_THAT(directory, IsOk());
  auto lock = (*directory)->OpenFile(".lock", OpenMode::kReadWrite);
  ASSERT_THAT(lock, IsOk());
  ASSERT_THAT((*lock)->Lock(), IsOk());
  const absl::Status refused = Export().status();
  EXPECT_THAT(refused, StatusIs(Code::kFailedPrecondition,
                                AllOf(HasSubstr(target_.path()),
                                      HasSubstr("a broker has it open"))));
  EXPECT_TRUE(IsLockConflict(refused));
}

TEST_F(BrokerExportRefusalsTest, DirectoryOfAnotherKind) {
  EXPECT_THAT(ExportTo(broker_.PathOf("orders-0")),
              StatusIs(Code::kFailedPrecondition,
                       AllOf(HasSubstr(".index"), HasSubstr("empty one"))));
  EXPECT_THAT(ExportTo(store_path_),
              StatusIs(Code::kInvalidArgument, HasSubstr("is the directory")));
  EXPECT_THAT(ExportTo(store_path_ + "/in"),
              StatusIs(Code::kInvalidArgument, HasSubstr("lies in")));
  std::filesystem::create_directory(scratch_ / "other");
  WriteBytes(scratch_ / "other/varve.topics", "");
  EXPECT_THAT(ExportTo(scratch_ / "other"),
              StatusIs(Code::kFailedPrecondition, HasSubstr("is a store")));
  EXPECT_THAT(NamesIn(scratch_ / "other"),
              testing::ElementsAre("varve.topics"));
}

TEST_F(BrokerExportRefusalsTest, WhatIsNoStore) {
  EXPECT_THAT(
      ExportToBroker({.store = scratch_ / "no", .broker = target_.path()}),
      StatusIs(Code::kNotFound, HasSubstr("no store")));
  EXPECT_THAT(
      ExportToBroker({.store = broker_.path(), .broker = target_.path()}),
      StatusIs(Code::kFailedPrecondition));
}

TEST_F(BrokerExportRefusalsTest, DamagedCheckpointOfTheBroker) {
  target_.Put("cleaner-offset-checkpoint", "0\n2\nkeys 0 6\n");
  Note();
  EXPECT_THAT(Export(), StatusIs(Code::kDataLoss,
                                 AllOf(HasSubstr("cleaner-offset-checkpoint"),
                                       HasSubstr("will not start"))));
}

TEST_F(BrokerExportRefusalsTest, TopicWithoutAnId) {
  target_.Put("orders-1/partition.metadata", "version: 0\n");
  EXPECT_THAT(Export(),
              StatusIs(Code::kDataLoss,
                       AllOf(HasSubstr("orders-1"), HasSubstr("topic's id"))));
  target_.AddPartition("orders-1", kTheirKeysId);
  EXPECT_THAT(Export(), StatusIs(Code::kDataLoss, HasSubstr("another topic")));
}

TEST_F(BrokerExportRefusalsTest, PartitionsDirectoryWithOtherFiles) {
  target_.Put("orders-0/notes.txt", "mine");
  EXPECT_THAT(Export(),
              StatusIs(Code::kFailedPrecondition,
                       AllOf(HasSubstr("notes.txt"), HasSubstr("move it"))));
  EXPECT_EQ(ReadBytes(target_.PathOf("orders-0/notes.txt")), "mine");
}

TEST_F(BrokerExportRefusalsTest, TooSmallADisk) {
  FaultyFileSystem files;
  files.LimitSpace(4 << 20);
  EXPECT_THAT(Export({}, &files),
              StatusIs(Code::kResourceExhausted, HasSubstr("needs")));
}

// It is found when the topic is copied: what is begun, is no partition.
TEST_F(BrokerExportRefusalsTest, DamageInTheStore) {
  const std::string log = store_path_ + "/orders-0/00000000000000000000.log";
  std::string bytes = ReadBytes(log);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  WriteBytes(log, bytes);
  EXPECT_THAT(Export({.topics = {"orders"}}),
              StatusIs(Code::kDataLoss,
                       AllOf(HasSubstr("offset 2"), HasSubstr(store_path_),
                             HasSubstr("not exported"))));
  EXPECT_EQ(ReadBytes(target_.PathOf("orders-0/00000000000000000000.log")), "");
  for (const std::string& name : NamesIn(target_.path(), "orders-0.")) {
    EXPECT_TRUE(name.ends_with("-delete"));
    target_.Remove(name);
  }
}

}  // namespace
}  // namespace varve
