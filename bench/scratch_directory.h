// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_SCRATCH_DIRECTORY_H_
#define VARVE_BENCH_SCRATCH_DIRECTORY_H_

#include <string>

namespace varve::bench {

// The one directory of this program's files: below `--scratch=DIR`, else below
// TEST_TMPDIR, TMPDIR or /tmp. It is made when it is first asked for.
const std::string& ScratchRoot();

// Sets the directory to make it in. Precondition: ScratchRoot has not been
// called yet.
void SetScratchParent(std::string parent);

// Removes it with all it holds. Called at the end of the program, also when a
// signal ends it.
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
