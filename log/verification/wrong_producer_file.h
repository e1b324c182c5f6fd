// SPDX-License-Identifier: Apache-2.0

// What a finding of a `.snapshot` or a `.txnindex` says beside what is wrong:
// no record is touched, since these files are made from the batches; and what
// becomes of them.

#ifndef VARVE_LOG_VERIFICATION_WRONG_PRODUCER_FILE_H_
#define VARVE_LOG_VERIFICATION_WRONG_PRODUCER_FILE_H_

#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {

enum class WrongFileFate {
  kUsed,       // varve goes by it
  kMadeAgain,  // the next open, which recovers, makes it again or removes it
  kBrokers,    // a broker goes by it
};

// The file cannot be read: who needs it reads the batches.
void AddUnreadable(VerifyFinding finding, WrongFileFate fate,
                   FindingList& findings);

// It can be read, and says something that is not so: damage, but for a broker's
// file, whose writer may have had rules of its own.
void AddUntrue(VerifyFinding finding, WrongFileFate fate,
               FindingList& findings);

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_WRONG_PRODUCER_FILE_H_
