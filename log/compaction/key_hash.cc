// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/key_hash.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace varve {
namespace {

static_assert(std::endian::native == std::endian::little,
              "words are read in SipHash's order");

constexpr int kRoundsPerWord = 2;
constexpr int kRoundsAtTheEnd = 4;
constexpr size_t kWord = sizeof(uint64_t);

// The state of one hash; the names are the paper's.
class SipState {
 public:
  explicit SipState(const HashSecret& secret)
      : v0_(secret.first ^ 0x736f6d6570736575),
        v1_(secret.second ^ 0x646f72616e646f6d ^ 0xee),
        v2_(secret.first ^ 0x6c7967656e657261),
        v3_(secret.second ^ 0x7465646279746573) {}

  void Absorb(uint64_t word) {
    v3_ ^= word;
    Mix(kRoundsPerWord);
    v0_ ^= word;
  }

  KeyHash Finish() {
    v2_ ^= 0xee;
    Mix(kRoundsAtTheEnd);
    const uint64_t first = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xdd;
    Mix(kRoundsAtTheEnd);
    return {first, v0_ ^ v1_ ^ v2_ ^ v3_};
  }

 private:
  void Mix(int rounds) {
    for (; rounds > 0; --rounds) {
      v0_ += v1_;
      v2_ += v3_;
      v1_ = std::rotl(v1_, 13) ^ v0_;
      v3_ = std::rotl(v3_, 16) ^ v2_;
      v0_ = std::rotl(v0_, 32);
      v2_ += v1_;
      v0_ += v3_;
      v1_ = std::rotl(v1_, 17) ^ v2_;
      v3_ = std::rotl(v3_, 21) ^ v0_;
      v2_ = std::rotl(v2_, 32);
    }
  }

  uint64_t v0_;
  uint64_t v1_;
  uint64_t v2_;
  uint64_t v3_;
};

}  // namespace

KeyHash HashKey(std::string_view key, const HashSecret& secret) {
  SipState state(secret);
  // The last word has the bytes that are left, and the length modulo 256.
  uint64_t last = uint64_t{key.size()} << 56;
  while (key.size() >= kWord) {
    uint64_t word;
    std::memcpy(&word, key.data(), kWord);
    state.Absorb(word);
    key.remove_prefix(kWord);
  }
  for (size_t i = 0; i < key.size(); ++i) {
    last |= uint64_t{static_cast<uint8_t>(key[i])} << (8 * i);
  }
  state.Absorb(last);
  return state.Finish();
}

}  // namespace varve
