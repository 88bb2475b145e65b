/* SPDX-License-Identifier: MIT */
/* C08: the options of race, parallel and pool, field by field and size by size. */

#include "flow.h"
#include "support_options.h"

static weir_operation *child(struct fixture *fx) {
  if (fx->user == NULL) fx->user = scripted(fx, "v1")->operation;
  return fx->user;
}

/* ---- race ------------------------------------------------------------------------------------ */

static void fill_race(struct fixture *fx, void *options) {
  (void)fx;
  *(weir_race_options *)options = (weir_race_options)WEIR_RACE_OPTIONS_INIT;
}

static weir_status create_race(struct fixture *fx, const void *options, weir_error **error) {
  weir_operation *race = NULL;
  weir_status status = weir_race_new(fx->runtime, COUNTED(child(fx)), options, &race, error);
  weir_operation_unref(race);
  return status;
}

#define RACE(member, kind, value, legal) OPTION(weir_race_options, member, kind, value, legal)

static const struct option_row race_rows[] = {
    RACE(first_settled, OPTION_U32, 0, 1),
    RACE(first_settled, OPTION_U32, 1, 1),
    RACE(first_settled, OPTION_U32, 2, 0),
    RACE(first_settled, OPTION_U32, UINT32_MAX, 0),
};

static const struct option_table race_table = {
    "race",    sizeof(weir_race_options), fill_race, create_race, NULL, 0,
    race_rows, COUNT_OF(race_rows)};

/* ---- parallel -------------------------------------------------------------------------------- */

static void fill_parallel(struct fixture *fx, void *options) {
  (void)fx;
  weir_parallel_options *filled = options;
  *filled = (weir_parallel_options)WEIR_PARALLEL_OPTIONS_INIT;
  filled->concurrency = 3;
}

static weir_status create_parallel(struct fixture *fx, const void *options, weir_error **error) {
  weir_operation *parallel = NULL;
  weir_status status =
      weir_parallel_new(fx->runtime, COUNTED(child(fx)), options, &parallel, error);
  weir_operation_unref(parallel);
  return status;
}

/* Of both structs. */
#define ITEM_ROWS(type)                                                                         \
  OPTION(type, stop_on_error, OPTION_U32, 0, 1), OPTION(type, stop_on_error, OPTION_U32, 1, 1), \
      OPTION(type, stop_on_error, OPTION_U32, 2, 0),                                            \
      OPTION(type, stop_on_error, OPTION_U32, UINT32_MAX, 0),                                   \
      OPTION(type, concurrency, OPTION_I64, INT64_MIN, 0),                                      \
      OPTION(type, concurrency, OPTION_I64, -2, 0),                                             \
      OPTION(type, concurrency, OPTION_I64, WEIR_UNLIMITED, 1),                                 \
      OPTION(type, concurrency, OPTION_I64, 0, 0), OPTION(type, concurrency, OPTION_I64, 1, 1), \
      OPTION(type, concurrency, OPTION_I64, INT64_MAX, 1),                                      \
      OPTION(type, item_timeout_ms, OPTION_I64, INT64_MIN, 0),                                  \
      OPTION(type, item_timeout_ms, OPTION_I64, -2, 0),                                         \
      OPTION(type, item_timeout_ms, OPTION_I64, WEIR_FOREVER, 1),                               \
      OPTION(type, item_timeout_ms, OPTION_I64, 0, 1),                                          \
      OPTION(type, item_timeout_ms, OPTION_I64, INT64_MAX, 1),

static const struct option_row parallel_rows[] = {ITEM_ROWS(weir_parallel_options)};

static const struct option_table parallel_table = {
    "parallel",    sizeof(weir_parallel_options),
    fill_parallel, create_parallel,
    "concurrency", offsetof(weir_parallel_options, item_timeout_ms),
    parallel_rows, COUNT_OF(parallel_rows)};

/* ---- pool ------------------------------------------------------------------------------------ */

static void fill_pool(struct fixture *fx, void *options) {
  (void)fx;
  weir_pool_options *filled = options;
  *filled = (weir_pool_options)WEIR_POOL_OPTIONS_INIT;
  filled->concurrency = 3;
}

static weir_status create_pool(struct fixture *fx, const void *options, weir_error **error) {
  weir_pool *pool = NULL;
  weir_status status = weir_pool_new(fx->runtime, options, &pool, error);
  weir_pool_unref(pool);
  return status;
}

static const struct option_row pool_rows[] = {ITEM_ROWS(weir_pool_options)};

static const struct option_table pool_table = {
    "pool",        sizeof(weir_pool_options),
    fill_pool,     create_pool,
    "concurrency", offsetof(weir_pool_options, item_timeout_ms),
    pool_rows,     COUNT_OF(pool_rows)};

/* ---- all three ------------------------------------------------------------------------------- */

static void C08_each_value_is_taken_or_named(struct fixture *fx) {
  check_option_values(fx, &race_table);
  check_option_values(fx, &parallel_table);
  check_option_values(fx, &pool_table);
}

static void C08_structs_of_each_size(struct fixture *fx) {
  check_option_sizes(fx, &race_table);
  check_option_sizes(fx, &parallel_table);
  check_option_sizes(fx, &pool_table);
}

OPTION_INIT(race_options)
OPTION_INIT(parallel_options)
OPTION_INIT(pool_options)

static void C08_defaults_are_written_for_each_size(struct fixture *fx) {
  (void)fx;
  static const weir_race_options race = WEIR_RACE_OPTIONS_INIT;
  static const weir_parallel_options parallel = WEIR_PARALLEL_OPTIONS_INIT;
  static const weir_pool_options pool = WEIR_POOL_OPTIONS_INIT;
  check_option_init(init_race_options, &race, sizeof race);
  check_option_init(init_parallel_options, &parallel, sizeof parallel);
  check_option_init(init_pool_options, &pool, sizeof pool);
}

TEST_MAIN("flow_options", TEST(C08_each_value_is_taken_or_named), TEST(C08_structs_of_each_size),
          TEST(C08_defaults_are_written_for_each_size))
