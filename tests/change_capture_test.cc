// SPDX-License-Identifier: Apache-2.0

// The program examples/change_capture makes a replica of a table, which goes on
// where it was, and to which changes may be applied twice.

#include <string>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/program_output.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/log_store.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::HasSubstr;

class ChangeCaptureTest : public testing::Test {
 protected:
  std::string Run(const std::string& arguments) {
    return OutputOf(absl::StrCat("examples/change_capture ", path_, " ",
                                 arguments, " 2>&1"),
                    &status_);
  }
  void Write(const std::string& changes) {
    EXPECT_EQ(Run("write " + changes), "");
    EXPECT_EQ(status_, 0);
  }
  std::string Replicate() { return Run("replicate " + replica_); }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  const std::string replica_ = scratch_ / "replica";
  int status_ = -1;
};

TEST_F(ChangeCaptureTest, ReplicaGoesOnAfterAStopAndDeletesRows) {
  Write("ada=Lovelace bob=Ross");
  EXPECT_EQ(Replicate(),
            "changes applied: 2, next offset: 2\nada=Lovelace\nbob=Ross\n");
  Write("ada=King bob eve=");
  EXPECT_EQ(Replicate(),
            "changes applied: 3, next offset: 5\nada=King\neve=\n");
  EXPECT_EQ(Replicate(),
            "changes applied: 0, next offset: 5\nada=King\neve=\n");
  EXPECT_EQ(status_, 0);
}

TEST_F(ChangeCaptureTest, ChangesThatAreAppliedAgainDoNoHarm) {
  Write("ada=Lovelace bob=Ross");
  Replicate();
  const std::string early = ReadBytes(replica_);
  Write("ada=King bob");
  Replicate();
  // As after a power loss that has brought the earlier file back.
  const std::string late = ReadBytes(replica_);
  WriteBytes(replica_, early);
  EXPECT_EQ(Replicate(), "changes applied: 2, next offset: 4\nada=King\n");
  EXPECT_EQ(ReadBytes(replica_), late);
  // The rows are those of the end, the offset is that of the beginning.
  ASSERT_EQ(late.front(), '4');
  WriteBytes(replica_, "0" + late.substr(1));
  EXPECT_EQ(Replicate(), "changes applied: 4, next offset: 4\nada=King\n");
}

TEST_F(ChangeCaptureTest, KeysAndValuesMayHaveAnyBytes) {
  Write("'a \"b\"=c\\d\ne'");
  Replicate();
  Write("f=g");
  EXPECT_EQ(Replicate(),
            "changes applied: 1, next offset: 2\na \"b\"=c\\d\ne\nf=g\n");
}

TEST_F(ChangeCaptureTest, ReplicaThatHasMissedChangesIsNotMade) {
  Write("ada=Lovelace bob=Ross");
  {
    auto store = LogStore::Open(path_);
    ASSERT_THAT(store, IsOk());
    auto table = (*store)->partition("table", 0);
    ASSERT_THAT(table, IsOk());
    ASSERT_THAT(table->TrimBefore(1), IsOk());
    ASSERT_THAT((*store)->Close(), IsOk());
  }
  EXPECT_THAT(Replicate(), HasSubstr("OUT_OF_RANGE"));
  EXPECT_EQ(status_, 1);
}

}  // namespace
}  // namespace varve
