/* SPDX-License-Identifier: MIT */
/* The reference model of runs: what may happen when, seen from the callbacks. */

#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- values: each freed exactly once --------------------------------------------------------- */

struct sim_value {
  struct world *world;
  uint64_t magic;
};

#define LIVE UINT64_C(0x5ca1ab1e5ca1ab1e)

static void free_value(void *pointer) {
  struct sim_value *value = pointer;
  MUST(value->world, value->magic == LIVE, value->magic, 0);
  value->magic = 0;
  atomic_fetch_sub(&value->world->values, 1);
  free(value);
}

static struct sim_value *make_value(struct world *world) {
  struct sim_value *value = malloc(sizeof *value);
  if (value == NULL) abort();
  *value = (struct sim_value){world, LIVE};
  atomic_fetch_add(&world->values, 1);
  return value;
}

/* ---- attempts -------------------------------------------------------------------------------- */

static int64_t held_by(const struct sim_attempt *attempt) {
  return attempt->mask & HAS_LIMITER ? attempt->permits : 0;
}

static void release_held(struct sim_attempt *attempt) {
  attempt->world->held -= held_by(attempt);
  attempt->permits = 0;
}

static void forget_run(struct sim_run *run) {
  if (run->settled && run->freed && run->out == 0 && run->call == NULL) run->in_use = 0;
}

static void free_attempt(void *data) {
  struct sim_attempt *attempt = data;
  struct world *world = attempt->world;
  MUST(world, attempt->phase == ATTEMPT_DONE, attempt->phase, attempt->run_number);
  pthread_mutex_lock(&world->mutex);
  release_held(attempt);
  attempt->last_token = attempt->token;
  attempt->run->out--;
  forget_run(attempt->run);
  attempt->run = NULL;
  attempt->phase = ATTEMPT_FREE;
  pthread_mutex_unlock(&world->mutex);
}

static void tell_attempt(void *data, uint32_t reason) {
  struct sim_attempt *attempt = data;
  struct world *world = attempt->world;
  int out = ATTEMPT_OUT;
  int was_out = atomic_compare_exchange_strong(&attempt->phase, &out, ATTEMPT_TOLD);
  /* With threads the completion may have begun; that it had not returned is weir's to know. */
  MUST(world, was_out || world->threaded, out, reason);
  MUST(world, reason >= WEIR_CANCEL_CALLER && reason <= WEIR_CANCEL_SHUTDOWN, reason, 0);
  mix(world, 3 + reason * 8 + attempt->run_number * 64);
  pthread_mutex_lock(&world->mutex);
  attempt->run->last_end_ns = world_now(world);
  attempt->run->asked_ms = -1;
  attempt->run->last_final = 0;
  if (world->early_release) release_held(attempt);
  int yields = attempt->yields;
  pthread_mutex_unlock(&world->mutex);
  int was = was_out && yields ? model_claim(attempt) : ATTEMPT_FREE;
  if (was != ATTEMPT_FREE) MUST(world, model_complete(attempt, was, 0) != WEIR_ESTALE, reason, 0);
}

int model_claim(struct sim_attempt *attempt) {
  int was = attempt->phase;
  while (was == ATTEMPT_OUT || was == ATTEMPT_TOLD) {
    if (atomic_compare_exchange_weak(&attempt->phase, &was, ATTEMPT_DONE)) return was;
  }
  return ATTEMPT_FREE;
}

/* What the run will know of it; of an orphan it knows no more. */
static void note_end(struct sim_run *run, int64_t code, const weir_completion *completion) {
  run->last_end_ns = world_now(run->world);
  run->last_code = code;
  run->last_final = (int)completion->final;
  run->asked_ms = completion->retry_after_ms;
}

