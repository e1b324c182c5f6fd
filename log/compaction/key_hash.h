// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_KEY_HASH_H_
#define VARVE_LOG_COMPACTION_KEY_HASH_H_

#include <cstdint>
#include <string_view>

namespace varve {

// What stands for the key of a record while a log is compacted.
struct KeyHash {
  uint64_t first = 0;
  uint64_t second = 0;

  friend bool operator==(const KeyHash&, const KeyHash&) = default;
};

// 128 random bits, drawn anew for each compaction, and shown to nobody.
struct HashSecret {
  uint64_t first = 0;
  uint64_t second = 0;
};

// SipHash-2-4 with 128 bits of result (Aumasson, Bernstein: "SipHash: a fast
// short-input PRF", 2012, and the authors' 128-bit variant).
//
// Two keys with one hash would lose the records of one of them, so this must
// not happen by chance nor on purpose. Under a secret of its own, SipHash is
// meant to be indistinguishable from a random function: two keys share a hash
// with a probability of 2^-128, ten billion keys have a pair that does with one
// of 10^-19, and who writes the keys cannot do better than that, because
// neither the secret nor a hash ever leaves the process. A compaction that did
// lose a record would not lose it again in another one. Kafka's map has MD5 of
// as many bits, without a secret: there somebody who chooses keys can make two
// that collide.
//
// Thread safety: a pure function.
KeyHash HashKey(std::string_view key, const HashSecret& secret);

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_KEY_HASH_H_
