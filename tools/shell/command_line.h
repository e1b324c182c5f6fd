// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_COMMAND_LINE_H_
#define VARVE_TOOLS_SHELL_COMMAND_LINE_H_

#include <functional>
#include <string>

namespace varve {

// The options that every command has.
struct GlobalOptions {
  std::string data;   // the data directory; empty when none was given
  bool json = false;  // output for a machine
};

// What a command line asks for. Each command adds its options to the parser,
// and sets `run` when it is the one that was chosen: the whole line has been
// parsed when it is called.
struct CommandLine {
  GlobalOptions global;
  std::function<int()> run;  // returns the exit status
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_COMMAND_LINE_H_
