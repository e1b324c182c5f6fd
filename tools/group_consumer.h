// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_GROUP_CONSUMER_H_
#define VARVE_TOOLS_GROUP_CONSUMER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/log_store.h"
#include "log/record_batches.h"
#include "tools/record_printer.h"
#include "tools/topic_consumer.h"

namespace varve {

// `varve consume --group`: prints what a group has not read yet, and commits
// how far it came.
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
    // For a group that has committed nothing, or whose records were deleted
    // meanwhile.
    OffsetReset reset = OffsetReset::kEarliest;
    absl::Duration commit_interval = absl::Seconds(5);  // as Kafka's
  };

  GroupConsumer(LogStore* store, Options options, RecordPrinter* printer);

  // Prints one partition after another, from the committed offset to where it
  // ends now, or until the printer has had enough or a stop is requested
  // (tools/stop_signal.h); and commits.
  //
  // Errors: OutOfRange with OffsetReset::kNone; Cancelled when nobody reads the
  // output any more, and what came after the last commit counts as not read;
  // those of reading and committing.
  absl::Status Run();

 private:
  bool HasEnough() const;
  absl::StatusOr<int64_t> StartOf(const Partition& partition) const;
  // Where to go on when the offset that came next is deleted, or there is none.
  absl::StatusOr<int64_t> GoOnAfter(const Partition& partition,
                                    std::optional<int64_t> deleted) const;
  absl::Status Consume(const Partition& partition);
  absl::Status Print(const Partition& partition, const RecordBatches& batches);
  absl::Status CommitIfDue();
  absl::Status FlushAndCommit();
  absl::Status PassDeleted();
  absl::Status Commit();

  LogStore* const store_;
  const Options options_;
  RecordPrinter* const printer_;

  absl::Time last_commit_;
  // Nobody knows how much of the output arrived: nothing is committed then.
  bool output_failed_ = false;
  // What to print next, by partition, and what of that is committed.
  std::map<int32_t, int64_t> positions_;
  std::map<int32_t, int64_t> committed_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_GROUP_CONSUMER_H_
