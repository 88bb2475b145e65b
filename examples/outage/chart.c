/* SPDX-License-Identifier: MIT */
/*
 * Everything is drawn as steps, one per slice, because that is what was measured: no smoothing, no
 * interpolation. Colours and fonts are classes; the style sheet is in report_style.c.
 */
#include "chart.h"

#include <math.h>
#include <string.h>

/* In pixels of the SVG's own coordinates. */
enum {
  CHART_WIDTH = 1120,
  PLOT_LEFT = 92,
  PLOT_RIGHT = 1108,
  WEATHER_TOP = 4,
  CALLS_TOP = 28,
  CALLS_HEIGHT = 84,
  UPSTREAM_TOP = 128,
  UPSTREAM_HEIGHT = 60,
  BREAKER_TOP = 204,
  BREAKER_HEIGHT = 14,
  WAITING_TOP = 234,
  WAITING_HEIGHT = 44,
  PLOT_BOTTOM = 278,
  CHART_HEIGHT = 302
};

/* What became of the calls due in each slice. */
struct slice_results {
  uint32_t answered[TIMELINE_SLICES];
  uint32_t stale[TIMELINE_SLICES];
  uint32_t failed[TIMELINE_SLICES];
  uint32_t refused[TIMELINE_SLICES];
};

struct chart {
  FILE *out;
  const struct outage *outage;
  const struct arm *arm;
  const struct chart_scale *scale;
  struct slice_results results;
};

static void count_results(struct slice_results *results, const struct arm *arm) {
  memset(results, 0, sizeof(*results));
  for (uint32_t number = 0; number < arm->call_count; number++) {
    const struct call *call = &arm->calls[number];
    uint32_t slice = schedule_slice(arm->schedule, call->due_ns);
    results->answered[slice] += call->result == CALL_ANSWERED;
    results->stale[slice] += call->result == CALL_STALE;
    results->failed[slice] += call->result == CALL_FAILED;
    results->refused[slice] += call->result == CALL_REFUSED;
  }
}

/* --- coordinates --------------------------------------------------------------------------------
 */

static double x_at(const struct chart *chart, int64_t at_ns) {
  double share = (double)at_ns / (double)schedule_length_ns(&chart->outage->schedule);
  share = share < 0 ? 0 : share > 1 ? 1 : share;
  return PLOT_LEFT + share * (PLOT_RIGHT - PLOT_LEFT);
}

static double x_of_slice(uint32_t slice) {
  return PLOT_LEFT + (double)slice * (PLOT_RIGHT - PLOT_LEFT) / TIMELINE_SLICES;
}

static double per_second(const struct chart *chart, double per_slice) {
  return per_slice * TIMELINE_SLICES / (double)chart->outage->options.seconds;
}

/* --- pieces -------------------------------------------------------------------------------------
 */

static void write_label(const struct chart *chart, int y, const char *name, const char *top) {
  fprintf(chart->out,
          "<text class='track' x='%d' y='%d'>%s</text>"
          "<text class='tick' x='%d' y='%d'>%s</text>\n",
          0, y + 12, name, PLOT_LEFT - 6, y + 26, top);
}

enum scale_kind {
  SCALE_LINEAR,
  SCALE_SQUARE_ROOT /* where one arm has sixty waiting and another two, both are to be seen */
};

/* A row of steps in a track, or the area beneath it. */
struct steps {
  const char *class;
  int top;
  int height;
  uint32_t full; /* the value that reaches the top */
  const uint32_t *values;
  const uint32_t *below; /* null: from the bottom */
  enum scale_kind scale;
};

static double y_of(const struct steps *steps, double value) {
  double share = value / steps->full;
  share = steps->scale == SCALE_SQUARE_ROOT ? sqrt(share) : share;
  return steps->top + steps->height * (1 - (share > 1 ? 1 : share));
}

static uint32_t below(const struct steps *steps, uint32_t slice) {
  return steps->below != NULL ? steps->below[slice] : 0;
}

