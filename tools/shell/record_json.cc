// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/record_json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/utf8.h"

namespace varve {

Json NumberJson(std::optional<int64_t> number) {
  return number.has_value() ? Json(*number) : Json(nullptr);
}

void SetBytes(Json& object, const std::string& name,
              std::optional<std::string_view> bytes) {
  if (!bytes.has_value()) {
    object[name] = nullptr;
  } else if (IsUtf8(*bytes)) {
    object[name] = *bytes;
  } else {
    object[absl::StrCat(name, "_base64")] = absl::Base64Escape(*bytes);
  }
}

void SetRecord(Json& object, const RecordView& record) {
  object["offset"] = record.offset();
  object["timestamp"] = nullptr;
  if (record.timestamp_ms() != kNoTimestamp) {
    object["timestamp"] = record.timestamp_ms();
  }
  SetBytes(object, "key", record.key());
  SetBytes(object, "value", record.value());
  if (record.headers().empty()) return;
  Json headers = Json::array();
  for (const Header& header : record.headers()) {
    Json entry;
    SetBytes(entry, "name", header.key);
    SetBytes(entry, "value", header.value);
    headers.push_back(std::move(entry));
  }
  object["headers"] = std::move(headers);
}

std::string ToLine(const Json& json) {
  return json.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false,
                   Json::error_handler_t::replace);
}

}  // namespace varve
