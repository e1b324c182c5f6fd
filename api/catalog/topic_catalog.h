// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CATALOG_TOPIC_CATALOG_H_
#define VARVE_API_CATALOG_TOPIC_CATALOG_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/topic_config.h"
#include "varve/log/metadata/hosted_partitions.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/segment/batch_scanner.h"

namespace varve {

struct Topic {
  std::string name;
  TopicId id;
  TopicConfig config;
  // kGapsAllowed: cleanup.policy was one that compacts, and is not any more.
  // Records that were compacted then have gaps for ever.
  Continuity history = Continuity::kExact;
  // Which of its partitions there are; no file says so.
  HostedPartitions hosted = {};

  // Whether it has a partition of this number, and that is there.
  bool Has(int32_t partition) const;
  // The numbers of those, ascending.
  std::vector<int32_t> PartitionNumbers() const;

  // Whether its partitions may have gaps.
  Continuity continuity() const;
};

// A topic that was deleted, and what of it is still to be removed.
struct DeletedTopic {
  Topic topic;  // of a catalog that was read, with the default configs
  // It may have directories under their own names.
  bool has_directories = true;
  // Groups may have offsets that they committed for it.
  bool has_offsets = true;
};

// The topics of a store: what the file varve.topics holds.
//
// Thread safety: externally synchronized.
class TopicCatalog {
 public:
  // Errors: InvalidArgument for a bad name or config, or a name that collides
  // with another topic's; AlreadyExists. Nothing has changed then.
  absl::Status Add(Topic topic);

  // Replaces the config of the topic `name`, and remembers what its records
  // were written with.
  //
  // Errors: NotFound; InvalidArgument, and nothing has changed.
  absl::Status SetConfig(std::string_view name, const TopicConfig& config);

  // Removes the topic, and keeps it in `deleted` until all of it is removed.
  //
  // Errors: NotFound.
  absl::StatusOr<Topic> Remove(std::string_view name);

  // Deleted topics of which something is still to be removed. The file does not
  // say what: in a catalog that was read, all have directories and offsets.
  const std::vector<DeletedTopic>& deleted() const { return deleted_; }
  void NoteDirectoriesGone(TopicId id);
  void NoteOffsetsGone(TopicId id);

  // Null when there is none.
  const Topic* Find(std::string_view name) const;

  // Errors: NotFound; the message names the topics there are.
  absl::StatusOr<const Topic*> Get(std::string_view name) const;

  // The name of the topic with this id; empty when there is none.
  std::string NameOf(TopicId id) const;

  // The id of the topic that has this name; none when there is no such topic.
  TopicId IdOf(std::string_view name) const;

  // Whether offsets of a deleted topic are still to be deleted: of the one with
  // this id or, without an id, of any that had this name.
  bool IsForgetting(std::string_view name, TopicId id) const;

  // All topics, in the order of their names.
  std::vector<Topic> topics() const;
  bool empty() const { return topics_.empty(); }

  // The file's contents, and back.
  //
  // Errors: DataLoss, with the line and what is wrong with it;
  // FailedPrecondition when a newer version wrote it.
  std::string ToText() const;
  static absl::StatusOr<TopicCatalog> FromText(std::string_view text);

 private:
  absl::Status AddLine(std::string_view line);
  void NoteGone(TopicId id, bool DeletedTopic::*part);

  std::map<std::string, Topic, std::less<>> topics_;
  // Each name with '_' for every '.', which must be unique, too, and the topic
  // that has it.
  std::map<std::string, std::string> folded_names_;
  std::vector<DeletedTopic> deleted_;
};

}  // namespace varve

#endif  // VARVE_API_CATALOG_TOPIC_CATALOG_H_
