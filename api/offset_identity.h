// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_OFFSET_IDENTITY_H_
#define VARVE_API_OFFSET_IDENTITY_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "api/committed_offset.h"
#include "api/offset_log.h"
#include "api/offset_notes.h"
#include "api/offset_table.h"
#include "api/store_state.h"
#include "api/topic_catalog.h"
#include "log/topic_id.h"

namespace varve {

// Whose a committed offset is. Its key names a topic, and topics that were
// deleted had names too: it belongs to the topic whose id its value has, and
// counts as long as that topic is there. One that says no id, as none did
// before version 4 of the value, belongs to the topic that has the name when it
// is read, unless that topic was made after the commit.
//
// Thread safety: as the tables that it is given; they have no lock of theirs.
class OffsetIdentity {
 public:
  // Borrows both, which must outlive it.
  OffsetIdentity(StoreState* store, OffsetNotes* notes)
      : store_(store), notes_(notes) {}

  // Whether the offset is of the topic that has the name now. One that cannot
  // be read may be.
  bool Counts(std::string_view topic, const OffsetTable::Entry& entry) const;

  // Whether anybody is to see the offset: it counts, or there is no topic of
  // the name, and none whose deletion will take the offset away.
  bool IsShown(std::string_view topic, const OffsetTable::Entry& entry) const;
  bool IsShown(const OffsetTable::Group& offsets) const;  // one of them

  // Gives offsets that were just read and say no id the one they belong to,
  // and tells in the notes of those that do not count, and why nobody knows.
  void Adopt(OffsetLog& offsets, int64_t now_ms) const;

  // The offsets that go with a topic that was deleted: its own, and those that
  // say no id and are not another topic's of that name.
  std::vector<OffsetLog::Owned> OffsetsOf(const Topic& deleted,
                                          const OffsetTable& table) const;

 private:
  bool IsAdoptable(const OffsetTable::Entry& entry, TopicId topic) const;
  bool GoesWith(const Topic& deleted, std::string_view topic,
                const OffsetTable::Entry& entry) const;
  void NoteStranger(std::string_view group, const TopicPartition& partition,
                    const OffsetTable::Entry& entry) const;

  StoreState* const store_;
  OffsetNotes* const notes_;
};

}  // namespace varve

#endif  // VARVE_API_OFFSET_IDENTITY_H_
