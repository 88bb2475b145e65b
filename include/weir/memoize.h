/* SPDX-License-Identifier: MIT */
#ifndef WEIR_MEMOIZE_H
#define WEIR_MEMOIZE_H

/*
 * Memoize runs an operation once for each input and gives later runs with the
 * same input its value: a cache (weir/cache.h) over one operation. Runs with an
 * equal input that come while it is being computed wait for it. Errors are
 * never kept.
 */

#include <weir/cache.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_memoize weir_memoize;

/* A decider: writes the key of `input` (borrowed, nullable) to `buffer`, at
 * most `capacity` bytes, and returns how many the key has; if that is more than
 * capacity it is asked again with enough. A key that has grown by then, or of
 * 2^24 bytes or more, makes WEIR_EINVAL the outcome. */
typedef size_t (*weir_key_fn)(void *data, const weir_value *input, void *buffer,
                              size_t capacity);

typedef struct weir_memoize_options {
  uint32_t size;           /* sizeof(weir_memoize_options) */
  uint32_t eviction;       /* WEIR_EVICTION_*; default adaptive */
  int64_t max_entries;     /* as the cache's; default 1000 */
  int64_t ttl_ms;          /* as the cache's; default WEIR_FOREVER */
  int64_t load_timeout_ms; /* as the cache's; default WEIR_FOREVER */
  /* Nullable: then the key is the bytes of the input; none: the empty key. An
   * input of another kind is refused (WEIR_EINVAL is the outcome). */
  weir_key_fn key;
  void *key_data;
  weir_free_fn key_free_data;
  const char *name; /* copied; nullable */
} weir_memoize_options;

#define WEIR_MEMOIZE_OPTIONS_INIT                                             \
  {                                                                           \
    sizeof(weir_memoize_options), WEIR_EVICTION_ADAPTIVE, 1000, WEIR_FOREVER, \
        WEIR_FOREVER, NULL, NULL, NULL, NULL                                  \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_memoize_options). */
WEIR_API void weir_memoize_options_init(weir_memoize_options *options,
                                        size_t size);

/* Makes a memoized form of `operation`, of which it takes a reference; the
 * caller owns one reference. `options` NULL: defaults. Errors: WEIR_EINVAL,
 * WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_memoize_new(weir_runtime *runtime,
                                      weir_operation *operation,
                                      const weir_memoize_options *options,
                                      weir_memoize **out, weir_error **error);

/* One reference more; returns `memoize`. Any thread. */
WEIR_API weir_memoize *weir_memoize_ref(weir_memoize *memoize);

/* One reference less. Runs in flight keep it alive. Any thread. */
WEIR_API void weir_memoize_unref(weir_memoize *memoize);

/* The operation this is; borrowed. A run's input is the operation's. */
WEIR_API weir_operation *weir_memoize_operation(weir_memoize *memoize);

/* Runs with `input` (nullable, a reference is taken). The rest is as
 * weir_run(). Any thread. Errors: as weir_run(). */
WEIR_API weir_status weir_memoize_call(weir_memoize *memoize, weir_value *input,
                                       weir_settle_fn settle, void *data,
                                       weir_free_fn free_data, weir_call **call,
                                       weir_error **error);

/* The cache behind it, for looking up, invalidating, clearing, scanning and
 * stats; borrowed. Its keys are the inputs' bytes, or what `key` wrote. */
WEIR_API weir_cache *weir_memoize_cache(weir_memoize *memoize);

#ifdef __cplusplus
}
#endif
#endif
