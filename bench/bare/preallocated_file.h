// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_PREALLOCATED_FILE_H_
#define VARVE_BENCH_BARE_PREALLOCATED_FILE_H_

#include <cstdint>
#include <string>

namespace varve::bench {

// Makes a file whose blocks are allocated and were written once, durably: a
// sync of what is written to it later has no metadata to write. Returns its
// descriptor, which is the caller's. A failure ends the program.
int NewPreallocatedFile(const std::string& path, int64_t size_bytes);

// Opens a file so that each write goes to the disk itself, and returns when it
// is there: O_DIRECT and O_DSYNC, or O_DSYNC alone where the file system has no
// direct writes. Returns its descriptor, which is the caller's.
int OpenDirect(const std::string& path);

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_PREALLOCATED_FILE_H_
