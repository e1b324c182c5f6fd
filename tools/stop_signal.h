// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_STOP_SIGNAL_H_
#define VARVE_TOOLS_STOP_SIGNAL_H_

namespace varve {

// From here on SIGINT and SIGTERM are noted, for a loop that asks
// `StopWasRequested`. A second one ends the program as ever.
void CatchStopSignals();

// Whether one has come.
bool StopWasRequested();

}  // namespace varve

#endif  // VARVE_TOOLS_STOP_SIGNAL_H_
