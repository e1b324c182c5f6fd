// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_POWER_CUT_H_
#define VARVE_TESTS_POWER_LOSS_POWER_CUT_H_

namespace varve {

// Cuts the power of a file system, ext4 or XFS: from then on nothing reaches
// its disk, nor does the part of its journal that is in memory. Every file of
// it fails until it is mounted again. `file` is a descriptor of any file or
// directory of it; needs root. Ends the program when it cannot.
void CutPower(int file);

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_POWER_CUT_H_
