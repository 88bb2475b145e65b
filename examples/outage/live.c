/* SPDX-License-Identifier: MIT */
/*
 * The upstream is that of the experiment, with a schedule whose phases last for weeks: weather is
 * made by telling it that the run began so long ago that now is a moment of the phase wanted.
 *
 * Numbers are kept in a ring of tenths of a second and shown as the sum of the last ten.
 */
#define _POSIX_C_SOURCE 200809L

#include "live.h"

#include "fetch.h"
#include "policies.h"
#include "support.h"
#include "upstream.h"
#include "web.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { TICK_MS = 100, TICKS = 10, LATENCIES = 256, NS_PER_MS = 1000000 };

static const int64_t phase_length_ns = INT64_C(2000000) * 1000000000; /* three weeks */

struct tick {
  uint32_t begun, answered, failed, refused, requests;
};

struct live {
  uv_loop_t loop;
  uv_timer_t arrivals;
  uv_timer_t ticking;
  uv_signal_t signals[2];
  struct schedule schedule;
  struct upstream upstream;
  struct policies policies;
  struct http_client *client;
  struct web *web;
  weir_runtime *runtime;
  char url[64];
  enum phase weather;
  int64_t begun_ns;
  int64_t rate;
  uint64_t called;
  int64_t in_flight;
  struct tick ticks[TICKS];
  uint32_t tick;
  int64_t latencies_ns[LATENCIES];
  uint64_t latency_count;
  bool ending;
  char answer[2048];
};

/* A call, and what its run was given: its input owns it. */
struct visit_call {
  struct fetch_request request;
  struct live *live;
  int64_t begun_ns;
};

/* ---- calls ---- */

static void count_outcome(struct live *live, const weir_outcome *outcome) {
  struct tick *tick = &live->ticks[live->tick];
  tick->requests += outcome->attempts;
  if (outcome->channel == WEIR_CHANNEL_VALUE) {
    tick->answered++;
  } else if (outcome->attempts == 0) {
    tick->refused++;
  } else {
    tick->failed++;
  }
}

static void on_settled(void *data, weir_call *handle, const weir_outcome *outcome) {
  struct live *live = data;
  (void)handle;
  live->in_flight--;
  if (live->ending) return;
  count_outcome(live, outcome);
  live->latencies_ns[live->latency_count++ % LATENCIES] = outcome->elapsed_ns;
}

static void begin_call(struct live *live) {
  struct visit_call *call = allocate(sizeof(*call));
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  uint32_t number = (uint32_t)live->called++;
  call->live = live;
  call->request = (struct fetch_request){live->client, live->url,
                                         schedule_path(&live->schedule, number), number};
  options.policy = live->policies.outermost;
  require(weir_value_new_pointer(NULL, call, free, &options.input) == WEIR_OK,
          "weir_value_new_pointer");
  live->ticks[live->tick].begun++;
  live->in_flight++;
  require(
      weir_run(live->policies.operation, &options, on_settled, live, NULL, NULL, NULL) == WEIR_OK,
      "weir_run");
  weir_value_unref(options.input);
}

/* Open loop: as many as are due, whatever became of those before. */
static void on_arrivals(uv_timer_t *timer) {
  struct live *live = timer->data;
  int64_t due = ((int64_t)uv_hrtime() - live->begun_ns) / NS_PER_MS * live->rate / 1000;
  while ((int64_t)live->called < due) begin_call(live);
}

static void on_tick(uv_timer_t *timer) {
  struct live *live = timer->data;
  live->tick = (live->tick + 1) % TICKS;
  memset(&live->ticks[live->tick], 0, sizeof(live->ticks[live->tick]));
}

/* ---- what the page asks for ---- */

static int compare_latency(const void *a, const void *b) {
  int64_t first = *(const int64_t *)a;
  int64_t second = *(const int64_t *)b;
  return (first > second) - (first < second);
}

