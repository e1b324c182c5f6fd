// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/errno_status.h"

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::absl_testing::StatusIs;

TEST(ErrnoStatusTest, MessageHasPathCallAndReason) {
  EXPECT_THAT(ErrnoStatus(ENOENT, "open", "/data/.lock"),
              StatusIs(absl::StatusCode::kNotFound,
                       "/data/.lock: open: No such file or directory"));
}

TEST(ErrnoStatusTest, EveryErrnoOfTheTableHasItsCode) {
  using Code = absl::StatusCode;
  const std::pair<int, Code> kTable[] = {
      {ENOENT, Code::kNotFound},
      {EEXIST, Code::kAlreadyExists},
      {EACCES, Code::kPermissionDenied},
      {EPERM, Code::kPermissionDenied},
      {EROFS, Code::kPermissionDenied},
      {ENOSPC, Code::kResourceExhausted},
      {EDQUOT, Code::kResourceExhausted},
      {EFBIG, Code::kResourceExhausted},
      {EMFILE, Code::kResourceExhausted},
      {ENFILE, Code::kResourceExhausted},
      {ENOMEM, Code::kResourceExhausted},
      {EAGAIN, Code::kResourceExhausted},
      {ENOLCK, Code::kUnknown},
      {EHOSTDOWN, Code::kUnknown},
      {ELOOP, Code::kFailedPrecondition},
      {ENOTDIR, Code::kFailedPrecondition},
      {EISDIR, Code::kFailedPrecondition},
      {ENOTEMPTY, Code::kFailedPrecondition},
      {EIO, Code::kUnknown},
      {EINVAL, Code::kInvalidArgument},
  };
  for (const auto& [error, code] : kTable) {
    EXPECT_THAT(ErrnoStatus(error, "call", "path"), StatusIs(code)) << error;
  }
}

TEST(ErrnoStatusTest, NoErrnoIsASuccess) {
  for (int error = 1; error < 200; ++error) {
    EXPECT_FALSE(ErrnoStatus(error, "call", "path").ok()) << error;
  }
}

}  // namespace
}  // namespace varve
