// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/compression_options.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/record_batch.h"
#include "varve/tools/command/line_producer.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

constexpr std::array<Compression, 5> kCompressions = {
    Compression::kNone, Compression::kGzip, Compression::kSnappy,
    Compression::kLz4, Compression::kZstd};

std::vector<std::string> CompressionNames() {
  std::vector<std::string> names;
  names.reserve(kCompressions.size());
  for (const Compression compression : kCompressions)
    names.emplace_back(CompressionName(compression));
  return names;
}

const Codec* CodecNamed(const std::string& name) {
  for (const Compression compression : kCompressions) {
    if (CompressionName(compression) == name)
      return AllCodecs()->Find(compression);
  }
  return nullptr;
}

absl::Status BadLevel(const CompressionOptions& options, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("--compression-level ", *options.level, ": ", why));
}

}  // namespace

void AddCompressionOptions(CLI::App& produce, CompressionOptions& options) {
  CLI::Option* codec =
      produce
          .add_option("--compression,--compression-codec", options.codec,
                      "compress each batch before it is appended; whether it "
                      "is stored like that is the topic's compression.type")
          ->check(CLI::IsMember(CompressionNames()))
          ->capture_default_str();
  AddNumber32(
      produce, "--compression-level",
      [&options](int32_t level) { options.level = level; },
      "1 to 9 of gzip (6), 1 to 17 of lz4 (9), -131072 to 22 of zstd (3); "
      "higher is smaller and slower. snappy has none")
      ->needs(codec);
}

absl::StatusOr<ProducerCompression> CompressionOf(
    const CompressionOptions& options) {
  ProducerCompression compression = {.codec = CodecNamed(options.codec)};
  if (!options.level.has_value()) return compression;
  if (compression.codec == nullptr)
    return BadLevel(options, "--compression none compresses nothing");
  if (compression.codec->compression() == Compression::kSnappy)
    return BadLevel(options, "snappy has no levels");
  compression.level = *options.level;
  ByteBuffer nothing;
  absl::Status status =
      compression.codec->Compress("", compression.level, nothing);
  if (!status.ok()) return BadLevel(options, status.message());
  return compression;
}

}  // namespace varve
