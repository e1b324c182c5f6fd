// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/hosted_partitions.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace varve {
namespace {

// Numbers in one message, at most.
constexpr size_t kNumbersInMessage = 16;

}  // namespace

HostedPartitions HostedPartitions::OfBroker(std::vector<int32_t> numbers) {
  CHECK(!numbers.empty());
  DCHECK(std::is_sorted(numbers.begin(), numbers.end()));
  HostedPartitions hosted;
  hosted.numbers_ = std::move(numbers);
  return hosted;
}

bool HostedPartitions::Has(int32_t partition) const {
  return !is_of_broker() ||
         std::binary_search(numbers_.begin(), numbers_.end(), partition);
}

std::vector<int32_t> HostedPartitions::NumbersOf(
    int32_t partition_count) const {
  if (is_of_broker()) return numbers_;
  std::vector<int32_t> all(static_cast<size_t>(partition_count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::string HostedPartitions::ToString(int32_t partition_count) const {
  if (!is_of_broker() || std::ssize(numbers_) == partition_count)
    return absl::StrCat("0 to ", partition_count - 1);
  const size_t shown = std::min(numbers_.size(), kNumbersInMessage);
  return absl::StrCat(
      absl::StrJoin(numbers_.begin(),
                    numbers_.begin() + static_cast<std::ptrdiff_t>(shown),
                    ", "),
      shown < numbers_.size() ? ", …" : "");
}

}  // namespace varve
