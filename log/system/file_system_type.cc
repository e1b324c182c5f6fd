// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/file_system_type.h"

#include <cstdint>
#include <string_view>

namespace varve {
namespace {

struct Kind {
  FileSystemType type;
  int64_t magic;  // statfs(2) has the numbers; headers lack some of them
  std::string_view name;
  FileSystemSupport support;
};

using Type = FileSystemType;
using Support = FileSystemSupport;

constexpr Kind kKinds[] = {
    {Type::kExt, 0xef53, "ext4", Support::kFull},
    {Type::kXfs, 0x58465342, "XFS", Support::kFull},
    {Type::kOverlay, 0x794c7630, "overlayfs", Support::kFull},
    {Type::kTmpfs, 0x01021994, "tmpfs", Support::kNotDurable},
    {Type::kTmpfs, 0x858458f6, "tmpfs", Support::kNotDurable},  // ramfs
    {Type::kBtrfs, 0x9123683e, "btrfs", Support::kMayRaiseSigbus},
    {Type::kZfs, 0x2fc12fc1, "ZFS", Support::kMayRaiseSigbus},
    {Type::kBcachefs, 0xca451a4e, "bcachefs", Support::kMayRaiseSigbus},
    {Type::kNfs, 0x6969, "NFS", Support::kRemote},
    {Type::kCifs, 0xff534d42, "CIFS", Support::kRemote},
    {Type::kCifs, 0xfe534d42, "CIFS", Support::kRemote},  // SMB 2 and 3
    {Type::kCifs, 0x517b, "CIFS", Support::kRemote},      // SMB 1
    {Type::k9p, 0x01021997, "9p", Support::kRemote},
    {Type::kFuse, 0x65735546, "FUSE", Support::kRemote},
};

// Whether no two of them are one magic, and all have 32 bits.
constexpr bool MagicsDiffer() {
  for (const Kind& kind : kKinds) {
    int64_t same = 0;
    for (const Kind& other : kKinds) same += kind.magic == other.magic ? 1 : 0;
    if (same != 1 || kind.magic != (kind.magic & 0xffffffff)) return false;
  }
  return true;
}
static_assert(MagicsDiffer());

// Whether every type has a row, and what its rows say is the same.
constexpr bool RowsAgree(Type type) {
  const Kind* first = nullptr;
  for (const Kind& kind : kKinds) {
    if (kind.type != type) continue;
    if (first == nullptr) first = &kind;
    if (kind.name != first->name || kind.support != first->support)
      return false;
  }
  return first != nullptr;
}
constexpr bool TypesAreListed() {
  for (int i = 0; i < static_cast<int>(Type::kUnknown); ++i) {
    if (!RowsAgree(static_cast<Type>(i))) return false;
  }
  return true;
}
static_assert(TypesAreListed(), "kUnknown is the last one, and alone");

constexpr Kind kUnknownKind = {Type::kUnknown, 0, "an unknown file system",
                               Support::kMayRaiseSigbus};

const Kind& KindOf(FileSystemType type) {
  for (const Kind& kind : kKinds) {
    if (kind.type == type) return kind;
  }
  return kUnknownKind;
}

}  // namespace

// `f_type` has 32 bits; where it is a signed long they may come sign-extended.
FileSystemType FileSystemTypeOf(int64_t magic) {
  for (const Kind& kind : kKinds) {
    if (kind.magic == (magic & 0xffffffff)) return kind.type;
  }
  return FileSystemType::kUnknown;
}

FileSystemSupport SupportOf(FileSystemType type) {
  return KindOf(type).support;
}

std::string_view FileSystemName(FileSystemType type) {
  return KindOf(type).name;
}

}  // namespace varve
