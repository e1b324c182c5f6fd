// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/input/json_lines.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/tools/input/line_parser.h"

namespace varve {
namespace {

constexpr std::array<std::string_view, 9> kRecordFields = {
    "topic",      "partition", "offset",       "timestamp", "key",
    "key_base64", "value",     "value_base64", "headers"};
constexpr std::array<std::string_view, 4> kHeaderFields = {
    "name", "name_base64", "value", "value_base64"};

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(what);
}

// Errors: InvalidArgument for a field that is not among `known`.
template <size_t kCount>
absl::Status CheckFields(const nlohmann::json& object,
                         const std::array<std::string_view, kCount>& known) {
  for (const auto& [name, value] : object.items()) {
    if (absl::c_linear_search(known, name)) continue;
    std::string there_are;
    for (const std::string_view other : known) {
      absl::StrAppend(&there_are, there_are.empty() ? "" : ", ", other);
    }
    return Wrong(absl::StrCat("\"", absl::Utf8SafeCHexEscape(name),
                              "\" is no field; there are ", there_are));
  }
  return absl::OkStatus();
}

// A number from 0 to `max`; nothing for any other value.
std::optional<int64_t> WholeNumberOf(const nlohmann::json& value, int64_t max) {
  if (!value.is_number_unsigned()) return std::nullopt;
  const auto number = value.get<uint64_t>();
  if (number > static_cast<uint64_t>(max)) return std::nullopt;
  return static_cast<int64_t>(number);
}

// A timestamp to store; nothing for what is none. No reader takes a negative
// number for a time, but files that others wrote may have it.
std::optional<int64_t> TimestampOf(const nlohmann::json& value) {
  if (value.is_null()) return kNoTimestamp;
  if (value.is_number_integer() && value.get<int64_t>() < 0 &&
      !value.is_number_unsigned()) {
    return kNoTimestamp;
  }
  return WholeNumberOf(value, kTimestampMax);
}

// Sets what the object says of time and partition.
absl::Status ReadNumbers(const nlohmann::json& object, InputRecord& parsed) {
  if (const auto at = object.find("timestamp"); at != object.end()) {
    parsed.timestamp_ms = TimestampOf(*at);
    if (!parsed.timestamp_ms.has_value()) {
      return Wrong("\"timestamp\" is neither milliseconds since 1970 nor null");
    }
  }
  if (const auto at = object.find("partition"); at != object.end()) {
    const std::optional<int64_t> partition =
        WholeNumberOf(*at, std::numeric_limits<int32_t>::max());
    if (!partition.has_value()) {
      return Wrong("\"partition\" is not the number of a partition");
    }
    parsed.partition = static_cast<int32_t>(*partition);
  }
  return absl::OkStatus();
}

// Sees whether an object in a JSON text has two fields of one name: the parser
// keeps the last of them. It reads the text by itself, because a callback of
// the parser makes that take quadratic time.
class DuplicateNames final : public nlohmann::json_sax<nlohmann::json> {
 public:
  static bool AreIn(std::string_view text) {
    DuplicateNames names;
    nlohmann::json::sax_parse(text, &names);
    return names.found_;
  }

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/,
                    const string_t& /*text*/) override {
    return true;
  }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*size*/) override {
    open_objects_.emplace_back();
    return true;
  }
  // Ends the reading at the first that stands there twice.
  bool key(string_t& name) override {
    found_ = !open_objects_.back().insert(name).second;
    return !found_;
  }
  bool end_object() override {
    open_objects_.pop_back();
    return true;
  }
  bool start_array(std::size_t /*size*/) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    return false;
  }

 private:
  std::vector<std::set<std::string>> open_objects_;  // their names so far
  bool found_ = false;
};

}  // namespace

absl::Status JsonLines::ParseObject(std::string_view line) {
  try {
    object_ = nlohmann::json::parse(line);
  } catch (const nlohmann::json::parse_error& error) {
    return Wrong(
        absl::StrCat("not JSON in UTF-8: byte ", error.byte, " does not fit"));
  } catch (const nlohmann::json::exception&) {
    return Wrong("not JSON: a number in it is too large");
  }
  if (!object_.is_object()) return Wrong("not a JSON object");
  if (DuplicateNames::AreIn(line)) return Wrong("a field stands in it twice");
  return CheckFields(object_, kRecordFields);
}

absl::StatusOr<JsonLines::Field> JsonLines::FieldOf(
    const nlohmann::json& object, const std::string& name) {
  const std::string base64_name = absl::StrCat(name, "_base64");
  const auto text = object.find(name);
  const auto base64 = object.find(base64_name);
  if (text != object.end() && base64 != object.end()) {
    return Wrong(absl::StrCat("both \"", name, "\" and \"", base64_name, "\""));
  }
  if (text != object.end()) {
    if (text->is_null()) return Field{.is_there = true};
    if (text->is_string()) {
      return Field{.is_there = true,
                   .bytes = text->get_ref<const std::string&>()};
    }
    return Wrong(absl::StrCat("\"", name, "\" is neither a string nor null"));
  }
  if (base64 == object.end()) return Field();
  std::string& bytes = decoded_.emplace_back();
  if (!base64->is_string() ||
      !absl::Base64Unescape(base64->get_ref<const std::string&>(), &bytes)) {
    return Wrong(absl::StrCat("\"", base64_name, "\" is not base64"));
  }
  return Field{.is_there = true, .bytes = bytes};
}

absl::Status JsonLines::AddHeader(const nlohmann::json& header) {
  if (!header.is_object()) return Wrong("a header is not an object");
  if (absl::Status status = CheckFields(header, kHeaderFields); !status.ok())
    return status;
  absl::StatusOr<Field> name = FieldOf(header, "name");
  if (!name.ok()) return name.status();
  absl::StatusOr<Field> value = FieldOf(header, "value");
  if (!value.ok()) return value.status();
  if (!name->bytes.has_value()) return Wrong("a header has no \"name\"");
  if (!value->is_there) {
    return Wrong("a header has no \"value\"; null says that it has none");
  }
  headers_.push_back({.key = *name->bytes, .value = value->bytes});
  return absl::OkStatus();
}

absl::Status JsonLines::AddHeaders() {
  const auto headers = object_.find("headers");
  if (headers == object_.end()) return absl::OkStatus();
  if (!headers->is_array()) return Wrong("\"headers\" is not an array");
  for (const nlohmann::json& header : *headers) {
    if (absl::Status status = AddHeader(header); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<InputRecord> JsonLines::Parse(std::string_view line) {
  decoded_.clear();
  headers_.clear();
  if (absl::Status status = ParseObject(line); !status.ok()) return status;
  InputRecord parsed;
  absl::Status status = ReadNumbers(object_, parsed);
  if (!status.ok()) return status;
  const absl::StatusOr<Field> key = FieldOf(object_, "key");
  if (!key.ok()) return key.status();
  const absl::StatusOr<Field> value = FieldOf(object_, "value");
  if (!value.ok()) return value.status();
  if (!value->is_there) {
    return Wrong("no \"value\"; null says that the record has none");
  }
  if (status = AddHeaders(); !status.ok()) return status;
  parsed.record.key = key->bytes;
  parsed.record.value = value->bytes;
  parsed.record.headers = headers_;
  return parsed;
}

}  // namespace varve
