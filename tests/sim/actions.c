/* SPDX-License-Identifier: MIT */
/* What the random user does, one action a step. */

#include "sim.h"

#include <string.h>

static uint64_t live_calls(const struct world *world) { return world->accepted - world->settled; }

static uint64_t told_attempts(const struct world *world, int ended_too) {
  uint64_t count = 0;
  for (size_t i = 0; i < MAX_ATTEMPTS; i++) {
    int phase = world->attempts[i].phase;
    count += phase == ATTEMPT_TOLD || (ended_too && phase == ATTEMPT_DONE);
  }
  return count;
}

/* ---- running --------------------------------------------------------------------------------- */

static struct sim_run *free_run_slot(struct world *world) {
  size_t first = below(world, MAX_RUNS);
  for (size_t i = 0; i < MAX_RUNS; i++) {
    struct sim_run *run = &world->runs[(first + i) % MAX_RUNS];
    if (!run->in_use) return run;
  }
  return NULL;
}

static void prepare_run(struct world *world, struct sim_run *run, weir_run_options *options) {
  size_t pipeline = below(world, PIPELINES + 1);
  memset(run, 0, sizeof *run);
  run->world = world;
  run->in_use = 1;
  run->number = ++world->numbers;
  run->accepted_ns = world_now(world);
  run->deadline_ns = INT64_MAX;
  run->asked_ms = -1;
  run->permits = one_in(world, 4) ? 2 : 1;
  run->by_queue = one_in(world, 8);
  if (pipeline < PIPELINES) {
    run->mask = world->masks[pipeline];
    options->policy = weir_pipeline_policy(world->pipelines[pipeline]);
  }
  if (one_in(world, 4)) {
    options->deadline_ms = (int64_t)below(world, 60);
    run->deadline_ns = run->accepted_ns + options->deadline_ms * MS;
  }
  options->permits = run->permits;
  options->priority = (uint32_t)below(world, 64);
  options->context = run;
  if (one_in(world, 3)) options->name = "a run";
  if (run->by_queue) {
    run->freed = 1; /* it has no data */
    options->queue = world->queue;
    options->user = run->number * MAX_RUNS + (uint64_t)(run - world->runs);
  }
}

static void check_run_status(struct world *world, weir_status status, uint64_t live,
                             uint64_t orphans) {
  int64_t most = world->max_in_flight == WEIR_UNLIMITED ? INT64_MAX : world->max_in_flight;
  switch (status) {
    case WEIR_OK:
      MUST(world, (int64_t)(live + orphans) < most, live + orphans, most);
      break;
    case WEIR_EFULL:
      MUST(world, (int64_t)(live + told_attempts(world, 1)) >= most, live, most);
      break;
    case WEIR_ENOMEM:
      MUST(world, world->fail_one_in != 0, live, 0);
      break;
    case WEIR_ECLOSED:
      MUST(world, world->closing, live, 0);
      break;
    default:
      MUST(world, 0, status, live);
  }
}

static void begin_run(struct world *world) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  pthread_mutex_lock(&world->mutex);
  struct sim_run *run = free_run_slot(world);
  if (run != NULL) prepare_run(world, run, &options);
  uint64_t live = live_calls(world);
  pthread_mutex_unlock(&world->mutex);
  if (run == NULL) return;
  uint64_t told = told_attempts(world, 0);
  int keep = !one_in(world, 4);
  weir_call *call = NULL;
  weir_settle_fn settle = run->by_queue ? NULL : model_settle;
  weir_status status = weir_run(world->operation, &options, settle, run->by_queue ? NULL : run,
                                run->by_queue ? NULL : model_free_run, keep ? &call : NULL, NULL);
  if (!world->threaded) check_run_status(world, status, live, told);
  mix(world, 5 + (uint64_t)(-status) * 8);
  pthread_mutex_lock(&world->mutex);
  if (status == WEIR_OK) {
    world->accepted++;
    run->call = call;
  } else {
    MUST(world, run->freed, run->number, status);
    run->in_use = 0;
  }
  pthread_mutex_unlock(&world->mutex);
}

/* ---- attempts and calls ---------------------------------------------------------------------- */

static void complete_one(struct world *world) {
  size_t first = below(world, MAX_ATTEMPTS);
  for (size_t i = 0; i < MAX_ATTEMPTS; i++) {
    struct sim_attempt *attempt = &world->attempts[(first + i) % MAX_ATTEMPTS];
    int was = model_claim(attempt);
    if (was == ATTEMPT_FREE) continue;
    weir_token token = attempt->token;
    uint64_t number = attempt->run_number;
    weir_status status = model_complete(attempt, was, draw(world));
    MUST(world, status == WEIR_OK || (status == WEIR_ENOMEM && world->fail_one_in != 0), status,
         number);
    if (one_in(world, 8)) {
      MUST(world, weir_complete(world->runtime, token, NULL) == WEIR_ESTALE, token, number);
    }
    return;
  }
}

