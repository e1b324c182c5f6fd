// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/manual/completion_values.h"

#include <vector>

#include "absl/algorithm/container.h"
#include "varve/tools/manual/command_tree.h"

namespace varve {

CompletionKind CompletionKindOf(const CommandOption& option) {
  if (!option.choices.empty()) return CompletionKind::kChoices;
  if (option.value_name == "FILE") return CompletionKind::kFile;
  if (option.value_name == "DIR") return CompletionKind::kDirectory;
  if (option.value_name == "TOPIC" || option.value_name == "TARGET") {
    return CompletionKind::kTopic;
  }
  return CompletionKind::kAny;
}

std::vector<CommandOption> OptionsWithin(const Command& program,
                                         const Command& command) {
  std::vector<CommandOption> options = command.options;
  for (const CommandOption& global : program.options) {
    const bool is_there =
        absl::c_any_of(options, [&global](const CommandOption& option) {
          return option.names == global.names;
        });
    if (!is_there) options.push_back(global);
  }
  return options;
}

}  // namespace varve
