// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/next_readable_offset.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace varve {
namespace {

// Its text is decimal, because Status::ToString prints it.
constexpr std::string_view kPayload = "varve.next_readable_offset";

}  // namespace

std::optional<int64_t> NextReadableOffset(const absl::Status& status) {
  const std::optional<absl::Cord> payload = status.GetPayload(kPayload);
  if (!payload.has_value()) return std::nullopt;
  int64_t offset = 0;
  if (!absl::SimpleAtoi(std::string(*payload), &offset)) return std::nullopt;
  return offset;
}

void SetNextReadableOffset(int64_t offset, absl::Status& status) {
  CHECK(!status.ok());
  status.SetPayload(kPayload, absl::Cord(absl::StrCat(offset)));
}

}  // namespace varve
