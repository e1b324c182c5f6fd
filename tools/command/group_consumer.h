// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_GROUP_CONSUMER_H_
#define VARVE_TOOLS_COMMAND_GROUP_CONSUMER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/read_options.h"
#include "varve/tools/command/stop_before.h"
#include "varve/tools/command/topic_consumer.h"
#include "varve/tools/shell/offset_spec.h"
#include "varve/tools/shell/record_printer.h"

namespace varve {

// `varve consume --group`: prints the records that a group has not read yet,
// and commits its progress.
//
// An offset is committed when the records before it have left this process, so
// a consumer that is killed prints some records again, and leaves none out.
//
// Borrows the store and the printer, which must outlive it.
//
// Thread safety: externally synchronized.
class GroupConsumer {
 public:
  struct Options {
    std::string topic;
    std::optional<int32_t> partition;  // none: all
    std::string group;
    // Where to stop in a partition, exclusive; none: at its current end.
    std::optional<OffsetSpec> until = std::nullopt;
    Isolation isolation = Isolation::kReadUncommitted;
    // For a group that has committed nothing, or whose records were deleted
    // meanwhile.
    OffsetReset reset = OffsetReset::kEarliest;
    absl::Duration commit_interval = absl::Seconds(5);  // as Kafka's
  };

  GroupConsumer(LogStore* store, Options options, RecordPrinter* printer);

  // Prints one partition after another, from the committed offset to its
  // current end or to where it is to stop, or until the printer has had enough
  // or a stop is requested (tools/shell/stop_signal.h); and commits.
  //
  // Errors: OutOfRange with OffsetReset::kNone; Cancelled when the output has
  // no reader any more, and records after the last commit count as not read;
  // those of Partition::Read and LogStore::CommitOffsets.
  absl::Status Run();

 private:
  bool HasEnough() const;
  absl::StatusOr<int64_t> StartOf(const Partition& partition) const;
  // Where to continue when the next offset is deleted, or there is none.
  absl::StatusOr<int64_t> GoOnAfter(const Partition& partition,
                                    std::optional<int64_t> deleted) const;
  int64_t EndOf(const Partition& partition) const;
  absl::Status Consume(const Partition& partition);
  absl::StatusOr<bool> Print(const Partition& partition, const StopBefore& stop,
                             const RecordBatches& batches);
  absl::Status CommitIfDue();
  absl::Status FlushAndCommit();
  absl::Status PassDeleted();
  absl::Status Commit();

  LogStore* const store_;
  const Options options_;
  RecordPrinter* const printer_;

  absl::Time last_commit_;
  // It is not known how much of the output arrived: nothing is committed then.
  bool output_failed_ = false;
  // The next offset to print, by partition, and the one that is committed.
  std::map<int32_t, int64_t> positions_;
  std::map<int32_t, int64_t> committed_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_GROUP_CONSUMER_H_
