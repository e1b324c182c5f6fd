// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/manual/man_page.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "varve/tools/manual/command_tree.h"

namespace varve {
namespace {

// Text that means nothing to roff, and comes out in the characters that it has,
// so that it can be copied.
std::string Plain(std::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\e"},
                                    {"-", "\\-"},
                                    {"'", "\\(aq"},
                                    {"`", "\\(ga"},
                                    {"^", "\\(ha"},
                                    {"~", "\\(ti"}});
}

// A line of it: a dot at its start would be a request.
std::string PlainLine(std::string_view line) {
  return absl::StrCat(absl::StartsWith(line, ".") ? "\\&" : "", Plain(line),
                      "\n");
}

std::string Bold(std::string_view text) {
  return absl::StrCat("\\fB", Plain(text), "\\fR");
}

std::string Italic(std::string_view text) {
  return absl::StrCat("\\fI", Plain(text), "\\fR");
}

// A sentence: the texts of the help begin small and have no full stop.
std::string Sentence(std::string_view text) {
  std::string sentence(text);
  if (!sentence.empty()) {
    sentence[0] = absl::ascii_toupper(static_cast<unsigned char>(sentence[0]));
  }
  if (!absl::EndsWith(sentence, ".")) sentence += '.';
  return sentence;
}

// Lines that stay as they are broken.
std::string Lines(std::string_view text) {
  std::string out = ".nf\n";
  for (const std::string_view line : absl::StrSplit(text, '\n')) {
    out += PlainLine(line);
  }
  return absl::StrCat(out, ".fi\n");
}

std::string ValueOf(const CommandOption& option) {
  if (!option.choices.empty()) return absl::StrJoin(option.choices, "|");
  return option.value_name.empty() ? "VALUE" : option.value_name;
}

// "TOPIC [FILE]", after the name of a command.
std::string Synopsis(const Command& command) {
  std::string text = Bold(
      absl::StrCat("varve", command.path.empty() ? "" : " ", command.path));
  for (const CommandOption& argument : command.arguments) {
    const std::string name =
        absl::StrCat(Italic(argument.names[0]), argument.repeats ? " ..." : "");
    absl::StrAppend(&text, " ",
                    argument.is_required ? name : absl::StrCat("[", name, "]"));
  }
  for (const CommandOption& option : command.options) {
    if (!option.is_required) continue;
    absl::StrAppend(&text, " ", Bold(option.names.back()), " ",
                    Italic(ValueOf(option)));
  }
  absl::StrAppend(&text, " [",
                  Italic(command.commands.empty() ? "OPTION" : "COMMAND"),
                  " ...]\n");
  return text;
}

// "-f, --follow", "--count N", "--watch [SECONDS]".
std::string Heading(const CommandOption& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back(Bold(name));
  std::string heading = absl::StrJoin(names, ", ");
  const std::string value = Italic(ValueOf(option));
  if (option.needs_value == ValueNeed::kOptional) {
    absl::StrAppend(&heading, " [", value, "]");
  } else if (option.needs_value == ValueNeed::kRequired) {
    absl::StrAppend(&heading, " ", value);
  }
  return heading;
}

std::string Explanation(const CommandOption& option) {
  std::string text = Sentence(option.description);
  if (option.is_required) absl::StrAppend(&text, " Required.");
  if (!option.default_value.empty()) {
    absl::StrAppend(&text, " Default: ", option.default_value, ".");
  }
  if (!option.environment_variable.empty()) {
    absl::StrAppend(&text, " The environment variable ",
                    option.environment_variable, " does the same.");
  }
  return PlainLine(text);
}

// Its arguments and options, without those in `known`.
std::string Entries(const Command& command,
                    const std::vector<CommandOption>& known) {
  std::string text;
  for (const CommandOption& argument : command.arguments) {
    absl::StrAppend(&text, ".TP\n", Italic(argument.names[0]), "\n",
                    Explanation(argument));
  }
  for (const CommandOption& option : command.options) {
    const bool is_known =
        absl::c_any_of(known, [&option](const CommandOption& other) {
          return other.names == option.names;
        });
    if (is_known) continue;
    absl::StrAppend(&text, ".TP\n", Heading(option), "\n", Explanation(option));
  }
  return text;
}

// A command that does something, or that others stand below.
std::string Section(const Command& program, const Command& command) {
  std::string text =
      absl::StrCat(".SS ", Plain(command.path), "\n", Synopsis(command),
                   ".PP\n", PlainLine(Sentence(command.description)),
                   Entries(command, program.options));
  if (!command.footer.empty()) {
    absl::StrAppend(&text, ".PP\n", Lines(command.footer));
  }
  return text;
}

}  // namespace

std::string ManPage(const Command& program, std::string_view version) {
  std::string text = absl::StrCat(
      ".\\\" Made by \"varve man\".\n.TH VARVE 1 \"\" \"varve ", Plain(version),
      "\" \"User Commands\"\n.nh\n.ad l\n.SH NAME\nvarve \\- ",
      Plain(absl::StripAsciiWhitespace(program.description)),
      "\n.SH SYNOPSIS\n", Synopsis(program), ".SH OPTIONS\n",
      "Of every command:\n", Entries(program, {}), ".SH COMMANDS\n");
  for (const Command* command : AllCommands(program)) {
    if (!command->path.empty())
      absl::StrAppend(&text, Section(program, *command));
  }
  return absl::StrCat(text, ".SH NOTES AND EXAMPLES\n", Lines(program.footer));
}

}  // namespace varve
