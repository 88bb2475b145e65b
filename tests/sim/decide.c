/* SPDX-License-Identifier: MIT */
/* The decide doors against exact models: a consecutive breaker with leases, and a token bucket. */

#include "sim.h"

#include <string.h>

/* ---- bucket ---------------------------------------------------------------------------------- */

static int open_bucket(struct world *world) {
  struct bucket_model *model = &world->bucket_model;
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  model->permits = 1 + (int64_t)below(world, 1000);
  options.permits = model->permits;
  options.interval_ms = 1 + (int64_t)below(world, 1000);
  options.burst = model->burst = 1 + (int64_t)below(world, 50);
  model->interval_ns = options.interval_ms * MS;
  model->at_ns = world_now(world);
  return weir_limiter_new(world->runtime, &options, &model->limiter, NULL) == WEIR_OK;
}

static __int128 bucket_level(const struct bucket_model *model, int64_t now_ns) {
  __int128 level = model->level - (__int128)(now_ns - model->at_ns) * model->permits;
  return level < 0 ? 0 : level;
}

static int bucket_has(const struct bucket_model *model, int64_t permits, int64_t now_ns) {
  return bucket_level(model, now_ns) + (__int128)permits * model->interval_ns <=
         (__int128)model->burst * model->interval_ns;
}

/* Exactly what the model says; and exactly after retry_after it passes, not one tick sooner. */
void decide_bucket_step(struct world *world) {
  struct bucket_model *model = &world->bucket_model;
  weir_rejection rejection = WEIR_REJECTION_INIT;
  int64_t now = world_now(world);
  uint32_t permits = 1 + (uint32_t)below(world, 4);
  if (permits > model->burst) permits = 1;
  weir_status status = weir_limiter_try_acquire_at(model->limiter, permits, NULL, &rejection, now);
  weir_status expected = bucket_has(model, permits, now) ? WEIR_OK : WEIR_ELIMITED;
  MUST(world, status == expected, status, expected);
  mix(world, 7 + (uint64_t)(-status) * 8);
  if (status == WEIR_OK) {
    model->level = bucket_level(model, now) + (__int128)permits * model->interval_ns;
    model->at_ns = now;
    return;
  }
  int64_t after = rejection.retry_after_ns;
  MUST(world, after > 0 && bucket_has(model, permits, now + after), after, permits);
  MUST(world, !bucket_has(model, permits, now + after - 1), after, permits);
}

/* ---- breaker --------------------------------------------------------------------------------- */

static int open_model_breaker(struct world *world) {
  struct breaker_model *model = &world->breaker_model;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.failure_threshold = model->threshold = 1 + (uint32_t)below(world, 5);
  options.reset_timeout_ms = 1 + (int64_t)below(world, 50);
  options.trial_timeout_ms = 1 + (int64_t)below(world, 50);
  options.half_open_max_calls = model->max_calls = 3 + (uint32_t)below(world, 5);
  options.half_open_success_threshold = model->successes_to_close = 1 + (uint32_t)below(world, 3);
  options.half_open_failures = model->failures_to_open =
      1 + (uint32_t)below(world, model->max_calls - model->successes_to_close + 1);
  model->reset_ns = options.reset_timeout_ms * MS;
  model->lease_ns = options.trial_timeout_ms * MS;
  return weir_breaker_new(world->runtime, &options, &model->breaker, NULL) == WEIR_OK;
}

int decide_open(struct world *world) { return open_bucket(world) && open_model_breaker(world); }

void decide_close(struct world *world) {
  weir_limiter_unref(world->bucket_model.limiter);
  weir_breaker_unref(world->breaker_model.breaker);
}

static void become(struct breaker_model *model, uint32_t state, int64_t now) {
  model->state = state;
  model->life++;
  model->failures = 0;
  model->trials_given = model->trial_successes = model->trial_failures = 0;
  model->until_ns = state == WEIR_BREAKER_OPEN ? now + model->reset_ns : 0;
}

static void judge_trial(struct breaker_model *model, int success, int64_t now) {
  if (success && ++model->trial_successes >= model->successes_to_close) {
    become(model, WEIR_BREAKER_CLOSED, now);
  } else if (!success && ++model->trial_failures >= model->failures_to_open) {
    become(model, WEIR_BREAKER_OPEN, now);
  }
}

/* The trial of this life whose lease ran out first, no later than `now`; MAX_PERMITS if none. */
static size_t first_expired(const struct breaker_model *model, int64_t now) {
  size_t first = MAX_PERMITS;
  for (size_t i = 0; i < MAX_PERMITS; i++) {
    if (!model->permits[i].out || !model->permits[i].trial) continue;
    if (model->permits[i].life != model->life || model->permits[i].lease_ns > now) continue;
    if (first == MAX_PERMITS || model->permits[i].lease_ns < model->permits[first].lease_ns) {
      first = i;
    }
  }
  return first;
}

