// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_WRITER_PROBE_H_
#define VARVE_TOOLS_SHELL_WRITER_PROBE_H_

#include <string>

#include "varve/api/writer_presence.h"

namespace varve {

// Whether another process has the store in directory `path` open: asks the
// kernel which process holds the lock, without taking it. A store whose lock
// cannot be checked counts as without a writer.
WriterPresence ProbeWriter(const std::string& path);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_WRITER_PROBE_H_
