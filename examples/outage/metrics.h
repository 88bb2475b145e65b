/* SPDX-License-Identifier: MIT */
/* What the table, the report and the check say about an arm, computed from its calls after the run.
 */
#ifndef OUTAGE_METRICS_H
#define OUTAGE_METRICS_H

#include "outage.h"

struct metrics {
  double goodput;                       /* share of calls that were answered 200 */
  double goodput_in_phase[PHASE_COUNT]; /* the same, of the calls due in each phase */
  double stale;                         /* share of calls that were answered out of date */
  double stale_in_phase[PHASE_COUNT];   /* the same, of the calls due in each phase */
  double amplification;                 /* upstream requests per client request */
  double amplification_in_outage;       /* the same, for client requests begun in the outage */
  double p50_ms;                        /* from due to answered, of the answered ones */
  double p99_ms;
  double slow_p99_ms;        /* from due to settled, of all calls due in the slow phase */
  double amplification_slow; /* upstream requests per call due in the slow phase */
  double failed_p99_ms; /* from due to settled, of all others: how long a caller is kept waiting */
  double recovery_ms;   /* after recovery began, until a second of calls is answered as in health;
                           negative if that never came */
  double goodput_after_reset; /* answered in the second that begins one reset timeout after
                                 recovery, relative to a healthy second */
  double refused_in_vain; /* share of all calls, refused when the schedule would have answered */
};

void metrics_compute(struct metrics *metrics, const struct outage *outage, const struct arm *arm);

#endif
