// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_COMMAND_STORE_H_
#define VARVE_TOOLS_SHELL_COMMAND_STORE_H_

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "varve/api/log_store.h"

namespace varve {

// A command's store, open for writing. The findings of opening it, and of
// partitions that are opened later, are printed on stderr: at the latest when
// this is destroyed, so that no command can forget it.
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

  // Prints the findings since the last call. For a command that has opened
  // partitions, and keeps running.
  void SayWhatWasFound();

 private:
  std::unique_ptr<LogStore> store_;  // null when moved from
  std::set<std::string> said_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_COMMAND_STORE_H_
