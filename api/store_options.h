// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_OPTIONS_H_
#define VARVE_API_STORE_OPTIONS_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/log_sink.h"

namespace varve {

class Codecs;

// What to do when the data directory is not there.
enum class MissingStore { kCreate, kFail };

// Whose threads do the background work: syncing kInterval appends and sealed
// segments, making room ahead, deleting what is too old.
enum class Background {
  kOwnThreads,  // the store's: three, which sleep while there is nothing to do
  kNone,        // the program's, by LogStore::RunMaintenance
};

// Which file systems a store may be on (log/system/file_system_type.h).
enum class FileSystemPolicy {
  kRefuseUnsafe,  // those of this machine's disks and memory
  kAllowAny,      // also NFS, CIFS, 9p and FUSE, where locks are unreliable
};

// That a store has begun to refuse appends since its disk is nearly full, or
// takes them again: StoreOptions::free_space_floor_bytes.
struct FreeSpaceChange {
  enum class Kind {
    kAppendsRefused,  // those that need more of the disk
    kAppendsResumed,
  };
  Kind kind = Kind::kAppendsRefused;
  int64_t free_bytes = 0;  // when the store looked
  int64_t floor_bytes = 0;
  int64_t resume_bytes = 0;  // what has to be free before appends go on

  friend bool operator==(const FreeSpaceChange&,
                         const FreeSpaceChange&) = default;
};

// Called once for each change, in their order, so that the two kinds take
// turns, the first being kAppendsRefused. The thread is that of the store's
// maintenance, or one that calls LogStore::RunMaintenance, or LogStore::Close
// for what is left by then; so a call may come later than the refusals that it
// is about. No lock of the store is held: it may read, trim, delete topics and
// append, unless the store is being closed; but neither call RunMaintenance or
// Close nor destroy the store, which would wait for it. Retention waits as long
// as it takes. It must not throw.
using FreeSpaceCallback = std::function<void(const FreeSpaceChange&)>;

struct StoreOptions {
  // Default: an empty store is created, with the directories above it.
  MissingStore missing = MissingStore::kCreate;

  // The window of Durability::kInterval: syncs start at half of it, so that an
  // append is durable before it is this old, if the disk keeps up. Shorter:
  // less to lose, more syncs. Range: 1 ms to 1 hour. Default: 1 s.
  absl::Duration sync_interval = absl::Seconds(1);

  // Default: where varve cannot do what it promises, a store does not open.
  FileSystemPolicy file_system = FileSystemPolicy::kRefuseUnsafe;

  // How often retention.ms and retention.bytes, and segment.ms of idle
  // partitions, are checked, besides what log/metadata/log_config.h says of
  // retention.bytes. Longer: old records stay that much longer. It counts from
  // the last check by any process: one that is due at an open is made then, in
  // the background, and what is due at LogStore::Close before that returns.
  // Range: 1 ms to 7 days. Default: Kafka's log.retention.check.interval.ms, 5
  // minutes.
  absl::Duration retention_check_interval = absl::Minutes(5);

  // How often the partitions of topics that are compacted (cleanup.policy) are
  // looked at; those that are due are compacted then, in the background. Also a
  // fifteenth of that after the last look, when a segment was sealed since.
  // Longer: more space is taken for as long. Range: 1 ms to 7 days. Default:
  // Kafka's log.cleaner.backoff.ms, 15 s.
  absl::Duration compaction_check_interval = absl::Seconds(15);

  // Memory that a compaction may take for the keys that it has met, 24 bytes
  // for each, besides up to 16 MiB; none while there is no compaction. With
  // more keys than have room, a compaction does a part, and the next one goes
  // on. Range: 576 bytes to 48 GiB. Default: Kafka's
  // log.cleaner.dedupe.buffer.size, 128 MiB, which is for 5,033,164 keys.
  int64_t compaction_map_bytes = int64_t{128} << 20;

  // Bytes that compactions may read and write in a second; 0: as many as they
  // can. Range: 0 up. Default: 0, as Kafka's
  // log.cleaner.io.max.bytes.per.second.
  int64_t compaction_bytes_per_second = 0;

  // Bytes of deleted segments that views may hold (StoreMetrics::holdings)
  // before compaction waits: it writes segments again while the old ones still
  // take their space. The background then looks again until views were dropped,
  // and CompactTopic is ResourceExhausted; appends, and retention, which takes
  // no space, go on. Range: -1, no limit, up. Default: no limit.
  int64_t pinned_deleted_bytes_max = -1;

