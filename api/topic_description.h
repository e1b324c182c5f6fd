// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPIC_DESCRIPTION_H_
#define VARVE_API_TOPIC_DESCRIPTION_H_

#include <string>

#include "varve/api/topic_config.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

// A topic, as its store has it.
struct TopicDescription {
  std::string name;
  TopicId id;
  TopicConfig config;

  // Whether it is the store's own: __consumer_offsets, which keeps the offsets
  // that groups commit.
  bool is_internal() const;
};

}  // namespace varve

#endif  // VARVE_API_TOPIC_DESCRIPTION_H_
