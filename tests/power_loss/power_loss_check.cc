// SPDX-License-Identifier: Apache-2.0

// Checks a store after a power loss against the notes of all its sessions.
//
//   power_loss_check MOUNT NOTES_DIRECTORY SEED SESSION ALLOWANCE_MS
//
// The store is MOUNT/store, the notes of session N are NOTES_DIRECTORY/N; the
// check is session SESSION, and notes what it finds there. Prints a line for
// each thing that is wrong, and how much was looked at. Exits 1 when anything
// was wrong.

#include <signal.h>
#include <sys/prctl.h>

#include <cstdint>
#include <iostream>
#include <string>

#include "absl/log/check.h"
#include "absl/log/initialize.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/power_loss/check_report.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/promises.h"
#include "tests/power_loss/session.h"
#include "tests/power_loss/store_check.h"

namespace varve {
namespace {

int64_t NumberFrom(const char* text) {
  int64_t number = 0;
  CHECK(absl::SimpleAtoi(text, &number)) << text;
  return number;
}

int Main(char** argv) {
  const std::string notes_directory = argv[2];
  const auto session = static_cast<int32_t>(NumberFrom(argv[4]));
  Promises promises(NumberFrom(argv[5]) * 1'000'000);
  for (int32_t i = 1; i < session; ++i) {
    promises.Add(NoteFile::Open(absl::StrCat(notes_directory, "/", i)), i,
                 absl::ToInt64Nanoseconds(Session::WindowOf(i)));
  }
  NoteFile notes =
      NoteFile::Create(absl::StrCat(notes_directory, "/", session));
  CheckReport report;
  StoreCheck({.store_path = absl::StrCat(argv[1], "/store"),
              .session = session,
              .seed = static_cast<uint64_t>(NumberFrom(argv[3]))},
             promises, notes, report)
      .Run();
  report.PrintCounts();
  return report.has_failed() ? 1 : 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  absl::InitializeLog();
  if (argc != 6) {
    std::cerr << "usage: power_loss_check MOUNT NOTES_DIRECTORY SEED SESSION "
                 "ALLOWANCE_MS\n";
    return 2;
  }
  PCHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
  return varve::Main(argv);
}
