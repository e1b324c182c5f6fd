// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_PROMISES_H_
#define VARVE_TESTS_POWER_LOSS_PROMISES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/power_loss/note.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/workload_topics.h"

namespace varve {

// The possible values after a power loss: the one promised last, or any that
// was asked for since.
//
// Thread safety: externally synchronized, as everything here.
class PossibleValues {
 public:
  explicit PossibleValues(int64_t at_first = 0) : values_({at_first}) {}

  void Add(const Note& note, bool is_promise) {
    if (note.phase == NotePhase::kAsked) values_.push_back(note.value);
    if (is_promise) values_ = {note.value};
  }
  bool Has(int64_t value) const {
    return std::find(values_.begin(), values_.end(), value) != values_.end();
  }
  const std::vector<int64_t>& values() const { return values_; }

 private:
  std::vector<int64_t> values_;
};

// The possible committed offsets of a group: its commits only increase, but for
// a deletion.
struct PossibleCommit {
  bool may_be_none = true;
  int64_t lowest = 0;
  int64_t highest = -1;

  void Add(const Note& note, bool is_promise);
  bool Has(int64_t offset) const {
    return offset >= lowest && offset <= highest;
  }
};

// An append that has returned.
struct Acknowledged {
  Note note;
  int32_t session = 0;
  bool is_promise = false;  // it returned before the power cut, and
                            // its level keeps it
  int64_t age_ns = 0;       // when the power was cut; 0 for a noted later one
};

// The records that a partition must have, and those that it may have.
struct PartitionPromise {
  int64_t durable_end = 0;    // everything below survives
  int64_t log_start_min = 0;  // trims that returned stay
  int64_t log_start_max = 0;  // nothing else was trimmed
  // Appends by the first offset of each; where a lost one's offset was used
  // again, the later one.
  std::map<int64_t, Acknowledged> appends;
  // One past the last sequence that each appender has noted.
  std::map<int32_t, int64_t> next_sequence;
};

// The contents that a store must have, and those that it may have, by the notes
// of all its sessions. A group of a topic is one of that topic's instance.
class Promises {
 public:
  // A kInterval append has to survive when it is older than the window and
  // `allowance_ns`, for a disk that is not always in time.
  explicit Promises(int64_t allowance_ns) : allowance_ns_(allowance_ns) {}

  // Takes the notes of the next session, with its window.
  void Add(const NoteFile& notes, int32_t session, int64_t window_ns);

  // By the topic's name: the instance, or 0.
  const std::map<int32_t, PossibleValues>& topics() const { return topics_; }
  // By instance: alterations, numbers of partitions.
  const PossibleValues& config(int32_t instance) { return configs_[instance]; }
  const PossibleValues& partitions(int32_t instance) {
    return partitions_.try_emplace(instance, PossibleValues(kLastingPartitions))
        .first->second;
  }
  const PartitionPromise& partition(int32_t instance, int32_t partition) {
    return logs_[{instance, partition}];
  }
  // By group, name, instance, partition.
  using CommitKey = std::tuple<int32_t, int32_t, int32_t, int32_t>;
  const std::map<CommitKey, PossibleCommit>& commits() const {
    return commits_;
  }

  // Codes of calls that failed, with the power on, for no reason.
  const std::vector<int64_t>& failures() const { return failures_; }

 private:
  struct Session {
    int32_t number = 0;
    int64_t window_ns = 0;
    int64_t closed_ns = 0;  // 0 for none
  };

  void ForgetLostAppends(const NoteFile& notes);
  void Add(const Note& note, const Session& session, bool is_counted);
  void AddAppend(const Note& note, const Session& session, bool is_counted);

  const int64_t allowance_ns_;
  std::map<int32_t, PossibleValues> topics_;
  std::map<int32_t, PossibleValues> configs_;
  std::map<int32_t, PossibleValues> partitions_;
  std::map<std::pair<int32_t, int32_t>, PartitionPromise> logs_;
  std::map<CommitKey, PossibleCommit> commits_;
  std::vector<int64_t> failures_;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_PROMISES_H_
