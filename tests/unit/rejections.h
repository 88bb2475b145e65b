/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_REJECTIONS_H
#define WEIR_TESTS_REJECTIONS_H

/* What the tests of explained rejections share. */

#include "support.h"

static inline void assert_sentence(const weir_rejection *rejection, const char *expected) {
  char sentence[256];
  size_t length = weir_rejection_describe(rejection, sentence, sizeof sentence);
  assert_string_equal(sentence, expected);
  assert_int_equal(length, strlen(expected));
}

#endif
