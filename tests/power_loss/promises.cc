// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/promises.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "absl/types/span.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/workload_topics.h"
#include "varve/log/metadata/durability.h"

namespace varve {

void PossibleCommit::Add(const Note& note, bool is_promise) {
  const bool is_deletion = note.value < 0;
  if (note.phase == NotePhase::kAsked) {
    highest = std::max(highest, note.value);
    // Offsets that are committed after it may be lower again.
    if (is_deletion) may_be_none = true, lowest = 0;
  } else if (is_promise) {
    *this = {.may_be_none = is_deletion,
             .lowest = std::max<int64_t>(note.value, 0),
             .highest = note.value};
  }
}

void Promises::Add(const NoteFile& notes, int32_t session, int64_t window_ns) {
  const Session all = {.number = session,
                       .window_ns = window_ns,
                       .closed_ns = notes.closed_ns().value_or(0)};
  ForgetLostAppends(notes);
  for (size_t thread = 0; thread < NoteFile::kThreads; ++thread) {
    const absl::Span<const Note> page = notes.notes(thread);
    for (size_t i = 0; i < page.size(); ++i) {
      Add(page[i], all, i < notes.counted(thread));
    }
  }
}

// A session that appends at an offset has found the log to end there, or
// before.
void Promises::ForgetLostAppends(const NoteFile& notes) {
  std::map<std::pair<int32_t, int32_t>, int64_t> first;
  for (size_t thread = 0; thread < NoteFile::kThreads; ++thread) {
    for (const Note& note : notes.notes(thread)) {
      if (note.kind != NoteKind::kAppended) continue;
      int64_t& offset =
          first.try_emplace({note.instance, note.partition}, note.value)
              .first->second;
      offset = std::min(offset, note.value);
    }
  }
  for (const auto& [key, offset] : first) {
    std::map<int64_t, Acknowledged>& appends = logs_[key].appends;
    appends.erase(appends.lower_bound(offset), appends.end());
  }
}

void Promises::Add(const Note& note, const Session& session, bool is_counted) {
  const bool is_done = is_counted && note.phase == NotePhase::kDone;
  PartitionPromise& log = logs_[{note.instance, note.partition}];
  switch (note.kind) {
    case NoteKind::kAppended:
      return AddAppend(note, session, is_counted);
    case NoteKind::kDurableEnd:
      if (is_done) log.durable_end = std::max(log.durable_end, note.value);
      return;
    case NoteKind::kLogStart:
      log.log_start_max = std::max(log.log_start_max, note.value);
      if (!is_done) return;
      log.log_start_min = std::max(log.log_start_min, note.value);
      log.log_start_max = log.log_start_min;
      return;
    case NoteKind::kTopic:
      return topics_[note.name].Add(note, is_done);
    case NoteKind::kConfig:
      return configs_[note.instance].Add(note, is_done);
    case NoteKind::kPartitions:
      return partitions_
          .try_emplace(note.instance, PossibleValues(kLastingPartitions))
          .first->second.Add(note, is_done);
    case NoteKind::kCommit:
      return commits_[{note.group, note.name, note.instance, note.partition}]
          .Add(note, is_done && note.level == Durability::kSynced);
    case NoteKind::kFailure:
      if (is_counted) failures_.push_back(note.value);
      return;
  }
}

void Promises::AddAppend(const Note& note, const Session& session,
                         bool is_counted) {
  PartitionPromise& log = logs_[{note.instance, note.partition}];
  Acknowledged append = {.note = note, .session = session.number};
  if (is_counted && session.closed_ns != 0) {
    append.age_ns = session.closed_ns - note.time_ns;
  }
  const bool is_in_time = note.level == Durability::kInterval &&
                          append.age_ns > session.window_ns + allowance_ns_;
  append.is_promise =
      is_counted && (note.level == Durability::kSynced || is_in_time);
  if (append.is_promise) {
    log.durable_end = std::max(log.durable_end, note.value + note.count);
  }
  log.appends.insert_or_assign(note.value, append);
  int64_t& next = log.next_sequence[note.appender];
  next = std::max(next, note.sequence + note.count);
}

}  // namespace varve
