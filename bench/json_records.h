// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_JSON_RECORDS_H_
#define VARVE_BENCH_JSON_RECORDS_H_

#include <cstdint>
#include <random>
#include <string>

namespace varve::bench {

// Values as programs put them into a log: events in JSON, of 100 B to 1 KB,
// most of them short, which compress as such things do: the names of fields
// repeat, ids and numbers do not. The same ones in each run.
//
// Thread safety: externally synchronized.
class JsonRecords {
 public:
  static constexpr int64_t kSizeMax = 1100;

  std::string Next();

 private:
  int64_t Below(int64_t end) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(end));
  }

  std::mt19937_64 random_{1};
  int64_t time_ms_ = 1'700'000'000'000;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_JSON_RECORDS_H_
