// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_STORE_CHECK_H_
#define VARVE_TESTS_POWER_LOSS_STORE_CHECK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tests/power_loss/check_report.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/promises.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/topic_description.h"

namespace varve {

// Opens a store after a power loss and compares all of it with what it promised
// before; then appends to it, closes it, verifies its files and opens it again.
//
// It is a session of its own: what it finds is noted, since it has to stay
// there from now on.
//
// Thread safety: externally synchronized.
class StoreCheck {
 public:
  struct Options {
    std::string store_path;
    int32_t session = 0;
    uint64_t seed = 0;
  };

  StoreCheck(const Options& options, Promises& promises, NoteFile& notes,
             CheckReport& report)
      : options_(options),
        promises_(promises),
        notes_(notes),
        report_(report) {}

  void Run();

 private:
  bool Open();
  bool Close();
  void CheckRecovery();
  void CheckTopics();
  void CheckTopic(int32_t name, int32_t instance,
                  const TopicDescription& topic);
  void CheckPartitions(const TopicDescription& topic);
  void CheckCommits();
  void CheckCommit(const Promises::CommitKey& key,
                   const PossibleCommit& possible);
  void CheckPairs();
  void AppendEverywhere();
  void NoteEnds();
  void Verify();
  void CheckReopened();
  void Write(Note note) { notes_.Write(0, note); }

  const Options options_;
  Promises& promises_;
  NoteFile& notes_;
  CheckReport& report_;
  std::unique_ptr<LogStore> store_;
  // Those that were checked: with the topic, and where they end now.
  struct Seen {
    TopicDescription topic;
    int32_t partition = 0;
    int64_t start = 0;
    int64_t end = 0;
  };
  std::vector<Seen> seen_;
};

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_STORE_CHECK_H_
