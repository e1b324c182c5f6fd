// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_SANITIZER_H_
#define VARVE_TESTS_SANITIZER_H_

#include "absl/base/config.h"

namespace varve {

// Which sanitizer a test was compiled with, of gcc or of clang.
enum class Sanitizer { kNone, kAddress, kThread };

#if defined(ABSL_HAVE_THREAD_SANITIZER)
inline constexpr Sanitizer kSanitizer = Sanitizer::kThread;
#elif defined(ABSL_HAVE_ADDRESS_SANITIZER)
inline constexpr Sanitizer kSanitizer = Sanitizer::kAddress;
#else
inline constexpr Sanitizer kSanitizer = Sanitizer::kNone;
#endif

// A test that takes every bit, cut or failing call in turn takes each of them,
// but one in seven under ThreadSanitizer: that looks at threads, and each input
// is looked at elsewhere.
inline constexpr int kInputStep = kSanitizer == Sanitizer::kThread ? 7 : 1;

}  // namespace varve

#endif  // VARVE_TESTS_SANITIZER_H_
