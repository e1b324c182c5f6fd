// SPDX-License-Identifier: Apache-2.0

#include "varve/api/catalog/stored_catalog.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

TopicCatalog StoredCatalog::Get() const {
  absl::MutexLock lock(&mu_);
  return catalog_;
}

std::vector<Topic> StoredCatalog::topics() const {
  absl::MutexLock lock(&mu_);
  return catalog_.topics();
}

std::vector<DeletedTopic> StoredCatalog::deleted() const {
  absl::MutexLock lock(&mu_);
  return catalog_.deleted();
}

absl::StatusOr<Topic> StoredCatalog::FindTopic(std::string_view name) const {
  absl::MutexLock lock(&mu_);
  absl::StatusOr<const Topic*> topic = catalog_.Get(name);
  if (!topic.ok()) return topic.status();
  return **topic;
}

std::string StoredCatalog::NameOf(TopicId id) const {
  absl::MutexLock lock(&mu_);
  return catalog_.NameOf(id);
}

TopicId StoredCatalog::IdOf(std::string_view name) const {
  absl::MutexLock lock(&mu_);
  return catalog_.IdOf(name);
}

bool StoredCatalog::IsForgetting(std::string_view name, TopicId id) const {
  absl::MutexLock lock(&mu_);
  return catalog_.IsForgetting(name, id);
}

absl::Status StoredCatalog::Commit(TopicCatalog next) {
  absl::Status status = WriteTopicCatalog(*directory_, next);
  SetInDoubt(false);
  if (!status.ok()) return PutBack(status);
  absl::MutexLock lock(&mu_);
  catalog_ = std::move(next);
  is_behind_ = false;
  return status;
}

void StoredCatalog::Set(TopicCatalog next) {
  absl::MutexLock lock(&mu_);
  if (next.ToText() != catalog_.ToText()) is_behind_ = true;
  catalog_ = std::move(next);
}

bool StoredCatalog::in_doubt() const {
  absl::MutexLock lock(&mu_);
  return in_doubt_;
}

void StoredCatalog::SetInDoubt(bool in_doubt) {
  absl::MutexLock lock(&mu_);
  in_doubt_ = in_doubt;
}

bool StoredCatalog::is_behind() const {
  absl::MutexLock lock(&mu_);
  return is_behind_;
}

// The new file may be in its place, and only the sync of the directory have
// failed: then the old contents are written back, so that the failed change
// does not take effect at the next open.
absl::Status StoredCatalog::PutBack(const absl::Status& failure) {
  const TopicCatalog before = Get();
  absl::StatusOr<TopicCatalog> there = ReadTopicCatalog(*directory_);
  if (there.ok() && there->ToText() == before.ToText()) return failure;
  absl::Status status = WriteTopicCatalog(*directory_, before);
  if (status.ok()) return failure;
  SetInDoubt(true);
  return absl::Status(
      failure.code(),
      absl::StrCat(failure.message(),
                   "; the change may be there when the store is opened anew, "
                   "since it could not be taken back: ",
                   status.message()));
}

}  // namespace varve
