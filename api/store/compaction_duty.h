// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_COMPACTION_DUTY_H_
#define VARVE_API_STORE_COMPACTION_DUTY_H_

#include <memory>
#include <stop_token>

#include "absl/time/time.h"
#include "varve/api/compaction/compaction_pass.h"
#include "varve/api/duty/duty.h"
#include "varve/api/duty/maintenance_gate.h"
#include "varve/log/system/clock.h"

namespace varve {

// Compacts what is due, from time to time. It shares the thread of lowest
// priority with other duties, which are done whenever they are due, also
// between two pieces of a compaction: deleting what is too old never waits for
// a long one.
//
// When the store closes, or its maintenance is paused, a compaction is stopped,
// and nothing is lost: the next one goes on. A close then does what is due and
// small.
//
// Borrows the pass, the gate and the clock, which must outlive it.
//
// Thread safety: as Duty.
class CompactionDuty final : public Duty {
 public:
  // When a segment of a topic that is compacted was sealed, the next look is
  // due in this part of the interval: what is written fast piles up otherwise.
  static constexpr int kSealedPart = 15;

  struct Options {
    absl::Duration check_interval = absl::Seconds(15);
    // How often it looks when no topic is compacted.
    absl::Duration idle_interval = absl::Minutes(5);
  };

  CompactionDuty(CompactionPass* pass, MaintenanceGate* gate,
                 std::unique_ptr<Duty> others, Clock* clock,
                 const Options& options);

  absl::Time Run(const std::stop_token& stop) override;
  void Finish() override;

 private:
  void Compact(const std::stop_token& stop);
  bool Wait(absl::Duration time, const std::stop_token& stop);
  void RunOthers(const std::stop_token& stop);

  // Constant after construction.
  CompactionPass* const pass_;
  MaintenanceGate* const gate_;
  const std::unique_ptr<Duty> others_;
  Clock* const clock_;
  const Options options_;

  // Used by `Run` alone.
  absl::Time due_;
  absl::Time ended_at_;  // of the last pass; before the first one, the open
  absl::Time others_due_;
  absl::Time others_ran_at_;
};

}  // namespace varve

#endif  // VARVE_API_STORE_COMPACTION_DUTY_H_
