// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_TOPIC_CHANGER_H_
#define VARVE_TESTS_POWER_LOSS_TOPIC_CHANGER_H_

#include <cstdint>

#include "tests/power_loss/appender.h"
#include "varve/api/log_store.h"
#include "varve/api/topic_description.h"

namespace varve {

// Works on topics of its own, and on those that the session before it left: it
// creates, fills, alters, widens, commits for and deletes them, and makes new
// ones of their names. The lasting topics it creates once, alters and widens.
class TopicChanger : public Appender {
 public:
  explicit TopicChanger(const Place& place) : Appender(place) {}

  // Creates the lasting topics. Call it before anything else works on the
  // store.
  bool Begin(LogStore& store);
  bool Step(LogStore& store) override;

  // The group that commits for the passing topics.
  static constexpr int32_t kGroup = 100;

 private:
  bool Create(LogStore& store, int32_t name);
  bool Delete(LogStore& store, const TopicDescription& topic);
  bool Alter(LogStore& store, const TopicDescription& topic);
  bool Widen(LogStore& store, const TopicDescription& topic);
  bool Fill(LogStore& store, const TopicDescription& topic);
  bool Commit(LogStore& store, const TopicDescription& topic);

  int32_t instances_ = 0;
  int64_t alterations_ = 0;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_TOPIC_CHANGER_H_
