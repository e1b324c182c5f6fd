// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BACKUP_PARTITION_FILES_COPY_H_
#define VARVE_LOG_BACKUP_PARTITION_FILES_COPY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/backup/segment_copy.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Copies the files of a partition as they are, in an order that is right beside
// a writer: first what is known to be durable, then the segments, the ready one
// last. The epochs are read before and after. What is in the files is judged
// later, by others.
//
// What the destination has of an earlier copy, and the source has not, stays
// there or is put aside (log/backup/earlier_segments.h), but for segments that
// were trimmed.
//
// Borrows the directories, which must outlive it.
//
// Thread safety: externally synchronized.
class PartitionFilesCopy {
 public:
  // Reads what the source's own files say of the partition. NotFound: its topic
  // is deleted.
  using ReadFacts = std::function<absl::StatusOr<PartitionFacts>(FactsAge)>;

  PartitionFilesCopy(Directory& source, Directory& destination,
                     ReadFacts read_facts, CopyProgress progress)
      : source_(source),
        destination_(destination),
        read_facts_(std::move(read_facts)),
        progress_(std::move(progress)) {}

  // Copies the files, from the beginning. Segments that are the same in both
  // are kept, but for those of the base offsets `again`. Returns false when the
  // source has changed meanwhile, and what was copied does not fit together.
  //
  // Errors: NotFound when the topic is deleted; file errors of either directory
  // (log/system/errno_status.h).
  absl::StatusOr<bool> Run(FactsAge age, const std::set<int64_t>& again);

  // Puts segments that the last run neither copied nor kept aside, and removes
  // all other files that are not of it. Errors: file errors.
  absl::Status ClearRest();

  // What is true of the files of the last run.
  const PartitionFacts& facts() const { return facts_; }
  int64_t copied_bytes() const { return copied_bytes_; }  // of .log files
  int64_t kept_bytes() const { return kept_bytes_; }

 private:
  enum class Copied { kWhole, kWithoutIndex, kNotThere };

  absl::StatusOr<bool> CopyListed(const std::vector<int64_t>& bases,
                                  const std::set<int64_t>& again);
  absl::StatusOr<bool> CopyLate(const std::vector<int64_t>& before);
  absl::StatusOr<Copied> CopyOne(int64_t base_offset, SegmentState state,
                                 SameSegments same);
  absl::Status CopyReady(File& ready, const std::vector<int64_t>& bases);
  absl::Status RemoveTrimmed(const std::vector<int64_t>& bases);
  absl::StatusOr<std::optional<std::string>> ReadEpochs();
  absl::Status PutEpochs(const std::optional<std::string>& text);
  absl::Status NoteTrims();
  absl::StatusOr<int64_t> LogStartNow();
  bool IsPlaced(std::string_view name) const;
  void Report(int64_t bytes);

  Directory& source_;
  Directory& destination_;
  const ReadFacts read_facts_;
  const CopyProgress progress_;

  // Segments that some run has written.
  std::set<int64_t> written_;
  int64_t reported_bytes_ = 0;  // to `progress_`

  // Of the present run.
  PartitionFacts facts_;
  std::set<int64_t> placed_;  // segments that the destination has
  bool ready_is_placed_ = false;
  int64_t copied_bytes_ = 0;
  int64_t kept_bytes_ = 0;
  int64_t done_bytes_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_BACKUP_PARTITION_FILES_COPY_H_
