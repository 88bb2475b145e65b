/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "chart.h"

#include <stdio.h>

static void write_introduction(FILE *out, const struct outage *outage) {
  fprintf(out,
          "<h1>Surviving an outage</h1>\n"
          "<p class='soft'>One seeded schedule, %d clients side by side, each with an upstream of "
          "its own. %lld calls a second go out to each, on time, whether or not earlier ones "
          "were answered. Seed %llu, %lld seconds.</p>\n",
          ARM_COUNT, (long long)outage->options.rate, (unsigned long long)outage->options.seed,
          (long long)outage->options.seconds);
}

static void write_table_head(FILE *out) {
  static const char *const columns[] = {"client",
                                        "goodput",
                                        "of it out of date",
                                        "upstream requests per call",
                                        "the same, in the outage",
                                        "answered, p50",
                                        "answered, p99",
                                        "failure known, p99",
                                        "slow phase, p99",
                                        "time to recover",
                                        "refused in vain"};
  fprintf(out, "<tr>");
  for (size_t index = 0; index < sizeof(columns) / sizeof(columns[0]); index++) {
    fprintf(out, "<th>%s</th>", columns[index]);
  }
  fprintf(out, "</tr>\n");
}

static void write_recovery(FILE *out, double recovery_ms) {
  if (recovery_ms < 0) {
    fprintf(out, "never");
  } else {
    fprintf(out, "%.0f ms", recovery_ms);
  }
}

static void write_row(FILE *out, enum arm_kind kind, const struct metrics *metrics) {
  fprintf(out,
          "<tr><td><b>%s</b><span>%s</span></td>"
          "<td><span class='bar'><i style='width:%.1f%%'></i></span>%.1f %%</td>"
          "<td>%.1f %%</td><td>%.2f</td><td%s>%.2f</td><td>%.1f ms</td><td>%.0f ms</td><td>%.0f "
          "ms</td><td>%.0f ms</td><td>",
          arm_name(kind), arm_description(kind), 100 * metrics->goodput, 100 * metrics->goodput,
          100 * metrics->stale, metrics->amplification,
          metrics->amplification_in_outage > 1.2 ? " class='bad'" : "",
          metrics->amplification_in_outage, metrics->p50_ms, metrics->p99_ms,
          metrics->failed_p99_ms, metrics->slow_p99_ms);
  write_recovery(out, metrics->recovery_ms);
  fprintf(out, "</td><td>%.2f %%</td></tr>\n", 100 * metrics->refused_in_vain);
}

static void write_table(FILE *out, const struct metrics metrics[ARM_COUNT]) {
  fprintf(out, "<section class='card scroll'><table>\n");
  write_table_head(out);
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    write_row(out, (enum arm_kind)kind, &metrics[kind]);
  }
  fprintf(out, "</table></section>\n");
}

static void write_legend(FILE *out) {
  static const char *const entries[][2] = {{"answered", "answered 200"},
                                           {"stale", "answered 200, out of date"},
                                           {"failed", "failed or timed out; breaker open"},
                                           {"refused", "refused; breaker half-open"},
                                           {"closed", "breaker closed"},
                                           {"upstream", "requests at the upstream"},
                                           {"in-flight", "callers waiting"},
                                           {"queued", "of these, in the limiter's queue"}};
  fprintf(out, "<div class='legend'>");
  for (size_t index = 0; index < sizeof(entries) / sizeof(entries[0]); index++) {
    fprintf(out, "<span><i class='%s'></i>%s</span>", entries[index][0], entries[index][1]);
  }
  fprintf(out,
          "<span>dashed: the calls' rate; the adaptive limit</span>"
          "<span>waiting: square-root scale</span></div>\n");
}

static void write_figures(FILE *out, const struct metrics *metrics) {
  fprintf(out,
          "<div class='figures'>"
          "<div><b>%.1f %%</b><span>goodput</span></div>"
          "<div><b>%.2f</b><span>upstream requests per call in the outage</span></div>"
          "<div><b>%.0f ms</b><span>answered, p99</span></div></div>",
          100 * metrics->goodput, metrics->amplification_in_outage, metrics->p99_ms);
}

static void write_arm(FILE *out, const struct outage *outage, const struct arm *arm,
                      const struct metrics *metrics, const struct chart_scale *scale) {
  fprintf(out, "<section class='card'><div class='head'><div><h2>%s</h2><p>%s</p></div>",
          arm_name(arm->kind), arm_description(arm->kind));
  write_figures(out, metrics);
  fprintf(out, "</div><div class='scroll'>\n");
  chart_write(out, outage, arm, scale);
  fprintf(out, "</div></section>\n");
}

static void write_footer(FILE *out) {
  fprintf(out,
          "<footer><p>Goodput is the share of calls answered 200; out of date is an answer that a "
          "cache kept for longer than %d ms, given because a newer one could not be had. Upstream "
          "requests are counted by "
          "the upstream when they arrive, those it never answers included. Latencies count from "
          "the moment a call was due. Time to recover: from the end of the last failure in the "
          "schedule until a whole second of calls is answered as well as in the healthy phase. "
          "Refused in vain: the share of all calls that a breaker or limiter refused at a moment "
          "when the schedule would have answered 200.</p></footer>\n",
          (int)CACHE_TTL_MS);
}

bool report_write(const char *path, const struct outage *outage,
                  const struct metrics metrics[ARM_COUNT]) {
  struct chart_scale scale;
  FILE *out = fopen(path, "w");
  if (out == NULL) {
    return false;
  }
  chart_scale_init(&scale, outage);
  fprintf(out,
          "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
          "<meta name='viewport' content='width=device-width,initial-scale=1'>"
          "<title>weir: surviving an outage</title><style>%s</style></head><body><main>\n",
          report_style);
  write_introduction(out, outage);
  write_table(out, metrics);
  write_legend(out);
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    write_arm(out, outage, &outage->arms[kind], &metrics[kind], &scale);
  }
  write_footer(out);
  fprintf(out, "</main></body></html>\n");
  return fclose(out) == 0;
}
