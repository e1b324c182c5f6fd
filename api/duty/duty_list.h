// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_DUTY_LIST_H_
#define VARVE_API_DUTY_DUTY_LIST_H_

#include <algorithm>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "varve/api/duty/duty.h"

namespace varve {

// Several duties that take turns on one thread, in the order they were added.
//
// Thread safety: as Duty; `Add` before the first `Run`.
class DutyList final : public Duty {
 public:
  void Add(std::unique_ptr<Duty> duty) { duties_.push_back(std::move(duty)); }

  absl::Time Run(const std::stop_token& stop) override {
    absl::Time due = absl::InfiniteFuture();
    for (const std::unique_ptr<Duty>& duty : duties_) {
      if (stop.stop_requested()) break;
      due = std::min(due, duty->Run(stop));
    }
    return due;
  }

  void Finish() override {
    for (const std::unique_ptr<Duty>& duty : duties_) duty->Finish();
  }

 private:
  std::vector<std::unique_ptr<Duty>> duties_;
};

}  // namespace varve

#endif  // VARVE_API_DUTY_DUTY_LIST_H_
