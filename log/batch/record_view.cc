// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_view.h"

#include <ranges>
#include <string_view>

#include "absl/log/check.h"
#include "varve/log/batch/record_decoder.h"

namespace varve {

static_assert(std::ranges::forward_range<HeaderRange>);

HeaderRange::iterator::iterator(std::string_view bytes, int32_t count)
    : at_(bytes.data()), end_(bytes.data() + bytes.size()), left_(count) {
  DCHECK_GE(left_, 0);
  if (left_ > 0) Load();
}

HeaderRange::iterator& HeaderRange::iterator::operator++() {
  DCHECK_GT(left_, 0);
  if (--left_ > 0) Load();
  return *this;
}

void HeaderRange::iterator::Load() {
  at_ = DecodeHeader(at_, end_, &header_);
  // The cursor has decoded these bytes before. If a failing disk has changed
  // them under the mapping since, the headers end here.
  if (at_ == nullptr) left_ = 0;
}

}  // namespace varve
