// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/monitor/metrics_text.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

namespace varve {
namespace {

// The last line of a whole snapshot.
constexpr std::string_view kLastName = "varve_snapshot_time_seconds";

using Labels = std::map<std::string, std::string>;

// Takes a quoted value, without its first quote, off the front of `text`.
bool TakeQuoted(std::string_view& text, std::string& value) {
  while (!text.empty() && text[0] != '"') {
    if (text[0] == '\\') {
      text.remove_prefix(1);
      if (text.empty()) return false;
      value += text[0] == 'n' ? '\n' : text[0];
    } else {
      value += text[0];
    }
    text.remove_prefix(1);
  }
  if (text.empty()) return false;
  text.remove_prefix(1);
  return true;
}

// Takes `{name="value",…}` off the front of `text`.
bool TakeLabels(std::string_view& text, Labels& labels) {
  text.remove_prefix(1);
  while (!text.starts_with("}")) {
    const size_t equals = text.find("=\"");
    if (equals == text.npos) return false;
    std::string& value = labels[std::string(text.substr(0, equals))];
    text.remove_prefix(equals + 2);
    if (!TakeQuoted(text, value)) return false;
    if (text.starts_with(",")) text.remove_prefix(1);
  }
  text.remove_prefix(1);
  return true;
}

bool ParseSample(std::string_view line, MetricSample& sample) {
  const size_t name_end = line.find_first_of("{ ");
  if (name_end == line.npos) return false;
  sample.name = std::string(line.substr(0, name_end));
  line.remove_prefix(name_end);
  if (line[0] == '{' && !TakeLabels(line, sample.labels)) return false;
  return line.starts_with(" ") &&
         absl::SimpleAtod(line.substr(1), &sample.value);
}

absl::Time FromUnixSeconds(double seconds) {
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

}  // namespace

absl::StatusOr<MetricsText> MetricsText::Parse(std::string_view text) {
  MetricsText metrics;
  int number = 0;
  for (const std::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    MetricSample sample;
    if (!ParseSample(line, sample)) {
      return absl::DataLossError(
          absl::StrCat("line ", number, ": no sample of a metric"));
    }
    metrics.samples_.push_back(std::move(sample));
  }
  if (!text.ends_with("\n") || metrics.samples_.empty() ||
      metrics.samples_.back().name != kLastName) {
    return absl::DataLossError("the snapshot is not whole");
  }
  return metrics;
}

std::vector<const MetricSample*> MetricsText::Named(
    std::string_view name) const {
  std::vector<const MetricSample*> named;
  for (const MetricSample& sample : samples_) {
    if (sample.name == name) named.push_back(&sample);
  }
  return named;
}

double MetricsText::Value(std::string_view name, const Labels& labels) const {
  for (const MetricSample* sample : Named(name)) {
    if (sample->labels == labels) return sample->value;
  }
  return 0;
}

absl::Time MetricsText::taken_at() const {
  return FromUnixSeconds(Value(kLastName));
}

absl::Time MetricsText::opened_at() const {
  return FromUnixSeconds(Value("varve_start_time_seconds"));
}

double MetricsText::Percentile(std::string_view name, const Labels& labels,
                               double part) const {
  const double count = Value(absl::StrCat(name, "_count"), labels);
  if (count == 0) return 0;
  for (const MetricSample* bucket : Named(absl::StrCat(name, "_bucket"))) {
    Labels others = bucket->labels;
    double end = 0;
    if (!absl::SimpleAtod(others["le"], &end)) continue;
    others.erase("le");
    if (others == labels && bucket->value >= part * count) return end;
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace varve
