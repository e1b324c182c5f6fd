// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/groups_reset.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "varve/api/log_store.h"
#include "varve/tools/command/offset_move.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/text_table.h"
#include "varve/tools/shell/topic_target.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

struct ResetOptions {
  std::string group;
  std::optional<std::string> target;  // TOPIC or TOPIC:PARTITION
  std::optional<std::string> topic;
  std::optional<int32_t> partition;
  std::vector<std::string> to;
  bool dry_run = false;
};

// Errors: InvalidArgument when no topic is named.
absl::StatusOr<MoveScope> ScopeOf(const ResetOptions& options) {
  if (options.topic.has_value()) {
    return MoveScope{.group = options.group,
                     .topic = *options.topic,
                     .partition = options.partition};
  }
  if (!options.target.has_value()) {
    return absl::InvalidArgumentError(
        "TOPIC is required, or TOPIC:PARTITION for one partition alone");
  }
  absl::StatusOr<TopicTarget> target = ParseTopicTarget(*options.target);
  if (!target.ok()) return target.status();
  return MoveScope{.group = options.group,
                   .topic = target->topic,
                   .partition = target->partition};
}

Json ToJson(const MoveScope& scope, const std::vector<OffsetMove>& moves,
            bool dry_run) {
  Json list = Json::array();
  for (const OffsetMove& move : moves) {
    list.push_back({{"topic", scope.topic},
                    {"partition", move.partition},
                    {"before", NumberJson(move.before)},
                    {"offset", move.offset},
                    {"log_start", move.log_start},
                    {"log_end", move.log_end},
                    {"lag", move.lag()},
                    {"clamped_from", NumberJson(move.clamped_from)}});
  }
  return {{"group", scope.group},
          {"dry_run", dry_run},
          {"offsets", std::move(list)}};
}

std::string ToText(const MoveScope& scope,
                   const std::vector<OffsetMove>& moves) {
  TextTable table({{.title = "TOPIC"},
                   {.title = "PARTITION", .align = Align::kRight},
                   {.title = "BEFORE", .align = Align::kRight},
                   {.title = "OFFSET", .align = Align::kRight},
                   {.title = "START", .align = Align::kRight},
                   {.title = "END", .align = Align::kRight},
                   {.title = "LAG", .align = Align::kRight}});
  for (const OffsetMove& move : moves) {
    table.AddRow({scope.topic, absl::StrCat(move.partition),
                  move.before.has_value() ? absl::StrCat(*move.before) : "-",
                  absl::StrCat(move.offset), absl::StrCat(move.log_start),
                  absl::StrCat(move.log_end), absl::StrCat(move.lag())});
  }
  return table.ToString();
}

void SayWhatWasClamped(const MoveScope& scope,
                       const std::vector<OffsetMove>& moves) {
  for (const OffsetMove& move : moves) {
    if (!move.clamped_from.has_value()) continue;
    PrintError(absl::StrCat(scope.topic, ", partition ", move.partition, ": ",
                            *move.clamped_from, " is ",
                            *move.clamped_from < move.log_start
                                ? "before the log's start"
                                : "after the log's end",
                            ": the group goes on at ", move.offset));
  }
}

int Reset(const GlobalOptions& global, const ResetOptions& options) {
  const absl::StatusOr<MoveScope> scope = ScopeOf(options);
  if (!scope.ok()) return UsageError(scope.status().message());
  const absl::StatusOr<MoveTarget> target =
      ParseMoveTarget(options.to, absl::Now());
  if (!target.ok()) {
    return UsageError(absl::StrCat("--to ", target.status().message()));
  }
  auto store = OpenStoreToChange(
      global,
      {.what = "a group's offsets", .function = "LogStore::CommitOffsets"});
  if (!store.ok()) return FailWith(store.status());
  const absl::StatusOr<std::vector<OffsetMove>> moves =
      PlanMoves(**store, *scope, *target);
  absl::Status status = moves.status();
  if (status.ok() && !options.dry_run) {
    status = CommitMoves(**store, *scope, *moves);
  }
  status.Update((*store)->Close());
  if (!status.ok()) return FailWith(status);
  SayWhatWasClamped(*scope, *moves);
  if (global.json) {
    std::cout << ToLine(ToJson(*scope, *moves, options.dry_run)) << "\n";
    return kExitSuccess;
  }
  std::cout << ToText(*scope, *moves);
  if (options.dry_run) std::cerr << "varve: dry run: nothing was changed\n";
  return kExitSuccess;
}

// `--to` takes a second word after shift-by alone: this refuses it after any
// other, so that the parser leaves it to the arguments.
std::string CheckWord(const CLI::Option& to, const std::string& word) {
  const std::vector<std::string>& words = to.results();
  const bool is_second = words.size() == 1 && word != words[0];
  if (!is_second || (words[0] == "shift-by" && ParseWholeNumber(word).ok())) {
    return "";
  }
  return "one place is enough";
}

void AddTo(CLI::App& reset, ResetOptions& options) {
  CLI::Option* to = reset.add_option(
      "--to", options.to,
      "where to: earliest, latest, an offset, -N before the end, @TIME, or "
      "shift-by N (or -N) from where it is");
  to->required()->expected(1, 2)->allow_extra_args(false)->type_name("WHERE");
  to->check([to](const std::string& word) { return CheckWord(*to, word); });
  reset.validate_optional_arguments();
}

}  // namespace

void AddGroupsReset(CLI::App& groups, CommandLine& line) {
  auto options = std::make_shared<ResetOptions>();
  CLI::App* reset =
      groups.add_subcommand("reset", "let a group go on somewhere else");
  reset->fallthrough();
  reset->add_option("GROUP", options->group, "the group; may be new")
      ->required();
  CLI::Option* target =
      reset
          ->add_option("TARGET", options->target,
                       "TOPIC, or TOPIC:PARTITION for one partition alone")
          ->type_name("");
  CLI::Option* topic =
      reset->add_option("--topic", options->topic, "in place of TARGET")
          ->excludes(target)
          ->type_name("TOPIC");
  AddNumber32(
      *reset, "--partition",
      [options](int32_t number) { options->partition = number; },
      "with --topic: in this partition alone (all)")
      ->needs(topic);
  AddTo(*reset, *options);
  reset->add_flag("--dry-run", options->dry_run,
                  "show what would change, and change nothing");
  reset->footer(
      "Not beside a program that has the store open: it can commit the offsets "
      "itself.\n"
      "A shift ends at the log's start or end; any other offset has to be in "
      "the log. Of a\n"
      "topic with several partitions an offset wants one: each has offsets of "
      "its own.\n"
      "@TIME: the first record of that time or later; \"varve consume --help\" "
      "has its forms.\n"
      "Examples:\n"
      "  varve groups reset billing orders --to earliest --dry-run\n"
      "  varve groups reset billing orders:0 --to 1000\n"
      "  varve groups reset billing orders --to @2026-11-20\n"
      "  varve groups reset billing orders --to shift-by -100");
  reset->callback([&line, options] {
    line.run = [&line, options] { return Reset(line.global, *options); };
  });
}

}  // namespace varve
