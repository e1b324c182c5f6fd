// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_COST_CRC_BYTES_H_
#define VARVE_TESTS_COST_CRC_BYTES_H_

#include <cstdint>

namespace varve::cost {

// The bytes that the program has computed CRCs of, by any of Abseil's
// functions: the linker puts counting ones before them (BUILD.bazel says how).
//
// Thread safety: for one thread.
struct CrcBytes {
  static int64_t computed;
};

}  // namespace varve::cost

#endif  // VARVE_TESTS_COST_CRC_BYTES_H_
