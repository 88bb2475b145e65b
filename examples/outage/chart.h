/* SPDX-License-Identifier: MIT */
/*
 * The timeline of one arm as inline SVG. Four tracks over one time axis, the weather behind them:
 * calls by what became of them, requests that reached the upstream, the breaker's state, and
 * callers kept waiting. Scales are the same for all arms, so that arms can be compared by eye.
 */
#ifndef OUTAGE_CHART_H
#define OUTAGE_CHART_H

#include "outage.h"

#include <stdio.h>

/* The tops of the scales, in numbers of one slice. */
struct chart_scale {
  uint32_t calls;
  uint32_t upstream_requests;
  uint32_t waiting;
};

void chart_scale_init(struct chart_scale *scale, const struct outage *outage);

void chart_write(FILE *out, const struct outage *outage, const struct arm *arm,
                 const struct chart_scale *scale);

#endif
