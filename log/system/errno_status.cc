// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/errno_status.h"

#include <cerrno>
#include <new>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varve {
namespace {

// Without a text a status takes no memory.
absl::Status UnknownWithoutText() { return {absl::StatusCode::kUnknown, ""}; }

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case EFBIG:
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:  // of mmap: no more memory may be locked
      return absl::StatusCode::kResourceExhausted;
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case ELOOP:
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
      return absl::StatusCode::kFailedPrecondition;
    case EIO:
      return absl::StatusCode::kUnknown;
    default: {
      // An append that is there, and not durable yet, is Unavailable: no file
      // error is.
      const absl::StatusCode code = absl::ErrnoToStatusCode(error);
      return code == absl::StatusCode::kUnavailable ? absl::StatusCode::kUnknown
                                                    : code;
    }
  }
}

}  // namespace

absl::Status ErrnoStatus(int error, std::string_view call,
                         std::string_view path) {
  CHECK_NE(error, 0) << path << ": " << call;  // it would be OK
  const absl::Status with_text =
      absl::ErrnoToStatus(error, absl::StrCat(path, ": ", call));
  return absl::Status(CodeOf(error), with_text.message());
}

absl::Status SyncErrnoStatus(int error, std::string_view call,
                             std::string_view path) noexcept {
  try {
    return ErrnoStatus(error, call, path);
  } catch (const std::bad_alloc&) {
    return UnknownWithoutText();
  }
}

bool LeavesAllAsItWas(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsInvalidArgument(status);
}

absl::Status AsPoison(const absl::Status& status) noexcept {
  const bool is_missing = absl::IsNotFound(status);
  if (!LeavesAllAsItWas(status) && !is_missing) return status;
  try {
    return is_missing ? absl::DataLossError(status.message())
                      : absl::UnknownError(status.message());
  } catch (const std::bad_alloc&) {
    return UnknownWithoutText();
  }
}

}  // namespace varve
