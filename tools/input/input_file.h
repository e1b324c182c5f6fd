// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_INPUT_INPUT_FILE_H_
#define VARVE_TOOLS_INPUT_INPUT_FILE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace varve {

// A file that is read, or stdin; closed at the end unless it is that.
//
// Thread safety: immutable.
class InputFile {
 public:
  // "-" is stdin. Opening a named pipe waits for its writer.
  //
  // Errors: those of open(2), with a way out.
  static absl::StatusOr<std::unique_ptr<InputFile>> Open(
      const std::string& path);

  InputFile(int descriptor, std::string name)
      : descriptor_(descriptor), name_(std::move(name)) {}
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int descriptor() const { return descriptor_; }
  // What messages call it.
  const std::string& name() const { return name_; }

 private:
  const int descriptor_;
  const std::string name_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_INPUT_INPUT_FILE_H_
