/* SPDX-License-Identifier: MIT */
/* The library says which version it is, and it is the one that the headers describe. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <weir/version.h>

static void version_equals_the_headers(void **state) {
  (void)state;
  assert_int_equal(weir_version(), WEIR_VERSION_NUMBER);
}

static void version_string_spells_the_number(void **state) {
  (void)state;
  char expected[32];
  uint32_t version = weir_version();
  snprintf(expected, sizeof expected, "%u.%u.%u", version / 10000, version / 100 % 100,
           version % 100);
  assert_string_equal(weir_version_string(), expected);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(version_equals_the_headers),
      cmocka_unit_test(version_string_spells_the_number),
  };
  return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
