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

// A failure after which nobody knows what the files hold, as an error that does
// not look like a full disk or a bad argument: those leave everything as it was
// and invite another try.
absl::Status AsPoison(const absl::Status& status);

}  // namespace varve

#endif  // VARVE_LOG_ERRNO_STATUS_H_
