// SPDX-License-Identifier: MIT
#include "base/utf8.hh"

namespace weir {
namespace {

// The size of the character that begins here, which is not the text's end; 0 if it is none.
size_t utf8_size(const unsigned char *text) {
  unsigned char lead = text[0];
  if (lead < 0x80) return 1;
  size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < size; ++i, low = 0x80, high = 0xBF) {
    if (text[i] < low || text[i] > high) return 0;
  }
  return size;
}

}  // namespace

bool is_utf8(const char *text) {
  const auto *at = reinterpret_cast<const unsigned char *>(text);
  while (*at != '\0') {
    size_t size = utf8_size(at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

void print_escaped(TextWriter &text, const char *value) {
  const auto *at = reinterpret_cast<const unsigned char *>(value);
  while (*at != '\0') {
    size_t size = utf8_size(at);
    if (size == 0) {
      text.print("\xEF\xBF\xBD");
      size = 1;
    } else if (*at == '\n') {
      text.print("\\n");
    } else {
      bool escaped = *at == '"' || *at == '\\';
      text.print("%s%.*s", escaped ? "\\" : "", static_cast<int>(size),
                 reinterpret_cast<const char *>(at));
    }
    at += size;
  }
}

}  // namespace weir
