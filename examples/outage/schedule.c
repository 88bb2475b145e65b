/* SPDX-License-Identifier: MIT */
/*
 * Draws come from SplitMix64's finalizer (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
 * Generators, 2014) used as a hash of (seed, what is drawn, request, attempt). A hash instead of a
 * sequence keeps the schedule pure: no draw depends on how many came before it.
 */
#include "schedule.h"

#include <math.h>
#include <stdbool.h>

enum draw { DRAW_PHASE_LENGTH, DRAW_FLAP_LENGTH, DRAW_KIND, DRAW_DELAY, DRAW_PATH };

static uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/* Uniform in [0, 1). */
static double draw(uint64_t seed, enum draw what, uint32_t first, uint32_t second) {
  uint64_t x = mix(seed ^ mix((uint64_t)what));
  x = mix(x ^ (((uint64_t)first << 32) | second));
  return (double)(x >> 11) * 0x1p-53;
}

/* A length moved by up to a tenth either way, so that no two seeds have the same edges. */
static int64_t about(int64_t length_ns, uint64_t seed, enum draw what, uint32_t index) {
  return (int64_t)((double)length_ns * (0.9 + 0.2 * draw(seed, what, index, 0)));
}

void schedule_init(struct schedule *schedule, uint64_t seed, int64_t length_ns) {
  /* Recovery takes what is left, about three tenths: a user wants to see that calm has returned. */
  static const int64_t permille[PHASE_RECOVERY] = {200, 170, 200, 130};
  int64_t at_ns = 0;
  schedule->seed = seed;
  for (uint32_t phase = 0; phase < PHASE_RECOVERY; phase++) {
    schedule->phase_begin_ns[phase] = at_ns;
    at_ns += about(length_ns / 1000 * permille[phase], seed, DRAW_PHASE_LENGTH, phase);
  }
  schedule->phase_begin_ns[PHASE_RECOVERY] = at_ns;
  schedule->phase_begin_ns[PHASE_COUNT] = length_ns;

  /* The last flap is a down one and its end is the phase's: recovery always begins from below. */
  int64_t flap_ns = (at_ns - schedule->phase_begin_ns[PHASE_FLAPPING]) / FLAP_COUNT;
  at_ns = schedule->phase_begin_ns[PHASE_FLAPPING];
  for (uint32_t flap = 0; flap < FLAP_COUNT; flap++) {
    schedule->flap_begin_ns[flap] = at_ns;
    at_ns += about(flap_ns, seed, DRAW_FLAP_LENGTH, flap);
  }
}

enum phase schedule_phase(const struct schedule *schedule, int64_t at_ns) {
  int phase = PHASE_COUNT - 1;
  while (phase > 0 && at_ns < schedule->phase_begin_ns[phase]) {
    phase--;
  }
  return (enum phase)phase;
}

static bool flap_is_down(const struct schedule *schedule, int64_t at_ns) {
  int flap = FLAP_COUNT - 1;
  while (flap > 0 && at_ns < schedule->flap_begin_ns[flap]) {
    flap--;
  }
  return flap % 2 == 1;
}

/* 200 after 3 to 7 ms. */
static struct reply healthy(double delay_draw) {
  return (struct reply){REPLY_OK, 3 + (int32_t)(5 * delay_draw)};
}

static struct reply slow(double kind_draw, double delay_draw) {
  return kind_draw < 0.05 ? (struct reply){REPLY_OK, 300} : healthy(delay_draw);
}

/* Half 503s, a quarter resets, a quarter silence: a caller must survive all three at once. */
static struct reply outage(double kind_draw) {
  if (kind_draw < 0.5) {
    return (struct reply){REPLY_UNAVAILABLE, 2};
  }
  return (struct reply){kind_draw < 0.75 ? REPLY_RESET : REPLY_SILENCE, 2};
}

/* A flapping service is one that keeps restarting: it refuses, but does not go silent. */
static struct reply down(double kind_draw) {
  return (struct reply){kind_draw < 0.5 ? REPLY_UNAVAILABLE : REPLY_RESET, 2};
}

struct reply schedule_reply(const struct schedule *schedule, int64_t at_ns, uint32_t request,
                            uint32_t attempt) {
  double kind_draw = draw(schedule->seed, DRAW_KIND, request, attempt);
  double delay_draw = draw(schedule->seed, DRAW_DELAY, request, attempt);
  switch (schedule_phase(schedule, at_ns)) {
    case PHASE_SLOW:
      return slow(kind_draw, delay_draw);
    case PHASE_OUTAGE:
      return outage(kind_draw);
    case PHASE_FLAPPING:
      return flap_is_down(schedule, at_ns) ? down(kind_draw) : healthy(delay_draw);
    default:
      return healthy(delay_draw);
  }
}

/* Log-uniform, which is Zipf's law as good as exactly: path k is drawn in proportion to 1 / k. */
uint32_t schedule_path(const struct schedule *schedule, uint32_t request) {
  double path = pow(PATH_COUNT + 1, draw(schedule->seed, DRAW_PATH, request, 0));
  return (uint32_t)path - 1;
}

int64_t schedule_length_ns(const struct schedule *schedule) {
  return schedule->phase_begin_ns[PHASE_COUNT];
}

uint32_t schedule_slice(const struct schedule *schedule, int64_t at_ns) {
  int64_t slice = at_ns * TIMELINE_SLICES / schedule_length_ns(schedule);
  int64_t last = TIMELINE_SLICES - 1;
  return (uint32_t)(slice < 0 ? 0 : slice > last ? last : slice);
}

const char *phase_name(enum phase phase) {
  static const char *const names[PHASE_COUNT] = {"healthy", "slow", "outage", "flapping",
                                                 "recovery"};
  return names[phase];
}
