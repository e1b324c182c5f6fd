// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_SESSION_H_
#define VARVE_TESTS_POWER_LOSS_SESSION_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/power_loss/end_watcher.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/topic_changer.h"
#include "tests/power_loss/worker.h"
#include "varve/api/log_store.h"

namespace varve {

// The work of one process on a store until its power is cut: everything at
// once, and now and then a Close and a new Open.
class Session {
 public:
  struct Options {
    std::string store_path;
    int32_t number = 1;  // from 1 on, of those of this store
    uint64_t seed = 0;
  };

  // `notes` gets a record of the work.
  Session(const Options& options, NoteFile& notes);

  // The window of kInterval in the nth session.
  static absl::Duration WindowOf(int32_t number) {
    return absl::Milliseconds(20 + number * 37 % 200);
  }

  // Works until a call fails: because the power was cut, or something is wrong.
  void Run();

 private:
  // False when one of the threads has stopped.
  bool WorkFor(LogStore& store, int64_t ms);
  bool Failed(const absl::Status& status);

  const Options options_;
  NoteFile& notes_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Worker>> workers_;
  EndWatcher* watcher_;    // one of them
  TopicChanger* changer_;  // another
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_SESSION_H_
