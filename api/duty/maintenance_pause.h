// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_MAINTENANCE_PAUSE_H_
#define VARVE_API_DUTY_MAINTENANCE_PAUSE_H_

#include <memory>

namespace varve {

class MaintenanceGate;

// As long as one of these lives, its store's background and RunMaintenance
// neither delete by retention or a limit of size, nor compact, nor remove the
// files of deleted topics: for a time in which the disk is to be left alone, or
// to look at files that must not go. What falls due meanwhile is done after it.
// A Close meanwhile leaves retention and compaction to the next process.
//
// Syncs, checkpoints and metrics go on. So does what the program asks for:
// TrimBefore, CompactTopic; and an append that finds its partition two segments
// beyond retention.bytes deletes these. The disk can run full: nothing makes
// room below StoreOptions::free_space_resume_bytes either.
//
// One that was default-constructed or moved from pauses nothing. It may outlive
// the store.
//
// Thread safety: externally synchronized; several pauses may overlap.
class [[nodiscard]] MaintenancePause {
 public:
  MaintenancePause() = default;
  MaintenancePause(MaintenancePause&& other) noexcept = default;
  MaintenancePause& operator=(MaintenancePause&& other) noexcept;
  ~MaintenancePause() { Resume(); }

  // Ends the pause before the object's end. Idempotent.
  void Resume();

 private:
  friend class LogStore;

  // Waits for what is under way.
  explicit MaintenancePause(std::shared_ptr<MaintenanceGate> gate);

  std::shared_ptr<MaintenanceGate> gate_;  // null: it pauses nothing
};

}  // namespace varve

#endif  // VARVE_API_DUTY_MAINTENANCE_PAUSE_H_
