// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_TOPIC_CONSUMER_H_
#define VARVE_TOOLS_COMMAND_TOPIC_CONSUMER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/offset_reset.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/read_options.h"
#include "varve/tools/command/stop_before.h"
#include "varve/tools/shell/offset_spec.h"
#include "varve/tools/shell/record_printer.h"

namespace varve {

// Errors: InvalidArgument, naming what there is.
absl::StatusOr<OffsetReset> ParseOffsetReset(const std::string& text);

// Prints the records of a topic's partitions, once or for as long as it is
// asked to. It reports what it skips on stderr.
//
// Borrows the store and the printer, which must outlive it.
//
// Thread safety: externally synchronized.
class TopicConsumer {
 public:
  struct Options {
    std::string topic;
    std::optional<int32_t> partition;  // none: all
    // Where to begin in a partition.
    std::function<absl::StatusOr<int64_t>(const ReadOnlyPartition&)> start;
    // Where to stop in a partition, exclusive; none: nowhere.
    std::optional<OffsetSpec> until = std::nullopt;
    Isolation isolation = Isolation::kReadUncommitted;
    // When the first offset is out of range, and when records are deleted
    // before they are read.
    OffsetReset reset_at_start = OffsetReset::kNone;
    OffsetReset reset_later = OffsetReset::kEarliest;
  };

  TopicConsumer(const ReadOnlyStore* store, Options options,
                RecordPrinter* printer);

  // Opens the partitions and finds where to begin and to stop.
  //
  // Errors: those of ReadOnlyStore, ReadOnlyPartition and `start`.
  absl::Status Open();

  // Prints one partition after another, each to its current end, or to where it
  // is to stop.
  //
  // Errors: those of ReadOnlyPartition::Read, with the partition; those of
  // RecordPrinter::Print.
  absl::Status ConsumeToEnd();

  // Prints all partitions in turns, and then new records, also in partitions
  // that are added, until the printer has had enough, each partition has come
  // to where it is to stop, or a stop is requested (tools/shell/stop_signal.h).
  // Output is flushed before it waits.
  //
  // Errors: those of ConsumeToEnd; NotFound when the topic is deleted.
  absl::Status Follow();

  // How far a partition has been printed.
  struct Position {
    ReadOnlyPartition partition;
    int64_t next_offset = 0;  // of the first record that was not printed
    StopBefore stop = {};
    // Whether the next record is the one to stop before.
    bool has_stopped = false;
  };
  const std::vector<Position>& positions() const { return positions_; }

 private:
  // How often a topic is checked for new partitions, and how long the output of
  // a busy one may stay unflushed.
  static constexpr absl::Duration kRefreshInterval = absl::Seconds(1);
  static constexpr absl::Duration kFlushInterval = absl::Milliseconds(100);

  // For an offset below the log start, and for one past the log's end.
  struct ResetRule {
    OffsetReset below;
    OffsetReset behind;
  };

  absl::Status Add(int32_t partition);
  absl::Status AddNewPartitions();
  bool HasStopped() const;
  absl::StatusOr<bool> ConsumeSome(Position& position);
  absl::Status Print(Position& position, const RecordBatches& batches);
  absl::Status Reset(Position& position, const ResetRule& rule,
                     const absl::Status& reason);
  absl::StatusOr<bool> FollowRound();

  const ReadOnlyStore* const store_;
  const Options options_;
  RecordPrinter* const printer_;

  std::vector<Position> positions_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_TOPIC_CONSUMER_H_
