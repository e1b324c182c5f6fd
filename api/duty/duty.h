// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_DUTY_H_
#define VARVE_API_DUTY_DUTY_H_

#include <stop_token>

#include "absl/time/time.h"

namespace varve {

// One kind of a store's background work. It is done when it is due, by a thread
// of the store or by one that the program lends it.
//
// Thread safety: one thread at a time, not always the same one; DutyThread sees
// to that.
class Duty {
 public:
  virtual ~Duty() = default;

  // Does all that is due, and returns when something will be due next, by
  // `Clock::Steady`; InfiniteFuture when only its bell will say so. Between two
  // pieces of work it looks at `stop`, and returns early when asked to.
  //
  // Errors: it reports them itself, since it has no caller to return them to.
  // May throw std::bad_alloc: work that was due and is not done is still due.
  virtual absl::Time Run(const std::stop_token& stop) = 0;

  // Does what is due and must not wait for the store's next process. Called
  // once, when the store closes and `Run` is not called any more.
  virtual void Finish() {}
};

}  // namespace varve

#endif  // VARVE_API_DUTY_DUTY_H_
