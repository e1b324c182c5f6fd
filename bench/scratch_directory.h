// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_SCRATCH_DIRECTORY_H_
#define VARVE_BENCH_SCRATCH_DIRECTORY_H_

#include <string>

namespace varve::bench {

// The one directory of this program's files: `--scratch=DIR` says below what,
// else TEST_TMPDIR, TMPDIR or /tmp does. It is made when it is first asked for.
const std::string& ScratchRoot();

// Says where to make it. Precondition: nobody has asked for it yet.
void SetScratchParent(std::string parent);

// Removes it with all it holds. Called at the end, also by a signal's.
void RemoveScratchRoot();

// A new directory below it, removed on destruction.
//
// Thread safety: immutable.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();

  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_SCRATCH_DIRECTORY_H_
