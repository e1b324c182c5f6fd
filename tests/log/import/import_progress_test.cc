// SPDX-License-Identifier: Apache-2.0

#include "varve/log/import/import_progress.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

constexpr ImportedSegment kFirst = {
    .source_bytes = 100, .source_modified_ns = 1'700'000'000'000, .records = 7};
constexpr ImportedSegment kSecond = {.source_bytes = 0,
                                     .source_modified_ns = -5,
                                     .records = 0,
                                     .continuity = Continuity::kGapsAllowed};

ImportProgress TwoSegments() {
  ImportProgress progress;
  progress.Put(0, kFirst);
  progress.Put(1234, kSecond);
  return progress;
}

TEST(ImportProgressTest, TextAndBack) {
  const std::string text = TwoSegments().ToText();
  EXPECT_EQ(text.substr(0, text.rfind("crc32c")),
            "varve.import 1\n"
            "0 100 1700000000000 7 exact\n"
            "1234 0 -5 0 gaps\n");
  const auto read = ImportProgress::FromText(text);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->Find(0), kFirst);
  EXPECT_EQ(read->Find(1234), kSecond);
  EXPECT_EQ(read->Find(1), std::nullopt);
}

TEST(ImportProgressTest, LineThatIsNoneIsDataLoss) {
  for (const char* line : {"0 100 5 7", "0 100 5 7 exactly", "x 100 5 7 exact",
                           "0 100 5 7 exact 1", ""}) {
    EXPECT_THAT(
        ImportProgress::FromText(FormatChecksummedText("varve.import", {line})),
        StatusIs(absl::StatusCode::kDataLoss))
        << line;
  }
}

class ImportProgressFileTest : public testing::Test {
 protected:
  ImportProgress Read() {
    auto progress = ImportProgress::Read(*directory_);
    CHECK_OK(progress.status());
    return *progress;
  }

  ScratchDirectory scratch_;
  const std::unique_ptr<Directory> directory_ =
      *FileSystem::Posix()->OpenDirectory(scratch_.path());
};

TEST_F(ImportProgressFileTest, FileAndBack) {
  EXPECT_EQ(Read().Find(0), std::nullopt);
  ASSERT_THAT(TwoSegments().Write(*directory_), IsOk());
  EXPECT_EQ(Read().Find(1234), kSecond);
}

TEST_F(ImportProgressFileTest, FileThatIsDamagedSaysNothing) {
  ASSERT_THAT(TwoSegments().Write(*directory_), IsOk());
  const std::string path = scratch_ / "import-progress";
  WriteBytes(path, WithBitFlipped(ReadBytes(path), 160));
  EXPECT_EQ(Read().Find(0), std::nullopt);
  WriteBytes(path, FormatChecksummedText("varve.import", {}, 9));
  EXPECT_EQ(Read().Find(0), std::nullopt);
}

}  // namespace
}  // namespace varve
