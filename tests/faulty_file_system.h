// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_FAULTY_FILE_SYSTEM_H_
#define VARVE_TESTS_FAULTY_FILE_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "log/file_system.h"
#include "log/file_system_type.h"

namespace varve {

// A file system for tests: it passes every call on to another one, records it,
// and fails those it was told to. A call that fails is not passed on, so it has
// no effect. To fail each call of an operation in its turn:
//
//   for (int64_t i = 0;; ++i) {
//     FaultyFileSystem files;
//     files.FailCall(i, EIO, FaultyFileSystem::Repeat::kOnce);
//     ... the operation, with `files` ...
//     if (files.call_count() <= i) break;  // it has no call i
//   }
//
// It must outlive everything that was opened with it, but for the unmapping of
// mappings.
//
// Thread safety: thread-safe.
class FaultyFileSystem final : public FileSystem {
 public:
  enum class Repeat { kOnce, kForever };

  explicit FaultyFileSystem(FileSystem* base = FileSystem::Posix());
  ~FaultyFileSystem() override;

  // Fails call `number`, counted from 0, and with kForever all behind it.
  void FailCall(int64_t number, int error, Repeat repeat);

  // Fails the next call, or all, whose recorded text begins with `prefix`: of a
  // kind ("File::Sync"), or of one file too ("File::Sync /tmp/a/x").
  void FailCallsNamed(std::string_view prefix, int error, Repeat repeat);

  // Holds the next call whose recorded text begins with `prefix`, before it has
  // any effect, until `LetGo`; other calls pass. `AwaitHeld` returns when there
  // is one.
  void HoldCallNamed(std::string_view prefix);
  void AwaitHeld();
  void LetGo();

  // Ends the process with SIGKILL at call `number`, counted from 0, before it
  // has any effect. For a fork'ed child.
  void KillAt(int64_t number);

  // The end of failures and kills.
  void StopFailing();

  // Has `action` run once, in the thread of the call, before the next call
  // whose recorded text begins with `prefix` has any effect. It may make calls
  // of its own in another thread, and wait for them. Or before call `number`,
  // counted from 0.
  void RunBefore(std::string_view prefix, std::function<void()> action);
  void RunBefore(int64_t number, std::function<void()> action);

  // From now on files may grow by `bytes` in total, through Allocate, WriteAt
  // and Truncate, before these fail with ENOSPC; what is cut and removed counts
  // back. Another call replaces the limit: this is how a disk gets room again.
  // Growth in another way, and metadata, are free.
  void LimitSpace(int64_t bytes);
  void UnlimitSpace();

  // From now on every directory says that it is on one of this type.
  void PretendType(FileSystemType type);
  std::optional<FileSystemType> type() const;

  // From now on the disk holds `bytes` of the file `path`, whatever the cache
  // shows: the sync of what was written failed. File::DropCache brings it out.
  void PretendDisk(const std::string& path, std::string bytes);

  // Calls so far, failed ones included: "CLASS::METHOD PATH", such as
  // "Directory::Rename /tmp/a/x.tmp", in order.
  int64_t call_count() const;
  std::vector<std::string> calls() const;

  // Counts and records from the start again.
  void ForgetCalls();

  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      const std::string& path) override;
  absl::Status CreateDirectories(const std::string& path) override;

  // Held shared while a call is passed on. Whoever holds it alone sees files
  // that no call is changing: what a process that is killed now leaves.
  absl::Mutex& calls_under_way() { return calls_under_way_; }

  // For the files and directories of this file system.

  // Records a call. The error when it has to fail.
  absl::Status Enter(std::string_view call, std::string_view path);
  // Takes `bytes` of the space left, or gives them back when negative.
  absl::Status TakeSpace(int64_t bytes, std::string_view call,
                         std::string_view path);
  bool space_is_limited() const;
  // What the file gets when its cache is dropped; nothing: what it has.
  std::optional<std::string> TakeDisk(const std::string& path);

 private:
  struct Fault {
    int64_t number = -1;  // or, when negative,
    std::string prefix = {};
    int error = 0;
    Repeat repeat = Repeat::kOnce;
  };

  void RunActionBefore(std::string_view text);
  static bool Hits(const Fault& fault, int64_t number, std::string_view text);

  FileSystem* const base_;
  absl::Mutex calls_under_way_ ABSL_ACQUIRED_BEFORE(mutex_);
  mutable absl::Mutex mutex_;
  std::vector<std::string> calls_ ABSL_GUARDED_BY(mutex_);
  std::vector<Fault> faults_ ABSL_GUARDED_BY(mutex_);
  std::optional<int64_t> space_left_ ABSL_GUARDED_BY(mutex_);
  std::optional<FileSystemType> type_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> disks_ ABSL_GUARDED_BY(mutex_);
  int64_t kill_at_ ABSL_GUARDED_BY(mutex_) = -1;
  std::string hold_prefix_ ABSL_GUARDED_BY(mutex_);  // empty: none
  bool is_held_ ABSL_GUARDED_BY(mutex_) = false;
  // The call before which `action_` runs: by its number, or by its text.
  int64_t action_number_ ABSL_GUARDED_BY(mutex_) = -1;
  std::string action_prefix_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> action_ ABSL_GUARDED_BY(mutex_);  // null: none
};

}  // namespace varve

#endif  // VARVE_TESTS_FAULTY_FILE_SYSTEM_H_