/* What passed by itself until now: the open time, leases, each at its own moment. A trial whose
 * lease ran out stays in its slot as expired (life 0). */
static void catch_up(struct breaker_model *model, int64_t now) {
  for (;;) {
    if (model->state == WEIR_BREAKER_OPEN && model->until_ns <= now) {
      become(model, WEIR_BREAKER_HALF_OPEN, model->until_ns);
      continue;
    }
    if (model->state != WEIR_BREAKER_HALF_OPEN) return;
    size_t expired = first_expired(model, now);
    if (expired == MAX_PERMITS) return;
    int64_t when = model->permits[expired].lease_ns;
    model->permits[expired].life = 0;
    judge_trial(model, 0, when);
  }
}

static void acquire(struct world *world, struct breaker_model *model, size_t slot, int64_t now) {
  weir_rejection rejection = WEIR_REJECTION_INIT;
  weir_permit permit = 0;
  uint32_t verdicts_left = model->max_calls - model->trial_successes - model->trial_failures;
  uint32_t trials_out = 0;
  for (size_t i = 0; i < MAX_PERMITS; i++) {
    trials_out +=
        model->permits[i].out && model->permits[i].trial && model->permits[i].life == model->life;
  }
  weir_status expected = WEIR_OK;
  if (model->state == WEIR_BREAKER_OPEN) expected = WEIR_EOPEN;
  if (model->state == WEIR_BREAKER_HALF_OPEN && trials_out >= verdicts_left) expected = WEIR_EOPEN;
  weir_status status = weir_breaker_acquire_at(model->breaker, &permit, &rejection, now);
  MUST(world, status == expected, status, model->state);
  if (status != WEIR_OK) {
    if (model->state == WEIR_BREAKER_OPEN) {
      MUST(world, rejection.retry_after_ns == model->until_ns - now, rejection.retry_after_ns,
           model->until_ns - now);
    }
    return;
  }
  model->permits[slot].permit = permit;
  model->permits[slot].trial = model->state == WEIR_BREAKER_HALF_OPEN;
  model->permits[slot].life = model->life;
  model->permits[slot].lease_ns = now + model->lease_ns;
  model->permits[slot].out = 1;
}

static void report(struct world *world, struct breaker_model *model, size_t slot, int64_t now) {
  uint32_t class_ = 1 + (uint32_t)below(world, 5);
  int current = model->permits[slot].life == model->life;
  weir_status expected = current ? WEIR_OK : WEIR_ESTALE;
  /* Of an earlier life and beyond its lease: both are true, either may be said. */
  int expired = !current && model->permits[slot].trial && model->permits[slot].lease_ns <= now;
  weir_status status =
      weir_breaker_report_at(model->breaker, model->permits[slot].permit, class_, 0, now);
  if (expired) {
    MUST(world, status == WEIR_EEXPIRED || status == WEIR_ESTALE, status, model->state);
  } else {
    MUST(world, status == expected, status, model->state);
  }
  model->permits[slot].out = 0;
  if (!current) return;
  if (class_ != WEIR_CLASS_SUCCESS && class_ != WEIR_CLASS_FAILURE) return;
  int success = class_ == WEIR_CLASS_SUCCESS;
  if (model->state == WEIR_BREAKER_HALF_OPEN) {
    judge_trial(model, success, now);
  } else if (success) {
    model->failures = 0;
  } else if (++model->failures >= model->threshold) {
    become(model, WEIR_BREAKER_OPEN, now);
  }
}

void decide_breaker_step(struct world *world) {
  struct breaker_model *model = &world->breaker_model;
  int64_t now = world_now(world);
  size_t slot = below(world, MAX_PERMITS);
  if (model->life == 0) model->life = 1; /* 0 marks what expired */
  catch_up(model, now);
  if (one_in(world, 3)) {
    uint32_t state = weir_breaker_state_at(model->breaker, now);
    MUST(world, state == model->state, state, model->state);
  }
  if (one_in(world, 200)) {
    MUST(world, weir_breaker_reset(model->breaker) == WEIR_OK, 0, 0);
    become(model, WEIR_BREAKER_CLOSED, now);
  } else if (model->permits[slot].out) {
    report(world, model, slot, now);
  } else {
    acquire(world, model, slot, now);
  }
  mix(world, 8 + model->state * 16 + model->failures * 64);
}
