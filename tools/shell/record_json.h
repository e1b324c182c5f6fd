// SPDX-License-Identifier: Apache-2.0

// Records as JSON. Bytes that are no UTF-8 are base64, under a name that says
// so: {"value": "text"} or {"value_base64": "/w=="}; null is null.

#ifndef VARVE_TOOLS_SHELL_RECORD_JSON_H_
#define VARVE_TOOLS_SHELL_RECORD_JSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nlohmann/json.hpp"
#include "varve/log/batch/record_view.h"

namespace varve {

// Fields in the order they are added.
using Json = nlohmann::ordered_json;

// The number, or null for none.
Json NumberJson(std::optional<int64_t> number);

// Sets `name`, or `name`_base64, in `object`.
void SetBytes(Json& object, const std::string& name,
              std::optional<std::string_view> bytes);

// offset, timestamp (ms, null for none), key, value, headers (if any).
void SetRecord(Json& object, const RecordView& record);

// The JSON on one line, whatever it contains: a path need not be UTF-8.
std::string ToLine(const Json& json);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_RECORD_JSON_H_
