// SPDX-License-Identifier: Apache-2.0

// Records of every shape, for tests that compare what comes back.

#ifndef VARVE_TESTS_RANDOM_RECORDS_H_
#define VARVE_TESTS_RANDOM_RECORDS_H_

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "log/record.h"
#include "log/record_view.h"

namespace varve {

// A record that owns its bytes.
struct OwnedRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  int64_t timestamp_ms = kNoTimestamp;

  friend bool operator==(const OwnedRecord&, const OwnedRecord&) = default;

  // Valid while `*this` and `*storage` are.
  Record View(std::vector<Header>* storage) const {
    storage->clear();
    for (const auto& [name, content] : headers) {
      storage->push_back({.key = name, .value = content});
    }
    return {.key = key, .value = value, .headers = *storage};
  }
};

inline std::optional<std::string> Owned(std::optional<std::string_view> view) {
  if (!view.has_value()) return std::nullopt;
  return std::string(*view);
}

inline OwnedRecord Owned(const RecordView& view) {
  OwnedRecord record{.key = Owned(view.key()),
                     .value = Owned(view.value()),
                     .headers = {},
                     .timestamp_ms = view.timestamp_ms()};
  for (const Header& header : view.headers()) {
    record.headers.emplace_back(header.key, Owned(header.value));
  }
  return record;
}

class RandomRecords {
 public:
  explicit RandomRecords(uint64_t seed) : random_(seed) {}

  OwnedRecord Next() {
    OwnedRecord record{.key = Field(),
                       .value = Field(),
                       .headers = {},
                       .timestamp_ms = Timestamp()};
    for (uint64_t left = Below(4) == 0 ? Below(8) : 0; left > 0; --left) {
      record.headers.emplace_back(Bytes(Below(20)), Field());
    }
    return record;
  }

  uint64_t Below(uint64_t limit) { return random_() % limit; }

 private:
  std::string Bytes(uint64_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

  std::optional<std::string> Field() {
    switch (Below(8)) {
      case 0:
        return std::nullopt;
      case 1:
        return "";
      case 2:
        return Bytes(Below(20000));
      default:
        return Bytes(Below(200));
    }
  }

  int64_t Timestamp() {
    switch (Below(8)) {
      case 0:
        return kNoTimestamp;
      case 1:
        return static_cast<int64_t>(random_() >> (1 + Below(63)));
      default:
        return static_cast<int64_t>(1700000000000 + Below(100000));
    }
  }

  std::mt19937_64 random_;
};

}  // namespace varve

#endif  // VARVE_TESTS_RANDOM_RECORDS_H_
