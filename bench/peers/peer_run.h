// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_PEERS_PEER_RUN_H_
#define VARVE_BENCH_PEERS_PEER_RUN_H_

#include "bench/peers/peer.h"

namespace varve::bench {

// The main of a peer's program: does one piece of work with one variant in an
// empty directory, and prints a line of JSON for each result. compare.py runs
// it, and --help says what it takes.
//
//   append   values are appended until there are enough or the time is over;
//            afterwards they are read and compared, which is not measured
//   read     values are appended, which is not measured; then "scan" is the
//            whole log from the front, again and again, and "point" one value
//            anywhere. What is measured was done once before.
int RunPeer(int argc, char** argv, const PeerFacts& facts);

}  // namespace varve::bench

#endif  // VARVE_BENCH_PEERS_PEER_RUN_H_
