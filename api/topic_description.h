// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPIC_DESCRIPTION_H_
#define VARVE_API_TOPIC_DESCRIPTION_H_

#include <string>

#include "api/topic_config.h"
#include "log/topic_id.h"

namespace varve {

// A topic, as its store has it.
struct TopicDescription {
  std::string name;
  TopicId id;
  TopicConfig config;
};

}  // namespace varve

#endif  // VARVE_API_TOPIC_DESCRIPTION_H_
