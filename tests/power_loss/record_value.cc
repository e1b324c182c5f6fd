// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/record_value.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace varve {
namespace {

// SplitMix64: each step mixes all bits.
uint64_t Mix(uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

}  // namespace

std::string RecordValue::ToText(uint64_t seed) const {
  uint64_t state = seed;
  for (const int64_t part :
       {int64_t{instance}, int64_t{partition}, int64_t{appender}, sequence}) {
    state ^= static_cast<uint64_t>(part);
    state = Mix(state);
  }
  const size_t filling =
      is_large() ? 400 + Mix(state) % 4700 : Mix(state) % 330;
  std::string text =
      absl::StrCat(instance, " ", partition, " ", appender, " ", sequence, " ");
  const size_t head = text.size();
  text.resize(head + filling);
  for (size_t at = head; at < text.size(); at += sizeof(uint64_t)) {
    const uint64_t bytes = Mix(state);
    std::memcpy(text.data() + at, &bytes,
                std::min(sizeof(bytes), text.size() - at));
  }
  return text;
}

std::string RecordValue::key() const {
  return absl::StrCat("key ", (appender + sequence / 3) % 24);
}

std::optional<RecordValue> RecordValue::Parse(std::string_view text,
                                              uint64_t seed) {
  const std::vector<std::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(' ', 4));
  RecordValue value;
  if (parts.size() != 5 || !absl::SimpleAtoi(parts[0], &value.instance) ||
      !absl::SimpleAtoi(parts[1], &value.partition) ||
      !absl::SimpleAtoi(parts[2], &value.appender) ||
      !absl::SimpleAtoi(parts[3], &value.sequence) ||
      value.ToText(seed) != text) {
    return std::nullopt;
  }
  return value;
}

}  // namespace varve