static void write_area(const struct chart *chart, const struct steps *steps) {
  fprintf(chart->out, "<path class='%s' d='M", steps->class);
  for (uint32_t slice = 0; slice < TIMELINE_SLICES; slice++) {
    double y = y_of(steps, (double)below(steps, slice) + steps->values[slice]);
    fprintf(chart->out, "%.1f %.1fH%.1fL", x_of_slice(slice), y, x_of_slice(slice + 1));
  }
  for (uint32_t slice = TIMELINE_SLICES; slice-- > 0;) {
    double y = y_of(steps, below(steps, slice));
    fprintf(chart->out, "%.1f %.1fH%.1f%s", x_of_slice(slice + 1), y, x_of_slice(slice),
            slice > 0 ? "L" : "Z");
  }
  fprintf(chart->out, "'/>\n");
}

static void write_line(const struct chart *chart, const struct steps *steps) {
  fprintf(chart->out, "<path class='%s' d='", steps->class);
  for (uint32_t slice = 0; slice < TIMELINE_SLICES; slice++) {
    fprintf(chart->out, "%c%.1f %.1fH%.1f", slice == 0 ? 'M' : 'L', x_of_slice(slice),
            y_of(steps, steps->values[slice]), x_of_slice(slice + 1));
  }
  fprintf(chart->out, "'/>\n");
}

static void write_base_line(const struct chart *chart, int y) {
  fprintf(chart->out, "<line class='base' x1='%d' x2='%d' y1='%d' y2='%d'/>\n", PLOT_LEFT,
          PLOT_RIGHT, y, y);
}

/* --- tracks -------------------------------------------------------------------------------------
 */

static void write_weather(const struct chart *chart) {
  const int64_t *begin_ns = chart->outage->schedule.phase_begin_ns;
  for (int phase = 0; phase < PHASE_COUNT; phase++) {
    double left = x_at(chart, begin_ns[phase]);
    double right = x_at(chart, begin_ns[phase + 1]);
    fprintf(chart->out,
            "<rect class='weather %s' x='%.1f' y='%d' width='%.1f' height='%d'/>"
            "<text class='phase' x='%.1f' y='%d'>%s</text>\n",
            phase_name((enum phase)phase), left, WEATHER_TOP, right - left,
            PLOT_BOTTOM - WEATHER_TOP, left + 6, WEATHER_TOP + 14, phase_name((enum phase)phase));
  }
  for (int flap = 1; flap < FLAP_COUNT; flap += 2) {
    double left = x_at(chart, chart->outage->schedule.flap_begin_ns[flap]);
    double right = flap + 1 < FLAP_COUNT
                       ? x_at(chart, chart->outage->schedule.flap_begin_ns[flap + 1])
                       : x_at(chart, begin_ns[PHASE_RECOVERY]);
    fprintf(chart->out, "<rect class='weather down' x='%.1f' y='%d' width='%.1f' height='%d'/>\n",
            left, WEATHER_TOP, right - left, PLOT_BOTTOM - WEATHER_TOP);
  }
}

static void write_calls(const struct chart *chart) {
  const struct slice_results *results = &chart->results;
  const uint32_t *const values[] = {results->answered, results->stale, results->failed,
                                    results->refused};
  static const char *const classes[] = {"answered", "stale", "failed", "refused"};
  uint32_t sums[TIMELINE_SLICES] = {0};
  char top[32];
  struct steps steps = {
      .top = CALLS_TOP, .height = CALLS_HEIGHT, .full = chart->scale->calls, .below = sums};
  snprintf(top, sizeof(top), "%.0f/s", per_second(chart, chart->scale->calls));
  write_label(chart, CALLS_TOP, "calls", top);
  for (size_t kind = 0; kind < sizeof(classes) / sizeof(classes[0]); kind++) {
    steps.class = classes[kind];
    steps.values = values[kind];
    write_area(chart, &steps);
    for (uint32_t slice = 0; slice < TIMELINE_SLICES; slice++) {
      sums[slice] += values[kind][slice];
    }
  }
  write_base_line(chart, CALLS_TOP + CALLS_HEIGHT);
}

