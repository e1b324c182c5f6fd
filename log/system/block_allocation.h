// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_BLOCK_ALLOCATION_H_
#define VARVE_LOG_SYSTEM_BLOCK_ALLOCATION_H_

#include <cstdint>

namespace varve {

// Backs the bytes `begin` to `end` of the file with disk blocks that read as
// zero, as `File::Allocate` promises. Returns 0 or the errno of the failure,
// EINVAL when `begin` is not the size of the file; the file has its old size
// then. Never raises SIGXFSZ.
//
// Thread safety: one call at a time for a file.
int AllocateBlocks(int descriptor, int64_t begin, int64_t end);

// Does the same by writing zeros, as `AllocateBlocks` does on file systems
// without fallocate(2). Declared for tests, which have no such file system. It
// checks neither `begin` nor RLIMIT_FSIZE.
int AllocateByWriting(int descriptor, int64_t begin, int64_t end);

// Whether RLIMIT_FSIZE lets this process write a file up to `end`. A write
// beyond the limit raises SIGXFSZ, which kills the process, so callers check
// first.
bool FileSizeIsAllowed(int64_t end);

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_BLOCK_ALLOCATION_H_
