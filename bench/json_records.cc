// SPDX-License-Identifier: Apache-2.0

#include "bench/json_records.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace varve::bench {
namespace {

constexpr std::array<std::string_view, 8> kEvents = {
    "order.placed", "order.paid", "order.shipped", "cart.changed",
    "page.viewed",  "user.login", "search.made",   "refund.requested"};
constexpr std::array<std::string_view, 32> kWords = {
    "red",      "shoes",    "size",   "delivered", "to",        "the",
    "door",     "parcel",   "left",   "with",      "neighbour", "please",
    "ring",     "twice",    "gift",   "wrapped",   "second",    "floor",
    "express",  "standard", "return", "label",     "printed",   "card",
    "declined", "retry",    "after",  "minutes",   "warehouse", "north",
    "stock",    "low"};

}  // namespace

std::string JsonRecords::Next() {
  time_ms_ += Below(40);
  // Evenly spread on a scale of powers.
  const double power = static_cast<double>(Below(1000)) / 1000;
  const auto size = static_cast<size_t>(100 * std::pow(10, power));
  std::string text = absl::StrCat(
      R"({"id":")", absl::Hex(random_(), absl::kZeroPad16), R"(","event":")",
      kEvents[static_cast<size_t>(Below(kEvents.size()))], R"(","at":)",
      time_ms_, R"(,"customer":)", Below(200'000));
  for (int item = 0; text.size() + 40 < size; ++item) {
    absl::StrAppend(&text, R"(,"item)", item, R"(":{"sku":")", Below(50'000),
                    R"(","price":)", Below(20'000), R"(,"note":")");
    for (int64_t words = 2 + Below(6); words > 0; --words) {
      absl::StrAppend(&text, kWords[static_cast<size_t>(Below(kWords.size()))],
                      " ");
    }
    absl::StrAppend(&text, R"("})");
  }
  return absl::StrCat(text, "}");
}

}  // namespace varve::bench
