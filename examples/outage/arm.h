/* SPDX-License-Identifier: MIT */
/*
 * One arm of the experiment: its upstream, its policies, and what became of each of its calls.
 *
 * Everything but the upstream's counts is written on the loop's thread. Moments are nanoseconds
 * from the beginning of the run; a call belongs to the phase and the slice in which it was due,
 * whenever it really began or ended.
 */
#ifndef OUTAGE_ARM_H
#define OUTAGE_ARM_H

#include "fetch.h"
#include "policies.h"
#include "schedule.h"
#include "upstream.h"

#include <stdbool.h>
#include <weir/weir.h>

struct arm;

enum call_result {
  CALL_PENDING,
  CALL_ANSWERED, /* a 200 */
  CALL_STALE,    /* a 200 that is older than CACHE_TTL_MS */
  CALL_FAILED,   /* the last try failed or timed out */
  CALL_REFUSED   /* a policy refused it before anything was sent */
};

struct call {
  struct fetch_request request; /* the run's input */
  struct arm *arm;
  int64_t due_ns;
  int64_t settled_ns;
  uint32_t attempts;
  enum call_result result;
  /* Breaker or limiter said no, to the call or to one of its retries, at a moment when the schedule
   * would have answered 200. */
  bool refused_in_vain;
};

/* The most seen in one slice of the run. */
struct slice {
  uint32_t in_flight;
  uint32_t queued;
  uint32_t limit;
};

struct breaker_change {
  int64_t at_ns;
  uint32_t state; /* WEIR_BREAKER_* from here on */
};

struct arm {
  enum arm_kind kind;
  const struct schedule *schedule;
  int64_t epoch_ns;
  struct upstream upstream;
  char url[64];
  struct policies policies;
  struct call *calls;
  uint32_t call_count;
  uint32_t settled_count;
  uint32_t begun_count;
  struct slice slices[TIMELINE_SLICES];
  struct breaker_change *changes;
  uint32_t change_count;
  uint32_t change_room;
};

/* Starts the upstream, which forks: for all arms before the first arm_open. */
void arm_init(struct arm *arm, enum arm_kind kind, const struct schedule *schedule,
              uint32_t call_count);

/* Makes the operation and the policies, and sets the upstream's schedule going. */
void arm_open(struct arm *arm, weir_runtime *runtime, struct http_client *client, int64_t epoch_ns);

/* Begins call number `number`, due at `due_ns`. Never waits; the answer comes in a later turn. */
void arm_begin_call(struct arm *arm, uint32_t number, int64_t due_ns);

/* Notes queue, limit and calls in flight for the timeline. */
void arm_sample(struct arm *arm, int64_t at_ns);

bool call_is_answered(const struct call *call);

/* Gives policies and operation back, before the runtime. */
void arm_close(struct arm *arm);

/* Stops the upstream and fetches its counts. */
void arm_stop_upstream(struct arm *arm);

void arm_release(struct arm *arm);

#endif
