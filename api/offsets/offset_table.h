// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_OFFSETS_OFFSET_TABLE_H_
#define VARVE_API_OFFSETS_OFFSET_TABLE_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "varve/api/committed_offset.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

// The state that the records of one partition of __consumer_offsets make: the
// last offset of each group and partition. Records of other types are the group
// coordinator's own, and not looked at.
//
// Thread safety: externally synchronized.
class OffsetTable {
 public:
  // Whether an offset is known to be one that its partition still has.
  enum class Checked { kNo, kYes };

  struct Entry {
    std::string value;
    Checked checked = Checked::kNo;
    // The topic that it was committed for: none when the value does not say,
    // nothing when the value cannot be read.
    std::optional<TopicId> topic_id = std::nullopt;
  };
  using Group = std::map<TopicPartition, Entry>;

  // Takes the next record of the log. An absent value removes the key's.
  //
  // Errors: those of ParseOffsetCommitKey, and the record means nothing; those
  // of ParseOffsetCommitValue, and the offset is one that cannot be read.
  absl::Status Apply(std::optional<std::string_view> key,
                     std::optional<std::string_view> value, Checked checked);

  // Null when the group has no offset.
  const Group* Find(std::string_view group) const;
  const Entry* Find(std::string_view group,
                    const TopicPartition& partition) const;

  // Says which topic the offset was committed for, in its value too; whether it
  // was checked stays as it is.
  //
  // Precondition: the offset is there, and its value can be read.
  void SetTopicId(std::string_view group, const TopicPartition& partition,
                  TopicId topic_id);

  // Precondition: the offset is there.
  void SetChecked(std::string_view group, const TopicPartition& partition);

  // The groups that have an offset, in order.
  std::vector<std::string> groups() const;

  // Hands out the first `max` offsets, by group, topic and partition.
  void ForEachOffset(
      absl::FunctionRef<void(const std::string& group, const TopicPartition&,
                             const Entry&)>
          take,
      int64_t max = std::numeric_limits<int64_t>::max()) const;

  // How many offsets there are, of all groups.
  int64_t offset_count() const { return offset_count_; }

 private:
  void PutOffset(std::string_view group, TopicPartition partition,
                 std::optional<Entry> entry);
  Entry& At(std::string_view group, const TopicPartition& partition);

  std::map<std::string, Group, std::less<>> groups_;
  int64_t offset_count_ = 0;
};

}  // namespace varve

#endif  // VARVE_API_OFFSETS_OFFSET_TABLE_H_
