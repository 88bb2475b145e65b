/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PACING_H
#define WEIR_PACING_H

/*
 * What debounce and throttle have in common. A pacer holds one operation and
 * decides when to run it for a stream of calls, each with an argument (the
 * run's input). It is an operation itself: weir_debounce_operation() and
 * weir_throttle_operation() give it as one, so a call may have a deadline, be
 * cancelled, be delivered to a completion queue or be wrapped in policies like
 * any other run; the run's input is the argument and its key the key.
 *
 * Every call that asks for a settlement gets exactly one. A pacer is keyed by
 * use: calls with different keys are paced apart (one debounce per document),
 * a call without a key counts as one key of its own, and a key that is idle
 * costs nothing. Time is the runtime's monotonic clock.
 *
 * The state lives on the runtime's thread; calls from other threads get there
 * through its inbox and count from then. A pacer with something pending keeps
 * itself, and an attached loop, alive until that has run.
 */

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call gets that a later one of its batch replaced. A call that no later
 * run will cover (trailing is off) is superseded as well; with SHARE it gets
 * the outcome of the run that is out, if there is one. */
enum {
  WEIR_SUPERSEDED_CANCEL = 0, /* stopped, WEIR_ESUPERSEDED, at once */
  WEIR_SUPERSEDED_SHARE = 1   /* the outcome of the run that covers its batch */
};

/* A run is due while the last one is still going. */
enum {
  WEIR_OVERLAP_QUEUE = 0,      /* wait for its end, then run with the latest */
  WEIR_OVERLAP_CONCURRENT = 1, /* run beside it */
  WEIR_OVERLAP_CANCEL = 2      /* tell it to stop (WEIR_CANCEL_SUPERSEDED); its
                                  calls are superseded */
};

typedef struct weir_pacing_stats {
  uint32_t size;       /* set by the caller: sizeof(weir_pacing_stats) */
  uint32_t reserved;   /* 0 */
  uint64_t calls;      /* ever */
  uint64_t runs;       /* started, ever */
  uint64_t superseded; /* calls that another replaced, ever */
  uint64_t pending;    /* calls for which no run has begun, settled or not */
  uint64_t running;    /* runs that have not settled */
  uint64_t keys;       /* keys that are not idle */
} weir_pacing_stats;

#ifdef __cplusplus
}
#endif
#endif
