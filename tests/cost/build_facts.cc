// SPDX-License-Identifier: Apache-2.0

#include "tests/cost/build_facts.h"

#include <gnu/libc-version.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <array>
#include <cstring>
#endif

namespace varve::cost {
namespace {

std::string Compiler() {
#if defined(__clang__)
  return absl::StrCat("clang ", __clang_major__, ".", __clang_minor__);
#else
  return absl::StrCat("gcc ", __VERSION__);
#endif
}

std::string Mode() {
#if defined(NDEBUG) && defined(__OPTIMIZE__)
  return "optimised, no assertions";
#else
  return "not optimised, or with assertions";
#endif
}

// As the program sees it, which is what Abseil's CRC and the C library's memcpy
// are chosen by. Valgrind shows one that it has invented.
std::string Processor() {
#if defined(__x86_64__)
  unsigned eax = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  std::array<unsigned, 3> vendor = {};
  __get_cpuid(0, &eax, &vendor[0], &vendor[2], &vendor[1]);
  std::string name(sizeof(vendor), '\0');
  std::memcpy(name.data(), vendor.data(), sizeof(vendor));
  unsigned ebx = 0;
  __get_cpuid(1, &eax, &ebx, &ecx, &edx);
  const unsigned family = ((eax >> 8) & 0xf) + ((eax >> 20) & 0xff);
  const unsigned model = ((eax >> 4) & 0xf) | ((eax >> 12) & 0xf0);
  return absl::StrCat("x86-64 ", name, " ", family, "/", model);
#elif defined(__aarch64__)
  return "arm64";
#else
  return "other";
#endif
}

}  // namespace

std::vector<std::pair<std::string, std::string>> BuildFacts() {
  return {{"compiler", Compiler()},
          {"mode", Mode()},
          {"abseil", absl::StrCat(ABSL_LTS_RELEASE_VERSION)},
          {"c_library", absl::StrCat("glibc ", gnu_get_libc_version())},
          {"processor", Processor()}};
}

}  // namespace varve::cost
