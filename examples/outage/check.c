/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "metrics.h"
#include "table.h"

#include <stdio.h>

enum { SEED_COUNT = 5 };

struct verdicts {
  uint32_t held;
  uint32_t failed;
};

static void judge(struct verdicts *verdicts, bool holds) {
  verdicts->held += holds;
  verdicts->failed += !holds;
  printf("   %s\n", holds ? "holds" : "FAILS");
}

static void at_least(struct verdicts *verdicts, enum arm_kind kind, const char *what, double value,
                     double bound) {
  printf("  %-9s %-60s %7.4f, at least %.4f", arm_name(kind), what, value, bound);
  judge(verdicts, value >= bound);
}

static void at_most(struct verdicts *verdicts, enum arm_kind kind, const char *what, double value,
                    double bound) {
  printf("  %-9s %-60s %7.4f, at most  %.4f", arm_name(kind), what, value, bound);
  judge(verdicts, value <= bound);
}

static const char in_outage[] = "upstream requests per call begun in the outage";

static void check_protected(struct verdicts *verdicts, enum arm_kind kind,
                            const struct metrics *metrics) {
  at_most(verdicts, kind, in_outage, metrics->amplification_in_outage, 1.2);
  at_least(verdicts, kind, "goodput in the second after recovery and one reset timeout",
           metrics->goodput_after_reset, 0.95);
  at_most(verdicts, kind, "share of calls refused when 200 would have been answered",
          metrics->refused_in_vain, 0.02);
}

static void check_cached(struct verdicts *verdicts, const struct metrics *cached,
                         const struct metrics *without) {
  at_least(verdicts, ARM_CACHED, "share of the outage's calls answered",
           cached->goodput_in_phase[PHASE_OUTAGE], 0.85);
  at_least(verdicts, ARM_CACHED, "share of the outage's calls answered out of date",
           cached->stale_in_phase[PHASE_OUTAGE], 0.70);
  at_most(verdicts, ARM_CACHED, "share of the healthy phase's calls answered out of date",
          cached->stale_in_phase[PHASE_HEALTHY], 0.01);
  at_most(verdicts, ARM_CACHED, "upstream requests per call, beside those without a cache",
          cached->amplification, without->amplification);
}

/* Of the bare client: the same calls, one request each. */
static void check_hedged(struct verdicts *verdicts, const struct metrics *hedged,
                         const struct metrics *bare) {
  at_most(verdicts, ARM_HEDGED, "p99 of the slow phase, beside the bare one's",
          hedged->slow_p99_ms / bare->slow_p99_ms, 0.5);
  at_most(verdicts, ARM_HEDGED, "upstream requests in the slow phase, beside the bare one's",
          hedged->amplification_slow / bare->amplification_slow, 1.1);
  at_most(verdicts, ARM_HEDGED, "upstream requests in all, beside the bare one's",
          hedged->amplification / bare->amplification, 1.1);
}

static void check_fallback(struct verdicts *verdicts, const struct metrics *fallback) {
  at_least(verdicts, ARM_FALLBACK, "share of the outage's calls answered",
           fallback->goodput_in_phase[PHASE_OUTAGE], 0.85);
}

static void check_seed(struct verdicts *verdicts, const struct outage_options *options) {
  static struct outage outage;
  struct metrics metrics[ARM_COUNT];
  outage_run(&outage, options);
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    metrics_compute(&metrics[kind], &outage, &outage.arms[kind]);
  }
  table_print(&outage, metrics);
  at_least(verdicts, ARM_RETRY, in_outage, metrics[ARM_RETRY].amplification_in_outage,
           0.9 * MAX_ATTEMPTS);
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    if (arm_is_protected((enum arm_kind)kind)) {
      check_protected(verdicts, (enum arm_kind)kind, &metrics[kind]);
    }
  }
  check_cached(verdicts, &metrics[ARM_CACHED], &metrics[ARM_BREAKER]);
  check_hedged(verdicts, &metrics[ARM_HEDGED], &metrics[ARM_BARE]);
  check_fallback(verdicts, &metrics[ARM_FALLBACK]);
  printf("\n");
  fflush(stdout);
  outage_release(&outage);
}

bool check_run(const struct outage_options *options) {
  struct verdicts verdicts = {0, 0};
  struct outage_options seeded = *options;
  for (seeded.seed = 1; seeded.seed <= SEED_COUNT; seeded.seed++) {
    check_seed(&verdicts, &seeded);
  }
  printf("%u criteria hold, %u fail\n", verdicts.held, verdicts.failed);
  return verdicts.failed == 0;
}
