// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LINKAGE_VARVE_COPY_H_
#define VARVE_TESTS_LINKAGE_VARVE_COPY_H_

#include <cstddef>
#include <cstdint>

// The functions that a plug-in offers to its program when it has varve linked
// in, and exports nothing of it. Stores have one topic with one partition.
//
// Thread safety: thread-safe, but for `destroy`.
struct VarveCopy {
  // Opens the store at `path`. Null when it does not open, and then the status
  // is in `error`, of `error_size` bytes.
  void* (*open)(const char* path, char* error, size_t error_size);
  // Appends a record, visible on return. Its offset, or -1.
  int64_t (*append)(void* store, const char* value);
  // How many records can be read, or -1.
  int64_t (*count)(void* store);
  // Whether the store closed cleanly.
  bool (*close)(void* store);
  void (*destroy)(void* store);
  // The address of a variable of this copy.
  const void* (*variable)();
};

#endif  // VARVE_TESTS_LINKAGE_VARVE_COPY_H_
