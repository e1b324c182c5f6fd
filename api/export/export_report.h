// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_EXPORT_EXPORT_REPORT_H_
#define VARVE_API_EXPORT_EXPORT_REPORT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "varve/log/metadata/topic_id.h"
#include "varve/log/metadata/topic_partition.h"

namespace varve {

class Codecs;

// How far an export has come.
struct ExportProgressNow {
  std::string_view topic;
  // Bytes of segments that are in the directory, those that were there before
  // included, and about how many there will be.
  int64_t done_bytes = 0;
  int64_t total_bytes = 0;
};

// What is exported, and how.
struct ExportOptions {
  // Names of topics. Empty: all but internal ones.
  std::vector<std::string> topics = {};
  // The codecs to verify compressed batches with, as StoreOptions::codecs;
  // borrowed for the call. Where there is none, a batch is exported without a
  // look at its records, and committed offsets that are compressed are not
  // found.
  const Codecs* codecs = nullptr;
  // Called now and then, on the calling thread; null is fine.
  std::function<void(const ExportProgressNow&)> progress = nullptr;
};

// What the directory is that topics are exported to.
enum class ExportKind {
  // One of a broker's log.dirs: it has meta.properties, and the topics were
  // created there.
  kBroker,
  // Any other, new or of an earlier export: partitions to copy from.
  kPlain,
};

struct ExportedPartition {
  int32_t partition = 0;
  int64_t log_start = 0;
  int64_t end_offset = 0;  // after its last record
  int64_t segments = 0;
  int64_t records = 0;
  int64_t copied_bytes = 0;  // of .log files
  int64_t kept_bytes = 0;    // of those that an earlier call had copied
};

enum class ExportOutcome {
  kExported,
  kWasThere,  // an earlier call has exported it, and it is the same
};

struct ExportedTopic {
  std::string name = {};
  TopicId id = {};  // at the broker; none in a directory that is kPlain
  ExportOutcome outcome = ExportOutcome::kExported;
  // Those that this call has exported.
  std::vector<ExportedPartition> partitions = {};
};

// Where a group continues in a partition that was exported.
struct ExportedOffset {
  std::string group = {};
  TopicPartition partition = {};
  int64_t offset = 0;

  friend bool operator==(const ExportedOffset&,
                         const ExportedOffset&) = default;
};

// A finished export.
struct ExportReport {
  std::string path = {};
  ExportKind kind = ExportKind::kPlain;
  std::vector<ExportedTopic> topics = {};  // by name
  // What groups have committed for these topics, by group, topic and partition.
  // A broker takes it through its protocol alone (OffsetsCsv).
  std::vector<ExportedOffset> offsets = {};
  // What a person should know: transactions that nobody has ended, and offsets
  // that were left out.
  std::vector<std::string> notes = {};
};

}  // namespace varve

#endif  // VARVE_API_EXPORT_EXPORT_REPORT_H_
