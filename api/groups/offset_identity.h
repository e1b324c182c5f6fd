// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_GROUPS_OFFSET_IDENTITY_H_
#define VARVE_API_GROUPS_OFFSET_IDENTITY_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/groups/offset_notes.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/api/offsets/offset_validity.h"
#include "varve/api/store/store_state.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

// Says which topic a committed offset belongs to. Its key has only a topic's
// name, which a deleted topic may have had, too: the offset belongs to the
// topic whose id is in its value, and counts as long as that topic exists. One
// without an id, as all were before version 4 of the value, belongs to the
// topic that has the name when it is read, unless that topic was made after the
// commit.
//
// Thread safety: as the tables that it is given, which have no lock of their
// own.
class OffsetIdentity {
 public:
  // Borrows both, which must outlive it.
  OffsetIdentity(StoreState* store, OffsetNotes* notes)
      : store_(store), notes_(notes) {}

  // Whether an offset of this owner, for a topic of this name, counts
  // (OffsetCounts).
  bool Counts(std::string_view topic, const OffsetOwner& owner) const;

  // Whether callers are to see the offset (OffsetIsShown).
  bool IsShown(std::string_view topic, const OffsetTable::Entry& entry) const;
  bool IsShown(const OffsetTable::Group& offsets) const;  // one of them

  // Gives offsets that were just read without an id the id of their topic, and
  // reports in the notes those that do not count, and why.
  void Adopt(OffsetLog& offsets, int64_t now_ms) const;

  // The offsets to delete with a topic that was deleted: its own, and those
  // without an id that belong to no other topic of that name.
  std::vector<OffsetLog::Owned> OffsetsOf(const Topic& deleted,
                                          const OffsetTable& table) const;

 private:
  bool GoesWith(const Topic& deleted, std::string_view topic,
                const OffsetTable::Entry& entry) const;
  void NoteStranger(std::string_view group, const TopicPartition& partition,
                    const OffsetTable::Entry& entry) const;

  StoreState* const store_;
  OffsetNotes* const notes_;
};

}  // namespace varve

#endif  // VARVE_API_GROUPS_OFFSET_IDENTITY_H_
