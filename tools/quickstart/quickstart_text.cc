// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/quickstart/quickstart_text.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "varve/log/system/errno_status.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

// Enough to see something, little enough to take seconds.
constexpr int64_t kSizeMax = int64_t{24} << 20;
constexpr size_t kLinesMax = 400'000;
// A longer line would not fit a batch of the topic; it is left out.
constexpr size_t kLineSizeMax = size_t{512} << 10;
constexpr size_t kKeySizeMax = 64;
constexpr int kMadeUpLines = 20'000;

absl::StatusOr<std::string> ReadText(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoStatus(errno == 0 ? EIO : errno, "open", path);
  std::string text((std::istreambuf_iterator<char>(file)),
                   std::istreambuf_iterator<char>());
  if (file.bad()) return ErrnoStatus(errno == 0 ? EIO : errno, "read", path);
  return text;
}

std::string_view FirstWord(std::string_view line) {
  const size_t begin = line.find_first_not_of(" \t");
  if (begin == line.npos) return "";
  line.remove_prefix(begin);
  return line.substr(0, std::min(line.find_first_of(" \t\r"), kKeySizeMax));
}

// Regular files below `directory` that `fits`, in the order of their names.
template <typename Predicate>
std::vector<std::string> FilesBelow(const std::string& directory,
                                    const Predicate& fits) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator it(
      directory, fs::directory_options::skip_permission_denied, error);
  for (; !error && it != fs::recursive_directory_iterator();
       it.increment(error)) {
    std::error_code ignored;
    if (!it->is_symlink(ignored) && it->is_regular_file(ignored) &&
        fits(it->path())) {
      files.push_back(it->path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

absl::StatusOr<QuickstartText> QuickstartText::Load(
    const std::vector<std::string>& files) {
  QuickstartText text;
  text.key_meaning_ = "first word";
  for (const std::string& path : files) {
    if (std::error_code ignored; fs::is_directory(path, ignored)) {
      return ErrnoStatus(EISDIR, "read", path);
    }
    absl::StatusOr<std::string> bytes = ReadText(path);
    if (!bytes.ok()) return bytes.status();
    text.files_.push_back(path);
    text.texts_.push_back(*std::move(bytes));
    text.AddLines(text.texts_.back(), "", KeyRule::kFirstWord);
  }
  if (text.lines_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(text.source(), ": there is not one line in it"));
  }
  return text;
}

QuickstartText QuickstartText::LoadFromThisMachine() {
  QuickstartText text;
  text.key_meaning_ = "package";
  text.AddFile("/var/lib/dpkg/status", KeyRule::kPackage);
  text.AddFile("/var/log/dpkg.log", KeyRule::kFirstWord);
  for (const std::string& path :
       FilesBelow("/usr/share/common-licenses",
                  [](const fs::path&) { return true; })) {
    text.AddFile(path, KeyRule::kDirectory);
  }
  for (const std::string& path :
       FilesBelow("/usr/share/doc", [](const fs::path& file) {
         return file.filename() == "copyright";
       })) {
    if (text.is_full()) break;
    text.AddFile(path, KeyRule::kDirectory);
  }
  if (text.lines_.empty()) text.AddMadeUpLines();
  return text;
}

bool QuickstartText::is_full() const {
  return size_bytes_ >= kSizeMax || lines_.size() >= kLinesMax;
}

// A file that does not exist, or may not be read, is skipped.
bool QuickstartText::AddFile(const std::string& path, KeyRule rule) {
  absl::StatusOr<std::string> bytes = ReadText(path);
  if (!bytes.ok() || bytes->empty()) return false;
  texts_.push_back(*std::move(bytes));
  const std::string& text = texts_.back();
  std::string_view file_key;
  if (rule == KeyRule::kDirectory) {
    texts_.push_back(fs::path(path).parent_path().filename().string());
    file_key = texts_.back();
  }
  AddLines(text, file_key, rule);
  files_.push_back(path);
  return true;
}

void QuickstartText::AddLines(std::string_view text, std::string_view file_key,
                              KeyRule rule) {
  std::string_view key = file_key;
  while (!text.empty() && !is_full()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.size() > kLineSizeMax) continue;
    if (rule == KeyRule::kFirstWord) key = FirstWord(line);
    if (rule == KeyRule::kPackage) {
      std::string_view package = line;
      if (absl::ConsumePrefix(&package, "Package: ")) key = package;
    }
    lines_.push_back({.key = key, .value = line});
    size_bytes_ += static_cast<int64_t>(line.size()) + 1;
  }
}

void QuickstartText::AddMadeUpLines() {
  key_meaning_ = "made-up name";
  std::string text;
  for (int i = 0; i < kMadeUpLines; ++i) {
    absl::StrAppend(&text, "sensor-", i % 97, " measured ", i * 7919 % 1000,
                    " in round ", i / 97, "\n");
  }
  texts_.push_back(std::move(text));
  AddLines(texts_.back(), "", KeyRule::kFirstWord);
}

std::string QuickstartText::source() const {
  if (files_.empty()) return "made-up lines (no text was found)";
  if (files_.size() == 1) return files_.front();
  return absl::StrCat(files_.front(), " and ", files_.size() - 1,
                      files_.size() == 2 ? " more file" : " more files");
}

}  // namespace varve
