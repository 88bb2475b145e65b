/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* Goes through one scenario from moment to moment, and leaves nothing behind. */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void open_world(struct world *world) {
  const cJSON *given = cJSON_GetObjectItemCaseSensitive(world->scenario, "runtime");
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_MANUAL;
  options.seed = (uint64_t)number_field(given, "seed", 1);
  options.max_in_flight = number_field(given, "max_in_flight", WEIR_UNLIMITED);
  options.close_grace_ms = number_field(given, "close_grace_ms", 5000);
  if (weir_runtime_new(&options, &world->runtime, NULL) != WEIR_OK) {
    problem(world, "no runtime");
    return;
  }
  weir_runtime_process(world->runtime, 1000 * MS);
  world->start_ns = weir_runtime_now(world->runtime);
  if (world->manner == BY_QUEUE) weir_completions_new(world->runtime, NULL, &world->queue, NULL);
  world->settled = cJSON_CreateArray();
  need_everything(world);
}

/* weir's next deadline in whole ms, never before its time. */
static int64_t next_timer_ms(struct world *world) {
  int64_t next = weir_runtime_next_deadline(world->runtime);
  if (next == INT64_MAX) return INT64_MAX;
  return (next - world->start_ns + MS - 1) / MS;
}

static void run_until_idle(struct world *world) {
  do {
    weir_testing_run_until_idle(world->runtime);
  } while (world->queue != NULL && drain(world));
}

static void end_event(struct world *world) {
  run_until_idle(world);
  if (world->in_flight > world->most_at_once) world->most_at_once = world->in_flight;
  world->event++;
}

/* The first of the steps that are left. */
static int64_t step_ms(const cJSON *step) {
  return step == NULL ? INT64_MAX : number_field(step, "at", 0);
}

static const cJSON *live_moment(struct world *world, int64_t moment, const cJSON *step) {
  if (moment > now_ms(world)) weir_testing_advance(world->runtime, moment - now_ms(world));
  end_event(world);
  for (; step_ms(step) == moment; step = step->next) {
    do_step(world, step);
    end_event(world);
  }
  while (complete_due(world, moment)) end_event(world);
  return step;
}

static void live(struct world *world) {
  const cJSON *script = cJSON_GetObjectItemCaseSensitive(world->scenario, "script");
  const cJSON *step = script == NULL ? NULL : script->child;
  int64_t end = number_field(world->scenario, "end_ms", 0), moment = 0;
  for (;;) {
    step = live_moment(world, moment, step);
    if (moment == end) break;
    int64_t next = least(least(step_ms(step), agenda_next_ms(world)), next_timer_ms(world));
    moment = least(next > moment ? next : moment + 1, end);
  }
  if (step != NULL) problem(world, "the script goes on behind end_ms");
}

static void compare_left(struct world *world) {
  const cJSON *left = cJSON_GetObjectItemCaseSensitive(world->scenario, "left");
  weir_runtime_stats stats = {.size = sizeof(stats)};
  weir_runtime_get_stats(world->runtime, &stats);
  int64_t calls = number_field(left, "calls", 0), orphans = number_field(left, "orphans", 0);
  if ((int64_t)stats.live_calls != calls || (int64_t)stats.orphans != orphans) {
    problem(world, "left are %lld calls and %lld orphans, not %lld and %lld",
            (long long)stats.live_calls, (long long)stats.orphans, (long long)calls,
            (long long)orphans);
  }
}

static void free_runs(struct world *world) {
  while (world->runs != NULL) {
    struct run *run = world->runs;
    world->runs = run->next;
    if (run->settled != (run->call != NULL)) {
      problem(world, "run '%s' settled %u times", run->label, run->settled);
    }
    weir_call_unref(run->call);
    free(run);
  }
}

static void close_world(struct world *world) {
  weir_runtime_close(world->runtime);
  run_until_idle(world);
  complete_all(world);
  run_until_idle(world);
  free_runs(world);
  free_things(world);
  weir_completions_unref(world->queue);
  weir_runtime_unref(world->runtime);
  world->runtime = NULL;
  while (world->leaves != NULL) {
    struct leaf *leaf = world->leaves;
    world->leaves = leaf->next;
    cJSON_Delete(leaf->starts);
    cJSON_Delete(leaf->inputs);
    cJSON_Delete(leaf->stops);
    free(leaf);
  }
  cJSON_Delete(world->settled);
}

void run_scenario(struct world *world, const cJSON *scenario, enum manner manner) {
  memset(world, 0, sizeof(*world));
  world->scenario = scenario;
  world->manner = manner;
  open_world(world);
  if (world->runtime == NULL) return;
  live(world);
  compare(world);
  compare_left(world);
  close_world(world);
}
