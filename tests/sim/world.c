/* SPDX-License-Identifier: MIT */
/* An episode's world: memory that may fail, policies with random options, and the end at which
 * nothing may be left. */

#include "sim.h"

#include <stdlib.h>
#include <string.h>

/* ---- memory ---------------------------------------------------------------------------------- */

static int memory_must_fail(struct world *world) {
  if (!world->memory_fails) return 0;
  uint64_t z = atomic_fetch_add(&world->memory_random, UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  return (z >> 33) % world->fail_one_in == 0;
}

static void *memory_alloc(void *context, size_t size) {
  struct world *world = context;
  atomic_fetch_add(&world->allocations, 1);
  if (memory_must_fail(world)) {
    atomic_fetch_add(&world->injected, 1);
    return NULL;
  }
  size_t *block = malloc(size + 16);
  if (block == NULL) abort();
  *block = size;
  atomic_fetch_add(&world->live_blocks, 1);
  return block + 2;
}

static void memory_free(void *context, void *pointer, size_t size) {
  struct world *world = context;
  size_t *block = (size_t *)pointer - 2;
  if (*block != size)
    wrong(world, "a block is freed with another size", (int64_t)*block, (int64_t)size);
  *block = SIZE_MAX;
  atomic_fetch_sub(&world->live_blocks, 1);
  free(block);
}

static void memory_release(void *context) { ((struct world *)context)->released++; }

void memory_of(struct world *world, weir_allocator *allocator) {
  *allocator = (weir_allocator)WEIR_ALLOCATOR_INIT;
  allocator->alloc = memory_alloc;
  allocator->free = memory_free;
  allocator->context = world;
  allocator->release = memory_release;
}

/* ---- policies -------------------------------------------------------------------------------- */

static int open_runtime(struct world *world) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator;
  memory_of(world, &allocator);
  world->max_in_flight = one_in(world, 2) ? WEIR_UNLIMITED : 8 + (int64_t)below(world, 64);
  options.driver = WEIR_DRIVER_MANUAL;
  options.allocator = &allocator;
  options.seed = world->seed | 1;
  options.max_in_flight = world->max_in_flight;
  options.close_grace_ms = 1000;
  options.recorder_entries = 32;
  return weir_runtime_new(&options, &world->runtime, NULL) == WEIR_OK;
}

static int open_retry(struct world *world) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  world->max_attempts = 1 + (int64_t)below(world, 5);
  world->retry_delay_ms = one_in(world, 3) ? 0 : (int64_t)below(world, 30);
  world->attempt_timeout_ms = one_in(world, 3) ? 1 + (int64_t)below(world, 40) : WEIR_FOREVER;
  options.backoff = WEIR_BACKOFF_CONSTANT;
  options.jitter = WEIR_JITTER_NONE;
  options.max_attempts = world->max_attempts;
  options.base_delay_ms = world->retry_delay_ms;
  options.attempt_timeout_ms = world->attempt_timeout_ms;
  options.max_delay_ms = 1000;
  options.name = "again";
  return weir_retry_new(world->runtime, &options, &world->retry, NULL) == WEIR_OK;
}

static int open_limiter(struct world *world) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  world->max_concurrent = one_in(world, 5) ? WEIR_UNLIMITED : 1 + (int64_t)below(world, 8);
  world->has_rate = one_in(world, 2);
  world->max_queue = (int64_t)below(world, 12);
  world->early_release = one_in(world, 3);
  if (world->has_rate) {
    world->rate_permits = 1 + (int64_t)below(world, 20);
    world->rate_interval_ms = 1 + (int64_t)below(world, 100);
    world->rate_burst = 1 + (int64_t)below(world, 10);
    options.permits = world->rate_permits;
    options.interval_ms = world->rate_interval_ms;
    options.burst = world->rate_burst;
  }
  options.max_concurrent = world->max_concurrent;
  options.max_queue = world->max_queue;
  options.queue_timeout_ms = one_in(world, 3) ? (int64_t)below(world, 50) : WEIR_FOREVER;
  world->queue_order = one_in(world, 2) ? WEIR_LIMITER_PRIORITY : WEIR_LIMITER_FIFO;
  options.queue_order = world->queue_order;
  options.early_release = world->early_release;
  options.name = "narrow";
  return weir_limiter_new(world->runtime, &options, &world->limiter, NULL) == WEIR_OK;
}

