/* SPDX-License-Identifier: MIT */
/*
 * The experiment: one schedule, eight arms side by side, one loop.
 *
 * The client is open-loop: when each call is due is fixed before the run begins, and no answer is
 * waited for. A slow upstream therefore cannot hide by slowing its client down, and latency counts
 * from the moment a call was due.
 */
#ifndef OUTAGE_OUTAGE_H
#define OUTAGE_OUTAGE_H

#include "arm.h"

struct outage_options {
  uint64_t seed;
  int64_t seconds;
  int64_t rate; /* calls a second to each arm */
};

struct outage {
  struct outage_options options;
  struct schedule schedule;
  uint32_t call_count; /* of each arm */
  int64_t lateness_ns; /* how late the loop was at worst in beginning a call */
  struct arm arms[ARM_COUNT];
};

/* Runs the experiment; returns when every call has settled and every upstream has ended. */
void outage_run(struct outage *outage, const struct outage_options *options);

void outage_release(struct outage *outage);

#endif
