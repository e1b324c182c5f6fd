// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYNC_UNSYNCED_FILES_H_
#define VARVE_LOG_SYNC_UNSYNCED_FILES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "varve/log/producer_state/partition_producers.h"
#include "varve/log/segment/segment.h"
#include "varve/log/sync/pending_sync.h"

namespace varve {

// The files of a partition that no sync has covered yet, but for its active
// segment: sealed segments, files of producers, and names.
//
// Thread safety: externally synchronized, by the partition's lock.
class UnsyncedFiles {
 public:
  // A file got a name, or has lost one.
  void NoteNames() {
    names_changed_ = true;
    names_changed_in_sync_ = true;
  }
  // The same, for a name that the next sync would have covered anyway.
  void NoteExpectedNames() { names_changed_ = true; }

  // Makes room for one more of each. Call it before either of the next two,
  // which then do not throw.
  void Reserve() {
    sealed_.reserve(sealed_.size() + 1);
    producer_files_.reserve(producer_files_.size() + 1);
  }
  // Precondition: it comes after those that are there.
  void AddSealed(std::shared_ptr<Segment> segment) {
    sealed_.push_back(std::move(segment));
  }
  void AddProducerFiles(std::shared_ptr<const DueProducerFiles> files) {
    producer_files_.push_back(std::move(files));
  }

  // What a sync has to cover, with the active segment, null for none. One sync
  // at a time.
  PendingSync Begin(const std::shared_ptr<Segment>& active, int64_t end_offset);
  // That sync is over. Those that were added meanwhile stay.
  enum class SyncEnd { kSynced, kNotSynced };
  void End(const PendingSync& files, SyncEnd end);

  // Gives all of them up.
  void Clear();

  bool has_files() const {
    return !sealed_.empty() || !producer_files_.empty();
  }
  // Whether a segment that begins below the offset is among them.
  bool has_sealed_below(int64_t offset) const {
    return !sealed_.empty() && sealed_.front()->base_offset() < offset;
  }
  // Sealed segments that are not being synced now.
  int64_t waiting_count() const {
    return static_cast<int64_t>(sealed_.size() - being_synced_);
  }

 private:
  // Both in the order of their offsets.
  std::vector<std::shared_ptr<Segment>> sealed_;
  std::vector<std::shared_ptr<const DueProducerFiles>> producer_files_;
  size_t being_synced_ = 0;  // of the sealed ones
  // Whether names changed since the last sync of the directory, and since one
  // began.
  bool names_changed_ = false;
  bool names_changed_in_sync_ = false;
};

}  // namespace varve

#endif  // VARVE_LOG_SYNC_UNSYNCED_FILES_H_
