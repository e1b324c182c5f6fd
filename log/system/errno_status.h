// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_ERRNO_STATUS_H_
#define VARVE_LOG_SYSTEM_ERRNO_STATUS_H_

#include <string_view>

#include "absl/status/status.h"

namespace varve {

// The error of a failed system call: "PATH: CALL: TEXT OF ERRNO". This is the
// only place where an errno becomes a Status:
//
//   ENOENT                              NotFound
//   EEXIST                              AlreadyExists
//   EACCES, EPERM, EROFS                PermissionDenied
//   ENOSPC, EDQUOT, EFBIG, EMFILE,      ResourceExhausted: nothing was changed,
//   ENFILE, ENOMEM                      and it works again when there is room
//   ELOOP, ENOTDIR, EISDIR, ENOTEMPTY   FailedPrecondition: the name is not
//                                       what it has to be
//   EIO                                 Unknown: the device failed, and nothing
//                                       is known of what it holds
//   any other                           as absl::ErrnoToStatusCode has it
//
// EIO is not DataLoss: that code is kept for bytes that were read and are
// wrong. Other headers call these errors "file errors".
//
// Precondition: `error` is not 0.
// Thread safety: thread-safe.
absl::Status ErrnoStatus(int error, std::string_view call,
                         std::string_view path);

// Like ErrnoStatus, for a call that syncs (fsync, fdatasync, msync). The kernel
// reports a failed write-back once, so the report must not get lost: when there
// is no memory for the text it is the bare code Unknown. Throws nothing.
absl::Status SyncErrnoStatus(int error, std::string_view call,
                             std::string_view path) noexcept;

// Whether a failure has changed nothing, so that another try makes sense: a
// full disk or a bad argument. A failed sync is no such failure: pass its
// status through `AsPoison` first.
bool LeavesAllAsItWas(const absl::Status& status);

// Turns a failure after which the contents of the files are unknown into one
// for which `LeavesAllAsItWas` is false. NotFound is kept for topics, so that
// of a file becomes DataLoss. Throws nothing.
absl::Status AsPoison(const absl::Status& status) noexcept;

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_ERRNO_STATUS_H_
