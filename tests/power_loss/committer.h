// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_COMMITTER_H_
#define VARVE_TESTS_POWER_LOSS_COMMITTER_H_

#include <cstdint>

#include "tests/power_loss/note.h"
#include "tests/power_loss/worker.h"
#include "varve/api/log_store.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/durability.h"

namespace varve {

// Commits offsets of some groups for the lasting topics, never a lower one: so
// an offset that is found lies between the last one that had to survive and the
// last one that was asked for. One group is deleted now and then.
class Committer : public Worker {
 public:
  explicit Committer(const Place& place) : Worker(place) {}

  bool Step(LogStore& store) override;

  static constexpr int32_t kGroups = 3;         // 0 commits by kSynced alone
  static constexpr int32_t kFleetingGroup = 2;  // the one that is deleted
  // Its commits are of partitions 0 and 1 at once, with the same metadata.
  static constexpr int32_t kPairGroup = 200;

 private:
  bool Commit(LogStore& store, int32_t group, const TopicDescription& topic);
  bool CommitPair(LogStore& store, const TopicDescription& topic);
  bool DeleteFleeting(LogStore& store, const TopicDescription& topic);
  Durability Level(int32_t group);

  int64_t pairs_ = 0;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_COMMITTER_H_
