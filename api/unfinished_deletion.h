// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_UNFINISHED_DELETION_H_
#define VARVE_API_UNFINISHED_DELETION_H_

#include <string>

#include "log/topic_id.h"

namespace varve {

// A topic that was deleted, and what of it is still to go: it could not be
// removed, for want of disk space for example, or a crash came between. It does
// no harm, to a new topic of this name neither, but it takes space.
struct UnfinishedDeletion {
  std::string topic;
  TopicId topic_id;
  // Directories have not got the names yet under which they wait to be removed.
  bool has_directories = false;
  // What groups have committed for it.
  bool has_offsets = false;
};

}  // namespace varve

#endif  // VARVE_API_UNFINISHED_DELETION_H_
