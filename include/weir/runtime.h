/* SPDX-License-Identifier: MIT */
#ifndef WEIR_RUNTIME_H
#define WEIR_RUNTIME_H

/*
 * A runtime is the engine with its clock, timers, allocator and random source,
 * fed by a driver. All callbacks of its runs come on one thread, the RUNTIME'S
 * THREAD:
 *
 *   WEIR_DRIVER_THREAD  a thread of weir's own, named "weir", started when the
 *                       first run needs it, all signals blocked
 *   WEIR_DRIVER_UV      the thread that runs the caller's uv loop. weir never
 *                       runs, stops or walks the loop and closes only its own
 *                       handles. With nothing in flight it does not keep the
 *                       loop alive (see weir_runtime_hold())
 *   WEIR_DRIVER_MANUAL  the thread that calls weir_runtime_process()
 *   WEIR_DRIVER_HOST    the same, during the call only; and time is the
 *                       system's. For hosts with threads of their own, whose
 *                       scheduler is to run the engine: any thread may process
 *                       next. The host serialises process(), next_deadline(),
 *                       audit() and the last unref by a lock of its own, whose
 *                       release and acquire are all the ordering there needs to
 *                       be; everything else takes any thread, meanwhile, too
 *
 * Callbacks come in two kinds. LISTENERS (settle, on_cancel, on_state_change,
 * on_event, on_retry, closed) run on the runtime's thread, in order, never
 * inside the call that caused them, with no lock held; they may call anything,
 * and unref what calls them. DECIDERS (classify, should_retry, ...) run on the
 * thread that asks, with no lock held, and must answer at once.
 *
 * Lifetime. The last weir_runtime_unref() begins closing, as does
 * weir_runtime_close(): new runs are refused with WEIR_ECLOSED, everything in
 * flight settles as stopped with status WEIR_ECLOSED, then `on_closed` runs.
 * Attempts that were started and not yet completed (orphans) get close_grace_ms
 * to end; what is still out then is reported through the log. Completing a
 * token later stays safe for ever. With the manual driver the last unref
 * settles what is left inside the call.
 *
 * fork(): a runtime lives in the process that made it. In the child, all that
 * runs, waits, completes, cancels or changes something returns WEIR_EFORKED
 * (what returns a number: 0), and nothing hangs, though another thread may have
 * held a lock. Deciding answers as long as it waits for no lock (a closed
 * breaker in consecutive mode, a lone token bucket, a lookup in a cache), on a
 * copy of the parent's state, and else returns WEIR_EFORKED. Unref is allowed
 * and frees nothing of the runtime. An allocator of the caller's own must
 * itself stand a fork.
 */

#include <weir/allocator.h>
#include <weir/log.h>
#include <weir/outcome.h>
#include <weir/status.h>
#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s;

enum {
  WEIR_DRIVER_THREAD = 0,
  WEIR_DRIVER_UV = 1,
  WEIR_DRIVER_MANUAL = 2,
  WEIR_DRIVER_HOST = 3
};

/* What a runtime's event listener is told, and its flight recorder keeps. Kinds
 * may be added: ignore those you do not know. */
enum {
  WEIR_EVENT_STATE_CHANGE = 1, /* a breaker: from, to, reason */
  WEIR_EVENT_RETRY = 2,        /* a retry is about to wait: count, delay_ns */
  WEIR_EVENT_REFUSAL = 3,      /* a run was refused: status, delay_ns */
  WEIR_EVENT_EVICTION = 4,     /* a cache or keyed limiter gave entries up:
                                  count */
  WEIR_EVENT_HEDGE = 5,        /* a hedge starts a copy: count (which, from 1),
                                  delay_ns (since the first start) */
  WEIR_EVENT_FALLBACK = 6,     /* a fallback steps in: status */
  WEIR_EVENT_WAITING = 7, /* a run waits for a limiter: count (now queued) */
  WEIR_EVENT_GRANTED = 8, /* it goes on: count (left), delay_ns (it waited) */
  WEIR_EVENT_TIMEOUT = 9, /* a timeout, an attempt's timeout or (no policy; name
                             is the run's) a deadline fired: status, delay_ns
                             (what it gave) */
  WEIR_EVENT_GAVE_UP = 10,   /* a retry gave up: status, reason (WEIR_STOP_*),
                              count (tries) */
  WEIR_EVENT_LOAD = 11,      /* a cache's load ended: status, count (keys),
                              delay_ns (it took) */
  WEIR_EVENT_PACED = 12,     /* a debounce's or throttle's run ended: status,
                              count (calls it stood for), delay_ns (it took) */
  WEIR_EVENT_HEDGE_WON = 13, /* a hedge's copy won: count (which; the first is
                                not told), delay_ns (since the first start) */
  WEIR_EVENT_CHAOS = 14,     /* chaos injected: reason (what), delay_ns */
  WEIR_EVENT_LOG = 15        /* a line of the log: reason (WEIR_LOG_*); only the
                                recorder has these */
};

