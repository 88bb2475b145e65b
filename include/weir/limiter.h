/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LIMITER_H
#define WEIR_LIMITER_H

/*
 * A limiter bounds how often, how many at once, or both; per key if it is
 * keyed. Runs over the limit wait in a bounded queue or are refused; decide
 * callers are refused at once. While runs wait, decide does not barge.
 *
 * Rates are exact: nothing is rounded to whole nanoseconds, so 3 a second admit
 * 259,200 a day. Algorithms: token bucket as GCRA (ITU-T I.371; at most burst +
 * rate × t in any time t); fixed window (at most `permits` in each window, so
 * up to twice that around a boundary); sliding window (at most `permits` in any
 * interval whatsoever; it counts in slices and may refuse up to one slice, a
 * 32nd of the interval, early).
 *
 * Keys. A keyed limiter does the same for each key by itself. A key of which
 * nothing is used equals one that is not there, so nothing has to be swept, and
 * max_keys is a hard cap. With one token bucket (burst x interval, in ns and
 * over the greatest common divisor of permits and interval, at most 2^56) and
 * no concurrency limit, a key takes 24 bytes and no lock; otherwise 32 bytes
 * and for each rate 16 (sliding window: 160), under a mutex. Keys are told
 * apart by a seeded 64-bit hash. A run, or a decide function, without a key
 * uses the key of no bytes.
 *
 * Adaptive concurrency: `aimd` halves-and-adds on failures and slow calls (Chiu
 * & Jain 1989), `gradient` follows the ratio of long-term to recent latency
 * (Netflix concurrency-limits, 2018).
 */

#include <weir/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_LIMITER_TOKEN_BUCKET = 0,
  WEIR_LIMITER_FIXED_WINDOW = 1,
  WEIR_LIMITER_SLIDING_WINDOW = 2
};

enum { WEIR_LIMITER_FIFO = 0, WEIR_LIMITER_PRIORITY = 1 };

/* What happens at max_keys live keys when another comes: it is refused, or it
 * displaces the key closest to idle (of those looked at; small tables are
 * looked at whole). Each newcomer then begins with as much used as any
 * displaced key had, until time has worn that off, and a displacement for which
 * its request would not fit does not happen. So keys that come and go gain
 * nobody a permit, a key that has nothing left or holds permits never gives
 * way, and at a burst of 1 both are the same. */
enum { WEIR_LIMITER_DENY = 0, WEIR_LIMITER_EVICT = 1 };

enum {
  WEIR_ADAPTIVE_OFF = 0,
  WEIR_ADAPTIVE_AIMD = 1,
  WEIR_ADAPTIVE_GRADIENT = 2
};

typedef struct weir_limiter_options {
  uint32_t size;      /* sizeof(weir_limiter_options) */
  uint32_t algorithm; /* WEIR_LIMITER_*; default token bucket */
  /* Rate: `permits` (1 to 2^31 - 1) in interval_ms (1 to 100 years). Both
   * WEIR_OFF (default): no rate. */
  int64_t permits;
  int64_t interval_ms;
  /* Token bucket's depth; 1 to 2^31 - 1, or WEIR_OFF (default): as permits. */
  int64_t burst;
  /* How many hold a permit at once; 1 to 2^31 - 1, or WEIR_UNLIMITED
   * (default). With adaptive: where the limit begins, within adaptive_min and
   * adaptive_max; unlimited means 20. */
  int64_t max_concurrent;
  /* Runs that wait; 0 or more, or WEIR_UNLIMITED; default 1024. */
  int64_t max_queue;
  /* How long a run waits at most, then it is refused as limited; 0 or more, or
   * WEIR_FOREVER (default). */
  int64_t queue_timeout_ms;
  uint32_t queue_order; /* WEIR_LIMITER_FIFO (default) or PRIORITY, then fifo */
  uint32_t key_overflow; /* WEIR_LIMITER_DENY (default) or EVICT: the key that
                            is closest to idle */
  /* Keyed: at most this many keys are tracked, 1 to 2^30. 0 (default): not
   * keyed. Memory is taken at creation. */
  int64_t max_keys;
  uint32_t adaptive; /* WEIR_ADAPTIVE_*; default off; not with max_keys */
  /* 1: the permit of a run that was told to stop returns at once; default 0:
   * when its attempt really ended. */
  uint32_t early_release;
  int64_t adaptive_min; /* 1 to adaptive_max; default 1 */
  int64_t adaptive_max; /* default 1000 */
  /* aimd: a call that took longer counts as overload; 1 or more, or WEIR_OFF
   * (default): only failures do. */
  int64_t adaptive_latency_ms;
  /* aimd: what the limit is multiplied with on overload; above 0, below 1;
   * default 0.9. */
  double adaptive_backoff;
  /* gradient: how much slower than the long-term latency is still fine; 1 to
   * 10, default 1.5. */
  double adaptive_tolerance;
  /* Nullable; see weir/policy.h: what adaptive counts as a failure. */
  weir_classify_fn classify;
  void *classify_data;
  weir_free_fn classify_free_data;
  /* Nullable; `failures_count` ranges, copied. */
  const weir_error_range *failures;
  uint64_t failures_count;
  const char *name; /* copied; nullable */
} weir_limiter_options;

