/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdio.h>

static void print_head(const struct outage *outage) {
  printf(
      "seed %llu: %lld s of weather, %lld calls a second to each of %d arms; "
      "the client was late by %.1f ms at worst\n\n",
      (unsigned long long)outage->options.seed, (long long)outage->options.seconds,
      (long long)outage->options.rate, ARM_COUNT, (double)outage->lateness_ns / 1e6);
  printf(
      "            goodput   of it  upstream requests  answered within  known to  slow phase   "
      "time to   refused\n");
  printf(
      "                      stale  per client request                  fail in         all   "
      "recover   in vain\n");
  printf(
      "arm                           in all   in outage     p50      p99      p99         p99\n");
}

static void print_recovery(double recovery_ms) {
  if (recovery_ms < 0) {
    printf("     never");
  } else {
    printf("  %5.0f ms", recovery_ms);
  }
}

static void print_row(enum arm_kind kind, const struct metrics *metrics) {
  printf("%-10s  %5.1f %%  %4.1f %%    %5.2f    %5.2f     %5.1f ms  %5.0f ms  %5.0f ms    %5.0f ms",
         arm_name(kind), 100 * metrics->goodput, 100 * metrics->stale, metrics->amplification,
         metrics->amplification_in_outage, metrics->p50_ms, metrics->p99_ms, metrics->failed_p99_ms,
         metrics->slow_p99_ms);
  print_recovery(metrics->recovery_ms);
  printf("   %5.2f %%\n", 100 * metrics->refused_in_vain);
}

void table_print(const struct outage *outage, const struct metrics metrics[ARM_COUNT]) {
  print_head(outage);
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    print_row((enum arm_kind)kind, &metrics[kind]);
  }
  printf("\n");
}
