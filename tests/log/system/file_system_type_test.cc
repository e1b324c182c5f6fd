// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/file_system_type.h"

#include <sys/vfs.h>

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using Type = FileSystemType;
using Support = FileSystemSupport;

TEST(FileSystemTypeTest, EveryNumberOfTheKernelIsKnown) {
  // From linux/magic.h and the file systems' own headers.
  EXPECT_EQ(FileSystemTypeOf(0xef53), Type::kExt);
  EXPECT_EQ(FileSystemTypeOf(0x58465342), Type::kXfs);
  EXPECT_EQ(FileSystemTypeOf(0x794c7630), Type::kOverlay);
  EXPECT_EQ(FileSystemTypeOf(0x01021994), Type::kTmpfs);
  EXPECT_EQ(FileSystemTypeOf(0x858458f6), Type::kTmpfs);
  EXPECT_EQ(FileSystemTypeOf(0x9123683e), Type::kBtrfs);
  EXPECT_EQ(FileSystemTypeOf(0x2fc12fc1), Type::kZfs);
  EXPECT_EQ(FileSystemTypeOf(0xca451a4e), Type::kBcachefs);
  EXPECT_EQ(FileSystemTypeOf(0x6969), Type::kNfs);
  EXPECT_EQ(FileSystemTypeOf(0xff534d42), Type::kCifs);
  EXPECT_EQ(FileSystemTypeOf(0xfe534d42), Type::kCifs);
  EXPECT_EQ(FileSystemTypeOf(0x01021997), Type::k9p);
  EXPECT_EQ(FileSystemTypeOf(0x65735546), Type::kFuse);
  EXPECT_EQ(FileSystemTypeOf(0x12345678), Type::kUnknown);
  EXPECT_EQ(FileSystemTypeOf(0), Type::kUnknown);
}

TEST(FileSystemTypeTest, SignExtendedNumberIsTheSame) {
  EXPECT_EQ(FileSystemTypeOf(static_cast<int32_t>(0x9123683e)), Type::kBtrfs);
}

TEST(FileSystemTypeTest, SupportFollowsTheType) {
  EXPECT_EQ(SupportOf(Type::kExt), Support::kFull);
  EXPECT_EQ(SupportOf(Type::kXfs), Support::kFull);
  EXPECT_EQ(SupportOf(Type::kOverlay), Support::kFull);
  EXPECT_EQ(SupportOf(Type::kTmpfs), Support::kNotDurable);
  for (Type type :
       {Type::kBtrfs, Type::kZfs, Type::kBcachefs, Type::kUnknown}) {
    EXPECT_EQ(SupportOf(type), Support::kMayRaiseSigbus)
        << FileSystemName(type);
  }
  for (Type type : {Type::kNfs, Type::kCifs, Type::k9p, Type::kFuse}) {
    EXPECT_EQ(SupportOf(type), Support::kRemote) << FileSystemName(type);
  }
}

TEST(FileSystemTypeTest, ProcIsUnknown) {
  struct statfs status;
  ASSERT_EQ(statfs("/proc", &status), 0);
  EXPECT_EQ(FileSystemTypeOf(status.f_type), Type::kUnknown);
}

}  // namespace
}  // namespace varve
