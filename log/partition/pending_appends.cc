// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/pending_appends.h"

#include <atomic>
#include <iterator>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/partition/append_callback.h"
#include "varve/log/partition/append_completion.h"
#include "varve/log/partition/append_result.h"

namespace varve {

// It counts itself before the test, so that threads at the limit may refuse one
// too many, but never let one too many in.
absl::StatusOr<AppendCompletions> PendingAppends::Make(
    AppendCallback callback) const {
  CHECK(callback != nullptr) << path_;
  AppendCompletions made;
  made.emplace_back(std::move(callback), outstanding_);
  if (outstanding_->load(std::memory_order_relaxed) <= kPendingAppendsMax)
    return made;
  return absl::ResourceExhaustedError(
      absl::StrCat(path_, ": ", kPendingAppendsMax,
                   " appends wait for their callbacks; append again when some "
                   "were called"));
}

void PendingAppends::Add(AppendCompletions made, const AppendResult& result) {
  log_mu_->AssertHeld();
  CHECK_EQ(std::ssize(made), 1);
  made.front().set_result(result);
  meters_->waiters.Add(1);
  const bool is_first = waiting_.empty();
  waiting_.splice(waiting_.end(), made);
  if (is_first) listener_->SyncWanted();
}

void PendingAppends::BeginSync() {
  log_mu_->AssertHeld();
  CHECK(syncing_.empty()) << path_;
  syncing_.swap(waiting_);
}

void PendingAppends::EndSync() {
  log_mu_->AssertHeld();
  if (syncing_.empty()) return;
  meters_->NoteWaits(absl::OkStatus(), std::ssize(syncing_));
  AppendCompletions durable;
  durable.swap(syncing_);
  listener_->AppendsCompleted(std::move(durable));
}

void PendingAppends::GiveUpSync() {
  log_mu_->AssertHeld();
  waiting_.splice(waiting_.begin(), syncing_);
}

void PendingAppends::Fail(const absl::Status& status) {
  log_mu_->AssertHeld();
  CHECK(!status.ok()) << path_;
  GiveUpSync();
  if (waiting_.empty()) return;
  meters_->NoteWaits(status, std::ssize(waiting_));
  AppendCompletions failed;
  failed.swap(waiting_);
  for (AppendCompletion& append : failed) append.set_result(status);
  listener_->AppendsCompleted(std::move(failed));
}

}  // namespace varve
