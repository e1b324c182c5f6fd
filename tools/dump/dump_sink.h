// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_DUMP_DUMP_SINK_H_
#define VARVE_TOOLS_DUMP_DUMP_SINK_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "varve/tools/shell/output_buffer.h"
#include "varve/tools/shell/record_json.h"

namespace varve {

// Where `varve dump-log` prints to: a line for each thing in a file, as text or
// as a JSON object. It remembers whether damage was among them, and the first
// error of writing.
//
// Thread safety: externally synchronized.
class DumpSink {
 public:
  enum class Form { kText, kJson };

  DumpSink(int descriptor, Form form) : output_(descriptor), form_(form) {}

  // Begins the output of the file at `path`.
  void BeginFile(std::string_view path);

  // One line: "kind name=value name=value", or
  // {"file":…,"kind":…,"name":value}. `fields` is an object.
  void Add(std::string_view kind, const Json& fields);

  // Reports that the file is wrong at `position`, for the reason `what`.
  void AddDamage(int64_t position, std::string_view what);
  // Reports damage of the file as a whole.
  void AddDamage(std::string_view what);

  bool damage_found() const { return damage_found_; }
  const absl::Status& status() const { return status_; }
  absl::Status Flush();

 private:
  OutputBuffer output_;
  const Form form_;
  std::string path_;
  bool damage_found_ = false;
  absl::Status status_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_DUMP_DUMP_SINK_H_
