// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_PEERS_HANDOFF_RUN_H_
#define VARVE_BENCH_PEERS_HANDOFF_RUN_H_

#include <string>

#include "absl/types/span.h"
#include "bench/peers/handoff.h"

namespace varve::bench {

// The main of a hand-off's program: one thread sends a message of 64 bytes at a
// fixed rate, another receives it, and a line of JSON says how long each took.
// Its time counts from when it was due, so that one that is sent late, after
// another that took long, is not taken for a fast one.
int RunHandoff(int argc, char** argv, const std::string& version,
               absl::Span<const HandoffVariant> variants);

}  // namespace varve::bench

#endif  // VARVE_BENCH_PEERS_HANDOFF_RUN_H_
