// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_WRITER_PROBE_H_
#define VARVE_TOOLS_WRITER_PROBE_H_

#include <string>

#include "api/writer_presence.h"

namespace varve {

// Whether another process has the store in directory `path` open: asks the
// kernel who holds the lock, without taking it. A store that cannot be asked
// counts as without a writer.
WriterPresence ProbeWriter(const std::string& path);

}  // namespace varve

#endif  // VARVE_TOOLS_WRITER_PROBE_H_
