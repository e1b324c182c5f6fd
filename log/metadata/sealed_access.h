// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_SEALED_ACCESS_H_
#define VARVE_LOG_METADATA_SEALED_ACCESS_H_

namespace varve {

// How segments that do not change any more are read.
enum class SealedAccess {
  kMap,   // in place, without a copy
  kRead,  // with pread(2): a disk that fails, or a file that is cut
          // short, is an error and never a signal
};

}  // namespace varve

#endif  // VARVE_LOG_METADATA_SEALED_ACCESS_H_
