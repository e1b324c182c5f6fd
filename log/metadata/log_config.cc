// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/log_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr size_t kShownMax = 64;

using Field =
    std::variant<int64_t LogConfig::*, bool LogConfig::*, double LogConfig::*,
                 CleanupPolicy LogConfig::*, CompressionType LogConfig::*,
                 TimestampType LogConfig::*>;

// One config. The range is that of a number, which may be `besides`, too.
struct Row {
  std::string_view name;
  Field field;
  int64_t min = 0;
  int64_t max = LogConfig::kForever;
  std::optional<int64_t> besides = std::nullopt;
};

const std::array<Row, 24> kRows = {{
    {"segment.bytes", &LogConfig::segment_bytes, 14, kInt32Max},
    {"segment.ms", &LogConfig::segment_ms, 1},
    {"segment.jitter.ms", &LogConfig::segment_jitter_ms},
    {"segment.index.bytes", &LogConfig::segment_index_bytes, 4, kInt32Max},
    {"index.interval.bytes", &LogConfig::index_interval_bytes, 0, kInt32Max},
    {"preallocate", &LogConfig::preallocate},
    {"flush.messages", &LogConfig::flush_messages, 1},
    {"flush.ms", &LogConfig::flush_ms},
    {"retention.bytes", &LogConfig::retention_bytes, -1},
    {"retention.ms", &LogConfig::retention_ms, -1},
    {"cleanup.policy", &LogConfig::cleanup_policy},
    {"delete.retention.ms", &LogConfig::delete_retention_ms},
    {"min.compaction.lag.ms", &LogConfig::min_compaction_lag_ms},
    {"max.compaction.lag.ms", &LogConfig::max_compaction_lag_ms, 1},
    {"min.cleanable.dirty.ratio", &LogConfig::min_cleanable_dirty_ratio, 0, 1},
    {"file.delete.delay.ms", &LogConfig::file_delete_delay_ms},
    {"max.message.bytes", &LogConfig::max_message_bytes, 0, kInt32Max},
    {"compression.type", &LogConfig::compression_type},
    {"compression.gzip.level", &LogConfig::compression_gzip_level, 1, 9, -1},
    {"compression.lz4.level", &LogConfig::compression_lz4_level, 1, 17},
    {"compression.zstd.level", &LogConfig::compression_zstd_level, -131072, 22},
    {"message.timestamp.type", &LogConfig::message_timestamp_type},
    {"message.timestamp.before.max.ms",
     &LogConfig::message_timestamp_before_max_ms},
    {"message.timestamp.after.max.ms",
     &LogConfig::message_timestamp_after_max_ms},
}};

constexpr std::string_view kReplicas =
    "it is about replicas, and a log of varve has no others";
constexpr std::string_view kRemote =
    "it is about remote storage, which varve does not have";
constexpr std::string_view kGone = "Kafka itself has given it up";
constexpr std::string_view kShareGroups = "varve has no share groups";
constexpr std::string_view kInternal = "it is internal to Kafka's tests";

// Kafka's other topic configs, and why they are refused.
constexpr std::array<std::pair<std::string_view, std::string_view>, 16>
    kRefused = {{
        {"min.insync.replicas", kReplicas},
        {"unclean.leader.election.enable", kReplicas},
        {"leader.replication.throttled.replicas", kReplicas},
        {"follower.replication.throttled.replicas", kReplicas},
        {"remote.storage.enable", kRemote},
        {"local.retention.ms", kRemote},
        {"local.retention.bytes", kRemote},
        {"remote.log.copy.disable", kRemote},
        {"remote.log.delete.on.disable", kRemote},
        {"remote.copy.lag.ms", kRemote},
        {"remote.copy.lag.bytes", kRemote},
        {"message.format.version", kGone},
        {"message.timestamp.difference.max.ms", kGone},
        {"message.downconversion.enable", kGone},
        {"errors.deadletterqueue.group.enable", kShareGroups},
        {"internal.segment.bytes", kInternal},
    }};

// An overload of each function below for every type of `Field`.

