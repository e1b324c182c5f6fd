// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_NOTE_FILE_H_
#define VARVE_TESTS_POWER_LOSS_NOTE_FILE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/types/span.h"
#include "tests/power_loss/note.h"

namespace varve {

// The notes of one session, from one `LogStore::Open` of a process to its end:
// a mapped file, in which each thread of the session has pages of its own. The
// process that cuts the power maps it, too.
//
// Thread safety: a page belongs to one thread at a time; `Close` and reading
// are for when no thread writes, or the caller knows what it misses.
class NoteFile {
 public:
  static constexpr size_t kThreads = 12;
  static constexpr int64_t kNotesMax = 1 << 16;  // of each thread

  // Create makes a new file of zeros, Open opens one that exists. A failure
  // ends the program: there is no campaign then.
  static NoteFile Create(const std::string& path);
  static NoteFile Open(const std::string& path);

  NoteFile(NoteFile&& other) noexcept;
  NoteFile& operator=(NoteFile&&) = delete;
  ~NoteFile();

  // Adds a note of `thread`, with the time. There has to be room.
  void Write(size_t thread, Note note);
  bool is_full(size_t thread) const;

  // From here on no note is a promise: the power is about to be cut.
  void Close();
  // When that was; nothing when the session ended without a cut: all notes
  // count then.
  std::optional<int64_t> closed_ns() const;

  // Reports to the process that cuts the power that the store is open.
  void NoteOpened();
  bool opened() const;

  // All notes of a thread, and how many of them were written before `Close`.
  absl::Span<const Note> notes(size_t thread) const;
  size_t counted(size_t thread) const;

 private:
  struct Header {
    // Memory ordering: released after the note, acquired before it is read.
    std::array<std::atomic<int64_t>, kThreads> written;
    std::array<int64_t, kThreads> counted;
    int64_t closed_ns;
    std::atomic<bool> opened;
  };

  static NoteFile Map(const std::string& path, int flags);
  explicit NoteFile(void* memory);
  Note* page(size_t thread) const;

  void* memory_;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_NOTE_FILE_H_
