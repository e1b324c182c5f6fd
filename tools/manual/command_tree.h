// SPDX-License-Identifier: Apache-2.0

// The commands of a program and their options, as plain values: what its
// parser knows, without the parser.

#ifndef VARVE_TOOLS_MANUAL_COMMAND_TREE_H_
#define VARVE_TOOLS_MANUAL_COMMAND_TREE_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace varve {

enum class ValueNeed { kNone, kOptional, kRequired };

// An option, or an argument that is known by its place.
struct CommandOption {
  // "-f", "--follow"; of an argument its name alone: "TOPIC".
  std::vector<std::string> names;
  ValueNeed needs_value = ValueNeed::kNone;
  std::string value_name = {};            // "N"; of an argument its name
  std::vector<std::string> choices = {};  // all values there are, if named
  std::string description = {};
  std::string default_value = {};
  std::string environment_variable = {};
  bool is_required = false;
  bool repeats = false;
};

// A command, or the program itself.
struct Command {
  std::string name = {};
  std::string path = {};  // "topics create"; empty for the program
  std::string description = {};
  std::string footer = {};  // lines that are broken already
  std::vector<CommandOption> arguments = {};
  std::vector<CommandOption> options = {};
  std::vector<Command> commands = {};
};

// The program that `app` parses the lines of. Hidden options are left out.
Command ReadCommandTree(const CLI::App& app);

// The command and all below it, each before those below it.
std::vector<const Command*> AllCommands(const Command& command);

}  // namespace varve

#endif  // VARVE_TOOLS_MANUAL_COMMAND_TREE_H_
