// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/escape_sequences.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace varve {
namespace {

int HexDigit(char c) {
  if (absl::ascii_isdigit(static_cast<unsigned char>(c))) return c - '0';
  return absl::ascii_tolower(static_cast<unsigned char>(c)) - 'a' + 10;
}

bool IsHex(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c));
}

absl::Status BadEscape(std::string_view text, size_t at) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text, "\": \"", text.substr(at, 2), "\" at place ", at + 1,
      " is no escape sequence; there are \\n \\t \\r \\\\ and \\xNN with two "
      "hexadecimal digits"));
}

}  // namespace

absl::StatusOr<char> DecodeEscape(std::string_view text, size_t* at) {
  const size_t begin = *at;
  if (begin + 1 >= text.size()) return BadEscape(text, begin);
  *at += 2;
  switch (text[begin + 1]) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '\\':
      return '\\';
    case 'x':
      if (begin + 3 < text.size() && IsHex(text[begin + 2]) &&
          IsHex(text[begin + 3])) {
        *at += 2;
        return static_cast<char>(HexDigit(text[begin + 2]) * 16 +
                                 HexDigit(text[begin + 3]));
      }
      break;
    default:
      break;
  }
  return BadEscape(text, begin);
}

absl::StatusOr<std::string> DecodeEscapes(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      decoded += text[at++];
      continue;
    }
    absl::StatusOr<char> byte = DecodeEscape(text, &at);
    if (!byte.ok()) return byte.status();
    decoded += *byte;
  }
  return decoded;
}

}  // namespace varve
