// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/writer_probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "varve/api/writer_presence.h"

namespace varve {

WriterPresence ProbeWriter(const std::string& path) {
  const int descriptor =
      open(absl::StrCat(path, "/.lock").c_str(),
           O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return WriterPresence::kNone;
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  const int result = fcntl(descriptor, F_OFD_GETLK, &whole);
  close(descriptor);
  return result == 0 && whole.l_type != F_UNLCK ? WriterPresence::kOpen
                                                : WriterPresence::kNone;
}

}  // namespace varve
