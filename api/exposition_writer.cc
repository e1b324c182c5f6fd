// SPDX-License-Identifier: Apache-2.0

#include "varve/api/exposition_writer.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "varve/log/meters/distribution.h"

namespace varve {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

// Bits of the smallest and the largest bucket's end.
struct BucketBits {
  int first;
  int last;
};

BucketBits BitsOf(ExpositionWriter::Unit unit) {
  if (unit == ExpositionWriter::Unit::kNanoseconds) return {6, 35};
  return {0, 16};
}

// The shortest text that reads as `value` again, in every locale.
std::string NumberText(double value) {
  std::array<char, 32> buffer;
  const std::to_chars_result end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end.ptr};
}

std::string ValueText(int64_t value, ExpositionWriter::Unit unit) {
  if (unit == ExpositionWriter::Unit::kCount) return absl::StrCat(value);
  return NumberText(static_cast<double>(value) / kNanosecondsPerSecond);
}

std::string LabelsText(const ExpositionWriter::Labels& labels) {
  if (labels.empty()) return "";
  std::string text;
  for (const auto& [name, value] : labels) {
    absl::StrAppend(&text, text.empty() ? "{" : ",", name, "=\"",
                    absl::StrReplaceAll(
                        value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
                    "\"");
  }
  return text + "}";
}

}  // namespace

void ExpositionWriter::Begin(std::string_view name, std::string_view help,
                             std::string_view type) {
  family_ = name;
  absl::StrAppend(&text_, "# HELP ", name, " ",
                  absl::StrReplaceAll(help, {{"\\", "\\\\"}, {"\n", "\\n"}}),
                  "\n# TYPE ", name, " ", type, "\n");
}

void ExpositionWriter::Counter(std::string_view name, std::string_view help) {
  Begin(name, help, "counter");
}

void ExpositionWriter::Gauge(std::string_view name, std::string_view help) {
  Begin(name, help, "gauge");
}

void ExpositionWriter::Histogram(std::string_view name, std::string_view help) {
  Begin(name, help, "histogram");
}

void ExpositionWriter::Line(std::string_view suffix, const Labels& labels,
                            std::string_view value) {
  absl::StrAppend(&text_, family_, suffix, LabelsText(labels), " ", value,
                  "\n");
}

void ExpositionWriter::Sample(const Labels& labels, int64_t value) {
  Line("", labels, absl::StrCat(value));
}

void ExpositionWriter::Sample(const Labels& labels, double value) {
  Line("", labels, NumberText(value));
}

void ExpositionWriter::Samples(const Labels& labels, const Distribution& values,
                               Unit unit) {
  Labels with_end = labels;
  with_end.push_back({"le", ""});
  const BucketBits bits = BitsOf(unit);
  for (int bit = bits.first; bit <= bits.last; ++bit) {
    const int64_t end = int64_t{1} << bit;
    const std::string end_text = ValueText(end, unit);
    with_end.back().second = end_text;
    Line("_bucket", with_end, absl::StrCat(values.CountUpTo(end)));
  }
  const std::string count = absl::StrCat(values.count());
  with_end.back().second = "+Inf";
  Line("_bucket", with_end, count);
  Line("_sum", labels, ValueText(values.sum(), unit));
  Line("_count", labels, count);
}

}  // namespace varve
