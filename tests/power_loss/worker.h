// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_WORKER_H_
#define VARVE_TESTS_POWER_LOSS_WORKER_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

#include "absl/status/status.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/note_file.h"
#include "varve/api/log_store.h"

namespace varve {

// One thread's part of a session: it works on the store step by step, and notes
// its requests and the store's answers. It outlives the store, which is opened
// again and again.
//
// Thread safety: externally synchronized.
class Worker {
 public:
  // The parameters of a worker.
  struct Place {
    NoteFile& notes;
    size_t thread = 0;    // whose page it writes
    int32_t session = 0;  // of all that wrote this store, from 1 on
    uint64_t seed = 0;    // of the campaign
  };

  explicit Worker(const Place& place)
      : place_(place),
        random_(place.seed * 1'000'003 +
                static_cast<uint64_t>(place.session) * 101 + place.thread) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  virtual ~Worker() = default;

  // Does a little, and rests as long as it likes. Returns false when a call has
  // failed: the power was cut, or there is a fault, which is noted. It is not
  // called any more then.
  virtual bool Step(LogStore& store) = 0;

  bool is_full() const { return place_.notes.is_full(place_.thread); }

 protected:
  void Write(const Note& note) { place_.notes.Write(place_.thread, note); }
  // Whether a call has succeeded; one that has not is noted, and logged.
  bool Succeeded(const absl::Status& status, std::string_view what);

  uint64_t Random() { return random_(); }
  bool OneIn(uint64_t count) { return random_() % count == 0; }
  void Rest(int64_t most_us);

  const Place place_;

 private:
  std::mt19937_64 random_;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_WORKER_H_
