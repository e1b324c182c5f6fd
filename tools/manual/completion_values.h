// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_MANUAL_COMPLETION_VALUES_H_
#define VARVE_TOOLS_MANUAL_COMPLETION_VALUES_H_

#include <vector>

#include "varve/tools/manual/command_tree.h"

namespace varve {

// What a shell can offer for a value.
enum class CompletionKind { kAny, kChoices, kFile, kDirectory, kTopic };

// The kind of the value of an option, or of an argument, by its name.
CompletionKind CompletionKindOf(const CommandOption& option);

// The options of `command`, and those of the program that every command takes,
// each once.
std::vector<CommandOption> OptionsWithin(const Command& program,
                                         const Command& command);

}  // namespace varve

#endif  // VARVE_TOOLS_MANUAL_COMPLETION_VALUES_H_