weir_status model_complete(struct sim_attempt *attempt, int was, uint64_t how) {
  struct world *world = attempt->world;
  weir_completion completion = WEIR_COMPLETION_INIT;
  weir_error *error = NULL;
  weir_token token = attempt->token;
  uint64_t kind = how % 8;
  int64_t code = kind > 4 ? (int64_t)(how >> 8) % 1000 + 1 : 0;
  if (kind > 5 &&
      weir_error_new(world->runtime, WEIR_DOMAIN_USER, code, "sim", &error) == WEIR_OK) {
    completion.final = kind == 6;
    if (kind == 7) completion.retry_after_ms = (int64_t)(how >> 20) % 40;
  }
  pthread_mutex_lock(&world->mutex);
  if (was == ATTEMPT_OUT) note_end(attempt->run, code, &completion);
  release_held(attempt); /* the work has ended, whenever weir comes to hear of it */
  pthread_mutex_unlock(&world->mutex);
  /* From the completing call on the attempt may be over, and its slot another's. */
  if (error != NULL) return weir_complete_with(world->runtime, token, NULL, error, &completion);
  if (kind > 4) return weir_fail(world->runtime, token, WEIR_DOMAIN_USER, code, "sim");
  if (kind == 4) return weir_complete(world->runtime, token, NULL);
  return weir_complete_pointer(world->runtime, token, make_value(world), free_value);
}

/* ---- start ----------------------------------------------------------------------------------- */

/* The rate that grants had so far must allow one more: at most burst + rate × t in any t. */
void model_check_rate(struct world *world, int64_t permits) {
  if (!world->has_rate) return;
  int64_t now = world_now(world);
  __int128 interval_ns = (__int128)world->rate_interval_ms * MS;
  world->rate_level -= (__int128)(now - world->rate_at_ns) * world->rate_permits;
  if (world->rate_level < 0) world->rate_level = 0;
  world->rate_at_ns = now;
  world->rate_level += permits * interval_ns;
  MUST(world, world->rate_level <= world->rate_burst * interval_ns, permits, world->rate_burst);
}

void model_resized(struct world *world) {
  world->rate_level = 0; /* what the old rate had used is the limiter's to remember */
  world->rate_at_ns = world_now(world);
}

static void check_breaker(struct world *world) {
  uint32_t state = weir_breaker_state(world->breaker);
  MUST(world, state != WEIR_BREAKER_OPEN && state != WEIR_BREAKER_FORCED_OPEN, state, 0);
  world->breaker_given++;
}

static void check_retry(struct world *world, const struct sim_run *run) {
  MUST(world, run->mask & HAS_RETRY, run->starts, run->mask);
  MUST(world, (int64_t)run->starts < world->max_attempts, run->starts, world->max_attempts);
  MUST(world, !run->last_final || world->threaded, run->starts, run->number);
  int64_t delay_ms = run->asked_ms >= 0 ? run->asked_ms : world->retry_delay_ms;
  if (world->threaded) return;
  int64_t earliest = run->last_end_ns + delay_ms * MS;
  MUST(world, world_now(world) >= earliest, world_now(world), earliest);
}

static void check_start(struct world *world, const struct sim_run *run,
                        const weir_attempt *attempt) {
  int64_t now = world_now(world);
  MUST(world, run->in_use && !run->settled, run->in_use, run->settled);
  MUST(world, attempt->number == run->starts + 1, attempt->number, run->starts);
  /* What waited may come at the very moment; what never waited has to have time left. */
  MUST(world, now <= run->deadline_ns && run->accepted_ns < run->deadline_ns, now,
       run->deadline_ns);
  MUST(world, !world->closing, now, run->number);
  if (run->deadline_ns != INT64_MAX) {
    MUST(world, attempt->remaining_ns <= run->deadline_ns - now, attempt->remaining_ns,
         run->deadline_ns - now);
  }
  if (run->mask & HAS_TIMEOUT) {
    MUST(world, now <= run->accepted_ns + world->timeout_ms * MS || world->tolerant, now,
         run->accepted_ns);
  }
  if (run->starts > 0) check_retry(world, run);
  if (run->mask & HAS_BREAKER && !world->threaded) check_breaker(world);
  if (!(run->mask & HAS_LIMITER)) return;
  model_check_rate(world, run->permits);
  if (world->max_concurrent == WEIR_UNLIMITED) return;
  MUST(world, world->held + world->decided + run->permits <= world->max_concurrent,
       world->held + world->decided, world->max_concurrent);
}

static struct sim_attempt *free_slot(struct world *world) {
  for (size_t i = 0; i < MAX_ATTEMPTS; i++) {
    if (world->attempts[i].phase == ATTEMPT_FREE) return &world->attempts[i];
  }
  return NULL;
}

