// SPDX-License-Identifier: Apache-2.0

// One session of a power-loss campaign: a process works on a store, and this
// one, its parent, cuts the power of the file system under it and kills it.
//
//   power_loss_writer MOUNT NOTES SEED SESSION MICROSECONDS [open]
//
// The store is MOUNT/store; NOTES is a new file on another file system. The
// power is cut after so many microseconds, counted from the beginning, so that
// a recovery is cut, too; or with `open` from when the store is open. Exits 0
// when the power was cut, whatever had happened by then: that is in the notes.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/log/initialize.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/power_cut.h"
#include "tests/power_loss/session.h"
#include "tests/power_loss/write_back_noise.h"

namespace varve {
namespace {

int64_t NumberFrom(const char* text) {
  int64_t number = 0;
  CHECK(absl::SimpleAtoi(text, &number)) << text;
  return number;
}

// The process dies with its parent, so that nothing keeps the file system busy.
pid_t StartSession(const Session::Options& options, NoteFile& notes) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  PCHECK(child >= 0);
  if (child != 0) return child;
  PCHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
  if (getppid() != parent) _exit(0);
  Session(options, notes).Run();
  // The kill releases everything that the store holds.
  while (true) pause();
}

void Wait(absl::Time deadline, const WriteBackNoise& noise,
          std::mt19937_64& random) {
  while (absl::Now() < deadline) {
    noise.Stir(random());
    absl::SleepFor(
        std::min(absl::Microseconds(static_cast<int64_t>(random() % 8000)),
                 deadline - absl::Now()));
  }
}

int Main(int argc, char** argv) {
  if (argc < 6) {
    std::cerr << "usage: power_loss_writer MOUNT NOTES SEED SESSION "
                 "MICROSECONDS [open]\n";
    return 2;
  }
  PCHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
  const std::string mount = argv[1];
  const Session::Options options = {
      .store_path = mount + "/store",
      .number = static_cast<int32_t>(NumberFrom(argv[4])),
      .seed = static_cast<uint64_t>(NumberFrom(argv[3]))};
  const absl::Duration after = absl::Microseconds(NumberFrom(argv[5]));
  const bool from_open = argc > 6 && std::string_view(argv[6]) == "open";
  std::mt19937_64 random(options.seed ^ static_cast<uint64_t>(options.number));
  NoteFile notes = NoteFile::Create(argv[2]);
  const pid_t writer = StartSession(options, notes);
  const int root = open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  PCHECK(root >= 0) << mount;

  // A recovery that takes longer than this is cut like any other.
  const absl::Time patience = absl::Now() + absl::Seconds(20);
  while (from_open && !notes.opened() && absl::Now() < patience) {
    absl::SleepFor(absl::Microseconds(200));
  }
  Wait(absl::Now() + after, WriteBackNoise(options.store_path), random);
  int how = 0;
  const pid_t ended = waitpid(writer, &how, WNOHANG);
  CHECK_EQ(ended, 0) << "the session ended with the power on: " << how;
  notes.Close();
  CutPower(root);
  absl::SleepFor(absl::Microseconds(static_cast<int64_t>(random() % 10'000)));
  PCHECK(kill(writer, SIGKILL) == 0);
  PCHECK(waitpid(writer, &how, 0) == writer);
  // A mapped page that the disk does not deliver any more is a SIGBUS.
  CHECK(WIFSIGNALED(how) &&
        (WTERMSIG(how) == SIGKILL || WTERMSIG(how) == SIGBUS))
      << "the session ended by itself: " << how;
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  absl::InitializeLog();
  return varve::Main(argc, argv);
}
