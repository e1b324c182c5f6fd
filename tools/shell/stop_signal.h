// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_STOP_SIGNAL_H_
#define VARVE_TOOLS_SHELL_STOP_SIGNAL_H_

namespace varve {

// From here on SIGINT, SIGTERM and SIGHUP are noted, for a loop that asks
// `StopWasRequested`. A second one of the same kind ends the program as usual.
// One that was ignored before, as by nohup(1), stays ignored.
void CatchStopSignals();

// Whether such a signal has come.
bool StopWasRequested();

// The first signal that has come, 0 for none.
int StopSignal();

// A descriptor that is readable as soon as a signal has come, for poll(2). It
// is -1, which poll(2) ignores, before `CatchStopSignals`.
int StopDescriptor();

// The exit status of a program that a signal ended, by the shells' convention.
int ExitStatusOf(int signal);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_STOP_SIGNAL_H_
