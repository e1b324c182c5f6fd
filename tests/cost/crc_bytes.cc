// SPDX-License-Identifier: Apache-2.0

#include "tests/cost/crc_bytes.h"

#include <cstddef>
#include <cstdint>

#include "absl/crc/crc32c.h"
#include "absl/strings/string_view.h"

// With --wrap=F the linker takes each call of F for one of __wrap_F, and
// __real_F for F itself. F is a name as the compiler makes it, the same as in
// BUILD.bazel.
#define VARVE_WRAPPED(prefix, name) \
  __asm__("__" #prefix "__ZN4absl12lts_20240722" name)
#define VARVE_STRING_VIEW "St17basic_string_viewIcSt11char_traitsIcEE"
#define VARVE_COMPUTE "13ComputeCrc32cE" VARVE_STRING_VIEW
#define VARVE_EXTEND \
  "12crc_internal20ExtendCrc32cInternalENS0_8crc32c_tE" VARVE_STRING_VIEW
#define VARVE_MEMCPY "12MemcpyCrc32cEPvPKvmNS0_8crc32c_tE"

namespace varve::cost {

int64_t CrcBytes::computed = 0;

namespace {

void Count(size_t bytes) { CrcBytes::computed += static_cast<int64_t>(bytes); }

}  // namespace

absl::crc32c_t RealCompute(absl::string_view bytes)
    VARVE_WRAPPED(real, VARVE_COMPUTE);
absl::crc32c_t CountingCompute(absl::string_view bytes)
    VARVE_WRAPPED(wrap, VARVE_COMPUTE);
absl::crc32c_t CountingCompute(absl::string_view bytes) {
  Count(bytes.size());
  return RealCompute(bytes);
}

absl::crc32c_t RealExtend(absl::crc32c_t crc, absl::string_view bytes)
    VARVE_WRAPPED(real, VARVE_EXTEND);
absl::crc32c_t CountingExtend(absl::crc32c_t crc, absl::string_view bytes)
    VARVE_WRAPPED(wrap, VARVE_EXTEND);
absl::crc32c_t CountingExtend(absl::crc32c_t crc, absl::string_view bytes) {
  Count(bytes.size());
  return RealExtend(crc, bytes);
}

absl::crc32c_t RealMemcpy(void* to, const void* from, size_t size,
                          absl::crc32c_t crc) VARVE_WRAPPED(real, VARVE_MEMCPY);
absl::crc32c_t CountingMemcpy(void* to, const void* from, size_t size,
                              absl::crc32c_t crc)
    VARVE_WRAPPED(wrap, VARVE_MEMCPY);
absl::crc32c_t CountingMemcpy(void* to, const void* from, size_t size,
                              absl::crc32c_t crc) {
  Count(size);
  return RealMemcpy(to, from, size, crc);
}

}  // namespace varve::cost