static int open_breaker(struct world *world) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.mode = (uint32_t)below(world, 3);
  options.failure_threshold = 1 + (uint32_t)below(world, 6);
  options.window_size = 4 + (uint32_t)below(world, 20);
  options.min_calls = 1 + (uint32_t)below(world, 4);
  options.window_ms = 10 + (int64_t)below(world, 200);
  options.reset_timeout_ms = (int64_t)below(world, 60);
  options.max_reset_timeout_ms = 1000;
  options.reset_multiplier = 1.0 + (double)below(world, 3);
  options.half_open_max_calls = 3 + (uint32_t)below(world, 4);
  options.half_open_success_threshold = 1 + (uint32_t)below(world, 2);
  options.half_open_failures = 1 + (uint32_t)below(world, 2);
  options.trial_timeout_ms = 1 + (int64_t)below(world, 80);
  options.name = "fuse";
  return weir_breaker_new(world->runtime, &options, &world->breaker, NULL) == WEIR_OK;
}

static int open_timeout(struct world *world) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  world->timeout_ms = 1 + (int64_t)below(world, 120);
  options.timeout_ms = world->timeout_ms;
  options.name = "patience";
  return weir_timeout_new(world->runtime, &options, &world->timeout, NULL) == WEIR_OK;
}

static int open_pipelines(struct world *world) {
  for (size_t i = 0; i < PIPELINES; i++) {
    weir_policy *policies[4];
    size_t count = 0;
    uint32_t mask = i == 0 ? 15 : 1 + (uint32_t)below(world, 15);
    if (mask & HAS_TIMEOUT) policies[count++] = weir_timeout_policy(world->timeout);
    if (mask & HAS_RETRY) policies[count++] = weir_retry_policy(world->retry);
    if (mask & HAS_LIMITER) policies[count++] = weir_limiter_policy(world->limiter);
    if (mask & HAS_BREAKER) policies[count++] = weir_breaker_policy(world->breaker);
    world->masks[i] = mask;
    if (weir_pipeline_new(world->runtime, policies, count, NULL, &world->pipelines[i], NULL) !=
        WEIR_OK) {
      return 0;
    }
  }
  return 1;
}

int world_open(struct world *world) {
  world->fail_one_in = one_in(world, 3) ? 4 + (uint32_t)below(world, 200) : 0;
  world->memory_random = world->seed;
  world->memory_fails = world->fail_one_in != 0 && one_in(world, 4); /* from the very first */
  if (!open_runtime(world)) return 0;
  weir_runtime_process(world->runtime, 1000 * MS);
  int opened = open_retry(world) && open_limiter(world) && open_breaker(world) &&
               open_timeout(world) && open_pipelines(world) &&
               weir_operation_new(world->runtime, model_start, world, NULL, &world->operation,
                                  NULL) == WEIR_OK &&
               weir_completions_new(world->runtime, NULL, &world->queue, NULL) == WEIR_OK &&
               decide_open(world);
  world->memory_fails = world->fail_one_in != 0;
  return opened;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void check_end(struct world *world) {
  MUST(world, world->settled == world->accepted, world->settled, world->accepted);
  MUST(world, world->values == 0, world->values, 0);
  for (size_t i = 0; i < MAX_RUNS; i++) MUST(world, !world->runs[i].in_use, i, 0);
  for (size_t i = 0; i < MAX_ATTEMPTS; i++) {
    MUST(world, world->attempts[i].phase == ATTEMPT_FREE, i, world->attempts[i].phase);
  }
  MUST(world, world->live_blocks == 0, world->live_blocks, 0);
  MUST(world, world->released == 1, world->released, 1);
}

/* Gives everything back in an order that differs from episode to episode. */
static void give_back(struct world *world) {
  size_t first = below(world, 8);
  for (size_t i = 0; i < 8; i++) {
    switch ((first + i) % 8) {
      case 0:
        weir_operation_unref(world->operation);
        break;
      case 1:
        weir_retry_unref(world->retry);
        break;
      case 2:
        weir_limiter_unref(world->limiter);
        break;
      case 3:
        weir_breaker_unref(world->breaker);
        break;
      case 4:
        weir_timeout_unref(world->timeout);
        break;
      case 5:
        weir_completions_unref(world->queue);
        break;
      case 6:
        decide_close(world);
        break;
      default:
        for (size_t p = 0; p < PIPELINES; p++) weir_pipeline_unref(world->pipelines[p]);
    }
  }
  weir_runtime_unref(world->runtime);
  world->ended = 1;
}

/* Also of a world that could not be opened wholly: what is missing is NULL. */
void world_close(struct world *world) {
  if (world->runtime == NULL) {
    world->ended = 1;
    MUST(world, world->live_blocks == 0, world->live_blocks, 0);
    return;
  }
  finish_runs(world);
  give_back(world);
  check_end(world);
}