static struct sim_attempt *note_start(struct world *world, struct sim_run *run,
                                      const weir_attempt *attempt) {
  struct sim_attempt *slot = free_slot(world);
  if (slot == NULL) return NULL;
  slot->world = world;
  slot->run = run;
  slot->run_number = run->number;
  slot->token = attempt->token;
  slot->mask = run->mask;
  slot->permits = run->permits;
  slot->yields = (int)below(world, 2);
  slot->phase = ATTEMPT_OUT;
  run->out++;
  world->held += held_by(slot);
  return slot;
}

void model_start(void *data, weir_attempt *attempt) {
  struct world *world = data;
  struct sim_run *run = attempt->context;
  pthread_mutex_lock(&world->mutex);
  check_start(world, run, attempt);
  run->starts++;
  mix(world, 1 + run->number * 8 + (uint64_t)world_now(world) * 1024);
  struct sim_attempt *slot = note_start(world, run, attempt);
  uint64_t how = draw(world);
  pthread_mutex_unlock(&world->mutex);
  if (slot == NULL) {
    weir_complete(attempt->runtime, attempt->token, NULL);
    return;
  }
  attempt->data = slot;
  attempt->free_data = free_attempt;
  attempt->on_cancel = tell_attempt;
  int was = how % 3 == 0 ? model_claim(slot) : ATTEMPT_FREE;
  if (was != ATTEMPT_FREE) MUST(world, model_complete(slot, was, how >> 8) != WEIR_ESTALE, how, 0);
}

/* ---- settle ---------------------------------------------------------------------------------- */

static void check_stopped(struct world *world, const struct sim_run *run,
                          const weir_outcome *outcome) {
  int64_t now = world_now(world);
  switch (outcome->status) {
    case WEIR_ECANCELLED:
      MUST(world, run->cancelled, run->number, outcome->cancel_reason);
      break;
    case WEIR_ETIMEDOUT:
      MUST(world, now >= run->deadline_ns, now, run->deadline_ns);
      break;
    case WEIR_ECLOSED:
      MUST(world, world->closing, now, run->number);
      break;
    default:
      MUST(world, 0, outcome->status, run->number);
  }
}

static void check_failed(struct world *world, const struct sim_run *run,
                         const weir_outcome *outcome) {
  int64_t now = world_now(world);
  MUST(world, outcome->error != NULL, outcome->status, 0);
  switch (outcome->status) {
    case WEIR_EFAILED:
      if (world->threaded || world->memory_fails) break;
      MUST(world, weir_error_code(outcome->error) != 0, outcome->status, run->last_code);
      break;
    case WEIR_ETIMEDOUT:
      MUST(world, run->mask & (HAS_TIMEOUT | HAS_RETRY), run->mask, run->number);
      if ((run->mask & HAS_RETRY) && world->attempt_timeout_ms != WEIR_FOREVER) break;
      MUST(world, now >= run->accepted_ns + world->timeout_ms * MS, now, run->accepted_ns);
      break;
    case WEIR_EOPEN:
      MUST(world, run->mask & HAS_BREAKER, run->mask, run->number);
      break;
    case WEIR_ELIMITED:
    case WEIR_EFULL:
      MUST(world, run->mask & HAS_LIMITER, run->mask, run->number);
      break;
    case WEIR_ENOTIME:
      break;
    case WEIR_ENOMEM:
      MUST(world, world->fail_one_in != 0, run->number, 0);
      break;
    default:
      MUST(world, 0, outcome->status, run->number);
  }
  if (outcome->rejection != NULL) {
    MUST(world, outcome->rejection->policy != WEIR_POLICY_NONE, outcome->rejection->status, 0);
  }
}

static void check_times(struct world *world, const struct sim_run *run,
                        const weir_outcome *outcome) {
  int64_t now = world_now(world);
  MUST(world, outcome->elapsed_ns >= 0 && outcome->elapsed_ns <= now - run->accepted_ns,
       outcome->elapsed_ns, now - run->accepted_ns);
  if (world->tolerant) return;
  MUST(world, now <= run->deadline_ns || run->deadline_ns <= run->accepted_ns, now,
       run->deadline_ns);
  if (run->mask & HAS_TIMEOUT) {
    int64_t latest = run->accepted_ns + world->timeout_ms * MS;
    MUST(world, now <= latest, now, latest);
  }
}

static void note_settled(struct sim_run *run) {
  MUST(run->world, run->in_use && !run->settled, run->number, run->settled);
  run->settled = 1;
  run->world->settled++;
}

