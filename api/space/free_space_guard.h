// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_SPACE_FREE_SPACE_GUARD_H_
#define VARVE_API_SPACE_FREE_SPACE_GUARD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/store_options.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Keeps a store's appends from using up the last of the disk. It has two marks,
// so that it does not change its mind with every block:
//
//   | free bytes                         | appends that need disk blocks      |
//   |------------------------------------|------------------------------------|
//   | would be below the floor           | are refused from now on            |
//   | between the marks                  | as before: taken, or refused       |
//   | at the resume mark, or above       | are taken from now on              |
//
// Below the resume mark it asks for retention before its time: when the space
// comes to be below, when it begins to refuse, and every kRetentionAgain while
// it refuses.
//
// Free bytes are asked for (statfs) by `Look`; and by an allocation, when what
// was allocated since the last look exceeds an eighth of what was left above
// the floor then, or kUnseenMax; when the disk itself is full; or while appends
// are refused, every kLookAgain. So no more is allocated than the floor allows,
// however many threads do it; but other programs write to the disk as well.
//
// Blocks are allocated in steps of up to kStepMax, and the first step that does
// not fit begins the refusal: appends may stop by so much above the floor. An
// allocation larger than that is refused alone if a step would fit.
//
// Thread safety: thread-safe. Its lock is an innermost one, but for the bell
// that `wake` rings; a look is made with it held.
class FreeSpaceGuard {
 public:
  static constexpr int64_t kStepMax = int64_t{16} << 20;
  static constexpr int64_t kUnseenMax = int64_t{64} << 20;
  static constexpr absl::Duration kLookAgain = absl::Milliseconds(100);
  static constexpr absl::Duration kRetentionAgain = absl::Seconds(10);
  // Changes that nobody has taken, at most; then the oldest two go, which undo
  // each other.
  static constexpr size_t kChangesMax = 64;

  struct Marks {
    int64_t floor_bytes = 0;
    int64_t resume_bytes = 0;

    // Those of the options, whose floor is set.
    static Marks Of(const StoreOptions& options);
  };

  // Looks at the disk that the directory is on. Borrows the clock, which must
  // outlive it.
  FreeSpaceGuard(std::shared_ptr<Directory> directory, const Marks& marks,
                 Clock* clock);

  FreeSpaceGuard(const FreeSpaceGuard&) = delete;
  FreeSpaceGuard& operator=(const FreeSpaceGuard&) = delete;

  // Has `wake` called, with the lock held, when the changes or the wish for
  // retention are to be taken before their time.
  void SetWake(std::function<void()> wake) ABSL_LOCKS_EXCLUDED(mu_);

  // Makes the call, which takes so many bytes of the disk for the file `path`,
  // or refuses to. Where free bytes cannot be asked for it makes it.
  //
  // Errors: SpaceRefusalError, with the path, what is free, the floor, and the
  // way out; those of the call.
  struct Request {
    std::string_view path;
    int64_t bytes = 0;
  };
  absl::Status Allocate(const Request& request,
                        absl::FunctionRef<absl::Status()> call)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Asks for the free bytes, and decides. Errors: those of
  // Directory::FreeBytes; nothing has changed then.
  absl::Status Look() ABSL_LOCKS_EXCLUDED(mu_);

  // The changes since the last call, in order.
  std::vector<FreeSpaceChange> TakeChanges() ABSL_LOCKS_EXCLUDED(mu_);

  // Whether retention is to run before its time; resets itself.
  bool TakeRetentionWanted() ABSL_LOCKS_EXCLUDED(mu_);
  // Undoes that, for a retention that was stopped.
  void WantRetention() ABSL_LOCKS_EXCLUDED(mu_);

  // What the last look has found and decided.
  struct State {
    int64_t free_bytes = 0;
    bool is_low = false;  // below the resume mark
    bool refuses = false;
  };
  State state() const ABSL_LOCKS_EXCLUDED(mu_);
  const Marks& marks() const { return marks_; }
  const std::string& path() const { return directory_->path(); }

 private:
  absl::Status Admit(const Request& request) ABSL_LOCKS_EXCLUDED(mu_);
  void EndOf(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status LookLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsLookDue(int64_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Fits(int64_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Refuse(int64_t step_bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Resume() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AddChange(FreeSpaceChange::Kind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status RefusalOf(const Request& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const std::shared_ptr<Directory> directory_;
  const Marks marks_;
  Clock* const clock_;

  mutable absl::Mutex mu_;
  std::function<void()> wake_ ABSL_GUARDED_BY(mu_) = [] {};
  bool is_known_ ABSL_GUARDED_BY(mu_) = false;  // whether a look succeeded
  int64_t free_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // Bytes that allocations took since that look, or were taking during it.
  int64_t taken_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t under_way_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // What may still be allocated before the next look.
  int64_t unseen_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Time looked_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();

  bool is_low_ ABSL_GUARDED_BY(mu_) = false;
  bool refuses_ ABSL_GUARDED_BY(mu_) = false;
  // What has to be free before appends go on: the resume mark, or as much as
  // the step that did not fit needs, so that this one ends no refusal and
  // begins the next at once.
  int64_t resume_at_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool retention_wanted_ ABSL_GUARDED_BY(mu_) = false;
  absl::Time retention_again_at_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();
  std::vector<FreeSpaceChange> changes_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_SPACE_FREE_SPACE_GUARD_H_
