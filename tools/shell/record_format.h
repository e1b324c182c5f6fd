// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_RECORD_FORMAT_H_
#define VARVE_TOOLS_SHELL_RECORD_FORMAT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/log/batch/record_view.h"

namespace varve {

// Where a record was read.
struct RecordOrigin {
  std::string_view topic;
  int32_t partition = 0;
};

// How records are printed, in kcat's tokens:
//
//   %s value   %S its size (-1 for null)     %o offset      %t topic
//   %k key     %K its size (-1 for null)     %p partition   %T timestamp, ms
//   %h headers: name=value,name=value        %% a percent sign
//
// and the escapes \n \t \r \\ \xNN. A null key or value prints as nothing, a
// null header value as NULL.
//
// Thread safety: immutable.
class RecordFormat {
 public:
  // Errors: InvalidArgument for an unknown token or escape, with its place.
  static absl::StatusOr<RecordFormat> Parse(std::string_view format);

  // Adds `record` to the end of `out`.
  void Append(const RecordOrigin& origin, const RecordView& record,
              std::string& out) const;

 private:
  // A token; or, for 0, the text `literal`.
  struct Part {
    char token = 0;
    std::string literal;
  };

  void AddLiteral(char byte);

  std::vector<Part> parts_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_RECORD_FORMAT_H_