  // How long a producer without an open transaction is remembered after its
  // last append, or after the store was opened: then an append of it is not
  // idempotent any more. (In Kafka the timestamp of its last batch counts, and
  // one that appends records of long ago is forgotten at once.) Looked at as
  // often as retention, so it may be remembered for two such intervals more.
  // Range: 1 ms to 100 years. Default: Kafka's producer.id.expiration.ms, a
  // day.
  absl::Duration producer_id_expiration = absl::Hours(24);

  // Default: the store's own threads. With kNone it starts no thread, and what
  // the program does not do by RunMaintenance is done late: appends sync when
  // they find their window over, and old segments stay until Close.
  Background background = Background::kOwnThreads;

  // Partitions of the topic __consumer_offsets, which the first commit of a
  // group makes: Kafka's offsets.topic.num.partitions. Each has a directory; a
  // group's offsets are in one of them, by the hash of its id. It is fixed when
  // the topic is made: a store that has the topic keeps what it has, whatever
  // is said here. In a store that is to move to Kafka, it has to be what the
  // broker's offsets.topic.num.partitions says. Range: 1 to
  // TopicConfig::kPartitionsMax. Default: 1, where Kafka has 50.
  int32_t offsets_topic_num_partitions = 1;

  // How often varve.metrics, which `varve metrics` shows, is written while
  // something changes. InfiniteDuration: never. Range: 100 ms up. Default: 10
  // s.
  absl::Duration metrics_interval = absl::Seconds(10);

  // Bytes of the disk that appends leave free. What would take it below that
  // begins a refusal: until `free_space_resume_bytes` are free, every append
  // that needs more blocks of the disk gets ResourceExhausted, with nothing
  // appended; one that fits into the blocks that its segment has goes on.
  // Retention runs before its time, and deletes what it would delete later, no
  // more. Reads, trims, commits of offsets, checkpoints and Close go on, and
  // take a little below the floor, as do indexes. As blocks are taken in steps,
  // appends may stop by up to 16 MiB above it. Free is what the file system
  // gives to this user. Range: 0 up to 2^60. Default: 0, no floor: the disk may
  // become full.
  int64_t free_space_floor_bytes = 0;

  // What has to be free before appends go on, above the floor; below it,
  // retention runs before its time. 0: the floor, and the larger of 64 MiB and
  // a quarter of the floor more. Default: 0.
  int64_t free_space_resume_bytes = 0;

  // Told when appends begin to be refused for the floor, and when they go on.
  // Default: nobody; the log sink has both in any case.
  FreeSpaceCallback on_free_space_change = nullptr;

  // Bytes of batches that all topics together may hold, as retention.bytes
  // counts them for one partition; indexes and blocks allocated ahead come on
  // top. Above it the oldest segments of the store are deleted, by the age that
  // log/retention/retention_policy.h has, in whichever topic they are: also of
  // topics that retention.ms and retention.bytes keep for ever, because this
  // option is what asks for it. Only sealed, durable segments of topics whose
  // cleanup.policy has "delete" go, never the last one of a partition, and
  // nothing of topics that are compacted only, __consumer_offsets among them,
  // although they count. It is looked at as often as retention, after the open,
  // and when segments begin: an append that meets two of them too many deletes
  // itself before it returns. So the disk holds up to two segments more than
  // that, and what may not be deleted. Range: 0 up, -1 for none. Default: -1.
  int64_t store_size_max_bytes = -1;

  // The codecs that read and write what is compressed: `AllCodecs()` of
  // codec/all_codecs.h, or fewer (log/batch/codecs.h). Borrowed: they must
  // outlive the store, its handles and views. Null: compressed batches are
  // appended and read as they are, and their records are Unimplemented to who
  // reads them. Reads keep up to 32 MiB of memory for what they decompress.
  // Default: null, because the log itself links no codec.
  const Codecs* codecs = nullptr;

  // Receives what is reported besides returned errors: what recovery found,
  // partitions that stopped taking appends, failed and slow background work,
  // deletions. Default: Abseil's log.
  LogSink log_sink = nullptr;

  // Files, clock and random numbers; tests supply their own. What its pointers
  // name must outlive the store, its handles and views. Its log sink is not
  // used when there is one above.
  Environment environment = {};

  // Errors: InvalidArgument with the field, the value and what it may be.
  absl::Status Validate() const;
};

}  // namespace varve

#endif  // VARVE_API_STORE_OPTIONS_H_
