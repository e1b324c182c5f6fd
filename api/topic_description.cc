// SPDX-License-Identifier: Apache-2.0

#include "varve/api/topic_description.h"

#include "varve/log/metadata/topic_name.h"

namespace varve {

bool TopicDescription::is_internal() const { return IsInternalTopicName(name); }

}  // namespace varve
