// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_STORE_H_
#define VARVE_TOOLS_COMMAND_STORE_H_

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "api/log_store.h"

namespace varve {

// A command's store, open for writing. What opening it found is said on stderr,
// also of partitions that are opened later: at the latest when this is
// destroyed, so that no command can forget it.
//
// Thread safety: externally synchronized.
class CommandStore {
 public:
  explicit CommandStore(std::unique_ptr<LogStore> store);
  ~CommandStore();

  CommandStore(CommandStore&&) = default;
  CommandStore& operator=(CommandStore&&) = delete;

  LogStore& operator*() const { return *store_; }
  LogStore* operator->() const { return store_.get(); }

  // Says what was found since the last call: when partitions have been opened,
  // and this will live on.
  void SayWhatWasFound();

 private:
  std::unique_ptr<LogStore> store_;  // null when moved from
  std::set<std::string> said_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_STORE_H_