static void complete_a_stale_token(struct world *world) {
  struct sim_attempt *attempt = &world->attempts[below(world, MAX_ATTEMPTS)];
  if (attempt->last_token == 0) return;
  MUST(world, weir_fail(world->runtime, attempt->last_token, 0, 0, NULL) != WEIR_OK,
       attempt->last_token, 0);
}

static struct sim_run *any_call(struct world *world) {
  size_t first = below(world, MAX_RUNS);
  for (size_t i = 0; i < MAX_RUNS; i++) {
    struct sim_run *run = &world->runs[(first + i) % MAX_RUNS];
    if (run->in_use && run->call != NULL) return run;
  }
  return NULL;
}

static void cancel_one(struct world *world) {
  pthread_mutex_lock(&world->mutex);
  struct sim_run *run = any_call(world);
  int settled = run != NULL && run->settled;
  if (run != NULL && !settled) run->cancelled = 1;
  pthread_mutex_unlock(&world->mutex);
  if (run == NULL) return;
  weir_status status = weir_call_cancel(run->call);
  if (world->threaded || run->by_queue) return;
  MUST(world, status == (settled ? WEIR_ESTALE : WEIR_OK), status, run->number);
}

static void give_back_call_of(struct world *world, struct sim_run *run, int only_settled) {
  pthread_mutex_lock(&world->mutex);
  weir_call *call = run->in_use && (run->settled || !only_settled) ? run->call : NULL;
  pthread_mutex_unlock(&world->mutex);
  if (call == NULL) return;
  model_forget_call(run);
  weir_call_unref(call);
}

/* One that may be pending, and many that are settled. */
static void give_calls_back(struct world *world) {
  size_t first = below(world, MAX_RUNS);
  give_back_call_of(world, &world->runs[first], 0);
  for (size_t i = 0; i < MAX_RUNS / 4; i++) {
    give_back_call_of(world, &world->runs[(first + i) % MAX_RUNS], 1);
  }
}

/* ---- time ------------------------------------------------------------------------------------ */

static void drain_queue(struct world *world) {
  weir_record records[8];
  size_t count;
  do {
    count = weir_completions_drain(world->queue, records, sizeof *records, 8);
    for (size_t i = 0; i < count; i++) model_record(world, &records[i]);
  } while (count == 8);
}

void settle_now(struct world *world) {
  weir_testing_run_until_idle(world->runtime);
  drain_queue(world);
}

static void move_clock(struct world *world) {
  int64_t ns = (int64_t)below(world, 8 * MS);
  if (one_in(world, 4)) ns = (int64_t)below(world, 5) * MS; /* whole: meets deadlines exactly */
  if (one_in(world, 100)) ns = (int64_t)below(world, 2000) * MS;
  settle_now(world); /* what was begun before is taken up before */
  weir_testing_advance_ns(world->runtime, ns);
  drain_queue(world);
}

/* ---- policies -------------------------------------------------------------------------------- */

static void resize_limiter(struct world *world) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  settle_now(world); /* a permit granted before is used before */
  int64_t concurrent = one_in(world, 8) ? WEIR_UNLIMITED : 1 + (int64_t)below(world, 8);
  if (world->max_concurrent == WEIR_UNLIMITED) concurrent = WEIR_UNLIMITED;
  if (world->max_concurrent != WEIR_UNLIMITED && concurrent == WEIR_UNLIMITED) concurrent = 9;
  if (world->has_rate) {
    world->rate_permits = 1 + (int64_t)below(world, 20);
    world->rate_burst = 1 + (int64_t)below(world, 10);
    options.permits = world->rate_permits;
    options.interval_ms = world->rate_interval_ms;
    options.burst = world->rate_burst;
  }
  world->max_queue = (int64_t)below(world, 12);
  options.max_concurrent = world->max_concurrent = concurrent;
  options.max_queue = world->max_queue;
  options.early_release = world->early_release;
  options.queue_order = world->queue_order; /* cannot change */
  options.queue_timeout_ms = (int64_t)below(world, 50);
  weir_status status = weir_limiter_set_options(world->limiter, &options, NULL);
  MUST(world, status == WEIR_OK || (status == WEIR_ENOMEM && world->fail_one_in), status, 0);
  world->tolerant = 1; /* more may be queued than the new queue holds */
  model_resized(world);
}

