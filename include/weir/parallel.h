/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PARALLEL_H
#define WEIR_PARALLEL_H

/*
 * Many operations, or one operation over many items, at most so many at once.
 *
 *   weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
 *   options.concurrency = 3;
 *   options.item_timeout_ms = 5000;
 *   options.stop_on_error = 0;
 *   weir_parallel_new_each(process, items, &options, &all, &error);
 *
 * Items start in their order; each attempt finds its item's index in
 * weir_attempt's `index`. The value is the list of the results in the order of
 * the items (weir/value.h), or NULL with a listener or a queue that is told of
 * each item: then a million items need no more memory than ten.
 *
 * A failure (what its completer classed as none, otherwise everything but a
 * value; a refusal is one) stops the rest: they are told (WEIR_CANCEL_LOST) and
 * not waited for, and the outcome is the item's as it is. With stop_on_error 0
 * the list has an error there, and the others go on.
 */

#include <weir/policy.h>
#include <weir/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a pull decider answers. */
enum {
  WEIR_PULL_ITEM = 1, /* `*item` is the next (NULL is legal) */
  WEIR_PULL_END = 2,  /* there are no more */
  WEIR_PULL_ERROR = 3 /* the whole fails with `*error` */
};

/* A decider: the next item of this run, whose index is `index` (from 0). Asked
 * when there is room for it. Stores at most one of `*item` and `*error`, whose
 * reference is weir's from then on; both begin as NULL. Any other answer counts
 * as WEIR_PULL_ERROR, and without an error that is a bare WEIR_EFAILED. */
typedef uint32_t (*weir_pull_fn)(void *data, uint64_t index, weir_value **item,
                                 weir_error **error);

/* A listener: item `index` has settled. `outcome` is lent. Items that were
 * stopped because the whole ended are not told of. */
typedef void (*weir_item_fn)(void *data, uint64_t index,
                             const weir_outcome *outcome);

/* A listener: `done` items have settled, of `total`; UINT64_MAX while nobody
 * knows. */
typedef void (*weir_progress_fn)(void *data, uint64_t done, uint64_t total);

typedef struct weir_parallel_options {
  uint32_t size; /* sizeof(weir_parallel_options) */
  /* 1 (default): the first failure ends it; 0: all items run. */
  uint32_t stop_on_error;
  /* Required: items at once, at least 1, or WEIR_UNLIMITED. */
  int64_t concurrency;
  /* Each item may take so long, its policy's waits included; 0 or more, or
   * WEIR_FOREVER (default). It settles as an error with WEIR_ETIMEDOUT then. */
  int64_t item_timeout_ms;
  weir_policy *policy; /* around each item; a reference is taken; nullable */
  /* Nullable: an operation whose runs give the items one after another (a
   * reference is taken); no value is the end, a failure fails the whole. With
   * an operation of weir_operation_new_asked() the items are asked for by ASK
   * records. */
  weir_operation *source;
  weir_pull_fn pull; /* nullable: gives the items instead */
  void *pull_data;
  weir_free_fn pull_free_data;
  weir_item_fn on_item; /* nullable: told each result instead of a list */
  void *item_data;
  weir_free_fn item_free_data;
  weir_progress_fn on_progress; /* nullable */
  void *progress_data;
  weir_free_fn progress_free_data;
  const char *name; /* copied; nullable */
  /* Deliver each item's settlement as an ITEM record (weir/completions.h)
   * instead of collecting a list (the value is NULL); nullable, excludes
   * on_item and on_progress. A reference is taken. `user` goes into the
   * records; WEIR_USER_OF_RUN: the context of the run. */
  weir_completions *queue;
  uint64_t user;
} weir_parallel_options;

/* concurrency is required and begins as an illegal 0, so that forgetting it is
 * found. */
#define WEIR_PARALLEL_OPTIONS_INIT                                             \
  {                                                                            \
    sizeof(weir_parallel_options), 1, 0, WEIR_FOREVER, NULL, NULL, NULL, NULL, \
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0                \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_parallel_options). */
WEIR_API void weir_parallel_options_init(weir_parallel_options *options,
                                         size_t size);

/* Makes an operation that runs `count` `operations` (0: an empty success), each
 * with the run's input; it takes a reference of each. `options` must have
 * neither source nor pull. The caller owns one reference. Errors: WEIR_EINVAL
 * (options NULL too: concurrency is required; an operation that is NULL, of
 * another runtime, or nests others 64 levels deep; a policy of another runtime,
 * or one that must not stand around the operation: weir_pipeline_new()),
 * WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_parallel_new(weir_runtime *runtime,
                                       weir_operation *const *operations,
                                       size_t count,
                                       const weir_parallel_options *options,
                                       weir_operation **out,
                                       weir_error **error);

/* Makes an operation that runs `operation` (a reference is taken) once for each
 * item, which is its input. The items are `items` (a list, a reference is
 * taken; nullable), or come from the options' pull or source (at most one of
 * the three), or without these are the run's input, which must be a list then
 * (WEIR_EINVAL is the outcome otherwise). An item of a list that is an error
 * counts as settled with it. The caller owns one reference. Errors: as above.
 * Any thread. */
WEIR_API weir_status
weir_parallel_new_each(weir_operation *operation, weir_value *items,
                       const weir_parallel_options *options,
                       weir_operation **out, weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
