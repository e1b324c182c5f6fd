// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CATALOG_STORED_CATALOG_H_
#define VARVE_API_CATALOG_STORED_CATALOG_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The catalog of an open store, in memory and as the file varve.topics.
//
// Thread safety: thread-safe. Looking something up waits for no change on disk.
// Changes are made by one thread at a time. No other lock is taken while its
// lock is held.
class StoredCatalog {
 public:
  StoredCatalog(std::shared_ptr<Directory> directory, TopicCatalog catalog)
      : directory_(std::move(directory)), catalog_(std::move(catalog)) {}

  TopicCatalog Get() const;
  std::vector<Topic> topics() const;
  std::vector<DeletedTopic> deleted() const;
  // Errors: NotFound; the message names the topics there are.
  absl::StatusOr<Topic> FindTopic(std::string_view name) const;
  // These are TopicCatalog's.
  std::string NameOf(TopicId id) const;
  TopicId IdOf(std::string_view name) const;
  bool IsForgetting(std::string_view name, TopicId id) const;

  // Replaces the file, durably, and then what is in memory.
  //
  // Errors: file errors (log/system/errno_status.h). Nothing has changed then,
  // unless `in_doubt`.
  absl::Status Commit(TopicCatalog next);

  // Changes memory alone: the next commit writes the file.
  void Set(TopicCatalog next);

  // Whether the file may hold a change that failed.
  bool in_doubt() const;
  // Whether the file differs from what was set in memory.
  bool is_behind() const;

 private:
  absl::Status PutBack(const absl::Status& failure);
  void SetInDoubt(bool in_doubt);

  const std::shared_ptr<Directory> directory_;

  mutable absl::Mutex mu_;
  TopicCatalog catalog_ ABSL_GUARDED_BY(mu_);
  bool is_behind_ ABSL_GUARDED_BY(mu_) = false;
  bool in_doubt_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace varve

#endif  // VARVE_API_CATALOG_STORED_CATALOG_H_