#define WEIR_LIMITER_OPTIONS_INIT                                         \
  {                                                                       \
    sizeof(weir_limiter_options), WEIR_LIMITER_TOKEN_BUCKET, WEIR_OFF,    \
        WEIR_OFF, WEIR_OFF, WEIR_UNLIMITED, 1024, WEIR_FOREVER,           \
        WEIR_LIMITER_FIFO, WEIR_LIMITER_DENY, 0, WEIR_ADAPTIVE_OFF, 0, 1, \
        1000, WEIR_OFF, 0.9, 1.5, NULL, NULL, NULL, NULL, 0, NULL         \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_limiter_options). */
WEIR_API void weir_limiter_options_init(weir_limiter_options *options,
                                        size_t size);

/* Makes a limiter; the caller owns one reference. `options` NULL: defaults,
 * which limit nothing until weir_limiter_add_limit(). Errors: WEIR_EINVAL,
 * WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_limiter_new(weir_runtime *runtime,
                                      const weir_limiter_options *options,
                                      weir_limiter **out, weir_error **error);

/* One reference more; returns `limiter`. Any thread. */
WEIR_API weir_limiter *weir_limiter_ref(weir_limiter *limiter);

/* One reference less. Any thread. */
WEIR_API void weir_limiter_unref(weir_limiter *limiter);

/* The policy this is; borrowed. */
WEIR_API weir_policy *weir_limiter_policy(weir_limiter *limiter);

/* The limiter that `policy` is, borrowed; NULL if it is of another kind, and of
 * NULL. Any thread. */
WEIR_API weir_limiter *weir_policy_limiter(weir_policy *policy);

/* One rate more on the same handle (per second and per minute and per day); all
 * are granted, or none. At most 8 in all. `burst` WEIR_OFF: as permits. A keyed
 * limiter takes memory for all its keys anew. Errors: WEIR_EINVAL, WEIR_ENOMEM,
 * WEIR_EFULL, WEIR_ENOTSUP (keyed, once keys are live). Any thread. */
WEIR_API weir_status weir_limiter_add_limit(weir_limiter *limiter,
                                            uint32_t algorithm, int64_t permits,
                                            int64_t interval_ms, int64_t burst,
                                            weir_error **error);

/*
 * Decide. `permits` is the weight, at least 1; more than the limit can ever
 * give is WEIR_EINVAL (a run that asks for so much settles as WEIR_ELIMITED,
 * reason WEIR_REJECTION_WEIGHT: a refusal, which no layer retries or counts).
 * WEIR_OK: go ahead, and give `permit` back with weir_limiter_release(). It is
 * 0 if there is no concurrency limit, and only then may be NULL (otherwise
 * WEIR_EINVAL, and nothing is taken). WEIR_ELIMITED: not now; `rejection`
 * (nullable, its size set) says why and when: waiting exactly retry_after_ns
 * makes the same request pass, if nobody else comes first. Any thread.
 *
 * Times that are handed in need not rise from call to call: an earlier one
 * grants nothing more.
 */

/* Takes `permits`, or nothing. */
WEIR_API weir_status weir_limiter_try_acquire(weir_limiter *limiter,
                                              uint32_t permits,
                                              weir_permit *permit,
                                              weir_rejection *rejection);
/* As try_acquire, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_limiter_try_acquire_at(weir_limiter *limiter,
                                                 uint32_t permits,
                                                 weir_permit *permit,
                                                 weir_rejection *rejection,
                                                 int64_t now_ns);

/* As try_acquire, for one key of a keyed limiter (WEIR_ENOTSUP if it is not
 * keyed). */
WEIR_API weir_status weir_limiter_try_acquire_key(
    weir_limiter *limiter, const void *key, size_t key_size, uint32_t permits,
    weir_permit *permit, weir_rejection *rejection);
/* As try_acquire_key, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_limiter_try_acquire_key_at(
    weir_limiter *limiter, const void *key, size_t key_size, uint32_t permits,
    weir_permit *permit, weir_rejection *rejection, int64_t now_ns);

/* Takes up to `count` single permits at once; `granted` says how many. WEIR_OK
 * if at least one. Only for limiters without a concurrency limit or keys
 * (WEIR_ENOTSUP). */
WEIR_API weir_status weir_limiter_acquire_n(weir_limiter *limiter, size_t count,
                                            size_t *granted,
                                            weir_rejection *rejection);
