// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_COMPACTION_DUTY_H_
#define VARVE_API_STORE_COMPACTION_DUTY_H_

#include <memory>
#include <stop_token>

#include "absl/time/time.h"
#include "varve/api/compaction/compaction_pass.h"
#include "varve/api/duty/duty.h"
#include "varve/log/system/clock.h"

namespace varve {

// Compacts what is due, from time to time. It shares the thread of lowest
// priority with other duties, which are done whenever they are due, also
// between two pieces of a compaction: deleting what is too old never waits for
// a long one.
//
// When the store closes, a compaction is stopped, and nothing is lost: the next
// process goes on.
//
// Borrows the pass and the clock, which must outlive it.
//
// Thread safety: as Duty.
class CompactionDuty final : public Duty {
 public:
  struct Options {
    absl::Duration check_interval = absl::Seconds(15);
    // How often it looks when no topic is compacted.
    absl::Duration idle_interval = absl::Minutes(5);
  };

  CompactionDuty(CompactionPass* pass, std::unique_ptr<Duty> others,
                 Clock* clock, const Options& options);

  absl::Time Run(const std::stop_token& stop) override;
  void Finish() override { others_->Finish(); }

 private:
  bool Wait(absl::Duration time, const std::stop_token& stop);
  void RunOthers(const std::stop_token& stop);

  // Constant after construction.
  CompactionPass* const pass_;
  const std::unique_ptr<Duty> others_;
  Clock* const clock_;
  const Options options_;

  // Used by `Run` alone.
  absl::Time due_;
  absl::Time others_due_;
  absl::Time others_ran_at_;
};

}  // namespace varve

#endif  // VARVE_API_STORE_COMPACTION_DUTY_H_
