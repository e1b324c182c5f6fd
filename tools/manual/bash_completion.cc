// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/manual/bash_completion.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "varve/tools/manual/command_tree.h"
#include "varve/tools/manual/completion_values.h"

namespace varve {
namespace {

constexpr std::string_view kHead =
    R"bash(# Completes the arguments of varve in bash. "varve completion bash" made it:
#
#   source <(varve completion bash)
)bash";

constexpr std::string_view kTail = R"bash(
_varve() {
  local current="${COMP_WORDS[COMP_CWORD]}" command='' option='' word REPLY
  local arguments=0 i
  local -a data=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word="${COMP_WORDS[i]}"
    if [[ -n "${option}" ]]; then
      # Bash takes --data=DIR for three words.
      [[ "${word}" != = ]] || continue
      [[ "${option}" != --data ]] || data=(--data "${word}")
      option=''
    elif [[ "${word}" == -* ]]; then
      _varve_value "${command}" "${word}"
      [[ -z "${REPLY}" ]] || option="${word}"
    else
      _varve_commands "${command}"
      if [[ " ${REPLY} " == *" ${word} "* ]]; then
        command="${command:+${command} }${word}"
      else
        arguments=$((arguments + 1))
      fi
    fi
  done
  if [[ -n "${option}" ]]; then
    [[ "${current}" != = ]] || current=''
    _varve_value "${command}" "${option}"
  elif [[ "${current}" == -* ]]; then
    _varve_options "${command}"
  else
    _varve_commands "${command}"
    [[ -n "${REPLY}" ]] || _varve_argument "${command}" "${arguments}"
  fi
  case "${REPLY}" in
    '<file>' | '<directory>')
      compopt -o filenames 2>/dev/null
      [[ "${REPLY}" == '<file>' ]] && REPLY=-f || REPLY=-d
      mapfile -t COMPREPLY < <(compgen "${REPLY}" -- "${current}")
      ;;
    '<topic>')
      REPLY="$("${COMP_WORDS[0]}" "${data[@]}" topics list 2>/dev/null |
        tail -n +2 | cut -d ' ' -f 1)"
      mapfile -t COMPREPLY < <(compgen -W "${REPLY}" -- "${current}")
      ;;
    '<any>') ;;
    *) mapfile -t COMPREPLY < <(compgen -W "${REPLY}" -- "${current}") ;;
  esac
}

complete -F _varve varve
)bash";

std::string NamesOf(const std::vector<Command>& commands) {
  return absl::StrJoin(commands, " ",
                       [](std::string* out, const Command& command) {
                         absl::StrAppend(out, command.name);
                       });
}

std::string NamesOf(const std::vector<CommandOption>& options) {
  return absl::StrJoin(options, " ",
                       [](std::string* out, const CommandOption& option) {
                         absl::StrAppend(out, absl::StrJoin(option.names, " "));
                       });
}

// What the script calls a value.
std::string ValueWord(const CommandOption& option) {
  switch (CompletionKindOf(option)) {
    case CompletionKind::kChoices:
      return absl::StrJoin(option.choices, " ");
    case CompletionKind::kFile:
      return "<file>";
    case CompletionKind::kDirectory:
      return "<directory>";
    case CompletionKind::kTopic:
      return "<topic>";
    case CompletionKind::kAny:
      return "<any>";
  }
  return "";
}

// A function of the script that sets REPLY by a `case` of `subject`.
class CaseFunction {
 public:
  CaseFunction(std::string_view comment, std::string_view name,
               std::string_view subject)
      : text_(absl::StrCat("\n# ", comment, "\n_varve_", name,
                           "() {\n  case \"", subject, "\" in\n")) {}

  // `pattern` is a pattern of bash, quoted as it has to be.
  void Add(std::string_view pattern, std::string_view reply) {
    absl::StrAppend(&text_, "    ", pattern, ") REPLY='", reply, "' ;;\n");
  }

  std::string Finish() const {
    return absl::StrCat(text_, "    *) REPLY='' ;;\n  esac\n}\n");
  }

 private:
  std::string text_;
};

std::string CommandsFunction(const std::vector<const Command*>& all) {
  CaseFunction function("The commands that may follow command $1.", "commands",
                        "$1");
  for (const Command* command : all) {
    if (command->commands.empty()) continue;
    function.Add(absl::StrCat("'", command->path, "'"),
                 NamesOf(command->commands));
  }
  return function.Finish();
}

std::string OptionsFunction(const std::vector<const Command*>& all) {
  CaseFunction function("The options of command $1.", "options", "$1");
  for (const Command* command : all) {
    function.Add(absl::StrCat("'", command->path, "'"),
                 NamesOf(OptionsWithin(*all.front(), *command)));
  }
  return function.Finish();
}

std::string ValueFunction(const std::vector<const Command*>& all) {
  CaseFunction function(
      "What follows option $2 of command $1; nothing follows a flag.", "value",
      "$1 $2");
  for (const Command* command : all) {
    for (const CommandOption& option : OptionsWithin(*all.front(), *command)) {
      // An optional value may be missing, so that the next word is any.
      if (option.needs_value != ValueNeed::kRequired) continue;
      for (const std::string& name : option.names) {
        function.Add(absl::StrCat("'", command->path, " ", name, "'"),
                     ValueWord(option));
      }
    }
  }
  return function.Finish();
}

std::string ArgumentFunction(const std::vector<const Command*>& all) {
  CaseFunction function("Argument $2, from 0 on, of command $1.", "argument",
                        "$1 $2");
  for (const Command* command : all) {
    for (size_t i = 0; i < command->arguments.size(); ++i) {
      const CommandOption& argument = command->arguments[i];
      // The last one takes all that follow.
      const std::string pattern =
          argument.repeats ? absl::StrCat("'", command->path, " '*")
                           : absl::StrCat("'", command->path, " ", i, "'");
      function.Add(pattern, ValueWord(argument));
    }
  }
  return function.Finish();
}

}  // namespace

std::string BashCompletion(const Command& program) {
  const std::vector<const Command*> all = AllCommands(program);
  return absl::StrCat(kHead, CommandsFunction(all), OptionsFunction(all),
                      ValueFunction(all), ArgumentFunction(all), kTail);
}

}  // namespace varve