static double quantile_ms(const int64_t *sorted, size_t count, double share) {
  if (count == 0) return 0;
  return (double)sorted[(size_t)((double)(count - 1) * share)] / NS_PER_MS;
}

static struct tick last_second(const struct live *live) {
  struct tick sum = {0};
  for (int i = 0; i < TICKS; i++) {
    sum.begun += live->ticks[i].begun;
    sum.answered += live->ticks[i].answered;
    sum.failed += live->ticks[i].failed;
    sum.refused += live->ticks[i].refused;
    sum.requests += live->ticks[i].requests;
  }
  return sum;
}

static const char *state_name(uint32_t state) {
  static const char *const names[] = {"closed",   "open",          "half-open",
                                      "isolated", "forced closed", "metrics only"};
  return names[state];
}

static struct web_answer show_state(struct live *live) {
  int64_t sorted[LATENCIES];
  size_t count = live->latency_count < LATENCIES ? (size_t)live->latency_count : LATENCIES;
  weir_breaker_stats breaker = {.size = sizeof(breaker)};
  weir_limiter_stats limiter = {.size = sizeof(limiter)};
  struct tick sum = last_second(live);
  memcpy(sorted, live->latencies_ns, count * sizeof(*sorted));
  qsort(sorted, count, sizeof(*sorted), compare_latency);
  weir_breaker_get_stats(live->policies.breaker, &breaker);
  weir_limiter_get_stats(live->policies.limiter, &limiter);
  snprintf(live->answer, sizeof(live->answer),
           "{\"upstream\":\"%s\",\"breaker\":{\"state\":\"%s\",\"failures\":%" PRIu64
           ",\"rejected\":%" PRIu64 ",\"opened\":%" PRIu64 "},\"limiter\":{\"limit\":%" PRId64
           ",\"held\":%" PRId64 ",\"queued\":%" PRIu64
           "},\"rate\":{\"calls\":%u,\"answered\":%u,\"failed\":%u,\"refused\":%u,\"requests\":%u},"
           "\"latency_ms\":{\"p50\":%.1f,\"p99\":%.1f},\"in_flight\":%" PRId64 "}\n",
           phase_name(live->weather), state_name(breaker.state), breaker.failures, breaker.rejected,
           breaker.times_opened, limiter.limit, limiter.concurrent, limiter.queued, sum.begun,
           sum.answered, sum.failed, sum.refused, sum.requests, quantile_ms(sorted, count, 0.5),
           quantile_ms(sorted, count, 0.99), live->in_flight);
  return (struct web_answer){200, "application/json", live->answer, 0};
}

static void make_weather(struct live *live, enum phase phase) {
  live->weather = phase;
  upstream_begin(&live->upstream,
                 (int64_t)uv_hrtime() - live->schedule.phase_begin_ns[phase] - NS_PER_MS);
}

static bool act(struct live *live, const char *path) {
  if (strcmp(path, "/break") == 0) {
    make_weather(live, PHASE_OUTAGE);
  } else if (strcmp(path, "/slow") == 0) {
    make_weather(live, PHASE_SLOW);
  } else if (strcmp(path, "/heal") == 0) {
    make_weather(live, PHASE_HEALTHY);
  } else if (strcmp(path, "/isolate") == 0) {
    weir_breaker_isolate(live->policies.breaker);
  } else if (strcmp(path, "/reset") == 0) {
    while (weir_breaker_release(live->policies.breaker) == WEIR_OK) continue; /* isolations count */
    weir_breaker_reset(live->policies.breaker);
  } else {
    return false;
  }
  return true;
}

static struct web_answer on_request(void *data, const char *method, const char *path) {
  struct live *live = data;
  bool reads = strcmp(method, "GET") == 0;
  if (reads && strcmp(path, "/") == 0) {
    return (struct web_answer){200, "text/html; charset=utf-8", live_page, 0};
  }
  if ((reads && strcmp(path, "/state") == 0) || (!reads && act(live, path))) {
    return show_state(live);
  }
  return (struct web_answer){404, "text/plain", "there is no such page\n", 0};
}

