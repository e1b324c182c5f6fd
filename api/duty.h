// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_H_
#define VARVE_API_DUTY_H_

#include <stop_token>

#include "absl/time/time.h"

namespace varve {

// What a store has to do in the background, one kind of it: it is done when it
// is due, by a thread of the store's or by one that the program lends it.
//
// Thread safety: one thread at a time, not always the same one; DutyThread sees
// to that.
class Duty {
 public:
  virtual ~Duty() = default;

  // Does all that is due, and returns when something will be next, by
  // `Clock::Steady`; InfiniteFuture when only its bell can tell. Between two
  // pieces of work it looks at `stop`, and returns early when asked to.
  //
  // Errors: its own to report; there is nobody who could return them. May throw
  // std::bad_alloc: what was due and is not done is due still.
  virtual absl::Time Run(const std::stop_token& stop) = 0;

  // Does what is due and must not wait for the store's next process. Called
  // once, when the store closes and `Run` is not called any more.
  virtual void Finish() {}
};

}  // namespace varve

#endif  // VARVE_API_DUTY_H_
