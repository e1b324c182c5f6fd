// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_DIRTY_LIMIT_H_
#define VARVE_BENCH_DIRTY_LIMIT_H_

#include <cstdint>
#include <optional>

namespace varve::bench {

// Bytes of changed pages from which the kernel writes them back while a program
// goes on changing others: vm.dirty_background_bytes, or
// vm.dirty_background_ratio of the memory that is available now. Below it a
// program that writes to the page cache competes with no disk, so figures of
// both sides of it cannot be compared. Nothing where /proc does not say.
std::optional<int64_t> DirtyBackgroundLimit();

}  // namespace varve::bench

#endif  // VARVE_BENCH_DIRTY_LIMIT_H_
