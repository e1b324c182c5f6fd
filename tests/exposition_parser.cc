// SPDX-License-Identifier: Apache-2.0

#include "tests/exposition_parser.h"

#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace varve {
namespace {

using Labels = std::map<std::string, std::string>;

bool IsName(std::string_view text, bool colons) {
  if (text.empty() || absl::ascii_isdigit(text[0])) return false;
  for (const char c : text) {
    if (!absl::ascii_isalnum(c) && c != '_' && !(colons && c == ':'))
      return false;
  }
  return true;
}

class Parser {
 public:
  absl::Status Parse(std::string_view text) {
    if (!text.empty() && !absl::EndsWith(text, "\n"))
      return Error("the last line has no end");
    std::vector<std::string_view> lines = absl::StrSplit(text, '\n');
    lines.pop_back();
    for (const std::string_view line : lines) {
      ++line_;
      absl::Status status = line.starts_with("#") ? Comment(line) : Line(line);
      if (!status.ok()) return status;
    }
    for (const ExposedFamily& family : families_) {
      if (absl::Status status = CheckFamily(family); !status.ok())
        return status;
    }
    return absl::OkStatus();
  }

  std::vector<ExposedFamily> Take() { return std::move(families_); }

 private:
  absl::Status Error(std::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("line ", line_, ": ", what));
  }

