// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_SYSTEM_POSIX_FILE_SYSTEM_FIXTURE_H_
#define VARVE_TESTS_LOG_SYSTEM_POSIX_FILE_SYSTEM_FIXTURE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/system/file_system.h"

namespace varve {

// A directory of the disk, and files in it.
class PosixFileSystemFixture : public ::testing::Test {
 protected:
  static std::unique_ptr<Directory> OpenOrDie(const std::string& path) {
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        FileSystem::Posix()->OpenDirectory(path);
    EXPECT_THAT(directory, absl_testing::IsOk());
    return *std::move(directory);
  }
  std::unique_ptr<File> Open(std::string_view name,
                             OpenMode mode = OpenMode::kCreate) {
    absl::StatusOr<std::unique_ptr<File>> file =
        directory_->OpenFile(name, mode);
    EXPECT_THAT(file, absl_testing::IsOk());
    return *std::move(file);
  }

  std::string Contents(File& file) {
    std::string bytes(100000, '?');
    const absl::StatusOr<size_t> count = file.ReadAt(0, absl::MakeSpan(bytes));
    EXPECT_THAT(count, absl_testing::IsOk());
    bytes.resize(*count);
    return bytes;
  }

  ScratchDirectory scratch_;
  std::unique_ptr<Directory> directory_ = OpenOrDie(scratch_.path());
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_SYSTEM_POSIX_FILE_SYSTEM_FIXTURE_H_