/* ---- life ---- */

static void on_runtime_closed(void *data, uint64_t orphans) {
  struct live *live = data;
  (void)orphans;
  http_client_close(live->client);
}

static void end(struct live *live) {
  if (live->ending) return;
  live->ending = true;
  uv_close((uv_handle_t *)&live->arrivals, NULL);
  uv_close((uv_handle_t *)&live->ticking, NULL);
  uv_close((uv_handle_t *)&live->signals[0], NULL);
  uv_close((uv_handle_t *)&live->signals[1], NULL);
  web_close(live->web);
  policies_release(&live->policies);
  weir_runtime_unref(live->runtime);
}

static void on_signal(uv_signal_t *handle, int number) {
  (void)number;
  end(handle->data);
}

static void on_time_over(uv_timer_t *timer) {
  end(timer->data);
  uv_close((uv_handle_t *)timer, NULL);
}

static void open_runtime(struct live *live) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_UV;
  options.loop = &live->loop;
  options.on_closed = on_runtime_closed;
  options.closed_data = live;
  require(weir_runtime_new(&options, &live->runtime, NULL) == WEIR_OK, "weir_runtime_new");
  weir_operation *fetch = fetch_operation_new(live->runtime);
  policies_init(&live->policies, ARM_ADAPTIVE, fetch, live->runtime, NULL, NULL);
  weir_operation_unref(fetch);
}

static void start_watching(struct live *live) {
  static const int numbers[] = {SIGINT, SIGTERM};
  for (int i = 0; i < 2; i++) {
    uv_signal_init(&live->loop, &live->signals[i]);
    live->signals[i].data = live;
    uv_signal_start(&live->signals[i], on_signal, numbers[i]);
  }
  uv_timer_init(&live->loop, &live->arrivals);
  uv_timer_init(&live->loop, &live->ticking);
  live->arrivals.data = live;
  live->ticking.data = live;
  uv_timer_start(&live->arrivals, on_arrivals, 5, 5);
  uv_timer_start(&live->ticking, on_tick, TICK_MS, TICK_MS);
}

/* Four phases of three weeks each, and then it stays well. */
static void init_schedule(struct schedule *schedule) {
  schedule_init(schedule, 1, PHASE_COUNT * phase_length_ns);
  for (int phase = 0; phase <= PHASE_COUNT; phase++) {
    schedule->phase_begin_ns[phase] = phase * phase_length_ns;
  }
}

int live_run(const struct live_options *options) {
  struct live *live = allocate(sizeof(*live));
  uv_timer_t limit;
  init_schedule(&live->schedule);
  upstream_start(&live->upstream, &live->schedule, 0); /* forks: before there is a loop */
  snprintf(live->url, sizeof(live->url), "http://127.0.0.1:%u/", live->upstream.port);
  require(uv_loop_init(&live->loop) == 0, "uv_loop_init");
  live->client = http_client_new(&live->loop);
  live->rate = options->rate;
  open_runtime(live);
  live->web = web_open(&live->loop, (uint16_t)options->port, on_request, live);
  require(live->web != NULL, "listening on the port");
  live->begun_ns = (int64_t)uv_hrtime();
  make_weather(live, PHASE_HEALTHY);
  start_watching(live);
  if (options->seconds > 0) {
    uv_timer_init(&live->loop, &limit);
    limit.data = live;
    uv_timer_start(&limit, on_time_over, (uint64_t)options->seconds * 1000, 0);
    uv_unref((uv_handle_t *)&limit);
  }
  printf("http://127.0.0.1:%u/\n", web_port(live->web));
  fflush(stdout);
  uv_run(&live->loop, UV_RUN_DEFAULT);
  upstream_stop(&live->upstream);
  upstream_release(&live->upstream);
  free(live);
  return 0;
}
