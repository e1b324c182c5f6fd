// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_IMPORT_IMPORT_REPORT_H_
#define VARVE_API_IMPORT_IMPORT_REPORT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "varve/api/store_copy.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

class Codecs;

// How far an import has come.
struct ImportProgressNow {
  std::string_view topic;
  // Bytes of segments that are in the store, those that were there before
  // included, and how many there will be.
  int64_t done_bytes = 0;
  int64_t total_bytes = 0;
};

// What is imported, and how.
struct ImportOptions {
  // Names of topics. Empty: all but the broker's internal ones.
  std::vector<std::string> topics = {};
  // The configs of the topics that are made. A broker's directory does not have
  // them; the defaults keep everything (log/metadata/log_config.h).
  LogConfig config = {};
  // kCopy: damaged topics are imported as they are, and listed.
  DamagedSource damage = DamagedSource::kRefuse;
  // The codecs of the store, as StoreOptions::codecs; borrowed for the call.
  // Without them committed offsets that are compressed, which Kafka does only
  // where it is configured to, are not found.
  const Codecs* codecs = nullptr;
  // Called now and then, on the calling thread; null is fine.
  std::function<void(const ImportProgressNow&)> progress = nullptr;
};

struct ImportedPartition {
  int32_t partition = 0;
  int64_t log_start = 0;
  int64_t end_offset = 0;  // after its last record
  int64_t segments = 0;
  int64_t records = 0;
  int64_t copied_bytes = 0;  // of .log files
  int64_t kept_bytes = 0;    // of those that an earlier call had copied
};

enum class ImportOutcome {
  kImported,
  kWasThere,  // an earlier call has imported it, and it is the same
};

struct ImportedTopic {
  std::string name = {};
  TopicId id = {};
  ImportOutcome outcome = ImportOutcome::kImported;
  std::vector<ImportedPartition> partitions = {};  // empty: it was there
  int64_t groups = 0;             // whose committed offsets came with it
  int64_t committed_offsets = 0;  // of them
};

// A finished import.
struct ImportReport {
  std::string store = {};
  std::vector<ImportedTopic> topics = {};  // by name
  // What is damaged, a line for each place; only with DamagedSource::kCopy.
  std::vector<std::string> damage = {};
  // What a person should know: what was left out and why, what opening the
  // store found, and what cannot be known of a topic.
  std::vector<std::string> notes = {};
};

}  // namespace varve

#endif  // VARVE_API_IMPORT_IMPORT_REPORT_H_
