/* SPDX-License-Identifier: MIT */
#ifndef WEIR_OUTCOME_H
#define WEIR_OUTCOME_H

/*
 * How a run, or one attempt, ended.
 */

#include <weir/error.h>
#include <weir/status.h>
#include <weir/types.h>
#include <weir/value.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_CHANNEL_VALUE = 1,  /* status WEIR_OK, `value` (nullable) */
  WEIR_CHANNEL_ERROR = 2,  /* failed or refused: status, `error` (never NULL) */
  WEIR_CHANNEL_STOPPED = 3 /* told to stop: status, cancel_reason */
};

/* Which policy refused. */
enum {
  WEIR_POLICY_NONE = 0,
  WEIR_POLICY_RETRY = 1,
  WEIR_POLICY_BREAKER = 2,
  WEIR_POLICY_LIMITER = 3,
  WEIR_POLICY_TIMEOUT = 4,
  WEIR_POLICY_PIPELINE = 5,
  WEIR_POLICY_BUDGET = 6,
  WEIR_POLICY_HEDGE = 7,
  WEIR_POLICY_FALLBACK = 8,
  WEIR_POLICY_CHAOS = 9
};

/* Why it refused. */
enum {
  WEIR_REJECTION_NONE = 0,
  WEIR_REJECTION_OPEN = 1,          /* breaker: open */
  WEIR_REJECTION_HALF_OPEN = 2,     /* breaker: no trial place is free */
  WEIR_REJECTION_FORCED_OPEN = 3,   /* breaker: isolated or forced open */
  WEIR_REJECTION_RAMP_UP = 4,       /* breaker: outside the growing share */
  WEIR_REJECTION_RATE = 5,          /* limiter: no permit in this interval */
  WEIR_REJECTION_CONCURRENCY = 6,   /* limiter: all permits are held */
  WEIR_REJECTION_QUEUE_FULL = 7,    /* limiter: no place to wait */
  WEIR_REJECTION_QUEUE_TIMEOUT = 8, /* limiter: waited queue_timeout_ms */
  WEIR_REJECTION_PAUSED = 9,        /* limiter: paused */
  WEIR_REJECTION_WEIGHT = 10,       /* limiter: more than it can ever give */
  WEIR_REJECTION_KEYS = 11,         /* limiter: max_keys keys are live */
  WEIR_REJECTION_NO_TIME = 12,      /* the wait does not fit the deadline */
  WEIR_REJECTION_WAITERS = 13,      /* limiter: others wait, no barging */
  WEIR_REJECTION_BUDGET = 14        /* budget: no retry is left */
};

/* Who refused, why, and the numbers. Decide functions fill a caller's own; a
 * refused run's outcome points to one. */
typedef struct weir_rejection {
  uint32_t size;      /* set by the caller: sizeof(weir_rejection) */
  weir_status status; /* WEIR_EOPEN, WEIR_ELIMITED, WEIR_EFULL, WEIR_ENOTIME */
  uint32_t policy;    /* WEIR_POLICY_* */
  uint32_t reason;    /* WEIR_REJECTION_* */
  /* So long from now trying again passes, by the rule that refused and if no
   * call comes or ends before; -1 if nobody can know. The second is the first
   * rounded up. */
  int64_t retry_after_ns;
  int64_t retry_after_ms;
  int64_t requested; /* limiter: permits asked for; budget: 1 */
  int64_t available; /* limiter: permits there are now */
  /* Limiter: permits per interval, or at once; what one call may ask (weight);
   * runs that may wait (queue full); max_keys (keys). Half-open breaker: trials
   * a period judges. Budget: retries the window may hold. */
  int64_t limit;
  int64_t queued;      /* limiter: runs waiting */
  uint64_t calls;      /* breaker: calls judged; budget: first attempts */
  uint64_t failures;   /* breaker: of these failed; budget: retries */
  uint64_t slow_calls; /* breaker: of these slow */
  char name[48];       /* the policy's name, cut off; "" if it has none */
  /* Breaker: what `failures` or `slow_calls` reached when it opened: a number
   * (failures in a row, failed trials), or a share of `calls`. Ramping up: the
   * share that passes now. Budget: its ratio. Else 0. */
  double threshold;
  int64_t interval_ns;  /* limiter: `limit` is per this time; budget: window */
  int64_t waited_ns;    /* queue timeout: how long the run waited */
  int64_t remaining_ns; /* no time: until the deadline */
  uint32_t cause;       /* breaker: why it opened, WEIR_BREAKER_BY_* */
  uint32_t reserved;    /* 0 */
} weir_rejection;

