// SPDX-License-Identifier: Apache-2.0

// The state that only a store's writer knows, as far as another process can
// find it out.

#ifndef VARVE_TOOLS_MONITOR_WRITER_HOLDINGS_H_
#define VARVE_TOOLS_MONITOR_WRITER_HOLDINGS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/tools/monitor/metrics_text.h"
#include "varve/tools/shell/command_line.h"

namespace varve {

// The resources that a partition holds back.
struct Holding {
  int64_t unsynced_bytes = 0;
  int64_t pins = 0;
  int64_t pinned_deleted_bytes = 0;
  double pinned_deleted_seconds = 0;

  void Add(const Holding& other);  // the larger of the times
};

// How much is known of a store's holdings, and why.
enum class HoldingsSource {
  kSnapshot,       // a writer has it open, and left a fresh snapshot
  kOldSnapshot,    // a writer has it open; its last snapshot is too old
  kNoSnapshot,     // a writer has it open, and has left no snapshot yet
  kClosedCleanly,  // no writer: all is durable, and nothing is pinned
  kNotClosed,      // no writer; the last one died
};

// A snapshot that is older than this says nothing of the present: a writer
// leaves one every ten seconds while something changes.
inline constexpr absl::Duration kFreshSnapshot = absl::Seconds(30);

struct WriterHoldings {
  HoldingsSource source = HoldingsSource::kNoSnapshot;
  // The age of the last snapshot, if the writer that is open has left one.
  std::optional<absl::Duration> snapshot_age = {};
  // Whether that writer refuses appends since its disk is nearly full; nothing
  // when it has left no snapshot, or there is none.
  std::optional<bool> refuses_appends = {};
  // The holdings of the partitions that held anything. Others held nothing.
  std::map<TopicPartition, Holding> partitions = {};

  bool is_known() const {
    return source == HoldingsSource::kSnapshot ||
           source == HoldingsSource::kClosedCleanly;
  }
  bool has_writer() const {
    return source != HoldingsSource::kClosedCleanly &&
           source != HoldingsSource::kNotClosed;
  }
  // The holdings of one partition; nothing when they are not known.
  std::optional<Holding> Of(const TopicPartition& where) const;

  // A line for a person: what is known, and what is not and why.
  std::string ToText() const;
};

// Reads the holdings from the store's files at the time `now`. A snapshot that
// cannot be read counts as none. (That of a writer which was killed and
// followed by another within kFreshSnapshot passes for the other's, until that
// leaves its own.)
WriterHoldings ReadWriterHoldings(const GlobalOptions& global, absl::Time now);

// The holdings in a snapshot.
std::map<TopicPartition, Holding> HoldingsIn(const MetricsText& metrics);

}  // namespace varve

#endif  // VARVE_TOOLS_MONITOR_WRITER_HOLDINGS_H_
