// SPDX-License-Identifier: Apache-2.0

// The options of `varve produce` by which batches are compressed.

#ifndef VARVE_TOOLS_COMMAND_COMPRESSION_OPTIONS_H_
#define VARVE_TOOLS_COMMAND_COMPRESSION_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "varve/tools/command/line_producer.h"

namespace varve {

// As they stand on the line.
struct CompressionOptions {
  std::string codec = "none";         // Kafka's name
  std::optional<int32_t> level = {};  // none: the codec's default
};

// Adds --compression, with the name that kafka-console-producer.sh has for it,
// and --compression-level. `options` must outlive the parsing.
void AddCompressionOptions(CLI::App& produce, CompressionOptions& options);

// What the options mean.
//
// Errors: InvalidArgument for a level that the codec does not have, with the
// option.
absl::StatusOr<ProducerCompression> CompressionOf(
    const CompressionOptions& options);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_COMPRESSION_OPTIONS_H_
