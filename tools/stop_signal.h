// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_STOP_SIGNAL_H_
#define VARVE_TOOLS_STOP_SIGNAL_H_

namespace varve {

// From here on SIGINT, SIGTERM and SIGHUP are noted, for a loop that asks
// `StopWasRequested`. A second one of the same kind ends the program as ever.
// One that was ignored before, as nohup(1) has it, stays ignored.
void CatchStopSignals();

// Whether one has come.
bool StopWasRequested();

// The first that has come, 0 for none.
int StopSignal();

// Readable as soon as one has come: for poll(2), beside what is waited for. -1
// before `CatchStopSignals`, which poll(2) passes over.
int StopDescriptor();

// The exit status of a program that a signal ended, by the shells' convention.
int ExitStatusOf(int signal);

}  // namespace varve

#endif  // VARVE_TOOLS_STOP_SIGNAL_H_
