// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_COST_BUILD_FACTS_H_
#define VARVE_TESTS_COST_BUILD_FACTS_H_

#include <string>
#include <utility>
#include <vector>

namespace varve::cost {

// What a count of instructions depends on beside the sources: names and values.
std::vector<std::pair<std::string, std::string>> BuildFacts();

}  // namespace varve::cost

#endif  // VARVE_TESTS_COST_BUILD_FACTS_H_