std::string Print(int64_t value) { return absl::StrCat(value); }
std::string Print(bool value) { return value ? "true" : "false"; }
std::string Print(double value) {
  std::array<char, 32> text;
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value);
  CHECK(error == std::errc()) << value;  // any double has 24 characters at most
  return std::string(text.data(), end);
}
std::string Print(CleanupPolicy value) {
  if (value == CleanupPolicy::kDelete) return "delete";
  if (value == CleanupPolicy::kCompact) return "compact";
  return "compact,delete";
}
std::string Print(CompressionType value) {
  if (value == CompressionType::kUncompressed) return "uncompressed";
  if (value == CompressionType::kProducer) return "producer";
  if (value == CompressionType::kGzip) return "gzip";
  if (value == CompressionType::kSnappy) return "snappy";
  if (value == CompressionType::kLz4) return "lz4";
  return "zstd";
}
std::string Print(TimestampType value) {
  return value == TimestampType::kCreateTime ? "CreateTime" : "LogAppendTime";
}

template <typename Enum>
bool ParseEnum(std::string_view text, std::initializer_list<Enum> values,
               Enum& out) {
  for (const Enum value : values) {
    if (Print(value) != text) continue;
    out = value;
    return true;
  }
  return false;
}

bool Parse(std::string_view text, int64_t& out) {
  return absl::SimpleAtoi(text, &out);
}
bool Parse(std::string_view text, bool& out) {
  out = absl::EqualsIgnoreCase(text, "true");
  return out || absl::EqualsIgnoreCase(text, "false");
}
bool Parse(std::string_view text, double& out) {
  return absl::SimpleAtod(text, &out);
}
bool Parse(std::string_view text, CleanupPolicy& out) {
  bool deletes = false;
  bool compacts = false;
  for (std::string_view part : absl::StrSplit(text, ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (part != "delete" && part != "compact") return false;
    (part == "delete" ? deletes : compacts) = true;
  }
  out = !compacts  ? CleanupPolicy::kDelete
        : !deletes ? CleanupPolicy::kCompact
                   : CleanupPolicy::kCompactAndDelete;
  return true;
}
bool Parse(std::string_view text, CompressionType& out) {
  return ParseEnum(text,
                   {CompressionType::kUncompressed, CompressionType::kProducer,
                    CompressionType::kGzip, CompressionType::kSnappy,
                    CompressionType::kLz4, CompressionType::kZstd},
                   out);
}
bool Parse(std::string_view text, TimestampType& out) {
  return ParseEnum(
      text, {TimestampType::kCreateTime, TimestampType::kLogAppendTime}, out);
}

bool IsAllowed(const Row& row, int64_t value) {
  return (value >= row.min && value <= row.max) || value == row.besides;
}
bool IsAllowed(const Row& row, double value) {
  // NaN is in no range.
  return value >= static_cast<double>(row.min) &&
         value <= static_cast<double>(row.max);
}
template <typename T>
bool IsAllowed(const Row&, T) {
  return true;
}

std::string AllowedText(const Row& row, int64_t) {
  return absl::StrCat("a whole number from ", row.min, " to ", row.max,
                      row.besides ? absl::StrCat(", or ", *row.besides) : "");
}
std::string AllowedText(const Row& row, double) {
  return absl::StrCat("a number from ", row.min, " to ", row.max);
}
std::string AllowedText(const Row&, bool) { return "true or false"; }
std::string AllowedText(const Row&, CleanupPolicy) {
  return "delete, compact or compact,delete";
}
std::string AllowedText(const Row&, CompressionType) {
  return "uncompressed, zstd, lz4, snappy, gzip or producer";
}
std::string AllowedText(const Row&, TimestampType) {
  return "CreateTime or LogAppendTime";
}

template <typename T>
absl::Status NotAllowed(const Row& row, std::string_view text, T value) {
  return absl::InvalidArgumentError(absl::StrCat(
      row.name, ": \"", absl::CHexEscape(text.substr(0, kShownMax)),
      "\" is not ", AllowedText(row, value)));
}

absl::Status SetRow(const Row& row, std::string_view text, LogConfig& config) {
  return std::visit(
      [&](auto field) {
        auto value = config.*field;
        if (!Parse(text, value) || !IsAllowed(row, value)) {
          return NotAllowed(row, text, value);
        }
        config.*field = value;
        return absl::OkStatus();
      },
      row.field);
}

absl::Status CheckRow(const Row& row, const LogConfig& config) {
  return std::visit(
      [&](auto field) {
        const auto value = config.*field;
        return IsAllowed(row, value) ? absl::OkStatus()
                                     : NotAllowed(row, Print(value), value);
      },
      row.field);
}

std::string PrintRow(const Row& row, const LogConfig& config) {
  return std::visit([&](auto field) { return Print(config.*field); },
                    row.field);
}

// Characters to insert, remove or replace to make one from the other.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] != b[j] ? 1 : 0);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

// Whether it may be `known` with a typing error or two, or cut short.
bool IsNear(std::string_view name, std::string_view known) {
  return 3 * EditDistance(name, known) <= std::max(name.size(), known.size());
}

absl::Status Unknown(std::string_view name) {
  const std::string_view shown = name.substr(0, kShownMax);
  for (const auto& [refused, why] : kRefused) {
    if (refused != name) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": not a config of varve: ", why));
  }
  // A broker's config of the same meaning has this prefix.
  const std::string_view bare = absl::StripPrefix(shown, "log.");
  const auto nearest = std::min_element(
      kRows.begin(), kRows.end(), [&](const Row& a, const Row& b) {
        return EditDistance(bare, a.name) < EditDistance(bare, b.name);
      });
  const std::string what =
      absl::StrCat("no config is named \"", absl::CHexEscape(shown), "\"; ");
  if (IsNear(bare, nearest->name)) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, "the nearest name is \"", nearest->name, "\""));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      what, "there are ",
      absl::StrJoin(kRows, ", ", [](std::string* out, const Row& row) {
        out->append(row.name);
      })));
}

}  // namespace

