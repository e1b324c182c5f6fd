// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_PEERS_INDEXED_KEY_H_
#define VARVE_BENCH_PEERS_INDEXED_KEY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace varve::bench {

// An index as a key of a store that compares keys byte by byte.
//
// Thread safety: immutable.
class IndexedKey {
 public:
  // Precondition: it is not negative.
  explicit IndexedKey(int64_t index) {
    auto rest = static_cast<uint64_t>(index);
    for (size_t i = bytes_.size(); i > 0; --i, rest >>= 8) {
      bytes_[i - 1] = static_cast<char>(rest & 0xff);
    }
  }

  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, sizeof(int64_t)> bytes_ = {};
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_PEERS_INDEXED_KEY_H_
