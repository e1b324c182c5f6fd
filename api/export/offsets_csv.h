// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_EXPORT_OFFSETS_CSV_H_
#define VARVE_API_EXPORT_OFFSETS_CSV_H_

#include <string>

#include "absl/types/span.h"
#include "varve/api/export/export_report.h"

namespace varve {

// Committed offsets as Kafka's own tool takes them, a line each:
//
//   kafka-consumer-groups.sh --bootstrap-server HOST:9092 --reset-offsets
//       --group GROUP … --from-file FILE --execute
//
// with a --group for each that is in the file. Of one group in all, the fields
// are topic, partition and offset; of several, the group, and those. (Kafka's
// 3.9 and 4.2 first try to read the latter as the former, and print a stack
// trace of that; then they do as they are told.) A field that holds a comma or
// a quotation mark is quoted, as in RFC 4180.
//
// Precondition: no group has a line break in it: the tool reads line by line.
//
// Thread safety: thread-safe.
std::string OffsetsCsv(absl::Span<const ExportedOffset> offsets);

}  // namespace varve

#endif  // VARVE_API_EXPORT_OFFSETS_CSV_H_