absl::Status LogConfig::Set(std::string_view name, std::string_view value) {
  for (const Row& row : kRows) {
    if (row.name != name) continue;
    return SetRow(row, absl::StripAsciiWhitespace(value), *this);
  }
  return Unknown(name);
}

absl::Status LogConfig::Reset(std::string_view name) {
  const LogConfig defaults;
  for (const Row& row : kRows) {
    if (row.name != name) continue;
    std::visit([&](auto field) { this->*field = defaults.*field; }, row.field);
    return absl::OkStatus();
  }
  return Unknown(name);
}

absl::Status LogConfig::Validate() const {
  for (const Row& row : kRows) {
    if (absl::Status status = CheckRow(row, *this); !status.ok()) return status;
  }
  if (min_compaction_lag_ms > max_compaction_lag_ms) {
    return absl::InvalidArgumentError(absl::StrCat(
        "min.compaction.lag.ms: ", min_compaction_lag_ms,
        " is more than max.compaction.lag.ms, ", max_compaction_lag_ms));
  }
  return absl::OkStatus();
}

absl::Status LogConfig::CheckTimestamp(int64_t timestamp_ms,
                                       int64_t now_ms) const {
  DCHECK_GE(now_ms, 0);
  if (AcceptsTimestamp(timestamp_ms, now_ms)) return absl::OkStatus();
  const bool is_ahead = timestamp_ms > now_ms;
  return absl::InvalidArgumentError(
      absl::StrCat("timestamp ", timestamp_ms, " ms is outside of ",
                   is_ahead ? "message.timestamp.after.max.ms ("
                            : "message.timestamp.before.max.ms (",
                   is_ahead ? message_timestamp_after_max_ms
                            : message_timestamp_before_max_ms,
                   ") around now, ", now_ms, " ms"));
}

std::vector<std::pair<std::string, std::string>> LogConfig::All() const {
  std::vector<std::pair<std::string, std::string>> all;
  all.reserve(kRows.size());
  for (const Row& row : kRows) {
    all.emplace_back(std::string(row.name), PrintRow(row, *this));
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> LogConfig::NonDefault() const {
  const LogConfig defaults;
  std::vector<std::pair<std::string, std::string>> different;
  for (const Row& row : kRows) {
    std::string value = PrintRow(row, *this);
    if (value == PrintRow(row, defaults)) continue;
    different.emplace_back(std::string(row.name), std::move(value));
  }
  return different;
}

}  // namespace varve
