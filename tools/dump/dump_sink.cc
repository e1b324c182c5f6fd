// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/dump/dump_sink.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "varve/tools/shell/record_json.h"

namespace varve {
namespace {

// Keeps a plain word as it is, and writes everything else as JSON, which keeps
// it on its line.
std::string ToText(const Json& value) {
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    const bool plain = !text.empty() && absl::c_all_of(text, [](char c) {
      return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '"';
    });
    if (plain) return text;
  }
  return ToLine(value);
}

}  // namespace

void DumpSink::BeginFile(std::string_view path) {
  path_ = std::string(path);
  if (form_ == Form::kText) absl::StrAppend(&output_.text(), path, "\n");
}

void DumpSink::Add(std::string_view kind, const Json& fields) {
  if (form_ == Form::kJson) {
    // Blanks before it show people what it is a part of.
    Json object = {{"file", path_},
                   {"kind", absl::StripLeadingAsciiWhitespace(kind)}};
    object.update(fields);
    absl::StrAppend(&output_.text(), ToLine(object), "\n");
  } else {
    absl::StrAppend(&output_.text(), kind);
    for (const auto& [name, value] : fields.items()) {
      absl::StrAppend(&output_.text(), " ", name, "=", ToText(value));
    }
    output_.text() += '\n';
  }
  status_.Update(output_.FlushIfLarge());
}

void DumpSink::AddDamage(int64_t position, std::string_view what) {
  damage_found_ = true;
  Add("DAMAGE", {{"position", position}, {"what", what}});
}

void DumpSink::AddDamage(std::string_view what) {
  damage_found_ = true;
  Add("DAMAGE", {{"what", what}});
}

absl::Status DumpSink::Flush() {
  status_.Update(output_.Flush());
  return status_;
}

}  // namespace varve