typedef struct weir_event {
  uint32_t size;
  uint32_t kind;             /* WEIR_EVENT_* */
  const char *name;          /* of the policy, valid during the call, or "" */
  const weir_policy *policy; /* borrowed; to be compared */
  weir_status status;        /* the refusal's or the failed attempt's status */
  uint32_t from;             /* state before (WEIR_BREAKER_*) */
  uint32_t to;               /* state after */
  uint32_t reason;           /* why, in the policy's own numbers */
  uint64_t count;            /* attempt number; events missed before this one */
  int64_t delay_ns;          /* the delay, or retry_after */
  int64_t at_ns;             /* the runtime's time */
  /* A refusal's numbers, valid during the call; NULL with other kinds. */
  const weir_rejection *rejection;
  uint64_t calls;      /* state change: calls judged, */
  uint64_t failures;   /* of these failed, */
  uint64_t slow_calls; /* of these slow */
} weir_event;

/* A listener. */
typedef void (*weir_event_fn)(void *data, const weir_event *event);

/* Called on any thread when a manual or host driven runtime has new work: have
 * weir_runtime_process() called soon. Must not call weir. */
typedef void (*weir_wakeup_fn)(void *data);

/* Told once, on the runtime's thread, when everything has settled. `orphans`
 * attempts were then still running. A runtime with the thread driver on which
 * nothing ever ran has no thread: it ends inside the closing call, where this
 * is told, too. */
typedef void (*weir_closed_fn)(void *data, uint64_t orphans);

typedef struct weir_runtime_options {
  uint32_t size;   /* sizeof(weir_runtime_options) */
  uint32_t driver; /* WEIR_DRIVER_*; default thread */
  /* Required with WEIR_DRIVER_UV, otherwise NULL. Must be run until weir has
   * closed its handles, which is soon after `on_closed`. */
  struct uv_loop_s *loop;
  /* Manual and host driver only; nullable. */
  weir_wakeup_fn wakeup;
  void *wakeup_data;
  weir_free_fn wakeup_free_data;
  /* NULL: malloc and free. Copied. */
  const weir_allocator *allocator;
  /* Seeds jitter and hashing. 0 (default): from the system. Any other number
   * makes a manual runtime replay bit for bit. */
  uint64_t seed;
  /* Unsettled calls and orphans at most; beyond it weir_run() returns
   * WEIR_EFULL. At least 1, or WEIR_UNLIMITED (default). */
  int64_t max_in_flight;
  /* How long orphans may go on after closing before they are reported; 0 or
   * more, or WEIR_FOREVER. Default 5000. */
  int64_t close_grace_ms;
  /* Nullable. Lines up to `log_level` reach it. */
  weir_log_fn log;
  void *log_data;
  weir_free_fn log_free_data;
  /* Nullable listener of what the policies do. */
  weir_event_fn on_event;
  void *event_data;
  weir_free_fn event_free_data;
  /* Nullable listener of the end. */
  weir_closed_fn on_closed;
  void *closed_data;
  weir_free_fn closed_free_data;
  /* Copied; NULL means "weir". */
  const char *name;
  int32_t log_level; /* WEIR_LOG_*; default off */
  uint32_t reserved; /* 0 */
  /* Decisions the flight recorder keeps, about 400 bytes each; see
   * weir/recorder.h. At most 10^6; 0 (default): off. */
  uint32_t recorder_entries;
  /* 1: histograms of latency and waiting, too; see weir/metrics.h. Default
   * 0. */
  uint32_t metrics;
} weir_runtime_options;

#define WEIR_RUNTIME_OPTIONS_INIT                                             \
  {                                                                           \
    sizeof(weir_runtime_options), WEIR_DRIVER_THREAD, NULL, NULL, NULL, NULL, \
        NULL, 0, WEIR_UNLIMITED, 5000, NULL, NULL, NULL, NULL, NULL, NULL,    \
        NULL, NULL, NULL, NULL, WEIR_LOG_OFF, 0, 0, 0                         \
  }

/* Writes the defaults into `options`; `size` is the caller's
 * sizeof(weir_runtime_options). */
WEIR_API void weir_runtime_options_init(weir_runtime_options *options,
                                        size_t size);

/* Makes a runtime; the caller owns one reference. `options` NULL: all defaults.
 * With WEIR_DRIVER_UV call it on the loop's thread, or before that thread runs
 * the loop. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM, WEIR_ENOTSUP (the
 * system gave no descriptor or thread). `error` nullable. */
WEIR_API weir_status weir_runtime_new(const weir_runtime_options *options,
                                      weir_runtime **out, weir_error **error);

/* One reference more; returns `runtime`. Any thread. */
WEIR_API weir_runtime *weir_runtime_ref(weir_runtime *runtime);

