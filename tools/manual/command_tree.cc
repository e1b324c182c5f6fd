// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/manual/command_tree.h"

#include <cstddef>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace varve {
namespace {

ValueNeed NeedOf(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return ValueNeed::kNone;
  return option.get_items_expected_min() == 0 ? ValueNeed::kOptional
                                              : ValueNeed::kRequired;
}

// The parser writes the type as NAME, NAME:{a,b} or {a,b}.
void ReadType(const std::string& type, CommandOption& option) {
  const size_t open = type.find('{');
  const size_t close = type.rfind('}');
  if (open != type.npos && close != type.npos && open < close) {
    option.choices =
        absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
  }
  option.value_name = type.substr(0, type.find_first_of(":{"));
}

CommandOption ReadOption(const CLI::Option& option) {
  CommandOption read;
  ReadType(option.get_type_name(), read);
  if (option.get_positional()) {
    read.value_name = option.get_name(/*positional=*/true);
    read.names = {read.value_name};
  }
  for (const std::string& name : option.get_snames()) {
    read.names.push_back(absl::StrCat("-", name));
  }
  for (const std::string& name : option.get_lnames()) {
    read.names.push_back(absl::StrCat("--", name));
  }
  read.needs_value = NeedOf(option);
  read.description = option.get_description();
  read.default_value = option.get_default_str();
  read.environment_variable = option.get_envname();
  read.is_required = option.get_required();
  read.repeats =
      option.get_allow_extra_args() ||
      option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  return read;
}

Command ReadCommand(const CLI::App& app, const std::string& path) {
  Command command = {.name = app.get_name(),
                     .path = path,
                     .description = app.get_description()};
  // A command without a footer has got that of the one above it.
  const CLI::App* const above = app.get_parent();
  if (above == nullptr || above->get_footer() != app.get_footer()) {
    command.footer = app.get_footer();
  }
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? command.arguments : command.options)
        .push_back(ReadOption(*option));
  }
  const auto visible = [](const CLI::App* below) {
    return !below->get_group().empty();
  };
  for (const CLI::App* below : app.get_subcommands(visible)) {
    const std::string& name = below->get_name();
    command.commands.push_back(ReadCommand(
        *below, path.empty() ? name : absl::StrCat(path, " ", name)));
  }
  return command;
}

void Collect(const Command& command, std::vector<const Command*>& all) {
  all.push_back(&command);
  for (const Command& below : command.commands) Collect(below, all);
}

}  // namespace

Command ReadCommandTree(const CLI::App& app) { return ReadCommand(app, ""); }

std::vector<const Command*> AllCommands(const Command& command) {
  std::vector<const Command*> all;
  Collect(command, all);
  return all;
}

}  // namespace varve
