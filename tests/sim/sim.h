/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_SIM_H
#define WEIR_TESTS_SIM_H

/*
 * The simulation: a seeded random user against a reference model that knows what must hold.
 *
 * An episode is one runtime's life: policies with random options, some thousand random steps (run,
 * complete, cancel, move the clock, resize, decide, give back, with allocations failing in some
 * episodes), then the end: drained, or closed with everything pending. What is seen is checked
 * against the model at once (model.c, decide.c) and mixed into a hash, so that a seed replays bit
 * for bit. With --threads, other threads complete and cancel, and only what holds in any order is
 * checked.
 *
 * The policies of all runs come in one order, timeout → retry → limiter → breaker → operation, each
 * present or not, so that the model stays small: an attempt holds its own permit, and nothing lies
 * between the breaker's permit and the start.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <weir/testing.h>
#include <weir/weir.h>

#define MS INT64_C(1000000)

enum { MAX_RUNS = 64, MAX_ATTEMPTS = 128, MAX_PERMITS = 16, PIPELINES = 4 };

/* What a pipeline has. */
enum { HAS_TIMEOUT = 1, HAS_RETRY = 2, HAS_LIMITER = 4, HAS_BREAKER = 8 };

struct sim_run {
  struct world *world;
  int in_use;
  uint64_t number;
  weir_call *call; /* one reference of ours, or NULL */
  uint32_t mask;   /* HAS_* */
  uint32_t permits;
  int64_t accepted_ns;
  int64_t deadline_ns; /* INT64_MAX: none */
  uint32_t starts;
  uint32_t out; /* attempts started and not yet freed */
  int64_t last_end_ns;
  int64_t asked_ms; /* what the last failure asked for, -1: nothing */
  int64_t last_code;
  int last_final;
  int cancelled; /* we asked for it */
  int by_queue;  /* settles as a record */
  int settled;
  int freed;
};

enum attempt_phase { ATTEMPT_FREE, ATTEMPT_OUT, ATTEMPT_TOLD, ATTEMPT_DONE };

struct sim_attempt {
  struct world *world;
  struct sim_run *run;
  uint64_t run_number;
  _Atomic int phase;
  weir_token token;
  weir_token last_token; /* of an earlier life of this slot: stale */
  uint32_t mask;
  uint32_t permits;
  int yields; /* told to stop, it completes at once */
};

/* A breaker that only the decide door uses, and its exact model. */
struct breaker_model {
  weir_breaker *breaker;
  uint32_t threshold, max_calls, successes_to_close, failures_to_open;
  int64_t reset_ns, lease_ns;
  uint32_t state;
  uint32_t failures;
  int64_t until_ns;
  uint32_t trials_given, trial_successes, trial_failures;
  struct {
    weir_permit permit;
    int64_t lease_ns;
    uint32_t life;
    int trial;
    int out;
  } permits[MAX_PERMITS];
  uint32_t life; /* goes up with each change of state */
};

/* A token bucket that only the decide door uses, exact: level in 1/interval of a permit. */
struct bucket_model {
  weir_limiter *limiter;
  int64_t permits, interval_ns, burst;
  __int128 level;
  int64_t at_ns;
};

struct world {
  uint64_t seed;
  uint64_t random;
  uint64_t hash;
  uint64_t step;  /* of the episode */
  uint64_t steps; /* of all */
  uint64_t episode;
  const char *_Atomic problem;
  char detail[256];
  char decisions[1 << 14]; /* the flight recorder's, when it was found */
  int ended;               /* the runtime is gone */

  /* memory */
  _Atomic uint64_t live_blocks;
  _Atomic uint64_t allocations;
  _Atomic uint64_t injected;
  uint64_t injected_before;
  uint32_t fail_one_in;     /* 0: never */
  _Atomic int memory_fails; /* now */
  _Atomic uint64_t memory_random;
  int released;

  /* options of this episode */
  int threaded;
  int64_t timeout_ms, attempt_timeout_ms, retry_delay_ms, max_attempts, max_in_flight;
  int64_t max_concurrent, rate_permits, rate_interval_ms, rate_burst, max_queue;
  uint32_t early_release, queue_order;
  int has_rate;

  weir_runtime *runtime;
  weir_operation *operation;
  weir_timeout *timeout;
  weir_retry *retry;
  weir_limiter *limiter;
  weir_breaker *breaker;
  weir_pipeline *pipelines[PIPELINES];
  weir_completions *queue;
  uint32_t masks[PIPELINES];

  /* the model of the runs */
  struct sim_run runs[MAX_RUNS];
  struct sim_attempt attempts[MAX_ATTEMPTS];
  uint64_t numbers;
  uint64_t accepted, settled;
  int64_t held;    /* permits of the limiter that attempts hold */
  int64_t decided; /* permits of the limiter that the decide door gave */
  weir_permit decided_permits[MAX_PERMITS];
  uint32_t breaker_given; /* attempts started under the breaker */
  __int128 rate_level;
  int64_t rate_at_ns;
  _Atomic int64_t values; /* not yet freed */
  int closing;
  int tolerant; /* the clock jumped: what was due may come late */

  struct breaker_model breaker_model;
  struct bucket_model bucket_model;
  pthread_mutex_t mutex; /* threads: guards runs and attempts */
};

/* Notes the first thing that is wrong; the episode ends at the next step. */
void wrong(struct world *world, const char *what, int64_t a, int64_t b);
#define MUST(world, condition, a, b)                                        \
  do {                                                                      \
    if (!(condition)) wrong(world, #condition, (int64_t)(a), (int64_t)(b)); \
  } while (0)

void mix(struct world *world, uint64_t event);
uint64_t draw(struct world *world);
/* 0 to bound - 1. */
uint64_t below(struct world *world, uint64_t bound);
static inline int one_in(struct world *world, uint64_t n) { return below(world, n) == 0; }
int64_t world_now(const struct world *world);

/* world.c: an episode's beginning and end. */
int world_open(struct world *world);
void world_close(struct world *world);
void memory_of(struct world *world, weir_allocator *allocator);

/* model.c: what the callbacks see. */
void model_start(void *data, weir_attempt *attempt);
void model_settle(void *data, weir_call *call, const weir_outcome *outcome);
void model_free_run(void *data);
void model_check_stats(struct world *world);
void model_check_rate(struct world *world, int64_t permits);
void model_resized(struct world *world);
void model_record(struct world *world, const weir_record *record);
/* Makes the attempt the caller's to complete; what it was, or ATTEMPT_FREE if it is not to be had.
 * */
int model_claim(struct sim_attempt *attempt);
/* Completes a claimed attempt that was in phase `was`; `how` chooses with what. */
weir_status model_complete(struct sim_attempt *attempt, int was, uint64_t how);
/* The run's call is no longer ours. */
void model_forget_call(struct sim_run *run);

/* decide.c: breaker and bucket by the decide door. */
int decide_open(struct world *world);
void decide_close(struct world *world);
void decide_breaker_step(struct world *world);
void decide_bucket_step(struct world *world);

/* actions.c */
void take_step(struct world *world);
void finish_runs(struct world *world);
void settle_now(struct world *world);

/* threads.c */
/* Two more threads that complete and cancel until the second is called. */
void helpers_begin(struct world *world);
void helpers_end(struct world *world);

#endif
