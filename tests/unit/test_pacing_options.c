/* SPDX-License-Identifier: MIT */
/* C08 for debounce, throttle, memoize and flight: every field at its limits and beyond, at creation
 * and where options change live, and options structs of other sizes. */

#include "support_options.h"

#define I64(type, member, value, legal) OPTION(type, member, OPTION_I64, value, legal)
#define U32(type, member, value, legal) OPTION(type, member, OPTION_U32, value, legal)

/* Of one test at a time. */
static weir_operation *work;
static weir_debounce *debounce;
static weir_throttle *throttle;

static void fill_debounce(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_debounce_options *)options = (weir_debounce_options)WEIR_DEBOUNCE_OPTIONS_INIT;
}

static weir_status create_debounce(struct fixture *fx, const void *options, weir_error **error) {
  weir_debounce *made = NULL;
  weir_status status = weir_debounce_new(fx->runtime, work, options, &made, error);
  weir_debounce_unref(made);
  return status;
}

static weir_status change_debounce(struct fixture *fx, const void *options, weir_error **error) {
  (void)fx;
  return weir_debounce_set_options(debounce, options, error);
}

/* Legal in both; what else a creation takes, a change may not (leading ...). */
#define DEBOUNCE_ROWS                                                                           \
  U32(weir_debounce_options, leading, 2, 0), U32(weir_debounce_options, trailing, 0, 0),        \
      U32(weir_debounce_options, trailing, 2, 0), U32(weir_debounce_options, superseded, 2, 0), \
      U32(weir_debounce_options, overlap, 3, 0), U32(weir_debounce_options, reserved, 1, 0),    \
      I64(weir_debounce_options, wait_ms, 0, 1),                                                \
      I64(weir_debounce_options, wait_ms, WEIR_FOREVER, 1),                                     \
      I64(weir_debounce_options, wait_ms, INT64_MAX, 1),                                        \
      I64(weir_debounce_options, wait_ms, -2, 0),                                               \
      I64(weir_debounce_options, wait_ms, INT64_MIN, 0),                                        \
      I64(weir_debounce_options, max_wait_ms, 299, 0),                                          \
      I64(weir_debounce_options, max_wait_ms, 300, 1),                                          \
      I64(weir_debounce_options, max_wait_ms, INT64_MAX, 1),                                    \
      I64(weir_debounce_options, max_wait_ms, -2, 0),                                           \
      I64(weir_debounce_options, max_wait_ms, INT64_MIN, 0)

static const struct option_row debounce_rows[] = {
    DEBOUNCE_ROWS,
    U32(weir_debounce_options, leading, 1, 1),
    U32(weir_debounce_options, superseded, WEIR_SUPERSEDED_SHARE, 1),
    U32(weir_debounce_options, overlap, WEIR_OVERLAP_CANCEL, 1),
};

static const struct option_row debounce_changes[] = {
    DEBOUNCE_ROWS,
    U32(weir_debounce_options, leading, 1, 0),
    U32(weir_debounce_options, superseded, WEIR_SUPERSEDED_SHARE, 0),
    U32(weir_debounce_options, overlap, WEIR_OVERLAP_CANCEL, 0),
};

static void fill_throttle(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_throttle_options *)options = (weir_throttle_options)WEIR_THROTTLE_OPTIONS_INIT;
}

static weir_status create_throttle(struct fixture *fx, const void *options, weir_error **error) {
  weir_throttle *made = NULL;
  weir_status status = weir_throttle_new(fx->runtime, work, options, &made, error);
  weir_throttle_unref(made);
  return status;
}

static weir_status change_throttle(struct fixture *fx, const void *options, weir_error **error) {
  (void)fx;
  return weir_throttle_set_options(throttle, options, error);
}

#define THROTTLE_ROWS                                                                            \
  U32(weir_throttle_options, leading, 2, 0), U32(weir_throttle_options, trailing, 2, 0),         \
      U32(weir_throttle_options, superseded, 2, 0), U32(weir_throttle_options, overlap, 3, 0),   \
      U32(weir_throttle_options, reserved, 1, 0), I64(weir_throttle_options, interval_ms, 0, 1), \
      I64(weir_throttle_options, interval_ms, WEIR_FOREVER, 1),                                  \
      I64(weir_throttle_options, interval_ms, INT64_MAX, 1),                                     \
      I64(weir_throttle_options, interval_ms, -2, 0),                                            \
      I64(weir_throttle_options, interval_ms, INT64_MIN, 0)

static const struct option_row throttle_rows[] = {
    THROTTLE_ROWS,
    U32(weir_throttle_options, leading, 0, 1),
    U32(weir_throttle_options, trailing, 0, 1),
    U32(weir_throttle_options, superseded, WEIR_SUPERSEDED_CANCEL, 1),
    U32(weir_throttle_options, overlap, WEIR_OVERLAP_CONCURRENT, 1),
};

static const struct option_row throttle_changes[] = {
    THROTTLE_ROWS,
    U32(weir_throttle_options, leading, 0, 0),
    U32(weir_throttle_options, trailing, 0, 0),
    U32(weir_throttle_options, superseded, WEIR_SUPERSEDED_CANCEL, 0),
    U32(weir_throttle_options, overlap, WEIR_OVERLAP_CONCURRENT, 0),
};

static void fill_memoize(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_memoize_options *)options = (weir_memoize_options)WEIR_MEMOIZE_OPTIONS_INIT;
}

static weir_status create_memoize(struct fixture *fx, const void *options, weir_error **error) {
  weir_memoize *made = NULL;
  weir_status status = weir_memoize_new(fx->runtime, work, options, &made, error);
  weir_memoize_unref(made);
  return status;
}

