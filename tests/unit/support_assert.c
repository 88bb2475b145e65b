/* SPDX-License-Identifier: MIT */
/* cmocka's assertions as the tests call them: the linker sends them here first (support.wrap).
 * While `abandon` is set, one that does not hold leaves the body through it; otherwise it is
 * cmocka's own. */

#include "support_inside.h"

#define PARAMETERS(...) __VA_ARGS__
#define ARGUMENTS(...)  __VA_ARGS__

void (*abandon)(void);

#define WRAP_ASSERTION(name, holds, parameters, arguments) \
  void __real_##name(parameters);                          \
  void __wrap_##name(parameters);                          \
  void __wrap_##name(parameters) {                         \
    if (abandon != NULL) {                                 \
      if (!(holds)) abandon();                             \
      return;                                              \
    }                                                      \
    __real_##name(arguments);                              \
  }

typedef LargestIntegralType number;

WRAP_ASSERTION(_assert_true, result != 0,
               PARAMETERS(const number result, const char *expression, const char *file, int line),
               ARGUMENTS(result, expression, file, line))
WRAP_ASSERTION(_assert_int_equal, a == b,
               PARAMETERS(const number a, const number b, const char *file, int line),
               ARGUMENTS(a, b, file, line))
WRAP_ASSERTION(_assert_int_not_equal, a != b,
               PARAMETERS(const number a, const number b, const char *file, int line),
               ARGUMENTS(a, b, file, line))
WRAP_ASSERTION(_assert_string_equal, strcmp(a, b) == 0,
               PARAMETERS(const char *a, const char *b, const char *file, int line),
               ARGUMENTS(a, b, file, line))
WRAP_ASSERTION(_assert_string_not_equal, strcmp(a, b) != 0,
               PARAMETERS(const char *a, const char *b, const char *file, int line),
               ARGUMENTS(a, b, file, line))
WRAP_ASSERTION(_assert_memory_equal, memcmp(a, b, size) == 0,
               PARAMETERS(const void *a, const void *b, const size_t size, const char *file,
                          int line),
               ARGUMENTS(a, b, size, file, line))
WRAP_ASSERTION(_assert_memory_not_equal, memcmp(a, b, size) != 0,
               PARAMETERS(const void *a, const void *b, const size_t size, const char *file,
                          int line),
               ARGUMENTS(a, b, size, file, line))
WRAP_ASSERTION(_assert_in_range, value >= low && value <= high,
               PARAMETERS(const number value, const number low, const number high, const char *file,
                          int line),
               ARGUMENTS(value, low, high, file, line))
WRAP_ASSERTION(_assert_not_in_range, value<low || value> high,
               PARAMETERS(const number value, const number low, const number high, const char *file,
                          int line),
               ARGUMENTS(value, low, high, file, line))
WRAP_ASSERTION(_assert_float_equal, a - b <= epsilon && b - a <= epsilon,
               PARAMETERS(const float a, const float b, const float epsilon, const char *file,
                          int line),
               ARGUMENTS(a, b, epsilon, file, line))
WRAP_ASSERTION(_fail, 0, PARAMETERS(const char *file, int line), ARGUMENTS(file, line))
WRAP_ASSERTION(_skip, 0, PARAMETERS(const char *file, int line), ARGUMENTS(file, line))
