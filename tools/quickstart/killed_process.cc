// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/quickstart/killed_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/system/errno_status.h"
#include "varve/tools/shell/exit_status.h"

namespace varve {
namespace {

// A pipe takes 64 KiB; whole acknowledgements arrive whole.
static_assert(sizeof(Acknowledgement) == 16);

[[noreturn]] void Live(absl::FunctionRef<absl::Status(int pipe)> life,
                       int pipe) {
  // The child must not outlive this program when it is interrupted.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  PrintError(ErrorText(life(pipe)));
  _exit(kExitFailure);
}

// Reads acknowledgements that have arrived, or waits for one. Returns
// false at the end of the pipe.
bool ReadSome(int pipe, std::vector<Acknowledgement>& all) {
  std::vector<Acknowledgement> some(1024);
  char* const bytes = reinterpret_cast<char*>(some.data());
  const size_t size = some.size() * sizeof(Acknowledgement);
  size_t got = 0;
  do {
    const ssize_t now = read(pipe, bytes + got, size - got);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) break;
    got += static_cast<size_t>(now);
  } while (got % sizeof(Acknowledgement) != 0);
  // A last one that the kill cut short was not acknowledged.
  some.resize(got / sizeof(Acknowledgement));
  all.insert(all.end(), some.begin(), some.end());
  return !some.empty();
}

}  // namespace

absl::Status Report(int pipe, const Acknowledgement& done) {
  if (write(pipe, &done, sizeof done) == ssize_t{sizeof done})
    return absl::OkStatus();
  return ErrnoStatus(errno, "write", "the pipe to the quickstart");
}

absl::StatusOr<std::vector<Acknowledgement>> RunAndKill(
    absl::FunctionRef<absl::Status(int pipe)> life,
    absl::FunctionRef<bool(const std::vector<Acknowledgement>&)> is_enough) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe2", "a pipe");
  const pid_t process = fork();
  if (process < 0) return ErrnoStatus(errno, "fork", "a process");
  if (process == 0) {
    close(ends[0]);
    Live(life, ends[1]);
  }
  close(ends[1]);
  std::vector<Acknowledgement> all;
  bool more = true;
  while (more && !is_enough(all)) more = ReadSome(ends[0], all);
  kill(process, SIGKILL);
  while (ReadSome(ends[0], all)) {
  }
  close(ends[0]);
  int how = 0;
  while (waitpid(process, &how, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL) return all;
  return absl::InternalError("the process ended before it was killed");
}

}  // namespace varve