static void write_upstream(const struct chart *chart) {
  struct steps steps = {.class = "upstream",
                        .top = UPSTREAM_TOP,
                        .height = UPSTREAM_HEIGHT,
                        .full = chart->scale->upstream_requests,
                        .values = chart->arm->upstream.counts.per_slice};
  uint32_t rate[TIMELINE_SLICES];
  char top[32];
  snprintf(top, sizeof(top), "%.0f/s", per_second(chart, chart->scale->upstream_requests));
  write_label(chart, UPSTREAM_TOP, "upstream", top);
  write_area(chart, &steps);
  for (uint32_t slice = 0; slice < TIMELINE_SLICES; slice++) {
    rate[slice] = chart->scale->calls;
  }
  steps.class = "rate";
  steps.values = rate;
  write_line(chart, &steps);
  write_base_line(chart, UPSTREAM_TOP + UPSTREAM_HEIGHT);
}

static const char *state_class(uint32_t state) {
  switch (state) {
    case WEIR_BREAKER_OPEN:
      return "open";
    case WEIR_BREAKER_HALF_OPEN:
      return "half-open";
    default:
      return "closed";
  }
}

/* A half-open period is often shorter than a pixel; it is still to be seen. */
static void write_state(const struct chart *chart, uint32_t state, int64_t from_ns, int64_t to_ns) {
  double left = x_at(chart, from_ns);
  double width = x_at(chart, to_ns) - left;
  double least = state == WEIR_BREAKER_HALF_OPEN ? 0.8 : 0;
  fprintf(chart->out, "<rect class='%s' x='%.2f' y='%d' width='%.2f' height='%d'/>\n",
          state_class(state), left, BREAKER_TOP, width < least ? least : width, BREAKER_HEIGHT);
}

static void write_breaker(const struct chart *chart) {
  const struct arm *arm = chart->arm;
  uint32_t state = WEIR_BREAKER_CLOSED;
  int64_t since_ns = 0;
  write_label(chart, BREAKER_TOP - 1, "breaker", "");
  if (!arm_is_protected(arm->kind)) {
    fprintf(chart->out, "<text class='none' x='%d' y='%d'>none</text>\n", PLOT_LEFT + 6,
            BREAKER_TOP + 11);
    return;
  }
  for (uint32_t index = 0; index < arm->change_count; index++) {
    write_state(chart, state, since_ns, arm->changes[index].at_ns);
    state = arm->changes[index].state;
    since_ns = arm->changes[index].at_ns;
  }
  write_state(chart, state, since_ns, schedule_length_ns(&chart->outage->schedule));
}

static void write_waiting(const struct chart *chart) {
  uint32_t in_flight[TIMELINE_SLICES];
  uint32_t queued[TIMELINE_SLICES];
  uint32_t limit[TIMELINE_SLICES];
  struct steps steps = {.class = "in-flight",
                        .top = WAITING_TOP,
                        .height = WAITING_HEIGHT,
                        .full = chart->scale->waiting,
                        .values = in_flight,
                        .scale = SCALE_SQUARE_ROOT};
  char top[32];
  for (uint32_t slice = 0; slice < TIMELINE_SLICES; slice++) {
    in_flight[slice] = chart->arm->slices[slice].in_flight;
    queued[slice] = chart->arm->slices[slice].queued;
    limit[slice] = chart->arm->slices[slice].limit;
  }
  snprintf(top, sizeof(top), "%u", chart->scale->waiting);
  write_label(chart, WAITING_TOP, "waiting", top);
  write_area(chart, &steps);
  if (chart->arm->kind == ARM_ADAPTIVE) {
    steps.class = "queued";
    steps.values = queued;
    write_area(chart, &steps);
    steps.class = "limit";
    steps.values = limit;
    write_line(chart, &steps);
  }
  write_base_line(chart, WAITING_TOP + WAITING_HEIGHT);
}

