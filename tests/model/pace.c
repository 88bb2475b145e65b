/* SPDX-License-Identifier: MIT */
/*
 * Debounce and throttle against rules that hold however they are built: which argument a run gets
 * and when it may start, what each call may settle with, and that nothing waits for ever.
 */

#include <string.h>

#include "model.h"

static struct unit *unit_of(struct world *world, const void *key, size_t size) {
  MUST(world, size < PACE_KEYS, size, PACE_KEYS);
  return &world->pace.units[key == NULL || size >= PACE_KEYS ? 0 : size];
}

static const void *pace_key(size_t unit, size_t *size) {
  *size = unit;
  return unit == 0 ? NULL : "key";
}

/* ---- runs ------------------------------------------------------------------------------------ */

static int64_t wait_ns(const struct pace *pace) {
  return pace->throttles ? pace->throttle_options.interval_ms * MS
                         : pace->debounce_options.wait_ms * MS;
}

static size_t flights_of(const struct pace *pace, const struct unit *unit) {
  size_t out = 0;
  for (size_t i = 0; i < FLIGHTS; i++) {
    out += pace->flights[i].unit == unit && !pace->flights[i].completed && !pace->flights[i].told;
  }
  return out;
}

static int debounce_may_start(const struct pace *pace, const struct unit *unit, int64_t now) {
  const weir_debounce_options *options = &pace->debounce_options;
  int64_t max_wait_ms = options->max_wait_ms;
  int first = unit->may_lead || unit->tied || unit->burst_ns == unit->called_ns;
  if (options->leading && first && now == unit->called_ns) return 1;
  if (now >= unit->called_ns + wait_ns(pace)) return 1;
  return max_wait_ms != WEIR_FOREVER && now >= unit->burst_ns + max_wait_ms * MS;
}

static void check_pace_start(struct world *world, struct unit *unit, uint64_t number) {
  struct pace *pace = &world->pace;
  int64_t now = world_now(world);
  uint32_t overlap =
      pace->throttles ? pace->throttle_options.overlap : pace->debounce_options.overlap;
  MUST(world, !world->closing, number, 0);
  MUST(world, number == unit->latest || !pace->trailing, number, unit->latest);
  MUST(world, number > unit->started, number, unit->started);
  MUST(world, overlap == WEIR_OVERLAP_CONCURRENT || flights_of(pace, unit) == 0, number, overlap);
  if (unit->forced) return; /* by a flush */
  if (pace->throttles) {
    MUST(world, unit->started_ns < 0 || now >= unit->started_ns + wait_ns(pace), now,
         unit->started_ns);
  } else if (!unit->blocked && world->fail_one_in == 0) {
    MUST(world, debounce_may_start(pace, unit, now), now, unit->called_ns);
  }
}

static void free_flight(void *data) { memset(data, 0, sizeof(struct flight)); }

static void tell_flight(void *data, uint32_t reason) {
  (void)reason;
  ((struct flight *)data)->told = 1;
}

static void pace_started(void *data, weir_attempt *attempt) {
  struct world *world = data;
  struct unit *unit = unit_of(world, attempt->key, (size_t)attempt->key_size);
  uint64_t number = number_of(world, attempt->input, PACE_VALUE);
  check_pace_start(world, unit, number);
  unit->started = number;
  unit->started_ns = world_now(world);
  /* The next max_wait counts from here, but from when it was due if another run was in its way. */
  if (!unit->blocked) unit->burst_ns = unit->started_ns;
  if (!unit->forced) unit->may_lead = 0;
  unit->forced = unit->blocked = 0;
  mix(world, number * 4 + 1);
  for (size_t i = 0; i < FLIGHTS; i++) {
    struct flight *flight = &world->pace.flights[i];
    if (flight->unit != NULL) continue;
    *flight = (struct flight){unit, number, attempt->token, 0, 0};
    attempt->data = flight;
    attempt->free_data = free_flight;
    attempt->on_cancel = tell_flight;
    return;
  }
  weir_fail(world->runtime, attempt->token, WEIR_DOMAIN_USER, (int64_t)number, NULL);
}

