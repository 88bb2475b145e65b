/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SCOPE_H
#define WEIR_SCOPE_H

/*
 * A scope groups calls: one deadline and one cancel for all of them, values
 * that they see, resources that are closed when it ends, and an end at which
 * all of them are over (structured concurrency: N. J. Smith, "Notes on
 * structured concurrency", 2018; trio's nurseries, Kotlin's scopes).
 *
 *   weir_scope_new(runtime, &options, &scope, NULL);
 *   run_options.scope = scope;              // any number of runs
 *   weir_run(fetch, &run_options, ...);
 *   weir_scope_join(scope, &join, NULL);    // an operation that ends it
 *   weir_run_wait(join, NULL, WEIR_FOREVER, &outcome, NULL);
 *
 * or, all in one, an operation that runs a body in a scope of its own:
 * weir_scope_operation().
 *
 * How a scope ends (weir_scope_join(), or its last unref, or its parent's end):
 *
 *   1. New runs and scopes in it are refused with WEIR_ECLOSED.
 *   2. Its calls are waited for, or cancelled: the exit policy. Scopes inside
 *      it end likewise.
 *   3. Attempts that go on though they were told to stop are waited for, at
 *      most grace_ms; what is out then is reported through the log, by name.
 *   4. Its resources are closed, the last opened first, one after the other,
 *      each whatever the others did. Nothing cancels a closing operation but
 *      its own policies and the runtime's end.
 *
 * Nothing of this waits for ever unless an operation does that may
 * (WEIR_SCOPE_JOIN without a deadline; a closing operation without a timeout).
 * A runtime that closes stops it at once: then what has not been closed is
 * reported, and the values of the opening operations are only freed.
 *
 * A run belongs to one scope: its option, or that of the run it is a part of
 * (a race's racers). Runs that several share belong to none and no scope
 * cancels them; a cache's load and a flight see the values of the first that
 * asked.
 */

#include <weir/run.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the end does with calls that have not settled. */
enum {
  WEIR_SCOPE_JOIN = 0,   /* waits for them */
  WEIR_SCOPE_CANCEL = 1, /* cancels them at once */
  WEIR_SCOPE_GRACE = 2   /* waits grace_ms, then cancels them */
};

typedef struct weir_scope_options {
  uint32_t size; /* sizeof(weir_scope_options) */
  uint32_t exit; /* WEIR_SCOPE_*; default join */
  /* Of every run in it, from now (weir_scope_operation(): from the run's
   * begin); 0 or more, or WEIR_FOREVER (default). A parent's that is nearer
   * holds, too. */
  int64_t deadline_ms;
  /* How long the end waits for what does not stop; 0 or more, or WEIR_FOREVER.
   * Default 5000. With WEIR_SCOPE_GRACE it waits as long before it cancels. */
  int64_t grace_ms;
  /* Nullable; a reference is taken until this scope has ended.
   * weir_scope_operation() takes the scope of its run instead: NULL there. */
  weir_scope *parent;
  /* Copied; nullable. Log lines of the scope carry the names from the outermost
   * on: "import/user 7". */
  const char *name;
} weir_scope_options;

#define WEIR_SCOPE_OPTIONS_INIT                                            \
  {                                                                        \
    sizeof(weir_scope_options), WEIR_SCOPE_JOIN, WEIR_FOREVER, 5000, NULL, \
        NULL                                                               \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_scope_options). */
WEIR_API void weir_scope_options_init(weir_scope_options *options, size_t size);

/* Makes a scope; the caller owns one reference, with the last of which it ends
 * unless it has. `options` NULL: defaults. Errors: WEIR_EINVAL (a parent of
 * another runtime, scopes nested deeper than 64), WEIR_EABI, WEIR_ENOMEM,
 * WEIR_ECLOSED (the parent ends or was cancelled), WEIR_EFORKED. Any thread. */
WEIR_API weir_status weir_scope_new(weir_runtime *runtime,
                                    const weir_scope_options *options,
                                    weir_scope **out, weir_error **error);

/* One reference more; returns `scope`. Any thread. */
WEIR_API weir_scope *weir_scope_ref(weir_scope *scope);

/* One reference less; the last begins the end. Never waits. Any thread. */
WEIR_API void weir_scope_unref(weir_scope *scope);

/* Cancels every call in it and in the scopes inside it (WEIR_ECANCELLED,
 * WEIR_CANCEL_CALLER) and refuses new ones from here on. It does not end the
 * scope: resources stay open until that. Any thread; carried out on the
 * runtime's. Errors: WEIR_EINVAL, WEIR_EFORKED. */
WEIR_API weir_status weir_scope_cancel(weir_scope *scope);