static const struct option_row memoize_rows[] = {
    U32(weir_memoize_options, eviction, WEIR_EVICTION_LRU, 1),
    U32(weir_memoize_options, eviction, 3, 0),
    I64(weir_memoize_options, max_entries, 0, 1),
    I64(weir_memoize_options, max_entries, UINT32_MAX, 1),
    I64(weir_memoize_options, max_entries, INT64_C(1) << 32, 0),
    I64(weir_memoize_options, max_entries, WEIR_UNLIMITED, 1),
    I64(weir_memoize_options, max_entries, -2, 0),
    I64(weir_memoize_options, ttl_ms, 0, 1),
    I64(weir_memoize_options, ttl_ms, INT64_MAX, 1),
    I64(weir_memoize_options, ttl_ms, -2, 0),
    I64(weir_memoize_options, load_timeout_ms, 0, 1),
    I64(weir_memoize_options, load_timeout_ms, WEIR_FOREVER, 1),
    I64(weir_memoize_options, load_timeout_ms, INT64_MIN, 0),
};

static void fill_flight(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_flight_options *)options = (weir_flight_options)WEIR_FLIGHT_OPTIONS_INIT;
}

static weir_status create_flight(struct fixture *fx, const void *options, weir_error **error) {
  weir_flight *made = NULL;
  weir_status status = weir_flight_new(fx->runtime, options, &made, error);
  weir_flight_unref(made);
  return status;
}

static const struct option_row flight_rows[] = {
    U32(weir_flight_options, reserved, 1, 0),
    I64(weir_flight_options, timeout_ms, 0, 1),
    I64(weir_flight_options, timeout_ms, WEIR_FOREVER, 1),
    I64(weir_flight_options, timeout_ms, INT64_MAX, 1),
    I64(weir_flight_options, timeout_ms, -2, 0),
};

static const struct option_table tables[] = {
    {"debounce", sizeof(weir_debounce_options), fill_debounce, create_debounce, NULL, 0,
     debounce_rows, COUNT_OF(debounce_rows)},
    {"debounce", sizeof(weir_debounce_options), fill_debounce, change_debounce,
     "debounce.options must not be NULL", 0, debounce_changes, COUNT_OF(debounce_changes)},
    {"throttle", sizeof(weir_throttle_options), fill_throttle, create_throttle, NULL, 0,
     throttle_rows, COUNT_OF(throttle_rows)},
    {"throttle", sizeof(weir_throttle_options), fill_throttle, change_throttle,
     "throttle.options must not be NULL", 0, throttle_changes, COUNT_OF(throttle_changes)},
    {"memoize", sizeof(weir_memoize_options), fill_memoize, create_memoize, NULL, 0, memoize_rows,
     COUNT_OF(memoize_rows)},
    {"flight", sizeof(weir_flight_options), fill_flight, create_flight, NULL, 0, flight_rows,
     COUNT_OF(flight_rows)},
};

static void prepare(struct fixture *fx) {
  work = scripted(fx, "n")->operation;
  debounce = NULL;
  throttle = NULL;
  assert_int_equal(weir_debounce_new(fx->runtime, work, NULL, &debounce, NULL), WEIR_OK);
  assert_int_equal(weir_throttle_new(fx->runtime, work, NULL, &throttle, NULL), WEIR_OK);
}

static void C08_each_option_has_its_limits(struct fixture *fx) {
  prepare(fx);
  for (size_t i = 0; i < COUNT_OF(tables); i++) check_option_values(fx, &tables[i]);
  weir_debounce_unref(debounce);
  weir_throttle_unref(throttle);
}

static void C08_options_of_other_sizes(struct fixture *fx) {
  prepare(fx);
  for (size_t i = 0; i < COUNT_OF(tables); i++) check_option_sizes(fx, &tables[i]);
  weir_debounce_unref(debounce);
  weir_throttle_unref(throttle);
}

OPTION_INIT(memoize_options)
OPTION_INIT(flight_options)

static void C08_the_init_functions_write_the_defaults(struct fixture *fx) {
  static const weir_memoize_options memoize = WEIR_MEMOIZE_OPTIONS_INIT;
  static const weir_flight_options flight = WEIR_FLIGHT_OPTIONS_INIT;
  (void)fx;
  check_option_init(init_memoize_options, &memoize, sizeof memoize);
  check_option_init(init_flight_options, &flight, sizeof flight);
}

/* No byte of the key is looked at. */
static void C08_a_key_that_is_too_long_is_refused(struct fixture *fx) {
  enum { TOO_LONG = (1 << 30) + 1 };
  static const size_t sizes[] = {TOO_LONG, SIZE_MAX};
  prepare(fx);
  for (size_t i = 0; i < COUNT_OF(sizes); i++) {
    weir_error *error = NULL;
    assert_refused(
        weir_debounce_call(debounce, "k", sizes[i], NULL, NULL, NULL, NULL, NULL, &error),
        WEIR_EINVAL, &error, "key_size must be at most 2^30");
    assert_int_equal(weir_debounce_touch(debounce, "k", sizes[i], NULL), WEIR_EINVAL);
    assert_int_equal(weir_debounce_flush(debounce, "k", sizes[i]), WEIR_EINVAL);
    assert_int_equal(weir_throttle_touch_at(throttle, "k", sizes[i], NULL, 0), WEIR_EINVAL);
    assert_int_equal(weir_throttle_cancel(throttle, "k", sizes[i]), WEIR_EINVAL);
  }
  weir_debounce_unref(debounce);
  weir_throttle_unref(throttle);
}

TEST_MAIN("pacing options", TEST(C08_each_option_has_its_limits), TEST(C08_options_of_other_sizes),
          TEST(C08_a_key_that_is_too_long_is_refused),
          TEST(C08_the_init_functions_write_the_defaults))
