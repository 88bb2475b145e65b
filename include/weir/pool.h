/* SPDX-License-Identifier: MIT */
#ifndef WEIR_POOL_H
#define WEIR_POOL_H

/*
 * A parallel (weir/parallel.h) whose items are added before and while it runs,
 * from any thread.
 *
 *   weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
 *   options.concurrency = 4;
 *   weir_pool_new(runtime, &options, &pool, &error);
 *   weir_run(weir_pool_operation(pool), NULL, on_drained, ...);
 *   weir_pool_add(pool, fetch, url, &error);     // as often as you like
 *   weir_pool_seal(pool);                        // no more come
 *
 * One run takes the pool: it starts what was added, in that order, waits for
 * more, and settles when the pool is sealed and drained, with the list of the
 * results in the order of adding (NULL with a listener or a queue that is told
 * of each item). A pool that nobody seals runs until its run is cancelled. When
 * the run has ended, however it did, the pool is over: what was not started is
 * dropped, and nothing more is taken.
 */

#include <weir/parallel.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_pool weir_pool;

/* As weir_parallel_options. */
typedef struct weir_pool_options {
  uint32_t size; /* sizeof(weir_pool_options) */
  /* 1 (default): the first failure ends it; 0: all items run. */
  uint32_t stop_on_error;
  /* Required: items at once, at least 1, or WEIR_UNLIMITED. */
  int64_t concurrency;
  int64_t item_timeout_ms; /* 0 or more, or WEIR_FOREVER (default) */
  weir_policy *policy;  /* around each item; a reference is taken; nullable */
  weir_item_fn on_item; /* nullable: told each result instead of a list */
  void *item_data;
  weir_free_fn item_free_data;
  weir_progress_fn on_progress; /* nullable; the total is known when sealed */
  void *progress_data;
  weir_free_fn progress_free_data;
  const char *name;        /* copied; nullable */
  weir_completions *queue; /* nullable: told each result by ITEM records */
  uint64_t user;           /* of these */
} weir_pool_options;

/* concurrency is required and begins as an illegal 0, so that forgetting it is
 * found. */
#define WEIR_POOL_OPTIONS_INIT                                             \
  {                                                                        \
    sizeof(weir_pool_options), 1, 0, WEIR_FOREVER, NULL, NULL, NULL, NULL, \
        NULL, NULL, NULL, NULL, NULL, 0                                    \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_pool_options). */
WEIR_API void weir_pool_options_init(weir_pool_options *options, size_t size);

/* Makes a pool; the caller owns one reference. Errors: WEIR_EINVAL (options
 * NULL too: concurrency is required), WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_pool_new(weir_runtime *runtime,
                                   const weir_pool_options *options,
                                   weir_pool **out, weir_error **error);

/* One reference more; returns `pool`. Any thread. */
WEIR_API weir_pool *weir_pool_ref(weir_pool *pool);

/* One reference less; its run goes on. Any thread. */
WEIR_API void weir_pool_unref(weir_pool *pool);

/* The operation this is; borrowed. Its second run settles with WEIR_ESTALE. In
 * the depth of operations that run others a pool counts for 32. */
WEIR_API weir_operation *weir_pool_operation(weir_pool *pool);

/* Adds an item: `operation` with `input` (nullable); a reference of both is
 * taken. Errors: WEIR_ECLOSED (the pool is sealed or over, or the runtime
 * closed), WEIR_EINVAL (an operation that is NULL, of another runtime, nests
 * others more than 31 levels deep, or must not have the pool's policy around
 * it), WEIR_ENOMEM, WEIR_EFORKED. Any thread. */
WEIR_API weir_status weir_pool_add(weir_pool *pool, weir_operation *operation,
                                   weir_value *input, weir_error **error);

/* No more is added. WEIR_OK also if it was sealed before; WEIR_EINVAL,
 * WEIR_EFORKED. Any thread. */
WEIR_API weir_status weir_pool_seal(weir_pool *pool);

typedef struct weir_pool_stats {
  uint32_t size;   /* set by the caller: sizeof(weir_pool_stats) */
  uint32_t sealed; /* 1: nothing more is taken */
  uint64_t added;
  uint64_t waiting;   /* of these, not started */
  uint64_t running;   /* started and not settled */
  uint64_t succeeded; /* settled; what was stopped with the pool is in none */
  uint64_t failed;
} weir_pool_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_EFORKED. Any thread. */
WEIR_API weir_status weir_pool_get_stats(weir_pool *pool,
                                         weir_pool_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
