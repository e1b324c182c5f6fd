// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_FILE_SYSTEM_TYPE_H_
#define VARVE_LOG_SYSTEM_FILE_SYSTEM_TYPE_H_

#include <cstdint>
#include <string_view>

namespace varve {

// What kind of file system a directory is on, as far as it matters to a log
// that is written through a mapping.
enum class FileSystemType {
  kExt,       // ext2, ext3, ext4
  kXfs,       //
  kTmpfs,     // and ramfs: memory, which no power loss survives
  kOverlay,   // a container's root: a mapping is one of the file below
  kBtrfs,     //
  kZfs,       //
  kBcachefs,  //
  kNfs,       //
  kCifs,      // and smb
  k9p,        // a directory of a virtual machine's host
  kFuse,      // implemented by a program
  kUnknown,   //
};

// What the log can rely on there.
enum class FileSystemSupport {
  // Blocks that were allocated stay ours, so a store into a mapping of them
  // cannot fail; and a sync reaches the medium.
  kFull,
  // The same, but there is no medium.
  kNotDurable,
  // Each write takes new blocks, whatever was allocated: when the disk is full,
  // a store into the mapping raises SIGBUS. An unknown file system is taken for
  // one of these. Files on them are written by pwrite(2).
  kMayRaiseSigbus,
  // Other machines may change the files, locks may not hold, and what a sync or
  // a mapping guarantees depends on the server.
  kRemote,
};

// The type that an `f_type` of statfs(2) stands for.
FileSystemType FileSystemTypeOf(int64_t magic);

FileSystemSupport SupportOf(FileSystemType type);

// Whether a store into a mapping of allocated blocks cannot fail there.
constexpr bool KeepsAllocatedBlocks(FileSystemSupport support) {
  return support == FileSystemSupport::kFull ||
         support == FileSystemSupport::kNotDurable;
}

// "ext4", "tmpfs", "an unknown file system".
std::string_view FileSystemName(FileSystemType type);

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_FILE_SYSTEM_TYPE_H_
