/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_SUPPORT_OPTIONS_H
#define WEIR_TESTS_SUPPORT_OPTIONS_H

/*
 * C08 as tables: one struct option_table per options struct, one row per field and value. Each row
 * sets one field of otherwise legal options and says whether the creating call takes it; where not,
 * the status must be WEIR_EINVAL and the message must name the field.
 */

#include "support.h"

enum option_kind { OPTION_I64, OPTION_U32, OPTION_I32, OPTION_U64, OPTION_DOUBLE };

struct option_row {
  const char *field; /* what the message names */
  size_t offset;
  enum option_kind kind;
  int legal;
  int64_t integer;
  double real;
};

/* Largest options struct, with room for a tail. */
enum { OPTIONS_BYTES = 1024 };

struct option_table {
  const char *subject; /* what messages begin with */
  size_t size;
  /* Writes legal options into `options`, which has room for OPTIONS_BYTES. */
  void (*fill)(struct fixture *fx, void *options);
  /* Calls the creating function and gives back what it made. */
  weir_status (*create)(struct fixture *fx, const void *options, weir_error **error);
  const char *null_names; /* what refusing NULL options names; NULL: they are legal */
  size_t least_size;      /* the shortest legal prefix, 0: 8 bytes */
  const struct option_row *rows;
  size_t count;
};

#define OPTION(type, member, option_kind, value, is_legal)                   \
  {                                                                          \
#member, offsetof(type, member), option_kind, is_legal,                  \
        option_kind == OPTION_DOUBLE ? 0 : (int64_t)(value), (double)(value) \
  }

/* Every row. */
void check_option_values(struct fixture *fx, const struct option_table *table);
/* NULL; sizes 0, short, long with zeros, long with garbage, absurd. */
void check_option_sizes(struct fixture *fx, const struct option_table *table);

/* Asserts that an options_init function writes `defaults` for every size a caller may have, zeros
 * beyond what it knows, and nothing beyond the caller's struct. */
void check_option_init(void (*init)(void *options, size_t size), const void *defaults,
                       size_t known);
/* init_NAME: weir_NAME_init() as check_option_init() wants it. */
#define OPTION_INIT(name) \
  static void init_##name(void *options, size_t size) { weir_##name##_init(options, size); }

/* Asserts that `status` is `expected`, that the error names `field`, and gives it back: NULL again.
 * */
void assert_refused(weir_status status, weir_status expected, weir_error **error,
                    const char *field);

#endif
