// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_WRITER_PRESENCE_H_
#define VARVE_API_WRITER_PRESENCE_H_

#include <functional>

namespace varve {

// Whether another process has a store open for writing.
enum class WriterPresence { kNone, kOpen };

// Finds that out, each time it is called. Null: no process has it open.
using WriterProbe = std::function<WriterPresence()>;

}  // namespace varve

#endif  // VARVE_API_WRITER_PRESENCE_H_