/* Statuses kept of the last attempts. */
#define WEIR_OUTCOME_STATUSES 8

typedef struct weir_outcome {
  uint32_t size;
  uint32_t channel; /* WEIR_CHANNEL_* */
  weir_status status;
  uint32_t class_;        /* WEIR_CLASS_* the completer attached; mostly none */
  uint32_t attempts;      /* started in this run */
  uint32_t stop_reason;   /* WEIR_STOP_*: why a retry gave up */
  uint32_t cancel_reason; /* WEIR_CANCEL_* when stopped */
  uint32_t final;         /* 1: completed as a final failure */
  /* From the moment the runtime took the run up to its settlement. */
  int64_t elapsed_ns;
  /* What the peer or the refusing policy asked for; -1 if nothing. */
  int64_t retry_after_ms;
  weir_value *value; /* borrowed from the call; nullable */
  weir_error *error; /* borrowed from the call; never NULL in the error
                        channel */
  /* Set when a policy's refusal decided, or stopped a retry; else NULL. */
  const weir_rejection *rejection;
  /* Statuses of the last attempts, oldest first; min(attempts, 8) are set. An
   * attempt cut off by its timeout has WEIR_ETIMEDOUT. */
  weir_status statuses[WEIR_OUTCOME_STATUSES];
  /* What weir_outcome_release() gives back; NULL in an outcome that is lent. */
  weir_call *held;
} weir_outcome;

/* For weir_run_wait(), which fills it. */
#define WEIR_OUTCOME_INIT                                               \
  {                                                                     \
    sizeof(weir_outcome), 0, 0, 0, 0, 0, 0, 0, 0, -1, NULL, NULL, NULL, \
        {0, 0, 0, 0, 0, 0, 0, 0}, NULL                                  \
  }

/* For decide functions. */
#define WEIR_REJECTION_INIT                                                   \
  {                                                                           \
    sizeof(weir_rejection), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, 0, 0, 0, \
        0, 0, 0                                                               \
  }

/* Writes one line for logs into `buffer`, cut off and always terminated, such
 * as "failed: http 503 'overloaded' after 3 attempts in 412.000 ms (stopped:
 * budget)" or "failed: circuit breaker 'api' is open (WEIR_EOPEN) after 0
 * attempts in 0.000 ms (retry after 60000 ms)". Returns the length the whole
 * line has. Any thread. */
WEIR_API size_t weir_outcome_describe(const weir_outcome *outcome, char *buffer,
                                      size_t size);

/* Writes one sentence for people into `buffer`, cut off and always terminated:
 * who refused, why, by which numbers, and when to try again, such as "circuit
 * breaker 'api' is open: 5 failures in a row (opens at 5); try again in 60000
 * ms". Returns the length the whole sentence has. NULL: "no rejection"; also
 * reads a shorter struct of an earlier version. Any thread. */
WEIR_API size_t weir_rejection_describe(const weir_rejection *rejection,
                                        char *buffer, size_t size);

/* Gives back what weir_run_wait() filled (value, error, rejection) and clears
 * it; harmless on a cleared one and on NULL. Never for an outcome that was
 * lent. */
WEIR_API void weir_outcome_release(weir_outcome *outcome);

#ifdef __cplusplus
}
#endif
#endif