/* One reference less; the last begins closing (above). Never waits. Any thread;
 * the last of a manual runtime on the thread that processes it. */
WEIR_API void weir_runtime_unref(weir_runtime *runtime);

/* Begins closing; further calls do nothing. Any thread. Errors: WEIR_EINVAL,
 * WEIR_EFORKED. */
WEIR_API weir_status weir_runtime_close(weir_runtime *runtime);

/* Begins closing and waits until everything has settled and orphans have ended
 * or their grace is over; with the thread driver also until the thread is gone,
 * which is what has to be true before dlclose(). With the host driver another
 * thread goes on processing. At most `timeout_ms` (0 or more, or WEIR_FOREVER).
 * Errors: WEIR_ETIMEDOUT; WEIR_ETHREAD on the runtime's own thread;
 * WEIR_ENOTSUP with the manual driver (process() it instead) or an attached
 * loop. Does not unref. */
WEIR_API weir_status weir_runtime_close_wait(weir_runtime *runtime,
                                             int64_t timeout_ms);

/* WEIR_OK while open, WEIR_ECLOSED from the beginning of closing. Any thread.
 */
WEIR_API weir_status weir_runtime_state(const weir_runtime *runtime);

/* Keeps an attached loop alive while nothing is in flight, so that other
 * threads can submit. Counted: n holds need n releases. Loop's thread only
 * (WEIR_ETHREAD), other drivers: no effect. */
WEIR_API weir_status weir_runtime_hold(weir_runtime *runtime);

/* Undoes one hold. Errors: WEIR_EINVAL if there is none, WEIR_ETHREAD. */
WEIR_API weir_status weir_runtime_release(weir_runtime *runtime);

/* The runtime's monotonic time in nanoseconds: CLOCK_MONOTONIC, or what the
 * manual clock was last given. Any thread. 0 of NULL. */
WEIR_API int64_t weir_runtime_now(const weir_runtime *runtime);

/* Manual driver: sets the clock to `now_ns` (not backwards: an earlier time
 * counts as the current one) and does what is due, at most about 1024 steps.
 * Returns the number of steps taken; call again while
 * weir_runtime_next_deadline() is not later than `now_ns`. One thread at a
 * time, never from inside a callback (returns 0): the runtime's thread is the
 * one that called last, and another takes over only while that one makes no
 * call of weir. INT64_MAX counts as the moment before. Host driver: does what
 * is due by the system's clock, whatever `now_ns` is; any thread, one at a time
 * (see above). Other drivers: returns 0. */
WEIR_API uint64_t weir_runtime_process(weir_runtime *runtime, int64_t now_ns);

/* Manual and host driver: when process() must be called next: the current time
 * if there is work now, INT64_MAX if nothing waits for time. May be earlier
 * than the first timer, never later. Same thread as process(). */
WEIR_API int64_t weir_runtime_next_deadline(weir_runtime *runtime);

/* Gives pooled memory back to the allocator. Any thread; carried out on the
 * runtime's thread (at once when called there). Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_runtime_trim(weir_runtime *runtime);

typedef struct weir_runtime_stats {
  uint32_t size;     /* set by the caller: sizeof(weir_runtime_stats) */
  uint32_t reserved; /* 0 */
  uint64_t runs_accepted;
  uint64_t runs_settled;
  uint64_t attempts_started;
  uint64_t live_calls; /* accepted and not yet settled */
  uint64_t orphans;    /* attempts told to stop and not yet completed */
  uint64_t timers;     /* armed now */
  uint64_t turns;
} weir_runtime_stats;

/* Fills `stats`. The runtime's thread sees exact numbers, others a recent view.
 * Errors: WEIR_EINVAL, WEIR_EABI. */
WEIR_API weir_status weir_runtime_get_stats(const weir_runtime *runtime,
                                            weir_runtime_stats *stats);

enum {
  WEIR_AUDIT_CALL = 1,  /* a run that has not settled */
  WEIR_AUDIT_ORPHAN = 2 /* an attempt told to stop that goes on */
};

typedef struct weir_audit_entry {
  uint32_t kind;      /* WEIR_AUDIT_* */
  uint32_t attempts;  /* started so far */
  int64_t age_ns;     /* since the run was taken up, or the orphan told */
  char name[48];      /* the run's name, cut off; "" if it has none */
  char waits_for[80]; /* such as "limiter 'api': a permit" */
} weir_audit_entry;

/* Writes at most `capacity` entries of `entry_size` (the caller's
 * sizeof(weir_audit_entry)) bytes and in `count` how many there are in all. The
 * runtime's thread; from elsewhere WEIR_ETHREAD. Errors: WEIR_EINVAL,
 * WEIR_EABI. */
WEIR_API weir_status weir_runtime_audit(weir_runtime *runtime,
                                        weir_audit_entry *entries,
                                        size_t entry_size, size_t capacity,
                                        size_t *count);

#ifdef __cplusplus
}
#endif
#endif
