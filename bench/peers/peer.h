// SPDX-License-Identifier: Apache-2.0

// What every peer is behind: a log of values, each known by its index. One file
// a peer says how it is configured, and by which advice of its documentation.

#ifndef VARVE_BENCH_PEERS_PEER_H_
#define VARVE_BENCH_PEERS_PEER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "bench/peers/value_checksum.h"

namespace varve::bench {

// What is left of an append that was acknowledged. A few words each: they are
// printed beside every result.
struct Survival {
  std::string_view kill;        // kill -9 of the process
  std::string_view power_loss;  // of the machine
};

// One way to use the peer.
struct PeerVariant {
  std::string_view name;  // of --variant, in the peer's own words
  // Whether each append returns after a sync that covers it.
  bool is_synced;
  Survival survives;
};

// Whether reads depend on how the values were appended.
enum class Batches { kKept, kForgotten };

// Where a peer works.
struct PeerPlace {
  std::string directory;     // there, empty, and its own
  int64_t values_bytes_max;  // of all values together
  int64_t files_bytes_max;   // more than all its files will have
};

// An open log. A failure stops the program. Closed on destruction.
//
// Thread safety: externally synchronized.
class Peer {
 public:
  virtual ~Peer() = default;

  // Appends the values, as one batch or transaction if the peer has such a
  // thing, and returns when the variant says that they are appended.
  virtual void Append(absl::Span<const std::string_view> values) = 0;

  // Waits until no thread of the peer works on what was appended, so that
  // reads are measured alone.
  virtual void Settle() {}

  // Adds every value to the checksum, front to back.
  virtual void Scan(ValueChecksum& checksum) = 0;

  // Adds the value at `index`, counted from 0. Precondition: it was appended.
  virtual void Read(int64_t index, ValueChecksum& checksum) = 0;
};

struct PeerFacts {
  std::string version;
  absl::Span<const PeerVariant> variants;
  Batches batches;
  std::unique_ptr<Peer> (*open)(const PeerVariant& variant,
                                const PeerPlace& place);
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_PEERS_PEER_H_
