// SPDX-License-Identifier: MIT
//
// UTF-8 in texts that others will parse (RFC 3629: no surrogates, nothing overlong, at most
// U+10FFFF).

#pragma once

#include "base/text.hh"

namespace weir {

bool is_utf8(const char *text);

// As between the quotes of a label in OpenMetrics: backslash, quote and newline escaped. Bytes that
// are no UTF-8 become U+FFFD.
void print_escaped(TextWriter &text, const char *value);

}  // namespace weir