static void decide_limiter(struct world *world) {
  if (world->threaded) return;
  weir_rejection rejection = WEIR_REJECTION_INIT;
  size_t slot = below(world, MAX_PERMITS);
  if (world->decided_permits[slot] != 0) {
    weir_status status = weir_limiter_release(world->limiter, world->decided_permits[slot]);
    MUST(world, status == WEIR_OK, status, world->decided);
    world->decided_permits[slot] = 0;
    world->decided--;
    return;
  }
  weir_permit permit = 0;
  weir_status status = weir_limiter_try_acquire(world->limiter, 1, &permit, &rejection);
  mix(world, 6 + (uint64_t)(-status) * 8);
  if (status == WEIR_ELIMITED) {
    MUST(world, rejection.status == WEIR_ELIMITED, rejection.status, rejection.reason);
    return;
  }
  MUST(world, status == WEIR_OK, status, 0);
  model_check_rate(world, 1);
  if (world->max_concurrent == WEIR_UNLIMITED) return;
  world->decided_permits[slot] = permit;
  world->decided++;
  MUST(world, permit != 0, permit, 0);
  MUST(world, world->held + world->decided <= world->max_concurrent, world->held + world->decided,
       world->max_concurrent);
}

static void disturb_breaker(struct world *world) {
  settle_now(world);
  switch (below(world, 4)) {
    case 0:
      weir_breaker_reset(world->breaker);
      break;
    case 1:
      weir_breaker_isolate(world->breaker);
      begin_run(world);
      settle_now(world);
      weir_breaker_release(world->breaker);
      break;
    case 2:
      weir_breaker_force(world->breaker, WEIR_BREAKER_METRICS_ONLY);
      break;
    default:
      weir_breaker_force(world->breaker, WEIR_BREAKER_CLOSED);
  }
}

static void pause_limiter(struct world *world) {
  settle_now(world);
  weir_limiter_pause(world->limiter);
  begin_run(world);
  settle_now(world);
  weir_limiter_resume(world->limiter);
}

/* ---- a step ---------------------------------------------------------------------------------- */

void take_step(struct world *world) {
  uint64_t action = below(world, 100);
  if (action < 28)
    begin_run(world);
  else if (action < 58)
    complete_one(world);
  else if (action < 62)
    cancel_one(world);
  else if (action < 66)
    give_calls_back(world);
  else if (action < 82)
    move_clock(world);
  else if (action < 85)
    complete_a_stale_token(world);
  else if (action < 89)
    decide_limiter(world);
  else if (action < 91)
    resize_limiter(world);
  else if (action < 94)
    decide_breaker_step(world);
  else if (action < 97)
    decide_bucket_step(world);
  else if (action < 98)
    disturb_breaker(world);
  else if (action < 99)
    pause_limiter(world);
  else
    weir_runtime_trim(world->runtime);
  if (one_in(world, 2)) return;
  settle_now(world);
  if (!world->threaded && one_in(world, 8)) model_check_stats(world);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void complete_all(struct world *world) {
  for (size_t i = 0; i < MAX_ATTEMPTS; i++) {
    int was = model_claim(&world->attempts[i]);
    if (was != ATTEMPT_FREE) model_complete(&world->attempts[i], was, draw(world));
  }
}

/* Everything comes to its end by itself, if what is out is completed and time goes on. */
static void drain_runs(struct world *world) {
  for (size_t round = 0; round < 4000 && live_calls(world) > 0; round++) {
    complete_all(world);
    settle_now(world);
    weir_testing_advance(world->runtime, 50);
    drain_queue(world);
  }
  MUST(world, live_calls(world) == 0, live_calls(world), 0);
}

void finish_runs(struct world *world) {
  for (size_t i = 0; i < MAX_PERMITS; i++) {
    if (world->decided_permits[i] == 0) continue;
    weir_limiter_release(world->limiter, world->decided_permits[i]);
    world->decided_permits[i] = 0;
    world->decided--;
  }
  if (one_in(world, 2) && world->operation != NULL && world->queue != NULL) drain_runs(world);
  world->closing = 1;
  weir_runtime_close(world->runtime);
  if (world->operation != NULL && world->queue != NULL) begin_run(world);
  weir_testing_run_until_idle(world->runtime);
  if (world->queue != NULL) drain_queue(world);
  MUST(world, live_calls(world) == 0, live_calls(world), 0);
  complete_all(world);
  weir_testing_run_until_idle(world->runtime);
  for (size_t i = 0; i < MAX_RUNS; i++) {
    weir_call *call = world->runs[i].call;
    if (call == NULL) continue;
    model_forget_call(&world->runs[i]);
    weir_call_unref(call);
  }
}
