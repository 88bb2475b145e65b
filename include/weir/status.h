/* SPDX-License-Identifier: MIT */
#ifndef WEIR_STATUS_H
#define WEIR_STATUS_H

/*
 * Statuses, classes and reasons. The numbers never change; new ones are added.
 */

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /* It worked. */
  WEIR_OK = 0,
  /* An argument or option is not legal; the error names it. */
  WEIR_EINVAL = -1,
  /* The allocator returned NULL. Nothing was changed. */
  WEIR_ENOMEM = -2,
  /* A struct's size is zero, or unknown bytes at its end are not zero: the
   * caller was built against another version. */
  WEIR_EABI = -3,
  /* The caller cancelled the call. */
  WEIR_ECANCELLED = -4,
  /* A timeout or a deadline passed. */
  WEIR_ETIMEDOUT = -5,
  /* What was asked cannot fit into the time that is left. A refusal: of the
   * operation's own (a limiter says WEIR_ELIMITED with the reason
   * WEIR_REJECTION_NO_TIME). */
  WEIR_ENOTIME = -6,
  /* A circuit breaker is open. A refusal. */
  WEIR_EOPEN = -7,
  /* A limiter refuses. A refusal. */
  WEIR_ELIMITED = -8,
  /* A queue, or the runtime's limit of calls in flight, is full. A refusal. */
  WEIR_EFULL = -9,
  /* The user's operation failed; the error carries domain, code, message. */
  WEIR_EFAILED = -10,
  /* Several failed; the error lists them, each with its index. */
  WEIR_EAGGREGATE = -11,
  /* A retry gave up and the last result, a value, was judged a failure. The
   * outcome still carries that value. */
  WEIR_EEXHAUSTED = -12,
  /* A later call took this one's place. */
  WEIR_ESUPERSEDED = -13,
  /* The token or permit belongs to an earlier life; nothing was changed. */
  WEIR_ESTALE = -14,
  /* The runtime, queue or handle is closed. */
  WEIR_ECLOSED = -15,
  /* There is nothing of that name or key. */
  WEIR_ENOTFOUND = -16,
  /* There is already something of that name or key. */
  WEIR_EEXISTS = -17,
  /* This driver, platform or combination cannot do that; the error says why. */
  WEIR_ENOTSUP = -18,
  /* The function belongs to another thread; the text of each function says
   * which. */
  WEIR_ETHREAD = -19,
  /* The permit's lease ran out before this report: the verdict had already
   * been given. */
  WEIR_EEXPIRED = -20,
  /* The process forked; a runtime lives in the process that made it. */
  WEIR_EFORKED = -21,
  /* No more attempts: retry's decide door says stop (weir/retry.h). */
  WEIR_ESTOP = -22
};

/* How a policy judges an outcome, and what a report carries.
 *
 *   outcome                                                default class
 *   value                                                  success
 *   user's error, aggregate, exhausted, a policy's timeout failure
 *   refusal by an inner policy (open, limited, full,
 *   no time left)                                          refusal
 *   stopped: caller's cancel or deadline, lost race,
 *   superseded, shutdown                                   abandon */
enum {
  WEIR_CLASS_NONE = 0, /* not judged: use the default */
  WEIR_CLASS_SUCCESS = 1,
  WEIR_CLASS_FAILURE = 2,
  WEIR_CLASS_REFUSAL = 3,
  WEIR_CLASS_IGNORE = 4,
  WEIR_CLASS_ABANDON = 5
};

/* Why a retry gave up (weir_outcome.stop_reason; weir_retry_next()). */
enum {
  WEIR_STOP_NONE = 0,
  WEIR_STOP_ATTEMPTS = 1,   /* max_attempts reached */
  WEIR_STOP_ELAPSED = 2,    /* max_elapsed_ms reached, or the delay would */
  WEIR_STOP_BUDGET = 3,     /* the budget had nothing left */
  WEIR_STOP_NO_TIME = 4,    /* the delay does not fit before the deadline */
  WEIR_STOP_REFUSED = 5,    /* an inner policy refused the attempt */
  WEIR_STOP_FINAL = 6,      /* the failure was completed as final */
  WEIR_STOP_CLASSIFIED = 7, /* should_retry or the class said stop */
  WEIR_STOP_NO_MEMORY = 8   /* the next attempt could not be reserved */
};

/* Why a run or an attempt was told to stop (weir_outcome.cancel_reason,
 * on_cancel, CANCEL records). */
enum {
  WEIR_CANCEL_NONE = 0,
  WEIR_CANCEL_CALLER = 1,     /* weir_call_cancel() */
  WEIR_CANCEL_DEADLINE = 2,   /* the caller's or a scope's deadline */
  WEIR_CANCEL_TIMEOUT = 3,    /* a timeout policy, attempt or item timeout */
  WEIR_CANCEL_LOST = 4,       /* another racer won, or a sibling stopped all */
  WEIR_CANCEL_SUPERSEDED = 5, /* a later call took its place */
  WEIR_CANCEL_SHUTDOWN = 6    /* the runtime closes */
};

/* "WEIR_EOPEN" for WEIR_EOPEN; "WEIR_UNKNOWN" for a number that is none. Static
 * text, never NULL, any thread. */
WEIR_API const char *weir_status_name(weir_status status);

/* One sentence in English, such as "circuit breaker is open". Static text,
 * never NULL, any thread. */
WEIR_API const char *weir_status_message(weir_status status);

#ifdef __cplusplus
}
#endif
#endif
