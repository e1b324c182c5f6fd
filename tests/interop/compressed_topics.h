// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_INTEROP_COMPRESSED_TOPICS_H_
#define VARVE_TESTS_INTEROP_COMPRESSED_TOPICS_H_

#include "tests/interop/store_writer.h"

namespace varve {

// Writes topics of one partition that have every codec, at its smallest, its
// usual and its largest level:
//
//   compressed     batches that stay as their producer compressed them
//   large          the same, of several hundred KiB, so that every codec makes
//                  several blocks
//   gzip, snappy, lz4, zstd
//                  compressed by the topic; its batches and records come with
//                  every codec, and without one
//   lz4_stamped    the same, stamped with the time of the append
//   decompressed   a topic that stores no batch compressed
void WriteCompressedTopics(StoreWriter& writer);

}  // namespace varve

#endif  // VARVE_TESTS_INTEROP_COMPRESSED_TOPICS_H_
