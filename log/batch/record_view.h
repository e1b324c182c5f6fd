// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_RECORD_VIEW_H_
#define VARVE_LOG_BATCH_RECORD_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// The headers of one record, decoded one by one while they are iterated:
//
//   for (const Header& header : record.headers()) { ... }
//
// A view of the batch's bytes, valid while they live. It allocates nothing.
//
// Thread safety: immutable.
class HeaderRange {
 public:
  class iterator {
   public:
    using iterator_concept = std::forward_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = Header;
    using difference_type = std::ptrdiff_t;
    using reference = Header;
    using pointer = void;

    iterator() = default;

    Header operator*() const { return header_; }
    const Header* operator->() const { return &header_; }
    iterator& operator++();
    iterator operator++(int) {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) {
      return a.left_ == b.left_;
    }

   private:
    friend class HeaderRange;
    iterator(std::string_view bytes, int32_t count);
    void Load();

    // Constant-size state: the current header, the bytes after it, and how many
    // headers are left, this one included. Zero left is the end.
    const char* at_ = nullptr;
    const char* end_ = nullptr;
    int32_t left_ = 0;
    Header header_;
  };

  using const_iterator = iterator;
  using value_type = Header;

  HeaderRange() = default;

  // Precondition: `bytes` are `count` whole headers and nothing else, as
  // RecordCursor has checked.
  HeaderRange(std::string_view bytes, int32_t count)
      : bytes_(bytes), count_(count) {}

  iterator begin() const { return iterator(bytes_, count_); }
  iterator end() const { return iterator(); }
  int32_t size() const { return count_; }
  bool empty() const { return count_ == 0; }

 private:
  std::string_view bytes_;
  int32_t count_ = 0;
};

// One record of a log: its contents and its place. A view of the batch's bytes,
// valid while they live; keys, values and headers point into them.
//
// Thread safety: immutable.
class RecordView {
 public:
  // The fields of the record; offset and time are computed from its batch.
  struct Fields {
    int64_t offset = 0;
    int64_t timestamp_ms = kNoTimestamp;
    int64_t size_bytes = 0;
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    HeaderRange headers;
  };

  RecordView() = default;
  explicit RecordView(const Fields& fields) : fields_(fields) {}

  int64_t offset() const { return fields_.offset; }

  // Milliseconds since the Unix epoch; -1 for none. With LogAppendTime, the
  // time of the append, otherwise the record's own time.
  int64_t timestamp_ms() const { return fields_.timestamp_ms; }

  // The same; absl::InfinitePast() for none.
  absl::Time timestamp() const {
    return timestamp_ms() == kNoTimestamp
               ? absl::InfinitePast()
               : absl::FromUnixMillis(timestamp_ms());
  }

  // Absent is Kafka's null, which differs from empty.
  const std::optional<std::string_view>& key() const { return fields_.key; }
  const std::optional<std::string_view>& value() const { return fields_.value; }

  HeaderRange headers() const { return fields_.headers; }
  int32_t header_count() const { return fields_.headers.size(); }

  // Bytes that the record takes in its (uncompressed) batch, length included.
  int64_t size_bytes() const { return fields_.size_bytes; }

 private:
  // Decodes in place: copying each record would make a scan a third slower.
  friend class RecordCursor;

  Fields fields_;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_RECORD_VIEW_H_
