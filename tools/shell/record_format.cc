// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/record_format.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_view.h"
#include "varve/tools/shell/escape_sequences.h"

namespace varve {
namespace {

constexpr std::string_view kTokens = "sSkKotpTh";

absl::Status BadToken(std::string_view format, size_t at) {
  return absl::InvalidArgumentError(absl::StrCat(
      "format \"", format, "\": \"", format.substr(at, 2), "\" at place ",
      at + 1,
      " is no token; there are %s %S %k %K %o %t %p %T %h and %% for a percent "
      "sign"));
}

int64_t SizeOf(const std::optional<std::string_view>& bytes) {
  return bytes.has_value() ? static_cast<int64_t>(bytes->size()) : -1;
}

void AppendHeaders(const RecordView& record, std::string& out) {
  std::string_view separator;
  for (const Header& header : record.headers()) {
    absl::StrAppend(&out, separator, header.key, "=",
                    header.value.value_or("NULL"));
    separator = ",";
  }
}

void AppendToken(char token, const RecordOrigin& origin,
                 const RecordView& record, std::string& out) {
  switch (token) {
    case 's':
      out.append(record.value().value_or(""));
      break;
    case 'S':
      absl::StrAppend(&out, SizeOf(record.value()));
      break;
    case 'k':
      out.append(record.key().value_or(""));
      break;
    case 'K':
      absl::StrAppend(&out, SizeOf(record.key()));
      break;
    case 'o':
      absl::StrAppend(&out, record.offset());
      break;
    case 't':
      out.append(origin.topic);
      break;
    case 'p':
      absl::StrAppend(&out, origin.partition);
      break;
    case 'T':
      absl::StrAppend(&out, record.timestamp_ms());
      break;
    case 'h':
      AppendHeaders(record, out);
      break;
  }
}

}  // namespace

void RecordFormat::AddLiteral(char byte) {
  if (parts_.empty() || parts_.back().token != 0) parts_.push_back({});
  parts_.back().literal += byte;
}

absl::StatusOr<RecordFormat> RecordFormat::Parse(std::string_view format) {
  RecordFormat parsed;
  for (size_t at = 0; at < format.size();) {
    if (format[at] == '\\') {
      absl::StatusOr<char> byte = DecodeEscape(format, &at);
      if (!byte.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("format ", byte.status().message()));
      }
      parsed.AddLiteral(*byte);
    } else if (format[at] != '%') {
      parsed.AddLiteral(format[at++]);
    } else {
      const char token = at + 1 < format.size() ? format[at + 1] : '\0';
      if (token == '%') {
        parsed.AddLiteral('%');
      } else if (token != '\0' && kTokens.find(token) != kTokens.npos) {
        parsed.parts_.push_back({.token = token, .literal = ""});
      } else {
        return BadToken(format, at);
      }
      at += 2;
    }
  }
  return parsed;
}

void RecordFormat::Append(const RecordOrigin& origin, const RecordView& record,
                          std::string& out) const {
  for (const Part& part : parts_) {
    if (part.token == 0) {
      out.append(part.literal);
    } else {
      AppendToken(part.token, origin, record, out);
    }
  }
}

}  // namespace varve
