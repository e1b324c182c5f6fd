// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_RECORD_VALUE_H_
#define VARVE_TESTS_POWER_LOSS_RECORD_VALUE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace varve {

// Which record it is, of all that a campaign appends. Its value says so and
// every other byte of it follows from that and a seed, but not from its offset:
// that is the store's to choose, and the notes' to remember.
struct RecordValue {
  int32_t instance = 0;  // of the topic
  int32_t partition = 0;
  int32_t appender = 0;
  int64_t sequence = 0;  // of the appender, in the partition

  std::string ToText(uint64_t seed) const;
  // One of a few, which all appenders have.
  std::string key() const;

  // Nothing for bytes that no appender of that seed has written.
  static std::optional<RecordValue> Parse(std::string_view text, uint64_t seed);

  // Bytes that a value has at most.
  static constexpr int64_t kSizeMax = 5200;
  // And one of a batch of several.
  static constexpr int64_t kSmallSizeMax = 400;
  // Whether it has more than that.
  bool is_large() const { return sequence % 37 == 5; }

  friend bool operator==(const RecordValue&, const RecordValue&) = default;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_RECORD_VALUE_H_