/* Ten steps at most, of 1, 2, 5, 10 ... seconds. */
static int64_t axis_step_s(int64_t seconds) {
  static const int64_t steps[] = {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600};
  size_t count = sizeof(steps) / sizeof(steps[0]);
  size_t index = 0;
  while (index + 1 < count && seconds / steps[index] > 12) {
    index++;
  }
  return steps[index];
}

static void write_axis(const struct chart *chart) {
  int64_t seconds = chart->outage->options.seconds;
  int64_t step_s = axis_step_s(seconds);
  for (int64_t at_s = 0; at_s <= seconds; at_s += step_s) {
    double x = x_at(chart, at_s * 1000000000);
    fprintf(chart->out,
            "<line class='base' x1='%.1f' x2='%.1f' y1='%d' y2='%d'/>"
            "<text class='time' x='%.1f' y='%d'>%lld s</text>\n",
            x, x, PLOT_BOTTOM, PLOT_BOTTOM + 4, x, PLOT_BOTTOM + 17, (long long)at_s);
  }
}

/* One transparent column per slice that tells its numbers when pointed at. */
static void write_tips(const struct chart *chart) {
  const struct slice_results *results = &chart->results;
  int64_t slice_ns = schedule_length_ns(&chart->outage->schedule) / TIMELINE_SLICES;
  for (uint32_t slice = 0; slice < TIMELINE_SLICES; slice++) {
    fprintf(chart->out,
            "<rect class='tip' x='%.1f' y='%d' width='%.1f' height='%d'><title>%.1f s, %s&#10;"
            "%u answered, %u of them stale, %u failed, %u refused&#10;"
            "%u upstream requests&#10;"
            "%u waiting</title></rect>\n",
            x_of_slice(slice), WEATHER_TOP, x_of_slice(1) - x_of_slice(0),
            PLOT_BOTTOM - WEATHER_TOP, (double)(slice * slice_ns) / 1e9,
            phase_name(schedule_phase(&chart->outage->schedule, slice * slice_ns)),
            results->answered[slice] + results->stale[slice], results->stale[slice],
            results->failed[slice], results->refused[slice],
            chart->arm->upstream.counts.per_slice[slice], chart->arm->slices[slice].in_flight);
  }
}

/* --- the chart ----------------------------------------------------------------------------------
 */

void chart_write(FILE *out, const struct outage *outage, const struct arm *arm,
                 const struct chart_scale *scale) {
  struct chart chart = {.out = out, .outage = outage, .arm = arm, .scale = scale};
  count_results(&chart.results, arm);
  fprintf(out, "<svg viewBox='0 0 %d %d' role='img' aria-label='Timeline of the %s arm'>\n",
          CHART_WIDTH, CHART_HEIGHT, arm_name(arm->kind));
  write_weather(&chart);
  write_calls(&chart);
  write_upstream(&chart);
  write_breaker(&chart);
  write_waiting(&chart);
  write_axis(&chart);
  write_tips(&chart);
  fprintf(out, "</svg>\n");
}

static void keep_most(uint32_t *most, uint32_t value) { *most = value > *most ? value : *most; }

void chart_scale_init(struct chart_scale *scale, const struct outage *outage) {
  *scale = (struct chart_scale){1, 1, 1};
  scale->calls = (outage->call_count + TIMELINE_SLICES - 1) / TIMELINE_SLICES;
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    const struct arm *arm = &outage->arms[kind];
    for (uint32_t slice = 0; slice < TIMELINE_SLICES; slice++) {
      keep_most(&scale->upstream_requests, arm->upstream.counts.per_slice[slice]);
      keep_most(&scale->waiting, arm->slices[slice].in_flight);
    }
  }
}
