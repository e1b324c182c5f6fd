// SPDX-License-Identifier: Apache-2.0

// Backups of a store, also while it is written, and stores made of them.

#ifndef VARVE_API_STORE_BACKUP_H_
#define VARVE_API_STORE_BACKUP_H_

#include <string>

#include "absl/status/statusor.h"
#include "varve/api/store_copy.h"
#include "varve/log/system/environment.h"

namespace varve {

// The two directories, by what they are and not by their order.
struct BackupPaths {
  std::string store;
  std::string backup;
};

// Backs up the store, which may be open for writing, in this process or in
// another:
//
//   auto backup = varve::BackUpStore(
//       {.store = store->path(), .backup = "/backups/monday"});
//
// It takes no lock of the store's, changes nothing in it, and holds up no call.
// It verifies every byte of what it has made; of the store it reads every byte
// but those of segments that an earlier backup in the same place has: of these
// it compares the sidecars alone. So it does not find damage that came to such
// a segment of the store later (VerifyStore does); the backup has it whole.
//
// What it is. A backup is a directory of a store, cleanly closed, in Kafka's
// files, with a file `varve.backup` beside them. It can be read where it is
// (LogStore::OpenReadOnly, `varve consume`, `varve verify`, Kafka's tools), and
// is not opened for writing: RestoreStore makes a store of it. It holds the
// topics with their ids and configs, their records, and the committed offsets;
// not the files that recoveries have set aside (`cut-*`), nor what means
// nothing elsewhere (locks, metrics, reserves), nor where producer ids go on: a
// restored store begins anew (LogStore::NewProducerId).
//
// The destination may be on another machine's disk. What was copied is mapped
// there to be checked, though, so that a disk that goes away meanwhile ends the
// process with a SIGBUS, as the program's own may not: make backups to such a
// place from another process, with the command `varve backup`.
//
// The cut. Partitions are not of one instant. The committed offsets are copied
// first, then the other topics, partition by partition, each to an end that is
// at or after what was visible by then. So:
// - Each committed offset in the backup is at or before the end of its
//   partition in the backup: a group that goes on there skips no record. Only
//   the offsets of a store that had lost records, in a power loss, and was not
//   opened since, may be past the end. Then the backup is not one that was
//   closed cleanly, so the first open of what is restored from it checks all
//   offsets and sets these back, as the store's own next open does; so do the
//   reads of an offset before that.
// - All that was visible or committed before the call is in it, synced or not,
//   unless it was trimmed or deleted meanwhile: also records that the store
//   itself may yet lose with the machine's power.
// - Of each partition it has a part without a gap, from its log start on. The
//   last records may be later than the last commits, so a group may read some
//   records again.
// A topic that is deleted meanwhile is in it as a whole or not at all; one that
// is made, altered or given partitions meanwhile may be in it as it was before.
// Of a store that was not closed and has no writer, it holds what the next open
// would keep. Where that would cut whole records off, it is damage.
//
// When it is good. When this returns OK: then it is durable, and every batch,
// index and checksum in it has been verified. Before that, and after a crash,
// the directory is no store to anybody; nor is it after an error, but for one
// of the very last sync, after which it is a whole backup, that a power loss
// may make an unfinished one. Call it again, with the same destination, to go
// on; segments that are there already are kept if they are right. Or remove the
// directory.
//
// Errors:
//   NotFound            There is no store.
//   FailedPrecondition  The store is another program's directory, of a newer
//                       version, or itself an unfinished copy; or the
//                       destination is a store, another program's directory,
//                       is just being written by another process, which
//                       IsLockConflict (log/metadata/lock_conflict.h) tells
//                       from the rest, or has a directory that is named like a
//                       partition's with other files in it: move that.
//   InvalidArgument     The two are one directory, or one lies in the other.
//   AlreadyExists       The destination is a backup, and
//                       ExistingCopy::kReplace was not asked for.
//   DataLoss            varve.topics is damaged, and nothing was changed; or
//                       records are (IsRefusedForDamage), and kCopy was not
//                       asked for: ExistingCopy::kReplace says what is left.
//                       The message says where.
//   ResourceExhausted   The destination's disk is full: make room, call again.
//   Unavailable         A partition changes faster than it can be copied: its
//                       retention deletes segments as soon as they are full.
//   Other file errors (log/system/errno_status.h).
//
// Thread safety: thread-safe; two calls with one destination do not run at
// once, and the second one fails.
absl::StatusOr<StoreCopy> BackUpStore(const BackupPaths& paths,
                                      const StoreCopyOptions& options = {},
                                      const Environment& environment = {});

// Makes a store of a backup, in an empty directory or one that is not there:
// copied, verified and durable on return, as a clean close leaves it. The
// backup stays as it is, and can be read meanwhile. The store has the topics'
// ids, and begins a leader epoch of its own in each partition: it is not the
// store that was backed up, which may go on beside it.
//
// Its topics have their configs, so retention deletes what is too old by now
// soon after the store is opened for writing: read the backup to see that.
//
// With ExistingCopy::kReplace the store that is in the directory becomes the
// backed-up one: what it has beyond that is lost. It must not be open.
//
// An interrupted restore leaves a directory that is no store to anybody, until
// the call is repeated; of an error of the very last sync holds what is said
// above. Where the backup's offsets are not all within its records, the store's
// first open is one as after a crash, which checks them.
//
// Errors: those of BackUpStore, with the two directories exchanged:
// FailedPrecondition also when `paths.backup` is a store and no backup (copy
// its files, then, while nobody has it open).
absl::StatusOr<StoreCopy> RestoreStore(const BackupPaths& paths,
                                       const StoreCopyOptions& options = {},
                                       const Environment& environment = {});

}  // namespace varve

#endif  // VARVE_API_STORE_BACKUP_H_
