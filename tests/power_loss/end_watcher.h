// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_END_WATCHER_H_
#define VARVE_TESTS_POWER_LOSS_END_WATCHER_H_

#include <cstdint>
#include <map>
#include <utility>

#include "tests/power_loss/worker.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/topic_description.h"

namespace varve {

// Notes the durable ends that the store reports, and syncs now and then.
class EndWatcher : public Worker {
 public:
  explicit EndWatcher(const Place& place) : Worker(place) {}

  bool Step(LogStore& store) override;

  // After a Close that has succeeded everything is durable.
  void NoteAll();

 private:
  bool Look(const TopicDescription& topic, Partition& partition);
  void NoteEnd(const TopicDescription& topic, int32_t partition, int64_t end);

  // The ends noted last, by instance and partition.
  std::map<std::pair<int32_t, int32_t>, int64_t> ends_;
  // The handles of the open store: after its Close it gives none out.
  std::map<std::pair<int32_t, int32_t>, std::pair<TopicDescription, Partition>>
      seen_;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_END_WATCHER_H_