  absl::Status Comment(std::string_view line) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::MaxSplits(' ', 3));
    if (words.size() != 4 || words[0] != "#") return Error("no comment of use");
    if (words[1] == "HELP") return Help(words[2], words[3]);
    if (words[1] == "TYPE") return Type(words[2], words[3]);
    return Error("neither HELP nor TYPE");
  }

  absl::Status Help(const std::string& name, const std::string& help) {
    if (!IsName(name, true)) return Error("a bad name");
    if (!seen_.insert(name).second) return Error("a family twice: " + name);
    for (size_t i = help.find('\\'); i != help.npos;
         i = help.find('\\', i + 2)) {
      if (i + 1 == help.size() || (help[i + 1] != '\\' && help[i + 1] != 'n'))
        return Error("a bad escape in HELP");
    }
    if (help.empty()) return Error("no help");
    families_.push_back(
        {.name = name, .type = "", .help = help, .samples = {}});
    return absl::OkStatus();
  }

  absl::Status Type(const std::string& name, const std::string& type) {
    if (families_.empty() || families_.back().name != name)
      return Error("TYPE without its HELP");
    ExposedFamily& family = families_.back();
    if (!family.type.empty()) return Error("TYPE twice");
    if (!family.samples.empty()) return Error("TYPE behind a sample");
    if (type != "counter" && type != "gauge" && type != "histogram")
      return Error("an unknown type");
    family.type = type;
    return absl::OkStatus();
  }

  absl::Status Line(std::string_view line) {
    ExposedSample sample;
    const size_t name_end = line.find_first_of("{ ");
    if (name_end == line.npos) return Error("no value");
    sample.name = std::string(line.substr(0, name_end));
    if (!IsName(sample.name, true)) return Error("a bad name");
    std::string_view rest = line.substr(name_end);
    if (rest[0] == '{') {
      if (absl::Status status = TakeLabels(rest, sample.labels); !status.ok())
        return status;
    }
    if (!rest.starts_with(" ")) return Error("no blank before the value");
    sample.value = std::string(rest.substr(1));
    if (sample.value.find(' ') != sample.value.npos ||
        !absl::SimpleAtod(sample.value, &sample.number))
      return Error("the value is no number");
    return Add(std::move(sample));
  }

  absl::Status TakeLabels(std::string_view& rest, Labels& labels) {
    rest.remove_prefix(1);
    while (!rest.starts_with("}")) {
      if (!labels.empty()) {
        if (!rest.starts_with(",")) return Error("no comma between labels");
        rest.remove_prefix(1);
      }
      const size_t equals = rest.find("=\"");
      if (equals == rest.npos) return Error("a label without a value");
      const std::string name(rest.substr(0, equals));
      if (!IsName(name, false)) return Error("a bad label name");
      rest.remove_prefix(equals + 2);
      std::string value;
      if (absl::Status status = TakeQuoted(rest, value); !status.ok())
        return status;
      if (!labels.emplace(name, value).second) return Error("a label twice");
    }
    if (labels.empty()) return Error("empty braces");
    rest.remove_prefix(1);
    return absl::OkStatus();
  }

  // Up to and with the closing quote.
  absl::Status TakeQuoted(std::string_view& rest, std::string& value) {
    for (; !rest.empty() && rest[0] != '"'; rest.remove_prefix(1)) {
      if (rest[0] != '\\') {
        value += rest[0];
        continue;
      }
      rest.remove_prefix(1);
      if (rest.empty()) break;
      const size_t escape = std::string_view("\\\"n").find(rest[0]);
      if (escape == std::string_view::npos) return Error("a bad escape");
      value += "\\\"\n"[escape];
    }
    if (rest.empty()) return Error("a label value without end");
    rest.remove_prefix(1);
    return absl::OkStatus();
  }

  absl::Status Add(ExposedSample sample) {
    if (families_.empty()) return Error("a sample without a family");
    ExposedFamily& family = families_.back();
    if (family.type.empty()) return Error("a sample before TYPE");
    std::string_view suffix = sample.name;
    if (!absl::ConsumePrefix(&suffix, family.name))
      return Error("a sample of another family");
    const bool known =
        family.type == "histogram"
            ? suffix == "_bucket" || suffix == "_sum" || suffix == "_count"
            : suffix.empty();
    if (!known) return Error("a sample of another family");
    if (!samples_.emplace(sample.name, sample.labels).second)
      return Error("a sample twice");
    family.samples.push_back(std::move(sample));
    return absl::OkStatus();
  }

  absl::Status CheckFamily(const ExposedFamily& family) {
    const bool total = absl::EndsWith(family.name, "_total");
    if (family.type.empty()) return Error(family.name + ": no TYPE");
    if (total != (family.type == "counter"))
      return Error(family.name + ": _total is for counters, and all of them");
    if (family.type == "histogram") return CheckHistograms(family);
    for (const ExposedSample& sample : family.samples) {
      if (total && sample.number < 0) return Error(family.name + ": negative");
    }
    return absl::OkStatus();
  }

  // Samples of one set of labels stand together: buckets, sum, count.
  absl::Status CheckHistograms(const ExposedFamily& family) {
    for (size_t i = 0; i < family.samples.size();) {
      double end = -std::numeric_limits<double>::infinity();
      double count = 0;
      const size_t first = i;
      for (; i < family.samples.size() &&
             family.samples[i].name == family.name + "_bucket";
           ++i) {
        const ExposedSample& bucket = family.samples[i];
        double le = 0;
        const auto it = bucket.labels.find("le");
        if (it == bucket.labels.end() || !absl::SimpleAtod(it->second, &le))
          return Error(family.name + ": a bucket without le");
        if (le <= end) return Error(family.name + ": le does not ascend");
        if (bucket.number < count)
          return Error(family.name + ": buckets do not accumulate");
        end = le;
        count = bucket.number;
      }
      if (i == first || family.samples[i - 1].labels.at("le") != "+Inf")
        return Error(family.name + ": no bucket for +Inf");
      if (i + 2 > family.samples.size() ||
          family.samples[i].name != family.name + "_sum" ||
          family.samples[i + 1].name != family.name + "_count" ||
          family.samples[i + 1].number != count)
        return Error(family.name + ": no sum, or no count as of +Inf");
      i += 2;
    }
    return absl::OkStatus();
  }

  int line_ = 0;
  std::vector<ExposedFamily> families_;
  std::set<std::string> seen_;
  std::set<std::pair<std::string, Labels>> samples_;
};

}  // namespace

absl::StatusOr<std::vector<ExposedFamily>> ParseExposition(
    std::string_view text) {
  Parser parser;
  if (absl::Status status = parser.Parse(text); !status.ok()) return status;
  return parser.Take();
}

}  // namespace varve