void model_settle(void *data, weir_call *call, const weir_outcome *outcome) {
  struct sim_run *run = data;
  struct world *world = run->world;
  (void)call;
  pthread_mutex_lock(&world->mutex);
  MUST(world, !run->freed, run->number, 0);
  note_settled(run);
  MUST(world, outcome->attempts == run->starts, outcome->attempts, run->starts);
  if (outcome->channel == WEIR_CHANNEL_VALUE) {
    MUST(world, outcome->status == WEIR_OK && run->starts > 0, outcome->status, run->starts);
  } else if (outcome->channel == WEIR_CHANNEL_ERROR) {
    check_failed(world, run, outcome);
  } else {
    check_stopped(world, run, outcome);
  }
  if (outcome->stop_reason == WEIR_STOP_ATTEMPTS) {
    MUST(world,
         run->starts == (uint32_t)world->max_attempts || !(run->mask & HAS_RETRY) ||
             (run->mask & (HAS_LIMITER | HAS_BREAKER)),
         run->starts, world->max_attempts);
  }
  check_times(world, run, outcome);
  mix(world, 2 + run->number * 8 + (uint64_t)(-outcome->status) * 4096 +
                 (uint64_t)outcome->attempts * 65536 + outcome->stop_reason * 1048576);
  pthread_mutex_unlock(&world->mutex);
}

void model_record(struct world *world, const weir_record *record) {
  struct sim_run *run = &world->runs[record->user % MAX_RUNS];
  MUST(world, record->kind == WEIR_RECORD_SETTLED || record->kind == WEIR_RECORD_CLOSED,
       record->kind, record->user);
  if (record->kind != WEIR_RECORD_SETTLED) return;
  pthread_mutex_lock(&world->mutex);
  MUST(world, run->by_queue && record->user / MAX_RUNS == run->number, record->user, run->number);
  note_settled(run);
  MUST(world, record->number == run->starts, record->number, run->starts);
  mix(world, 4 + run->number * 8 + (uint64_t)(-record->status) * 4096);
  forget_run(run);
  pthread_mutex_unlock(&world->mutex);
  if (record->channel == WEIR_CHANNEL_VALUE) {
    weir_value_unref((weir_value *)(uintptr_t)record->object);
  } else {
    weir_error_unref((weir_error *)(uintptr_t)record->object);
  }
}

void model_forget_call(struct sim_run *run) {
  pthread_mutex_lock(&run->world->mutex);
  run->call = NULL;
  forget_run(run);
  pthread_mutex_unlock(&run->world->mutex);
}

void model_free_run(void *data) {
  struct sim_run *run = data;
  struct world *world = run->world;
  pthread_mutex_lock(&world->mutex);
  MUST(world, !run->freed, run->number, 0);
  run->freed = 1;
  forget_run(run);
  pthread_mutex_unlock(&world->mutex);
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* With nothing left to do now, weir's numbers are the model's. */
void model_check_stats(struct world *world) {
  weir_runtime_stats stats = {.size = sizeof stats};
  weir_limiter_stats limiter = {.size = sizeof limiter};
  uint64_t orphans = 0;
  MUST(world, weir_runtime_get_stats(world->runtime, &stats) == WEIR_OK, 0, 0);
  for (size_t i = 0; i < MAX_ATTEMPTS; i++) orphans += world->attempts[i].phase == ATTEMPT_TOLD;
  MUST(world, stats.runs_accepted == world->accepted, stats.runs_accepted, world->accepted);
  MUST(world, stats.runs_settled == world->settled, stats.runs_settled, world->settled);
  MUST(world, stats.live_calls == world->accepted - world->settled, stats.live_calls, 0);
  MUST(world, stats.orphans == orphans, stats.orphans, orphans);
  MUST(world, weir_limiter_get_stats(world->limiter, &limiter) == WEIR_OK, 0, 0);
  if (world->max_concurrent != WEIR_UNLIMITED) {
    MUST(world, limiter.concurrent == world->held + world->decided, limiter.concurrent,
         world->held + world->decided);
    MUST(world, limiter.limit == world->max_concurrent, limiter.limit, world->max_concurrent);
  }
  MUST(world, (int64_t)limiter.queued <= world->max_queue || world->tolerant, limiter.queued,
       world->max_queue);
}
