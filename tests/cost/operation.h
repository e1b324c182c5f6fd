// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_COST_OPERATION_H_
#define VARVE_TESTS_COST_OPERATION_H_

#include <cstdint>

namespace varve::cost {

// What a store is asked for over and over, and whose cost is counted.
class Operation {
 public:
  // What one call came to.
  struct Done {
    int64_t count = 1;        // operations: an append, a record that is read
    int64_t batch_bytes = 0;  // of their batches, those that a CRC covers
  };

  virtual ~Operation() = default;

  // Before each `Counted`; it is not counted itself.
  virtual void Prepare() {}

  // Callgrind knows it by its name: nothing else is called so.
  virtual Done Counted() = 0;
};

}  // namespace varve::cost

#endif  // VARVE_TESTS_COST_OPERATION_H_