/* The outcome says of which run it is: the argument's number is the failure's code. */
static void complete_flight(struct world *world, struct flight *flight) {
  uint64_t number = flight->number;
  flight->completed = 1;
  MUST(world,
       weir_fail(world->runtime, flight->token, WEIR_DOMAIN_USER, (int64_t)number, NULL) !=
           WEIR_ESTALE,
       number, 0);
  run_idle(world);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void check_pace_stopped(struct world *world, const struct pace_call *call,
                               const weir_outcome *outcome) {
  struct pace *pace = &world->pace;
  if (outcome->status == WEIR_ECANCELLED) {
    MUST(world, call->cancelled || call->unit->cancelled_ns == world_now(world), call->number, 0);
  } else if (outcome->status == WEIR_ESUPERSEDED) {
    MUST(world, pace->supersedes || !pace->trailing || pace->cancels_running, call->number, 0);
  } else {
    MUST(world, outcome->status == WEIR_ECLOSED && world->closing, outcome->status, call->number);
  }
}

static void pace_settled(void *data, weir_call *handle, const weir_outcome *outcome) {
  struct pace_call *call = data;
  struct world *world = call->world;
  (void)handle;
  MUST(world, call->number != 0 && !call->settled, call->number, 0);
  call->settled = 1;
  world->settled++;
  MUST(world, outcome->channel != WEIR_CHANNEL_VALUE, call->number, 0);
  if (outcome->channel == WEIR_CHANNEL_STOPPED) {
    check_pace_stopped(world, call, outcome);
  } else if (outcome->status == WEIR_EFAILED) {
    int64_t code = weir_error_code(outcome->error); /* of the run that covers it */
    MUST(world, code >= (int64_t)call->number || !world->pace.trailing, code, call->number);
    MUST(world, !world->pace.supersedes || code == (int64_t)call->number, code, call->number);
  } else {
    MUST(world, outcome->status == WEIR_ENOMEM && world->fail_one_in != 0, outcome->status, 0);
  }
  mix(world, call->number * 4 + 2);
}

static void free_pace_call(void *data) {
  struct pace_call *call = data;
  MUST(call->world, call->settled || call->refused, call->number, 0);
  call->number = 0;
}

static void note_call(struct world *world, struct unit *unit, uint64_t number) {
  struct pace *pace = &world->pace;
  int64_t now = world_now(world);
  int64_t quiet_ns = unit->called_ns + wait_ns(pace);
  if (unit->called_ns < 0 || now > quiet_ns) unit->burst_ns = now;
  unit->tied = now == quiet_ns;
  unit->called_ns = now;
  unit->latest = number;
  unit->blocked |= flights_of(pace, unit) != 0;
}

static weir_status call_pacer(struct pace *pace, size_t unit, weir_value *argument,
                              struct pace_call *call) {
  size_t size = 0;
  const void *key = pace_key(unit, &size);
  if (call == NULL && pace->throttles)
    return weir_throttle_touch(pace->throttle, key, size, argument);
  if (call == NULL) return weir_debounce_touch(pace->debounce, key, size, argument);
  if (pace->throttles) {
    return weir_throttle_call(pace->throttle, key, size, argument, pace_settled, call,
                              free_pace_call, &call->call, NULL);
  }
  return weir_debounce_call(pace->debounce, key, size, argument, pace_settled, call, free_pace_call,
                            &call->call, NULL);
}

static struct pace_call *free_pace_slot(struct world *world) {
  for (size_t i = 0; i < PACE_CALLS; i++) {
    struct pace_call *call = &world->pace.calls[i];
    if (call->number != 0 || call->call != NULL) continue;
    memset(call, 0, sizeof *call);
    call->world = world;
    return call;
  }
  return NULL;
}

static void pace_call_step(struct world *world, size_t index) {
  struct pace *pace = &world->pace;
  struct unit *unit = &pace->units[index];
  struct unit before = *unit;
  struct pace_call *call = one_in(world, 3) ? NULL : free_pace_slot(world);
  uint64_t number = 0;
  weir_value *argument = new_value(world, PACE_VALUE, &number);
  if (argument == NULL) return;
  note_call(world, unit, number);
  if (call != NULL) {
    call->number = number;
    call->unit = unit;
    call->refused = 1; /* until it is accepted */
  }
  weir_status status = call_pacer(pace, index, argument, call);
  weir_value_unref(argument);
  if (status != WEIR_OK) {
    MUST(world, status == WEIR_ENOMEM && world->fail_one_in != 0, status, number);
    if (unit->started != number) *unit = before;
    return;
  }
  if (call != NULL) {
    call->refused = 0;
    world->calls++;
  }
  run_idle(world);
  /* Without memory for its key the call settled at once, and moved nothing. (One that no run will
   * cover may settle at once, too, but goes on with the burst.) */
  int settled = call != NULL && call->number != number;
  if (settled && world->fail_one_in != 0 && unit->started != number) *unit = before;
}

/* ---- orders and the rest --------------------------------------------------------------------- */

static void order_step(struct world *world, size_t index) {
  struct pace *pace = &world->pace;
  struct unit *unit = &pace->units[index];
  size_t size = 0;
  const void *key = pace_key(index, &size);
  weir_status status = WEIR_OK;
  if (one_in(world, 2)) {
    unit->cancelled_ns = world_now(world);
    unit->called_ns = unit->started_ns = -1;
    status = pace->throttles ? weir_throttle_cancel(pace->throttle, key, size)
                             : weir_debounce_cancel(pace->debounce, key, size);
    run_idle(world);
    unit->called_ns = -1;
  } else {
    unit->forced = 1;
    status = pace->throttles ? weir_throttle_flush(pace->throttle, key, size)
                             : weir_debounce_flush(pace->debounce, key, size);
    run_idle(world);
    unit->forced = unit->started != unit->latest && flights_of(pace, unit) > 0;
    unit->may_lead = 1; /* if it ran something, the burst is over */
  }
  MUST(world, status == WEIR_OK, status, index);
}

static void leave_step(struct world *world) {
  struct pace_call *call = &world->pace.calls[below(world, PACE_CALLS)];
  if (call->call == NULL) return;
  call->cancelled = call->number != 0;
  weir_call_cancel(call->call);
  weir_call_unref(call->call);
  call->call = NULL;
  run_idle(world);
}

/* A call waits for a run to come, or for one that is going on. */
static void check_waiting(struct world *world) {
  struct pace *pace = &world->pace;
  size_t uncovered[PACE_KEYS] = {0};
  for (size_t i = 0; i < PACE_CALLS; i++) {
    const struct pace_call *call = &pace->calls[i];
    if (call->number == 0 || call->settled) continue;
    if (call->number > call->unit->started) {
      uncovered[call->unit - pace->units]++;
    } else {
      MUST(world, flights_of(pace, call->unit) > 0, call->number, call->unit->started);
    }
  }
  for (size_t i = 0; i < PACE_KEYS; i++) {
    MUST(world, !pace->supersedes || uncovered[i] <= 1, i, uncovered[i]);
  }
}

void pace_step(struct world *world) {
  uint64_t kind = below(world, 16);
  size_t unit = below(world, PACE_KEYS);
  struct flight *flight = &world->pace.flights[below(world, FLIGHTS)];
  if (kind < 9) {
    pace_call_step(world, unit);
  } else if (kind < 13) {
    if (flight->unit != NULL && !flight->completed) complete_flight(world, flight);
  } else if (kind < 15) {
    order_step(world, unit);
  } else {
    leave_step(world);
  }
  check_waiting(world);
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static weir_status open_debounce(struct world *world) {
  struct pace *pace = &world->pace;
  weir_debounce_options *options = &pace->debounce_options;
  *options = (weir_debounce_options)WEIR_DEBOUNCE_OPTIONS_INIT;
  options->leading = (uint32_t)below(world, 2);
  options->trailing = !options->leading || one_in(world, 2);
  options->superseded = (uint32_t)below(world, 2);
  options->overlap = (uint32_t)below(world, 3);
  options->wait_ms = (int64_t)below(world, 60);
  if (one_in(world, 2)) options->max_wait_ms = options->wait_ms + (int64_t)below(world, 90);
  pace->trailing = (int)options->trailing;
  pace->supersedes = options->superseded == WEIR_SUPERSEDED_CANCEL;
  pace->cancels_running = options->overlap == WEIR_OVERLAP_CANCEL;
  return weir_debounce_new(world->runtime, pace->operation, options, &pace->debounce, NULL);
}

static weir_status open_throttle(struct world *world) {
  struct pace *pace = &world->pace;
  weir_throttle_options *options = &pace->throttle_options;
  *options = (weir_throttle_options)WEIR_THROTTLE_OPTIONS_INIT;
  options->leading = (uint32_t)below(world, 2);
  options->trailing = !options->leading || one_in(world, 2);
  options->superseded = (uint32_t)below(world, 2);
  options->overlap = (uint32_t)below(world, 3);
  options->interval_ms = (int64_t)below(world, 60);
  pace->trailing = (int)options->trailing;
  pace->supersedes = options->superseded == WEIR_SUPERSEDED_CANCEL;
  pace->cancels_running = options->overlap == WEIR_OVERLAP_CANCEL;
  return weir_throttle_new(world->runtime, pace->operation, options, &pace->throttle, NULL);
}

int pace_open(struct world *world) {
  struct pace *pace = &world->pace;
  for (size_t i = 0; i < PACE_KEYS; i++) {
    pace->units[i].called_ns = pace->units[i].started_ns = pace->units[i].cancelled_ns = -1;
  }
  if (weir_operation_new(world->runtime, pace_started, world, NULL, &pace->operation, NULL) !=
      WEIR_OK) {
    return 0;
  }
  pace->throttles = one_in(world, 2);
  return (pace->throttles ? open_throttle(world) : open_debounce(world)) == WEIR_OK;
}

/* Every run ended and time enough passed: nothing waits. */
static void drain(struct world *world) {
  struct pace *pace = &world->pace;
  weir_pacing_stats stats = {.size = sizeof stats};
  for (int round = 0; round < 4; round++) {
    weir_testing_advance(world->runtime, 400);
    for (size_t i = 0; i < FLIGHTS; i++) {
      struct flight *flight = &pace->flights[i];
      if (flight->unit != NULL && !flight->completed) complete_flight(world, flight);
    }
  }
  if (pace->throttles) {
    weir_throttle_get_stats(pace->throttle, &stats);
  } else {
    weir_debounce_get_stats(pace->debounce, &stats);
  }
  MUST(world, stats.pending == 0 && stats.running == 0, stats.pending, stats.running);
  for (size_t i = 0; i < PACE_CALLS; i++) {
    MUST(world, pace->calls[i].number == 0, pace->calls[i].number, i);
  }
}

void pace_finish(struct world *world) {
  struct pace *pace = &world->pace;
  if (!world->closing) drain(world);
  for (size_t i = 0; i < FLIGHTS && world->closing; i++) {
    struct flight *flight = &pace->flights[i];
    if (flight->unit != NULL && !flight->completed) complete_flight(world, flight);
  }
  for (size_t i = 0; i < PACE_CALLS && world->closing; i++) {
    weir_call_unref(pace->calls[i].call);
    pace->calls[i].call = NULL;
  }
}

void pace_give_back(struct world *world) {
  weir_debounce_unref(world->pace.debounce);
  weir_throttle_unref(world->pace.throttle);
  weir_operation_unref(world->pace.operation);
}
