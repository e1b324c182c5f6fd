// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_EXPOSITION_WRITER_H_
#define VARVE_API_EXPOSITION_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "varve/log/meters/distribution.h"

namespace varve {

// Writes Prometheus' text exposition format 0.0.4: families of metrics, each
// with its HELP and TYPE lines, and then its samples.
//
// Thread safety: externally synchronized.
class ExpositionWriter {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  // What the values of a distribution are.
  enum class Unit {
    kNanoseconds,  // written as seconds; buckets from 64 ns to 34 s
    kCount,        // written as they are; buckets from 1 to 65,536
  };

  // Begins a family; `name` has the prefix already. Samples follow.
  void Counter(std::string_view name, std::string_view help);
  void Gauge(std::string_view name, std::string_view help);
  void Histogram(std::string_view name, std::string_view help);

  // A sample of the family begun last.
  void Sample(const Labels& labels, int64_t value);
  void Sample(const Labels& labels, double value);
  void Sample(int64_t value) { Sample({}, value); }

  // The buckets, sum and count of one histogram of the family begun last.
  void Samples(const Labels& labels, const Distribution& values, Unit unit);

  // All that was written.
  std::string Take() { return std::move(text_); }

 private:
  void Begin(std::string_view name, std::string_view help,
             std::string_view type);
  void Line(std::string_view suffix, const Labels& labels,
            std::string_view value);

  std::string family_;
  std::string text_;
};

}  // namespace varve

#endif  // VARVE_API_EXPOSITION_WRITER_H_
