// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_QUICKSTART_QUICKSTART_TEXT_H_
#define VARVE_TOOLS_QUICKSTART_QUICKSTART_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace varve {

// Real text for the quickstart, in lines that each have a key. It owns the
// text; the lines point into it.
//
// Thread safety: immutable once loaded.
class QuickstartText {
 public:
  struct Line {
    std::string_view key;
    std::string_view value;
  };

  // The lines of `files`, keyed by their first word.
  //
  // Errors: file errors (log/system/errno_status.h); InvalidArgument when there
  // is not one line in all of them.
  static absl::StatusOr<QuickstartText> Load(
      const std::vector<std::string>& files);

  // Text that a Debian machine has: its package status, package log, licences
  // and the documents of its packages. Takes what exists, and makes up text if
  // nothing does.
  static QuickstartText LoadFromThisMachine();

  const std::vector<Line>& lines() const { return lines_; }
  int64_t size_bytes() const { return size_bytes_; }

  // "/var/lib/dpkg/status and 211 more files".
  std::string source() const;
  // The meaning of the lines' keys.
  const std::string& key_meaning() const { return key_meaning_; }

 private:
  enum class KeyRule {
    kFirstWord,
    kPackage,    // of the stanza that the line is in
    kDirectory,  // the name of the file's
  };

  bool is_full() const;
  bool AddFile(const std::string& path, KeyRule rule);
  void AddLines(std::string_view text, std::string_view file_key, KeyRule rule);
  void AddMadeUpLines();

  std::deque<std::string> texts_;  // a deque: its strings do not move
  std::vector<Line> lines_;
  int64_t size_bytes_ = 0;
  std::vector<std::string> files_;
  std::string key_meaning_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_QUICKSTART_QUICKSTART_TEXT_H_
