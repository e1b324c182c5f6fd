// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_PEERS_VALUE_CHECKSUM_H_
#define VARVE_BENCH_PEERS_VALUE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace varve::bench {

// A checksum of values in their order. It reads every byte, so no peer can be
// fast by handing out what nobody touched; and it costs as little as reading
// can. chronicle/Values.java computes the same.
//
// Thread safety: externally synchronized.
class ValueChecksum {
 public:
  void Add(std::string_view value) {
    sum_ = sum_ * kFactor + SumOf(value);
    ++count_;
  }

  int64_t count() const { return count_; }
  uint64_t sum() const { return sum_; }

  friend bool operator==(const ValueChecksum&, const ValueChecksum&) = default;

 private:
  static constexpr uint64_t kFactor = 0x9e3779b97f4a7c15;

  static uint64_t WordAt(const char* at) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
  }

  // The sum of its words of 8 bytes, the last one filled up with zeros.
  static uint64_t SumOf(std::string_view value) {
    const char* at = value.data();
    size_t left = value.size();
    uint64_t sums[4] = {};  // so that no addition waits for the one before
    for (; left >= 32; left -= 32, at += 32) {
      for (int i = 0; i < 4; ++i) sums[i] += WordAt(at + 8 * i);
    }
    uint64_t sum = sums[0] + sums[1] + sums[2] + sums[3];
    for (; left >= 8; left -= 8, at += 8) sum += WordAt(at);
    if (left == 0) return sum;
    uint64_t last = 0;
    std::memcpy(&last, at, left);
    return sum + last;
  }

  uint64_t sum_ = 0;
  int64_t count_ = 0;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_PEERS_VALUE_CHECKSUM_H_
