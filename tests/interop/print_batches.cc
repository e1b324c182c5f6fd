// SPDX-License-Identifier: Apache-2.0

// Reads a file of record batches, one after the other from offset 0 on, and
// prints each (tests/interop/described_batch.h).
//
//   print_batches FILE

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/log/check.h"
#include "tests/interop/described_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/segment/batch_scanner.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("print_batches FILE\n", stderr);
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  CHECK(file.is_open()) << argv[1];
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  varve::BatchScanner scanner(bytes, {.position = 0, .base_offset = 0}, {});
  while (const varve::RecordBatch* batch = scanner.Peek()) {
    std::puts(varve::DescribedBatch::Of(*batch).ToJson().c_str());
    scanner.Advance();
  }
  CHECK(scanner.stop() == varve::ScanStop::kEnd)
      << varve::ScanStopText(scanner.stop());
  return 0;
}
