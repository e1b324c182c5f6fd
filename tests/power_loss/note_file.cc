// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/note_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/types/span.h"

namespace varve {
namespace {

constexpr size_t kHeaderSize = 4096;
constexpr size_t kPageSize =
    static_cast<size_t>(NoteFile::kNotesMax) * sizeof(Note);
constexpr size_t kFileSize = kHeaderSize + NoteFile::kThreads * kPageSize;

}  // namespace

NoteFile NoteFile::Map(const std::string& path, int flags) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0600);
  PCHECK(file >= 0) << path;
  PCHECK(ftruncate(file, kFileSize) == 0) << path;
  void* memory =
      mmap(nullptr, kFileSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  PCHECK(memory != MAP_FAILED) << path;
  close(file);
  return NoteFile(memory);
}

NoteFile NoteFile::Create(const std::string& path) {
  return Map(path, O_CREAT | O_EXCL);
}

NoteFile NoteFile::Open(const std::string& path) { return Map(path, 0); }

// Zeros are an empty file; the kernel has put them there.
NoteFile::NoteFile(void* memory) : memory_(memory) {
  static_assert(sizeof(Header) <= kHeaderSize);
}

NoteFile::NoteFile(NoteFile&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)) {}

NoteFile::~NoteFile() {
  if (memory_ != nullptr) munmap(memory_, kFileSize);
}

Note* NoteFile::page(size_t thread) const {
  CHECK_LT(thread, kThreads);
  return reinterpret_cast<Note*>(static_cast<char*>(memory_) + kHeaderSize +
                                 thread * kPageSize);
}

void NoteFile::Write(size_t thread, Note note) {
  std::atomic<int64_t>& written =
      static_cast<Header*>(memory_)->written[thread];
  const int64_t at = written.load(std::memory_order_relaxed);
  CHECK_LT(at, kNotesMax);
  note.time_ns = NoteTime();
  page(thread)[at] = note;
  written.store(at + 1, std::memory_order_release);
}

// There is room for the notes of one call: a step writes a few hundred at most.
bool NoteFile::is_full(size_t thread) const {
  return static_cast<Header*>(memory_)->written[thread] > kNotesMax - 1000;
}

void NoteFile::Close() {
  auto* header = static_cast<Header*>(memory_);
  for (size_t i = 0; i < kThreads; ++i) {
    header->counted[i] = header->written[i].load(std::memory_order_acquire);
  }
  header->closed_ns = NoteTime();
}

std::optional<int64_t> NoteFile::closed_ns() const {
  const int64_t at = static_cast<Header*>(memory_)->closed_ns;
  return at == 0 ? std::nullopt : std::optional(at);
}

void NoteFile::NoteOpened() { static_cast<Header*>(memory_)->opened = true; }

bool NoteFile::opened() const { return static_cast<Header*>(memory_)->opened; }

absl::Span<const Note> NoteFile::notes(size_t thread) const {
  const int64_t count = static_cast<Header*>(memory_)->written[thread].load(
      std::memory_order_acquire);
  return {page(thread), static_cast<size_t>(count)};
}

size_t NoteFile::counted(size_t thread) const {
  if (!closed_ns().has_value()) return notes(thread).size();
  return static_cast<size_t>(static_cast<Header*>(memory_)->counted[thread]);
}

}  // namespace varve
