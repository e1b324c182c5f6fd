// SPDX-License-Identifier: Apache-2.0

#include "varve/api/backup/copied_catalog.h"

#include <set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

// Adds deleted topics, each once, to a catalog without others.
class DeletedTopics {
 public:
  explicit DeletedTopics(TopicCatalog& catalog) : catalog_(catalog) {}

  absl::Status Add(const Topic& topic) {
    if (!added_.insert(topic.id).second) return absl::OkStatus();
    absl::Status status = catalog_.Add(topic);
    return status.ok() ? catalog_.Remove(topic.name).status() : status;
  }

 private:
  TopicCatalog& catalog_;
  std::set<TopicId> added_;
};

}  // namespace

absl::StatusOr<TopicCatalog> CopiedCatalog(const SeenTopics& seen) {
  TopicCatalog catalog;
  DeletedTopics deleted(catalog);
  for (const TopicCatalog* from : {&seen.before, &seen.after}) {
    for (const DeletedTopic& topic : from->deleted()) {
      absl::Status status = deleted.Add(topic.topic);
      if (!status.ok()) return status;
    }
    for (const Topic& topic : from->topics()) {
      if (seen.copied.contains(topic.id)) continue;
      absl::Status status = deleted.Add(topic);
      if (!status.ok()) return status;
    }
  }
  for (const Topic& topic : seen.after.topics()) {
    if (!seen.copied.contains(topic.id)) continue;
    absl::Status status = catalog.Add(topic);
    if (!status.ok()) return status;
  }
  return catalog;
}

}  // namespace varve
