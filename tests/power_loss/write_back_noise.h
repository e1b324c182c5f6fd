// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_WRITE_BACK_NOISE_H_
#define VARVE_TESTS_POWER_LOSS_WRITE_BACK_NOISE_H_

#include <cstdint>
#include <string>
#include <utility>

namespace varve {

// The kernel's work that may come at any moment, and rarely comes in a short
// test: it writes back some pages of some files, and commits its journal.
class WriteBackNoise {
 public:
  explicit WriteBackNoise(std::string store_path)
      : store_path_(std::move(store_path)) {}

  // Makes the kernel do one such thing, by `random`; beside a writer.
  void Stir(uint64_t random) const;

 private:
  const std::string store_path_;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_WRITE_BACK_NOISE_H_
