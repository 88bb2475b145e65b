/* SPDX-License-Identifier: MIT */
#ifndef WEIR_BREAKER_H
#define WEIR_BREAKER_H

/*
 * A circuit breaker stops calling what keeps failing. CLOSED it lets calls pass
 * and judges them; enough failures OPEN it, and calls are refused at once with
 * WEIR_EOPEN; after reset_timeout_ms it is HALF-OPEN and admits a few trials:
 * enough successes close it, failures open it again.
 *
 * A permit names the life of the breaker it was given in: a result that comes
 * late can neither close nor reopen a later state (WEIR_ESTALE). A trial has a
 * lease: one that hangs is a failed verdict when trial_timeout_ms has passed
 * (its late report gets WEIR_EEXPIRED), so the breaker never wedges. Source of
 * the pattern: Nygard, "Release It!" (2007).
 *
 * Decide functions take any thread, allocate nothing and wait for no user code.
 * A permit that is never reported leaks nothing.
 */

#include <weir/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* States. */
enum {
  WEIR_BREAKER_CLOSED = 0,
  WEIR_BREAKER_OPEN = 1,
  WEIR_BREAKER_HALF_OPEN = 2,
  WEIR_BREAKER_FORCED_OPEN = 3,
  WEIR_BREAKER_FORCED_CLOSED = 4, /* disabled: all pass, nothing is judged */
  WEIR_BREAKER_METRICS_ONLY = 5   /* all pass, judged; never opens */
};

/* What closed judges by. */
enum {
  WEIR_BREAKER_CONSECUTIVE = 0,
  WEIR_BREAKER_COUNT_WINDOW = 1,
  WEIR_BREAKER_TIME_WINDOW = 2
};

/* Why a state changed. */
enum {
  WEIR_BREAKER_BY_FAILURES = 1,   /* failures in a row, or failure rate */
  WEIR_BREAKER_BY_SLOW_CALLS = 2, /* slow call rate */
  WEIR_BREAKER_BY_TIME = 3,       /* reset timeout over: half-open */
  WEIR_BREAKER_BY_TRIALS = 4,     /* trials succeeded, failed or hung */
  WEIR_BREAKER_BY_HAND = 5        /* isolate, force, reset, restore */
};

typedef struct weir_breaker_stats {
  uint32_t size;  /* set by the caller: sizeof(weir_breaker_stats) */
  uint32_t state; /* WEIR_BREAKER_*, current */
  /* In the window (consecutive: failures in a row). While open: the counts that
   * opened it; half-open: verdicts so far, and failed ones. */
  uint64_t calls;
  uint64_t failures;
  uint64_t slow_calls;
  double failure_rate; /* of these; 0 while there are no calls */
  double slow_call_rate;
  uint64_t succeeded; /* reports recorded, ever, by class */
  uint64_t failed;
  uint64_t slow;
  uint64_t ignored;  /* ignore, abandon and refusal */
  uint64_t stale;    /* stale and expired reports. With the three classes above
                        (slow ones are among them) all reports, exactly */
  uint64_t rejected; /* refused, ever */
  uint64_t times_opened;
  int64_t open_remaining_ns; /* until half-open (INT64_MAX: for ever); 0 unless
                                open */
  uint64_t missed_events;    /* changes that came too fast to be told */
} weir_breaker_stats;

typedef struct weir_breaker_change {
  uint32_t size;
  uint32_t from; /* WEIR_BREAKER_* */
  uint32_t to;
  uint32_t reason;   /* WEIR_BREAKER_BY_* */
  uint64_t sequence; /* 1, 2, 3 …; gaps are changes missed under load */
  uint64_t calls;    /* the counts that decided */
  uint64_t failures;
  uint64_t slow_calls;
  int64_t at_ns; /* when it happened, which may be before anybody looked */
} weir_breaker_change;

/* A listener. In metrics-only mode it is told once per would-be opening, with
 * from = to = WEIR_BREAKER_METRICS_ONLY, and again only when what would have
 * opened it was over in between. What time alone changes (open to half-open, a
 * trial's lease) is told when somebody next looks: a call, a report, a read.
 * After the runtime's end a breaker goes on deciding, but tells nobody. */
typedef void (*weir_breaker_change_fn)(void *data, weir_breaker *breaker,
                                       const weir_breaker_change *change);

