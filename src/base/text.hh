// SPDX-License-Identifier: MIT
//
// Text in a fixed buffer: cut off at its end, always terminated.

#pragma once

#include <cstddef>

namespace weir {

class TextWriter {
 public:
  TextWriter(char *buffer, size_t capacity) : buffer_(buffer), capacity_(capacity) {
    if (capacity_ > 0) buffer_[0] = '\0';
  }

  __attribute__((format(printf, 2, 3))) void print(const char *format, ...);

  // Of the whole text, also of what was cut off.
  size_t length() const { return length_; }

 private:
  char *buffer_;
  size_t capacity_;
  size_t length_ = 0;
};

// Copies `text` (NULL counts as empty) into a fixed array, cut off and terminated.
template <size_t Size>
void copy_name(char (&target)[Size], const char *text) {
  size_t i = 0;
  for (; text != nullptr && text[i] != '\0' && i + 1 < Size; ++i) target[i] = text[i];
  target[i] = '\0';
}

}  // namespace weir
