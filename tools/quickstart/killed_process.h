// SPDX-License-Identifier: Apache-2.0

// A process of its own that works on a store and reports what it has done,
// until it is killed with SIGKILL, which gives a program no chance to clean up.

#ifndef VARVE_TOOLS_QUICKSTART_KILLED_PROCESS_H_
#define VARVE_TOOLS_QUICKSTART_KILLED_PROCESS_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace varve {

// One record that the process is done with.
struct Acknowledgement {
  int32_t partition = 0;
  int32_t reserved = 0;
  int64_t offset = 0;
};

// Reports it to the process that called RunAndKill. Errors: those of write(2).
absl::Status Report(int pipe, const Acknowledgement& done);

// Runs `life` in a new process, and kills it when `is_enough` of what it has
// reported, in order. Returns all of that. `life` must continue until then:
// what it returns is an error, which is printed on stderr.
//
// Errors: those of pipe(2) and fork(2); Internal when the process ended by
// itself.
//
// Precondition: this process has one thread, and no store open.
absl::StatusOr<std::vector<Acknowledgement>> RunAndKill(
    absl::FunctionRef<absl::Status(int pipe)> life,
    absl::FunctionRef<bool(const std::vector<Acknowledgement>&)> is_enough);

}  // namespace varve

#endif  // VARVE_TOOLS_QUICKSTART_KILLED_PROCESS_H_
