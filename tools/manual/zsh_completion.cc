// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/manual/zsh_completion.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "varve/tools/manual/command_tree.h"
#include "varve/tools/manual/completion_values.h"

namespace varve {
namespace {

constexpr std::string_view kHead = R"zsh(#compdef varve

# Completes the arguments of varve in zsh. "varve completion zsh" made it:
#
#   varve completion zsh > "${fpath[1]}/_varve"    or    source <(varve completion zsh)

_varve__names_of_topics() {
  local data="${opt_args[--data]:-${varve_data}}"
  local -a names
  names=(${(f)"$(varve ${data:+--data} ${data} \
    topics list 2>/dev/null | tail -n +2 | cut -d ' ' -f 1)"})
  _describe -t topics topic names
}
)zsh";

constexpr std::string_view kTail = R"zsh(
if [[ "${funcstack[1]}" == _varve ]]; then
  _varve "$@"
else
  compdef _varve varve
fi
)zsh";

// Between single quotes.
std::string Quoted(std::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// A text in the language of _arguments, in which these characters mean
// something.
std::string Escaped(std::string_view text) {
  return absl::StrReplaceAll(
      text, {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

// What follows an option or stands for an argument: ":MESSAGE:ACTION".
std::string ValueSpec(const CommandOption& option) {
  const std::string message =
      absl::StrCat(":", Escaped(option.value_name), ":");
  switch (CompletionKindOf(option)) {
    case CompletionKind::kChoices:
      return absl::StrCat(message, "(", absl::StrJoin(option.choices, " "),
                          ")");
    case CompletionKind::kFile:
      return message + "_files";
    case CompletionKind::kDirectory:
      return message + "_files -/";
    case CompletionKind::kTopic:
      return message + "_varve__names_of_topics";
    case CompletionKind::kAny:
      return message + " ";
  }
  return message;
}

// One spec for each name: '(-f --follow)-f[what it does]:VALUE:action'.
std::string OptionSpecs(const CommandOption& option) {
  std::string value;
  if (option.needs_value != ValueNeed::kNone) value = ValueSpec(option);
  if (option.needs_value == ValueNeed::kOptional) value = ":" + value;
  std::string specs;
  for (const std::string& name : option.names) {
    const bool takes_equals = !value.empty() && absl::StartsWith(name, "--");
    absl::StrAppend(
        &specs, "    ",
        Quoted(absl::StrCat(
            option.repeats
                ? "*"
                : absl::StrCat("(", absl::StrJoin(option.names, " "), ")"),
            name, takes_equals ? "=" : "", "[", Escaped(option.description),
            "]", value)),
        " \\\n");
  }
  return specs;
}

std::string ArgumentSpecs(const Command& command) {
  std::string specs;
  for (size_t i = 0; i < command.arguments.size(); ++i) {
    const CommandOption& argument = command.arguments[i];
    const std::string place =
        argument.repeats ? "*"
                         : absl::StrCat(i + 1, argument.is_required ? "" : ":");
    absl::StrAppend(&specs, "    ",
                    Quoted(absl::StrCat(place, ValueSpec(argument))), " \\\n");
  }
  return specs;
}

std::string FunctionName(const Command& command) {
  std::string name = "_varve";
  if (!command.path.empty()) {
    absl::StrAppend(&name, "_",
                    absl::StrReplaceAll(command.path, {{" ", "_"}}));
  }
  return name;
}

// The part of a function that offers commands, and calls the function of the
// one that is there. That one has options of its own, and sees of those before
// it what is in varve_data; global ones after the command are among them.
std::string CommandsPart(const Command& command) {
  std::string describe =
      "  local varve_data=\"${opt_args[--data]:-${varve_data}}\"\n"
      "  local -a commands\n  commands=(\n";
  std::string calls;
  for (const Command& below : command.commands) {
    absl::StrAppend(
        &describe, "    ",
        Quoted(absl::StrCat(below.name, ":", Escaped(below.description))),
        "\n");
    absl::StrAppend(&calls, "        ", below.name, ") ", FunctionName(below),
                    " ;;\n");
  }
  return absl::StrCat(describe,
                      "  )\n  case \"${state}\" in\n"
                      "    command) _describe -t commands command commands ;;\n"
                      "    rest)\n"
                      "      words=(\"${line[1]}\" \"${words[@]}\")\n"
                      "      (( CURRENT += 1 ))\n"
                      "      case \"${line[1]}\" in\n",
                      calls, "      esac\n      ;;\n  esac\n");
}

std::string Function(const Command& program, const Command& command) {
  std::string text = absl::StrCat(
      "\n", FunctionName(command),
      "() {\n  local curcontext=\"${curcontext}\" context state state_descr "
      "line\n  typeset -A opt_args\n  _arguments -C \\\n");
  for (const CommandOption& option : OptionsWithin(program, command)) {
    absl::StrAppend(&text, OptionSpecs(option));
  }
  if (command.commands.empty()) {
    return absl::StrCat(text, ArgumentSpecs(command), "    && return\n}\n");
  }
  return absl::StrCat(text, "    '1: :->command' '*::: :->rest' && return\n",
                      CommandsPart(command), "}\n");
}

}  // namespace

std::string ZshCompletion(const Command& program) {
  std::string script(kHead);
  for (const Command* command : AllCommands(program)) {
    absl::StrAppend(&script, Function(program, *command));
  }
  return absl::StrCat(script, kTail);
}

}  // namespace varve
