// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_PEERS_PEER_VALUES_H_
#define VARVE_BENCH_PEERS_PEER_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace varve::bench {

// The n-th number of a sequence that looks random (SplitMix64).
inline uint64_t Scrambled(uint64_t n) {
  n *= 0x9e3779b97f4a7c15;
  n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
  n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
  return n ^ (n >> 31);
}

// Where the n-th point read goes. Precondition: 0 < count < 2^31.
inline int64_t RandomIndex(int64_t n, int64_t count) {
  const uint64_t high = Scrambled(static_cast<uint64_t>(n)) >> 32;
  return static_cast<int64_t>((high * static_cast<uint64_t>(count)) >> 32);
}

// The values that every peer is given, in this order. They do not compress, and
// come again after a prime number of them, which no page or batch is full
// after. chronicle/Values.java makes the same.
//
// Thread safety: immutable.
class PeerValues {
 public:
  // Precondition: size > 0.
  explicit PeerValues(size_t size)
      : size_(size), bytes_(size * kDistinct + sizeof(uint64_t), '\0') {
    for (size_t at = 0; at < size * kDistinct; at += sizeof(uint64_t)) {
      const uint64_t word = Scrambled(at);
      std::memcpy(bytes_.data() + at, &word, sizeof word);
    }
  }

  std::string_view at(int64_t index) const {
    const size_t which = static_cast<size_t>(index) % kDistinct;
    return std::string_view(bytes_.data() + which * size_, size_);
  }

 private:
  static constexpr size_t kDistinct = 1021;

  const size_t size_;
  std::string bytes_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_PEERS_PEER_VALUES_H_
