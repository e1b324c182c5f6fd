// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_QUICKSTART_KILLED_WRITER_H_
#define VARVE_TOOLS_QUICKSTART_KILLED_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/tools/quickstart/killed_process.h"
#include "varve/tools/quickstart/quickstart_text.h"

namespace varve {

// A process of its own that appends the lines of a text to a topic, one record
// at a time and over and over, and reports the place of each append through a
// pipe; until it is killed with SIGKILL, which gives a program no chance to
// clean up.
//
// Thread safety: externally synchronized. The process must have one thread
// when RunAndKill is called, and no store open.
class KilledWriter {
 public:
  struct Options {
    std::string data;
    std::string topic;
    int32_t partition_count = 1;
    // At least this long, and this many records, whichever is later.
    absl::Duration time = absl::Milliseconds(400);
    int64_t records = 20'000;
  };

  // Runs the whole life of the writer. Returns what was acknowledged, in the
  // order of the lines: append i was of line i modulo their count.
  //
  // Errors: those of pipe(2) and fork(2); Internal when the writer ended by
  // itself, for a reason that it prints on stderr.
  static absl::StatusOr<std::vector<Acknowledgement>> RunAndKill(
      const QuickstartText& text, const Options& options);
};

}  // namespace varve

#endif  // VARVE_TOOLS_QUICKSTART_KILLED_WRITER_H_
