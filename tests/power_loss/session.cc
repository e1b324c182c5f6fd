// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/session.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/power_loss/appender.h"
#include "tests/power_loss/committer.h"
#include "tests/power_loss/end_watcher.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/topic_changer.h"
#include "tests/power_loss/trimmer.h"
#include "tests/power_loss/worker.h"
#include "varve/api/log_store.h"
#include "varve/api/store_options.h"

namespace varve {
namespace {

constexpr size_t kAppenders = 4;

}  // namespace

Session::Session(const Options& options, NoteFile& notes)
    : options_(options),
      notes_(notes),
      random_(options.seed + static_cast<uint64_t>(options.number)) {
  // Page 0 is this object's own.
  size_t thread = 0;
  const auto place = [&] {
    return Worker::Place{.notes = notes,
                         .thread = ++thread,
                         .session = options.number,
                         .seed = options.seed};
  };
  for (size_t i = 0; i < kAppenders; ++i) {
    workers_.push_back(std::make_unique<Appender>(place()));
  }
  workers_.push_back(std::make_unique<Trimmer>(place()));
  workers_.push_back(std::make_unique<Committer>(place()));
  auto watcher = std::make_unique<EndWatcher>(place());
  watcher_ = watcher.get();
  workers_.push_back(std::move(watcher));
  auto changer = std::make_unique<TopicChanger>(place());
  changer_ = changer.get();
  workers_.push_back(std::move(changer));
}

void Session::Run() {
  while (true) {
    absl::StatusOr<std::unique_ptr<LogStore>> store =
        LogStore::Open(options_.store_path,
                       {.sync_interval = WindowOf(options_.number),
                        .compaction_check_interval = absl::Milliseconds(10),
                        .metrics_interval = absl::Milliseconds(100)});
    if (Failed(store.status()) || !changer_->Begin(**store)) return;
    notes_.NoteOpened();
    if (!WorkFor(**store, 100 + static_cast<int64_t>(random_() % 1500)) ||
        Failed((*store)->Close()))
      return;
    watcher_->NoteAll();
  }
}

bool Session::WorkFor(LogStore& store, int64_t ms) {
  std::atomic<bool> stopping = false;
  std::atomic<bool> all_well = true;
  std::vector<std::thread> threads;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    threads.emplace_back([&stopping, &all_well, &store, &worker] {
      while (!stopping && !worker->is_full()) {
        if (worker->Step(store)) continue;
        all_well = false;
        return;
      }
    });
  }
  absl::SleepFor(absl::Milliseconds(ms));
  stopping = true;
  for (std::thread& thread : threads) thread.join();
  return all_well;
}

bool Session::Failed(const absl::Status& status) {
  if (status.ok()) return false;
  notes_.Write(0, {.kind = NoteKind::kFailure,
                   .value = static_cast<int64_t>(status.code())});
  LOG(ERROR) << "the store: " << status;
  return true;
}

}  // namespace varve
