// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_UNFINISHED_DELETION_H_
#define VARVE_API_UNFINISHED_DELETION_H_

#include <string>

#include "varve/log/metadata/topic_id.h"

namespace varve {

// A topic that was deleted, and what of it is still to be removed: that failed,
// for want of disk space for example, or a crash came between. It does no harm,
// not even to a new topic of this name, but it takes space.
struct UnfinishedDeletion {
  std::string topic;
  TopicId topic_id;
  // Whether directories do not yet have the names under which they wait to be
  // removed.
  bool has_directories = false;
  // Whether offsets that groups have committed for it are left.
  bool has_offsets = false;
};

}  // namespace varve

#endif  // VARVE_API_UNFINISHED_DELETION_H_
