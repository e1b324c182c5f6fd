// SPDX-License-Identifier: Apache-2.0

#include "tools/killed_writer.h"

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

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/log_store.h"
#include "api/partitioner.h"
#include "log/durability.h"
#include "log/errno_status.h"
#include "tools/exit_status.h"
#include "tools/quickstart_text.h"

namespace varve {
namespace {

// A pipe takes 64 KiB; whole acknowledgements arrive whole.
static_assert(sizeof(Acknowledgement) == 16);

// The writer's life. Returns only when something is wrong.
absl::Status Write(const QuickstartText& text,
                   const KilledWriter::Options& options, int pipe) {
  auto store = LogStore::Open(options.data);
  if (!store.ok()) return store.status();
  std::vector<Partition> partitions;
  for (int32_t i = 0; i < options.partition_count; ++i) {
    absl::StatusOr<Partition> partition = (*store)->partition(options.topic, i);
    if (!partition.ok()) return partition.status();
    partitions.push_back(*std::move(partition));
  }
  while (true) {
    for (const QuickstartText::Line& line : text.lines()) {
      const int32_t where = PartitionForKey(line.key, options.partition_count);
      absl::StatusOr<AppendResult> result =
          partitions[static_cast<size_t>(where)].Append(
              {.key = line.key, .value = line.value}, Durability::kMemory);
      if (!result.ok()) return result.status();
      const Acknowledgement done = {.partition = where,
                                    .offset = result->offset};
      if (write(pipe, &done, sizeof done) != ssize_t{sizeof done}) {
        return ErrnoStatus(errno, "write", "the pipe to the quickstart");
      }
    }
  }
}

[[noreturn]] void RunWriter(const QuickstartText& text,
                            const KilledWriter::Options& options, int pipe) {
  // Not to be left behind when the quickstart itself is interrupted.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const absl::Status status = Write(text, options, pipe);
  PrintError(ErrorText(status));
  _exit(kExitFailure);
}

// Reads acknowledgements until the time has come or the pipe ends. Returns
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

absl::StatusOr<std::vector<Acknowledgement>> KilledWriter::RunAndKill(
    const QuickstartText& text, const Options& options) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe2", "a pipe");
  const pid_t writer = fork();
  if (writer < 0) return ErrnoStatus(errno, "fork", "the writer");
  if (writer == 0) {
    close(ends[0]);
    RunWriter(text, options, ends[1]);
  }
  close(ends[1]);
  std::vector<Acknowledgement> all;
  const absl::Time begin = absl::Now();
  bool more = true;
  while (more && (absl::Now() - begin < options.time ||
                  static_cast<int64_t>(all.size()) < options.records)) {
    more = ReadSome(ends[0], all);
  }
  kill(writer, SIGKILL);
  while (ReadSome(ends[0], all)) {
  }
  close(ends[0]);
  int how = 0;
  while (waitpid(writer, &how, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL) return all;
  return absl::InternalError("the writer ended before it was killed");
}

}  // namespace varve
