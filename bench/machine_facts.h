// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_MACHINE_FACTS_H_
#define VARVE_BENCH_MACHINE_FACTS_H_

#include <string>
#include <vector>

namespace varve::bench {

struct MachineFact {
  std::string name;
  std::string value;
};

// The facts without which a figure means nothing: processor, cores, memory, how
// much of it may be changed before the kernel writes, kernel, the file system
// of `directory`, page size, load, whether instructions can be counted, and how
// far the cores are apart.
std::vector<MachineFact> FindMachineFacts(const std::string& directory);

// How far the cores are apart, as text.
std::string CorePingText();

}  // namespace varve::bench

#endif  // VARVE_BENCH_MACHINE_FACTS_H_
