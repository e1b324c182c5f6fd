// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_CHECK_REPORT_H_
#define VARVE_TESTS_POWER_LOSS_CHECK_REPORT_H_

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

namespace varve {

// The counts and the failures of a check of a store.
//
// Thread safety: externally synchronized.
class CheckReport {
 public:
  // Prints a failure at once: "FAILED <kind>: <what>".
  void Fail(std::string_view kind, std::string_view what) {
    constexpr int kSaidMax = 50;
    if (++failures_ <= kSaidMax)
      std::cout << "FAILED " << kind << ": " << what << std::endl;
  }
  void Count(const std::string& what, int64_t count = 1) {
    counts_[what] += count;
  }
  void CountMost(const std::string& what, int64_t count) {
    counts_[what] = std::max(counts_[what], count);
  }
  bool has_failed() const { return failures_ > 0; }

  // Prints a line for each count: "count <what> <number>".
  void PrintCounts() const {
    for (const auto& [what, count] : counts_) {
      std::cout << "count " << what << " " << count << "\n";
    }
  }

 private:
  int failures_ = 0;
  std::map<std::string, int64_t> counts_;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_CHECK_REPORT_H_
