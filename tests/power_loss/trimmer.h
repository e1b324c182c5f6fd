// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_TRIMMER_H_
#define VARVE_TESTS_POWER_LOSS_TRIMMER_H_

#include "tests/power_loss/worker.h"
#include "varve/api/log_store.h"

namespace varve {

// Trims the lasting topics, at times up to their end.
class Trimmer : public Worker {
 public:
  explicit Trimmer(const Place& place) : Worker(place) {}

  bool Step(LogStore& store) override;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_TRIMMER_H_