/* As acquire_n, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_limiter_acquire_n_at(weir_limiter *limiter,
                                               size_t count, size_t *granted,
                                               weir_rejection *rejection,
                                               int64_t now_ns);

/* Takes `permits` of the rate in advance and says in `wait_ns` how long to wait
 * before going ahead. Only for limiters with one token bucket and no
 * concurrency limit or keys (WEIR_ENOTSUP). WEIR_ELIMITED while paused, while
 * runs wait, and when 2^31 - 1 permits are reserved ahead. `reservation`
 * (nullable) names it for cancelling. */
WEIR_API weir_status weir_limiter_reserve(weir_limiter *limiter,
                                          uint32_t permits, int64_t *wait_ns,
                                          weir_permit *reservation);
/* As reserve, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_limiter_reserve_at(weir_limiter *limiter,
                                             uint32_t permits, int64_t *wait_ns,
                                             weir_permit *reservation,
                                             int64_t now_ns);

/* Gives back of a reservation what nobody has reserved after; at most once.
 * Errors: WEIR_ESTALE if nothing could be given back, WEIR_EINVAL,
 * WEIR_ENOTSUP. */
WEIR_API weir_status weir_limiter_cancel_reservation(weir_limiter *limiter,
                                                     uint32_t permits,
                                                     weir_permit reservation);

/* Gives a concurrency permit back (the rate stays used). Exactly once per
 * permit; more than are out is WEIR_EINVAL; 0 is nothing to give back and
 * WEIR_OK. Errors: WEIR_EINVAL. */
WEIR_API weir_status weir_limiter_release(weir_limiter *limiter,
                                          weir_permit permit);

/* As release, for adaptive limits: how the call ended (WEIR_CLASS_*) and how
 * long it took. */
WEIR_API weir_status weir_limiter_release_with(weir_limiter *limiter,
                                               weir_permit permit,
                                               uint32_t class_,
                                               int64_t elapsed_ns);

/* As release, for one key of a keyed limiter (WEIR_ENOTSUP if it is not
 * keyed). */
WEIR_API weir_status weir_limiter_release_key(weir_limiter *limiter,
                                              const void *key, size_t key_size,
                                              weir_permit permit);

/* Gives `permits` of the rate back, never above the burst: for work that was
 * not done. Errors: WEIR_EINVAL, WEIR_ENOTSUP (keyed). */
WEIR_API weir_status weir_limiter_refund(weir_limiter *limiter,
                                         uint32_t permits);

/* Permits a try_acquire could have now; INT64_MAX if nothing limits; 0 while
 * paused or while runs wait. */
WEIR_API int64_t weir_limiter_available(weir_limiter *limiter);
/* As available, at a time of weir_runtime_now()'s clock. */
WEIR_API int64_t weir_limiter_available_at(weir_limiter *limiter,
                                           int64_t now_ns);

/* Takes all each rate has now (such as after a 429); in `drained` (nullable)
 * how many could have been acquired. Errors: WEIR_EINVAL, WEIR_ENOTSUP (keyed).
 */
WEIR_API weir_status weir_limiter_drain(weir_limiter *limiter,
                                        int64_t *drained);

/* Nothing passes until resume; runs wait. */
WEIR_API weir_status weir_limiter_pause(weir_limiter *limiter);
/* Undoes pause; waiting runs proceed in order. */
WEIR_API weir_status weir_limiter_resume(weir_limiter *limiter);

/* Changes every number live: growing wakes waiters, shrinking never blocks,
 * waiters are rescheduled (each keeps the queue_timeout_ms it began to wait
 * with). What is used stays used; the rate of these options is the first of
 * several. `algorithm`, queue_order, max_keys, adaptive, whether there is a
 * rate, and of a keyed limiter whether there is a concurrency limit, cannot
 * change; classify, failures and name must be NULL, and `options` not. Of a
 * keyed limiter a new rate takes time for each key. A bad set changes nothing.
 * Errors: WEIR_EINVAL, WEIR_EABI, WEIR_ENOTSUP (keyed, and the new bucket does
 * not fit as said on top). */
WEIR_API weir_status weir_limiter_set_options(
    weir_limiter *limiter, const weir_limiter_options *options,
    weir_error **error);

typedef struct weir_limiter_stats {
  uint32_t size;      /* set by the caller: sizeof(weir_limiter_stats) */
  uint32_t paused;    /* 1 while paused */
  int64_t available;  /* of the rate, now; keyed: what a new key has */
  int64_t concurrent; /* permits held */
  int64_t limit;    /* of concurrency, now (adaptive: as it stands); -1: none */
  uint64_t queued;  /* runs waiting */
  uint64_t granted; /* runs let through, ever */
  uint64_t refused; /* runs refused, ever; decide denials are not counted */
  uint64_t timed_out; /* of these, after waiting */
  uint64_t keys;      /* live keys, as far as known */
} weir_limiter_stats;

/* Fills `stats`. Errors: WEIR_EINVAL, WEIR_EABI. Any thread. */
WEIR_API weir_status weir_limiter_get_stats(weir_limiter *limiter,
                                            weir_limiter_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