/* Makes an operation whose run ends the scope and settles when it has ended:
 * without a value, or, if closing operations failed, with the error of the
 * first that did. It may be run any number of times; a run that is stopped does
 * not stop the end. It must not run inside the scope itself, nor in what closes
 * its resources (WEIR_EINVAL). The caller owns one reference. Errors:
 * WEIR_EINVAL, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_scope_join(weir_scope *scope, weir_operation **out,
                                     weir_error **error);

/* Makes an operation that runs `body` in a fresh scope: inside the run's own,
 * if there is one. When the body has settled, the scope ends, and then this
 * settles with the body's outcome; only if the body succeeded and a closing
 * operation failed, with that error. At the deadline the body is stopped and
 * the outcome is WEIR_ETIMEDOUT. Stopped from outside, it settles at once, as
 * every run; the scope is cancelled, and ends by itself. Where the run belongs
 * to no scope but sees the values of one (a cache's load, what closes a
 * resource), the fresh one sees them too, and is inside of none. Settles as
 * WEIR_EINVAL if scopes nest deeper than 64 then. `options` NULL: defaults. The
 * caller owns one reference. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any
 * thread. */
WEIR_API weir_status weir_scope_operation(weir_operation *body,
                                          const weir_scope_options *options,
                                          weir_operation **out,
                                          weir_error **error);

/* Makes an operation that opens a resource in the scope of its run: it runs
 * `open`, and if that succeeds, `close` runs at the scope's end, with open's
 * value as its input. The value is this operation's, too, and is set in the
 * scope as `key` (nullable: it is not). All that closing needs is reserved
 * before `open` starts; a resource that is open counts as a call in flight.
 * Settles as WEIR_EINVAL outside of a scope, as WEIR_EFULL where no call more
 * may be in flight. Several: put them into weir_waterfall_new(), the work
 * behind them. The caller owns one reference. Errors: WEIR_EINVAL, WEIR_ENOMEM.
 * Any thread. */
WEIR_API weir_status weir_scope_resource(weir_operation *open,
                                         weir_operation *close, const char *key,
                                         weir_operation **out,
                                         weir_error **error);

/*
 * Values. Whoever runs in a scope sees what was set in it and in those around
 * it, the innermost first. Keys are 1 to 255 bytes of text. Any thread; setting
 * one again replaces it. Errors of all: WEIR_EINVAL, WEIR_EFORKED; setting:
 * WEIR_ENOMEM; getting: WEIR_ENOTFOUND (none of that key, or of another type).
 */

/* Sets a number. */
WEIR_API weir_status weir_scope_set_int64(weir_scope *scope, const char *key,
                                          int64_t number);

/* Sets a copy of `size` bytes (0 is legal). */
WEIR_API weir_status weir_scope_set_bytes(weir_scope *scope, const char *key,
                                          const void *bytes, size_t size);

/* Sets a value (not NULL); a reference is taken. */
WEIR_API weir_status weir_scope_set_value(weir_scope *scope, const char *key,
                                          weir_value *value);

/* Gets a number. */
WEIR_API weir_status weir_scope_get_int64(weir_scope *scope, const char *key,
                                          int64_t *number);

/* Copies at most `capacity` bytes to `buffer`, and stores in `size` (required)
 * how many there are. */
WEIR_API weir_status weir_scope_get_bytes(weir_scope *scope, const char *key,
                                          void *buffer, size_t capacity,
                                          size_t *size);

/* Gets a value, or bytes as one; the caller owns the reference. */
WEIR_API weir_status weir_scope_get_value(weir_scope *scope, const char *key,
                                          weir_value **value);

/* The scope of the run whose start function, decider or listener is running on
 * this thread, which is the runtime's; borrowed until that returns. NULL: it
 * runs in none, or the thread is another. */
WEIR_API weir_scope *weir_scope_current(weir_runtime *runtime);

/* Logs with the scope's path as the subject, at WEIR_LOG_* `level`; what weir
 * itself logs on behalf of a run in a scope has it, too. Any thread. */
WEIR_API void weir_scope_log(weir_scope *scope, int32_t level,
                             const char *message);

enum {
  WEIR_SCOPE_OPEN = 0,
  WEIR_SCOPE_ENDING = 1,  /* waits for calls and attempts */
  WEIR_SCOPE_CLOSING = 2, /* closes resources */
  WEIR_SCOPE_ENDED = 3
};

typedef struct weir_scope_stats {
  uint32_t size;      /* set by the caller: sizeof(weir_scope_stats) */
  uint32_t state;     /* WEIR_SCOPE_OPEN ... */
  uint32_t cancelled; /* 1: it was cancelled */
  uint32_t resources; /* open now */
  uint64_t calls;     /* in it that have not settled, scopes in it that have not
                         ended */
  uint64_t leaked;    /* calls whose attempts went on when the grace was over */
} weir_scope_stats;

/* Fills `stats`; a recent view. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_scope_get_stats(weir_scope *scope,
                                          weir_scope_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
