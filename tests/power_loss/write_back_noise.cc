// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/write_back_noise.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace varve {
namespace {

// A path in `directory`, or "" when there is none, or it was just deleted.
std::string OneOf(const std::string& directory, uint64_t random) {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end;
       !error && at != end; at.increment(error)) {
    paths.push_back(at->path());
  }
  return paths.empty() ? "" : paths[random % paths.size()];
}

}  // namespace

// No failure here matters: the files are created and deleted all the time.
void WriteBackNoise::Stir(uint64_t random) const {
  std::string path = OneOf(store_path_, random);
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    path = OneOf(path, random / 7);
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return;
  // This does not commit the journal; now and then a commit follows.
  const auto pages = static_cast<off64_t>(random % 16);
  int result = sync_file_range(file, pages * 4096, (pages % 5) * 4096,
                               SYNC_FILE_RANGE_WRITE);
  if (result == 0 && random / 16 % 20 == 0) result = fsync(file);
  close(file);
}

}  // namespace varve
