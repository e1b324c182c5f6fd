// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_INTEROP_STORED_GZIP_H_
#define VARVE_TESTS_INTEROP_STORED_GZIP_H_

#include <string>
#include <string_view>

namespace varve {

// `bytes` as a gzip stream (RFC 1952) of stored blocks: any decoder reads it,
// and no library is needed to write it.
std::string StoredGzip(std::string_view bytes);

}  // namespace varve

#endif  // VARVE_TESTS_INTEROP_STORED_GZIP_H_
