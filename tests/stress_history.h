// SPDX-License-Identifier: Apache-2.0

// What the threads of a stress write into a log, and how those that read it see
// that nothing is missing, twice, changed or out of order.

#ifndef VARVE_TESTS_STRESS_HISTORY_H_
#define VARVE_TESTS_STRESS_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "log/record_view.h"

namespace varve {

// What an appender has put into a partition, and in which order. Its value is
// "<appender> <sequence> <filling>", where the filling follows from the two.
struct Entry {
  int appender = -1;
  int64_t sequence = -1;

  std::string ToValue() const {
    const auto size = static_cast<size_t>((appender * 7 + sequence * 13) % 300);
    const auto letter = static_cast<char>('a' + sequence % 26);
    return absl::StrCat(appender, " ", sequence, " ",
                        std::string(size, letter));
  }
  static Entry Parse(std::string_view value) {
    Entry entry;
    const std::vector<std::string_view> parts = absl::StrSplit(value, ' ');
    EXPECT_EQ(parts.size(), 3) << value;
    if (parts.size() != 3) return entry;
    EXPECT_TRUE(absl::SimpleAtoi(parts[0], &entry.appender)) << value;
    EXPECT_TRUE(absl::SimpleAtoi(parts[1], &entry.sequence)) << value;
    EXPECT_EQ(value, entry.ToValue());
    return entry;
  }
  friend bool operator==(const Entry&, const Entry&) = default;
};

// Checks that a partition's records come once each, in order and unchanged.
class History {
 public:
  explicit History(int64_t first_offset) : next_offset_(first_offset) {}

  void See(const RecordView& record) {
    ASSERT_EQ(record.offset(), next_offset_);
    ++next_offset_;
    const Entry entry = Entry::Parse(record.value().value_or(""));
    const auto [last, is_first] =
        last_sequence_.try_emplace(entry.appender, entry.sequence);
    if (is_first) return;
    ASSERT_EQ(entry.sequence, last->second + 1)
        << "appender " << entry.appender << ", offset " << record.offset();
    last->second = entry.sequence;
  }
  int64_t next_offset() const { return next_offset_; }

 private:
  int64_t next_offset_;
  std::map<int, int64_t> last_sequence_;  // by appender
};

}  // namespace varve

#endif  // VARVE_TESTS_STRESS_HISTORY_H_
