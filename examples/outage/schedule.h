/* SPDX-License-Identifier: MIT */
/*
 * The weather of one run: what the upstream does at each moment.
 *
 * A schedule is a pure function of (seed, length, moment, request, attempt). The upstream asks it
 * to act; the client asks it whether a call that a policy refused would have been answered. Nothing
 * in it has state, so the two processes agree without talking, and every arm meets the same
 * weather.
 *
 *   healthy   200 after about 5 ms
 *   slow      the same, but one reply in twenty, drawn independently, takes 300 ms
 *   outage    503 with Retry-After, connections reset in mid-reply, silence
 *   flapping  up, down, up, down: up is healthy, down is 503s and resets
 *   recovery  healthy again
 */
#ifndef OUTAGE_SCHEDULE_H
#define OUTAGE_SCHEDULE_H

#include <stdint.h>

enum phase { PHASE_HEALTHY, PHASE_SLOW, PHASE_OUTAGE, PHASE_FLAPPING, PHASE_RECOVERY, PHASE_COUNT };

enum reply_kind {
  REPLY_OK,          /* 200 */
  REPLY_UNAVAILABLE, /* 503 with Retry-After */
  REPLY_RESET,       /* the status line, then a connection reset */
  REPLY_SILENCE      /* the request is read and never answered */
};

struct reply {
  enum reply_kind kind;
  int32_t delay_ms; /* from arrival to reply */
};

enum { FLAP_COUNT = 4 }; /* up, down, up, down */

struct schedule {
  uint64_t seed;
  int64_t phase_begin_ns[PHASE_COUNT + 1]; /* the last entry is the end of the run */
  int64_t flap_begin_ns[FLAP_COUNT];
};

/* Phase lengths are shares of the run's length, moved by up to a tenth by the seed. */
void schedule_init(struct schedule *schedule, uint64_t seed, int64_t length_ns);

/* The phase at a moment, counted from the beginning of the run; moments outside are clamped. */
enum phase schedule_phase(const struct schedule *schedule, int64_t at_ns);

/* What a request arriving at this moment meets. `attempt` counts from 1: each try is drawn anew. */
struct reply schedule_reply(const struct schedule *schedule, int64_t at_ns, uint32_t request,
                            uint32_t attempt);

/* What a request asks for: one of so many paths, the first ones far more often than the last. */
enum { PATH_COUNT = 200 };
uint32_t schedule_path(const struct schedule *schedule, uint32_t request);

int64_t schedule_length_ns(const struct schedule *schedule);

/* Timelines are drawn from this many slices of the run. */
enum { TIMELINE_SLICES = 200 };
uint32_t schedule_slice(const struct schedule *schedule, int64_t at_ns);

const char *phase_name(enum phase phase);

#endif
