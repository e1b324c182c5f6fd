// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_WRITER_PRESENCE_H_
#define VARVE_API_WRITER_PRESENCE_H_

#include <functional>

namespace varve {

// Whether another process has a store open for writing.
enum class WriterPresence { kNone, kOpen };

// Finds it out, as often as it is asked. Null: nobody has.
using WriterProbe = std::function<WriterPresence()>;

}  // namespace varve

#endif  // VARVE_API_WRITER_PRESENCE_H_
