/* SPDX-License-Identifier: MIT */
/*
 * What surviving an outage means, as numbers that hold or do not, for each of seeds 1 to 5:
 *
 * Retry alone sends at least 0.9 × MAX_ATTEMPTS requests for each call begun in the outage: the
 * outage is as bad as it should be, and unprotected retry makes it worse.
 *
 * The arms with budget and breaker send at most 1.2 of them; answer, in the second that begins one
 * reset timeout after recovery, at least 95 % of what they answer in a healthy second; and refuse
 * at most 2 % of the run's calls at moments when the schedule would have answered 200.
 *
 * The arm with a cache in front of both besides answers at least 85 % of the outage's calls (the
 * rest ask for what was never asked before), at least 70 % with what is out of date; while the
 * upstream is healthy at most 1 % are answered out of date; and over the whole run its upstream
 * gets at most as many requests as that of the same arm without a cache.
 */
#ifndef OUTAGE_CHECK_H
#define OUTAGE_CHECK_H

#include "outage.h"

#include <stdbool.h>

/* Runs all seeds with these options and prints every number. True if every criterion holds. */
bool check_run(const struct outage_options *options);

#endif
