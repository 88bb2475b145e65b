/* SPDX-License-Identifier: MIT */
/*
 * The upstream: a real HTTP/1.1 server in a process of its own, on a free port of the loopback
 * interface. It does what the schedule says and counts what reaches it.
 *
 * upstream_start forks, so call it before the program has a loop or a thread. The child dies with
 * its parent, whatever happens to it; upstream_stop ends it in good order and collects its counts.
 */
#ifndef OUTAGE_UPSTREAM_H
#define OUTAGE_UPSTREAM_H

#include "schedule.h"

#include <stdint.h>
#include <sys/types.h>

/* What the upstream saw. Requests count when they arrive: also those it will never answer. */
struct upstream_counts {
  uint32_t arrivals;
  uint32_t connections;
  uint32_t per_slice[TIMELINE_SLICES];
  uint16_t *per_request; /* one count for each client request, by its X-Request number */
};

struct upstream {
  pid_t pid;
  int control; /* a socket: the child writes its port, reads the epoch, reads the end, writes counts
                */
  uint16_t port;
  uint32_t request_count;
  struct upstream_counts counts; /* filled by upstream_stop */
};

/* Starts the process; `port` is set when this returns. Ends the program when that is impossible. */
void upstream_start(struct upstream *upstream, const struct schedule *schedule,
                    uint32_t request_count);

/* Tells the upstream when the run begins (CLOCK_MONOTONIC), which sets its schedule going. */
void upstream_begin(const struct upstream *upstream, int64_t epoch_ns);

/* Stops the process, waits for it and fills `counts`. */
void upstream_stop(struct upstream *upstream);

void upstream_release(struct upstream *upstream);

/* The child's part: serves until `control` is shut down, then writes its counts and returns. */
void upstream_serve(const struct schedule *schedule, uint32_t request_count, int control);

#endif
