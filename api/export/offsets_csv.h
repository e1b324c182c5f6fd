// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_EXPORT_OFFSETS_CSV_H_
#define VARVE_API_EXPORT_OFFSETS_CSV_H_

#include <string>

#include "absl/types/span.h"
#include "varve/api/export/export_report.h"

namespace varve {

// Committed offsets as Kafka's own tool takes them, a line each of group,
// topic, partition and offset, separated by commas:
//
//   kafka-consumer-groups.sh --bootstrap-server HOST:9092 --reset-offsets
//       --group GROUP … --from-file FILE --execute
//
// with a --group for each that is in the file. (With one group in all the tool
// takes lines without the group, too; it tells by the number of fields.) A
// field that holds a comma or a quotation mark is quoted, as in RFC 4180.
//
// Precondition: no group has a line break in it: the tool reads line by line.
//
// Thread safety: thread-safe.
std::string OffsetsCsv(absl::Span<const ExportedOffset> offsets);

}  // namespace varve

#endif  // VARVE_API_EXPORT_OFFSETS_CSV_H_