typedef struct weir_breaker_options {
  uint32_t size; /* sizeof(weir_breaker_options) */
  uint32_t mode; /* WEIR_BREAKER_CONSECUTIVE (default), ..._WINDOW */
  /* Consecutive mode: failures in a row that open; 1 to 10^6, default 5. */
  uint32_t failure_threshold;
  /* Count window: the last this many calls; 1 to 2^20, default 100. */
  uint32_t window_size;
  /* Time window: the last milliseconds, in 10 slices; 10 to one day, default
   * 60000. */
  int64_t window_ms;
  /* Windows: opens at this share or more; above 0 to 1, default 0.5. */
  double failure_rate;
  /* Windows: judged only from this many calls on; at least 1, in a count window
   * at most window_size, default 10. */
  uint32_t min_calls;
  /* Verdicts a half-open period judges; 1 to 32, default 3. */
  uint32_t half_open_max_calls;
  /* Successes that close; at least 1, default 2. */
  uint32_t half_open_success_threshold;
  /* Failed trials that reopen; at least 1, default 1. success_threshold +
   * failures - 1 may not exceed half_open_max_calls. */
  uint32_t half_open_failures;
  /* A call that took longer is slow; 0 or more, or WEIR_OFF (default). Trials
   * are judged by their class alone. */
  int64_t slow_call_ms;
  /* Opens at this share of slow calls or more; above 0 to 1, default 1. In
   * consecutive mode slow calls do not open. */
  double slow_call_rate;
  /* How long it stays open; 0 or more, default 60000. */
  int64_t reset_timeout_ms;
  /* Each reopening multiplies the next open period; 1 to 1000, default 1.
   * Closing resets it. */
  double reset_multiplier;
  /* At most; at least reset_timeout_ms, default 600000. */
  int64_t max_reset_timeout_ms;
  /* The lease of a trial; 1 or more, or WEIR_FOREVER; default 60000. */
  int64_t trial_timeout_ms;
  /* After closing, the admitted share grows from a tenth to all over this time;
   * 0 or more, or WEIR_OFF (default). */
  int64_t ramp_up_ms;
  /* Nullable; see weir/policy.h. Used by the run door; decide callers judge by
   * themselves. */
  weir_classify_fn classify;
  void *classify_data;
  weir_free_fn classify_free_data;
  /* Nullable; `failures_count` ranges, copied: only these user errors are
   * failures. */
  const weir_error_range *failures;
  uint64_t failures_count;
  /* Nullable; outside any lock, in order, on the runtime's thread. NULL with
   * `queue`. */
  weir_breaker_change_fn on_state_change;
  void *change_data;
  weir_free_fn change_free_data;
  /* Deliver state changes as EVENT records with `user` instead; nullable. */
  weir_completions *queue;
  uint64_t user;
  const char *name; /* copied; nullable */
} weir_breaker_options;

#define WEIR_BREAKER_OPTIONS_INIT                                             \
  {                                                                           \
    sizeof(weir_breaker_options), WEIR_BREAKER_CONSECUTIVE, 5, 100, 60000,    \
        0.5, 10, 3, 2, 1, WEIR_OFF, 1.0, 60000, 1.0, 600000, 60000, WEIR_OFF, \
        NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, 0, NULL            \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_breaker_options). */
WEIR_API void weir_breaker_options_init(weir_breaker_options *options,
                                        size_t size);

/* Makes a breaker, closed; the caller owns one reference. `options` NULL:
 * defaults. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_breaker_new(weir_runtime *runtime,
                                      const weir_breaker_options *options,
                                      weir_breaker **out, weir_error **error);

/* One reference more; returns `breaker`. Any thread. */
WEIR_API weir_breaker *weir_breaker_ref(weir_breaker *breaker);

/* One reference less. Any thread. */
WEIR_API void weir_breaker_unref(weir_breaker *breaker);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_breaker_policy(weir_breaker *breaker);

/* The breaker that `policy` is, borrowed; NULL if it is of another kind, and of
 * NULL. Any thread. */
WEIR_API weir_breaker *weir_policy_breaker(weir_policy *policy);

/* Asks to make a call. WEIR_OK: make it and report `permit`. WEIR_EOPEN: do
 * not; `permit` is 0, `rejection` (nullable, its size set) says why and when.
 * Reads no clock while it is closed. Errors: WEIR_EINVAL, WEIR_EABI. */
WEIR_API weir_status weir_breaker_acquire(weir_breaker *breaker,
                                          weir_permit *permit,
                                          weir_rejection *rejection);
/* As acquire, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_breaker_acquire_at(weir_breaker *breaker,
                                             weir_permit *permit,
                                             weir_rejection *rejection,
                                             int64_t now_ns);

/* The call ended as `class_` (WEIR_CLASS_*; ignore, abandon and refusal free
 * the place without a verdict). `elapsed_ns` is how long it took, 0 if slow
 * calls are off. Once per permit. WEIR_OK: recorded. WEIR_ESTALE: of an earlier
 * life, or reported before (which only trials can tell), changes nothing.
 * WEIR_EEXPIRED: its lease had run out (WEIR_ESTALE once another trial has its
 * place). Errors: WEIR_EINVAL (also a permit of 0, a class that is none, a
 * negative time). */
