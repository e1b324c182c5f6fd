// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_CORE_PING_H_
#define VARVE_BENCH_CORE_PING_H_

#include <optional>

#include "absl/time/time.h"

namespace varve::bench {

// How long one cache line takes from one core to another: half a round trip
// between the first two cores this process may use, the best of some rounds.
// Virtual machines move their cores, so call it before and after a run that
// passes data between threads. Nothing with one core, or with cores that are
// not both free for a moment.
std::optional<absl::Duration> CorePing();

}  // namespace varve::bench

#endif  // VARVE_BENCH_CORE_PING_H_
