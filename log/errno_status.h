// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_ERRNO_STATUS_H_
#define VARVE_LOG_ERRNO_STATUS_H_

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
// wrong.
//
// Precondition: `error` is not 0.
// Thread safety: thread-safe.
absl::Status ErrnoStatus(int error, std::string_view call,
                         std::string_view path);

// The same for a call that syncs (fsync, fdatasync, msync). The kernel reports
// a failed write-back once, so the report must not get lost: when there is no
// memory for the text it is the bare code Unknown. Throws nothing.
absl::Status SyncErrnoStatus(int error, std::string_view call,
                             std::string_view path) noexcept;

// Whether a failure has left everything as it was and invites another try, as a
// full disk and a bad argument do. That of a sync does not: `AsPoison` first.
bool LeavesAllAsItWas(const absl::Status& status);

// A failure after which nobody knows what the files hold, as an error that
// `LeavesAllAsItWas` is not true of. NotFound, which is said of topics alone,
// is DataLoss for a file. Throws nothing, as above.
absl::Status AsPoison(const absl::Status& status) noexcept;

}  // namespace varve

#endif  // VARVE_LOG_ERRNO_STATUS_H_