WEIR_API weir_status weir_breaker_report(weir_breaker *breaker,
                                         weir_permit permit, uint32_t class_,
                                         int64_t elapsed_ns);
/* As report, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_breaker_report_at(weir_breaker *breaker,
                                            weir_permit permit, uint32_t class_,
                                            int64_t elapsed_ns, int64_t now_ns);

/* Acquires up to `count` (at least 1) permits; returns how many in `granted`.
 * WEIR_OK if at least one, otherwise as acquire. */
WEIR_API weir_status weir_breaker_acquire_n(weir_breaker *breaker, size_t count,
                                            weir_permit *permits,
                                            size_t *granted,
                                            weir_rejection *rejection);
/* As acquire_n, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_breaker_acquire_n_at(
    weir_breaker *breaker, size_t count, weir_permit *permits, size_t *granted,
    weir_rejection *rejection, int64_t now_ns);

typedef struct weir_breaker_report_entry {
  weir_permit permit;
  int64_t elapsed_ns;
  uint32_t class_;
  weir_status result; /* written: what weir_breaker_report() would return */
} weir_breaker_report_entry;

/* Reports `count` calls, in order; each entry gets its own result. Errors:
 * WEIR_EINVAL (`entries` NULL). */
WEIR_API weir_status weir_breaker_report_many(
    weir_breaker *breaker, weir_breaker_report_entry *entries, size_t count);
/* As report_many, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_breaker_report_many_at(
    weir_breaker *breaker, weir_breaker_report_entry *entries, size_t count,
    int64_t now_ns);

/* WEIR_BREAKER_*, current: a breaker whose open time is over is half-open,
 * traffic or not. */
WEIR_API uint32_t weir_breaker_state(weir_breaker *breaker);
/* As state, at a time of weir_runtime_now()'s clock. */
WEIR_API uint32_t weir_breaker_state_at(weir_breaker *breaker, int64_t now_ns);

/* Forces it open until as many weir_breaker_release() came. Counted. Errors:
 * WEIR_EINVAL, WEIR_EFULL (2^32 - 1 times). */
WEIR_API weir_status weir_breaker_isolate(weir_breaker *breaker);

/* Undoes one isolate; the last returns it to closed (or what is forced), counts
 * empty. Errors: WEIR_EINVAL if there is none. */
WEIR_API weir_status weir_breaker_release(weir_breaker *breaker);

/* Puts it into WEIR_BREAKER_FORCED_OPEN, ..._FORCED_CLOSED or ..._METRICS_ONLY,
 * or with WEIR_BREAKER_CLOSED back to judging by itself, counts empty.
 * Isolation goes before it. Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_breaker_force(weir_breaker *breaker, uint32_t state);

/* Closed, counts and reset multiplier as new; permits out become stale. A
 * forced state and isolation stay. */
WEIR_API weir_status weir_breaker_reset(weir_breaker *breaker);

/* Changes the options live; its state and, where mode and window are the same,
 * its counts stay. What runs already keeps its end: the open time, the leases
 * of trials. Other half_open_* numbers begin a half-open period again, with its
 * trials void. `options` must not be NULL; classify, failures, on_state_change,
 * queue and name cannot change (they must be NULL or 0 here). A bad set changes
 * nothing. Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOMEM. */
WEIR_API weir_status weir_breaker_set_options(
    weir_breaker *breaker, const weir_breaker_options *options,
    weir_error **error);

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_breaker_get_stats(weir_breaker *breaker,
                                            weir_breaker_stats *stats);

/* Bytes weir_breaker_snapshot() needs at most. */
#define WEIR_BREAKER_SNAPSHOT_SIZE 64

/* Writes the state (open time left, forced state, isolations, failures in a
 * row; not the window's calls) as bytes, portable between processes and
 * machines; `size` holds the buffer's size and gets the
 * snapshot's. Errors: WEIR_EINVAL (too small: `size` says what is needed). */
WEIR_API weir_status weir_breaker_snapshot(weir_breaker *breaker, void *buffer,
                                           size_t *size);

/* Takes a snapshot's state over, `elapsed_ms` (0 or more) after it was taken:
 * one that was open is half-open if its time is over; half-open starts its
 * trials from none. Permits that are out become stale. Errors: WEIR_EINVAL (not
 * a snapshot), WEIR_EABI (of a later version). */
WEIR_API weir_status weir_breaker_restore(weir_breaker *breaker,
                                          const void *bytes, size_t size,
                                          int64_t elapsed_ms);

#ifdef __cplusplus
}
#endif
#endif
