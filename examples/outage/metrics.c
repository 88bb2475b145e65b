/* SPDX-License-Identifier: MIT */
/*
 * Calls are counted by when they were due, not by when they ended: the edges of a window then
 * depend on the plan alone, and a busy machine cannot move a call across them.
 */
#include "metrics.h"

#include "support.h"

#include <stdlib.h>

static const int64_t second_ns = 1000000000;

struct tally {
  uint32_t calls;
  uint32_t answered;
  uint32_t stale;
  uint32_t upstream_requests;
};

/* Calls due in [begin, end). */
static struct tally tally_between(const struct arm *arm, int64_t begin_ns, int64_t end_ns) {
  struct tally tally = {0};
  for (uint32_t number = 0; number < arm->call_count; number++) {
    const struct call *call = &arm->calls[number];
    if (call->due_ns >= begin_ns && call->due_ns < end_ns) {
      tally.calls++;
      tally.answered += call_is_answered(call);
      tally.stale += call->result == CALL_STALE;
      tally.upstream_requests += arm->upstream.counts.per_request[number];
    }
  }
  return tally;
}

static double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

static double goodput(struct tally tally) { return ratio(tally.answered, tally.calls); }

static double staleness(struct tally tally) { return ratio(tally.stale, tally.calls); }

static double amplification(struct tally tally) {
  return ratio(tally.upstream_requests, tally.calls);
}

static struct tally tally_phase(const struct arm *arm, enum phase phase) {
  const int64_t *begin_ns = arm->schedule->phase_begin_ns;
  return tally_between(arm, begin_ns[phase], begin_ns[phase + 1]);
}

static int by_size(const void *left, const void *right) {
  double a = *(const double *)left;
  double b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Nearest rank; sorts. */
static double quantile(double *values, size_t count, double share) {
  if (count == 0) {
    return 0;
  }
  qsort(values, count, sizeof(*values), by_size);
  size_t rank = (size_t)(share * (double)count);
  return values[rank < count ? rank : count - 1];
}

static void compute_latencies(struct metrics *metrics, const struct arm *arm) {
  double *answered = allocate(arm->call_count * sizeof(*answered));
  double *others = allocate(arm->call_count * sizeof(*others));
  size_t answered_count = 0;
  size_t others_count = 0;
  for (uint32_t number = 0; number < arm->call_count; number++) {
    const struct call *call = &arm->calls[number];
    double latency_ms = (double)(call->settled_ns - call->due_ns) / 1e6;
    if (call_is_answered(call)) {
      answered[answered_count++] = latency_ms;
    } else {
      others[others_count++] = latency_ms;
    }
  }
  metrics->p50_ms = quantile(answered, answered_count, 0.50);
  metrics->p99_ms = quantile(answered, answered_count, 0.99);
  metrics->failed_p99_ms = quantile(others, others_count, 0.99);
  free(answered);
  free(others);
}

static double slow_p99_ms(const struct arm *arm) {
  const int64_t *begin_ns = arm->schedule->phase_begin_ns;
  double *latencies = allocate(arm->call_count * sizeof(*latencies));
  size_t count = 0;
  for (uint32_t number = 0; number < arm->call_count; number++) {
    const struct call *call = &arm->calls[number];
    if (call->due_ns >= begin_ns[PHASE_SLOW] && call->due_ns < begin_ns[PHASE_SLOW + 1]) {
      latencies[count++] = (double)(call->settled_ns - call->due_ns) / 1e6;
    }
  }
  double p99_ms = quantile(latencies, count, 0.99);
  free(latencies);
  return p99_ms;
}

/* The first call due in recovery from which on a whole second of calls is answered as in health. */
static double recovery_ms(const struct arm *arm, double healthy) {
  int64_t recovery_ns = arm->schedule->phase_begin_ns[PHASE_RECOVERY];
  int64_t end_ns = schedule_length_ns(arm->schedule);
  for (uint32_t number = 0; number < arm->call_count; number++) {
    int64_t due_ns = arm->calls[number].due_ns;
    if (due_ns >= recovery_ns && due_ns + second_ns <= end_ns &&
        goodput(tally_between(arm, due_ns, due_ns + second_ns)) >= 0.95 * healthy &&
        call_is_answered(&arm->calls[number])) {
      return (double)(due_ns - recovery_ns) / 1e6;
    }
  }
  return -1;
}

static double refused_in_vain(const struct arm *arm) {
  uint32_t in_vain = 0;
  for (uint32_t number = 0; number < arm->call_count; number++) {
    in_vain += arm->calls[number].refused_in_vain;
  }
  return ratio(in_vain, arm->call_count);
}

void metrics_compute(struct metrics *metrics, const struct outage *outage, const struct arm *arm) {
  struct tally all = tally_between(arm, 0, INT64_MAX);
  int64_t after_ns =
      outage->schedule.phase_begin_ns[PHASE_RECOVERY] + (int64_t)RESET_TIMEOUT_MS * 1000000;
  *metrics = (struct metrics){0};
  compute_latencies(metrics, arm);
  for (int phase = 0; phase < PHASE_COUNT; phase++) {
    struct tally tally = tally_phase(arm, (enum phase)phase);
    metrics->goodput_in_phase[phase] = goodput(tally);
    metrics->stale_in_phase[phase] = staleness(tally);
  }
  double healthy = metrics->goodput_in_phase[PHASE_HEALTHY];
  metrics->goodput = goodput(all);
  metrics->stale = staleness(all);
  metrics->refused_in_vain = refused_in_vain(arm);
  metrics->amplification = amplification(all);
  metrics->slow_p99_ms = slow_p99_ms(arm);
  metrics->amplification_slow = amplification(tally_phase(arm, PHASE_SLOW));
  metrics->amplification_in_outage = amplification(tally_phase(arm, PHASE_OUTAGE));
  metrics->recovery_ms = recovery_ms(arm, healthy);
  metrics->goodput_after_reset =
      ratio(goodput(tally_between(arm, after_ns, after_ns + second_ns)), healthy);
}
