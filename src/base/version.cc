// SPDX-License-Identifier: MIT
// The version, compiled in from the header, so that a program can compare what it was built
// against with what it loaded.

#include <weir/version.h>

#define WEIR_TEXT(x)                     #x
#define WEIR_DOTTED(major, minor, patch) WEIR_TEXT(major) "." WEIR_TEXT(minor) "." WEIR_TEXT(patch)

extern "C" uint32_t weir_version(void) { return WEIR_VERSION_NUMBER; }

extern "C" const char *weir_version_string(void) {
  return WEIR_DOTTED(WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR, WEIR_VERSION_PATCH);
}
