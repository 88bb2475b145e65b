// SPDX-License-Identifier: MIT
#include "base/text.hh"

#include <cstdarg>
#include <cstdio>

namespace weir {

void TextWriter::print(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t used = length_ < capacity_ ? length_ : capacity_;
  int more = std::vsnprintf(buffer_ == nullptr ? nullptr : buffer_ + used, capacity_ - used, format,
                            arguments);
  va_end(arguments);
  if (more > 0) length_ += static_cast<size_t>(more);
}

}  // namespace weir
