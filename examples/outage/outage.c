/* SPDX-License-Identifier: MIT */
/*
 * The life of a run. Order matters in two places: upstreams are forked before there is a loop, and
 * the HTTP client is closed after the runtime, whose last attempts still hold transfers.
 *
 *   arrivals    a timer begins every call that is due, then sleeps until the next one is
 *   sampling    a timer reads queues and limits, twice in each slice of the timeline, besides
 *               what is read at each arrival
 *   the end     when the last call has settled, both timers close and the runtime is given back;
 *               with nothing left to do the loop returns
 */
#include "outage.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Time for the upstreams to be listening and the loop to be turning before the first call is due.
 */
enum { HEAD_START_MS = 100 };

struct driver {
  struct outage *outage;
  uv_loop_t loop;
  uv_timer_t arrivals;
  uv_timer_t sampling;
  weir_runtime *runtime;
  struct http_client *client;
  int64_t epoch_ns;
  uint32_t next_call;
};

static int64_t elapsed_ns(const struct driver *driver) {
  return (int64_t)uv_hrtime() - driver->epoch_ns;
}

static int64_t due_ns(const struct driver *driver, uint32_t number) {
  return (int64_t)number * 1000000000 / driver->outage->options.rate;
}

/* --- arrivals -----------------------------------------------------------------------------------
 */

static void begin_call(struct driver *driver, uint32_t number, int64_t now_ns) {
  struct outage *outage = driver->outage;
  int64_t due = due_ns(driver, number);
  int64_t late = now_ns - due;
  outage->lateness_ns = late > outage->lateness_ns ? late : outage->lateness_ns;
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    arm_begin_call(&outage->arms[kind], number, due);
  }
}

static void on_arrivals(uv_timer_t *timer) {
  struct driver *driver = timer->data;
  int64_t now_ns = elapsed_ns(driver);
  while (driver->next_call < driver->outage->call_count &&
         due_ns(driver, driver->next_call) <= now_ns) {
    begin_call(driver, driver->next_call++, now_ns);
  }
  if (driver->next_call < driver->outage->call_count) {
    int64_t wait_ns = due_ns(driver, driver->next_call) - elapsed_ns(driver);
    uv_update_time(&driver->loop);
    uv_timer_start(timer, on_arrivals, wait_ns > 0 ? (uint64_t)(wait_ns + 999999) / 1000000 : 0, 0);
  }
}

/* --- the end ------------------------------------------------------------------------------------
 */

static void on_runtime_closed(void *data, uint64_t orphans) {
  struct driver *driver = data;
  require(orphans == 0, "ending every attempt");
  http_client_close(driver->client);
}

static void end(struct driver *driver) {
  uv_close((uv_handle_t *)&driver->arrivals, NULL);
  uv_close((uv_handle_t *)&driver->sampling, NULL);
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    arm_close(&driver->outage->arms[kind]);
  }
  weir_runtime_unref(driver->runtime);
}

static int all_settled(const struct outage *outage) {
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    if (outage->arms[kind].settled_count < outage->call_count) {
      return 0;
    }
  }
  return 1;
}

static void on_sampling(uv_timer_t *timer) {
  struct driver *driver = timer->data;
  int64_t at_ns = elapsed_ns(driver);
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    arm_sample(&driver->outage->arms[kind], at_ns);
  }
  if (all_settled(driver->outage)) {
    end(driver);
  }
}

/* --- the run ------------------------------------------------------------------------------------
 */

static void open_runtime(struct driver *driver) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_UV;
  options.loop = &driver->loop;
  options.seed = driver->outage->options.seed;
  options.on_closed = on_runtime_closed;
  options.closed_data = driver;
  require(weir_runtime_new(&options, &driver->runtime, NULL) == WEIR_OK, "weir_runtime_new");
}

static void start_timers(struct driver *driver) {
  int64_t slice_ms = schedule_length_ns(&driver->outage->schedule) / 1000000 / TIMELINE_SLICES;
  uint64_t every_ms = slice_ms >= 2 ? (uint64_t)slice_ms / 2 : 1;
  uv_timer_init(&driver->loop, &driver->arrivals);
  uv_timer_init(&driver->loop, &driver->sampling);
  driver->arrivals.data = driver;
  driver->sampling.data = driver;
  uv_timer_start(&driver->arrivals, on_arrivals, HEAD_START_MS, 0);
  uv_timer_start(&driver->sampling, on_sampling, HEAD_START_MS, every_ms);
}

static void run_client(struct outage *outage) {
  struct driver *driver = allocate(sizeof(*driver));
  driver->outage = outage;
  require(uv_loop_init(&driver->loop) == 0, "uv_loop_init");
  open_runtime(driver);
  driver->client = http_client_new(&driver->loop);
  driver->epoch_ns = (int64_t)uv_hrtime() + (int64_t)HEAD_START_MS * 1000000;
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    arm_open(&outage->arms[kind], driver->runtime, driver->client, driver->epoch_ns);
  }
  start_timers(driver);
  uv_run(&driver->loop, UV_RUN_DEFAULT);
  require(uv_loop_close(&driver->loop) == 0, "closing every handle");
  free(driver);
}

void outage_run(struct outage *outage, const struct outage_options *options) {
  memset(outage, 0, sizeof(*outage));
  outage->options = *options;
  outage->call_count = (uint32_t)(options->seconds * options->rate);
  schedule_init(&outage->schedule, options->seed, options->seconds * 1000000000);
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    arm_init(&outage->arms[kind], (enum arm_kind)kind, &outage->schedule, outage->call_count);
  }
  run_client(outage);
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    arm_stop_upstream(&outage->arms[kind]);
  }
}

void outage_release(struct outage *outage) {
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    arm_release(&outage->arms[kind]);
  }
}
