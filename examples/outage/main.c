/* SPDX-License-Identifier: MIT */
/*
 * outage: the same outage met by eight clients, from one without protection to those that have all.
 *
 *   outage [--seconds N] [--rate N] [--seed N] [--report FILE] [--check]
 *   outage --serve [--port N] [--rate N] [--seconds N]
 *
 * Prints a table and writes timelines as a self-contained HTML page. --check runs seeds 1 to 5
 * instead and exits with 1 unless every criterion of check.h holds. --serve shows one client in a
 * browser, as it moves.
 */
#include "check.h"
#include "live.h"
#include "metrics.h"
#include "outage.h"
#include "report.h"
#include "table.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each time the upstream returns, a breaker costs up to a reset timeout of answers, however long
 * the run: in a short one that alone would be more than the share the check allows. */
enum { DEFAULT_SECONDS = 60, CHECK_SECONDS = 30, CHECK_SECONDS_LEAST = 20, DEFAULT_RATE = 100 };

struct arguments {
  struct outage_options options;
  const char *report;
  bool check;
  bool serve;
  int64_t port;
};

static void usage(void) {
  fprintf(stderr,
          "usage: outage [--seconds N] [--rate N] [--seed N] [--report FILE] [--check]\n"
          "  --seconds N    length of the run, 5 to 3600 (60; with --check 30 for each seed)\n"
          "  --rate N       calls a second to each of the eight upstreams, 10 to 1000 (100)\n"
          "  --seed N       the schedule to follow (1)\n"
          "  --report FILE  where to write the timelines (outage.html)\n"
          "  --check        run seeds 1 to 5; fail unless the outage is survived in each\n"
          "usage: outage --serve [--port N] [--rate N] [--seconds N]\n"
          "  --serve        show one client and its upstream in a browser, until interrupted\n"
          "  --port N       of the page on 127.0.0.1; 0: a free one (8080)\n");
  exit(2);
}

static int64_t number(const char *text, int64_t least, int64_t most) {
  char *end;
  long long value = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || value < least || value > most) {
    fprintf(stderr, "outage: '%s' is not a number from %lld to %lld\n", text, (long long)least,
            (long long)most);
    usage();
  }
  return value;
}

static void take_option(struct arguments *arguments, const char *name, const char *value) {
  if (strcmp(name, "--seconds") == 0) {
    arguments->options.seconds = number(value, 5, 3600);
  } else if (strcmp(name, "--rate") == 0) {
    arguments->options.rate = number(value, 10, 1000);
  } else if (strcmp(name, "--seed") == 0) {
    arguments->options.seed = (uint64_t)number(value, 1, INT64_MAX);
  } else if (strcmp(name, "--port") == 0) {
    arguments->port = number(value, 0, 65535);
  } else if (strcmp(name, "--report") == 0) {
    arguments->report = value;
  } else {
    usage();
  }
}

static struct arguments parse(int argc, char **argv) {
  struct arguments arguments = {
      {.seed = 1, .rate = DEFAULT_RATE}, "outage.html", false, false, 8080};
  for (int index = 1; index < argc; index++) {
    if (strcmp(argv[index], "--check") == 0) {
      arguments.check = true;
    } else if (strcmp(argv[index], "--serve") == 0) {
      arguments.serve = true;
    } else if (index + 1 < argc) {
      take_option(&arguments, argv[index], argv[index + 1]);
      index++;
    } else {
      usage();
    }
  }
  if (arguments.serve) return arguments; /* for ever, unless told otherwise */
  if (arguments.options.seconds == 0) {
    arguments.options.seconds = arguments.check ? CHECK_SECONDS : DEFAULT_SECONDS;
  }
  if (arguments.check && arguments.options.seconds < CHECK_SECONDS_LEAST) {
    fprintf(stderr, "outage: --check needs at least --seconds %d\n", CHECK_SECONDS_LEAST);
    usage();
  }
  return arguments;
}

static int write_report(const char *path, const struct outage *outage,
                        const struct metrics metrics[ARM_COUNT]) {
  if (!report_write(path, outage, metrics)) {
    fprintf(stderr, "outage: cannot write %s: %s\n", path, strerror(errno));
    return 2;
  }
  printf("timelines: %s\n", path);
  return 0;
}

static int run_once(const struct arguments *arguments) {
  static struct outage outage;
  struct metrics metrics[ARM_COUNT];
  outage_run(&outage, &arguments->options);
  for (int kind = 0; kind < ARM_COUNT; kind++) {
    metrics_compute(&metrics[kind], &outage, &outage.arms[kind]);
  }
  table_print(&outage, metrics);
  int code = write_report(arguments->report, &outage, metrics);
  outage_release(&outage);
  return code;
}

int main(int argc, char **argv) {
  struct arguments arguments = parse(argc, argv);
  int code;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  if (arguments.serve) {
    struct live_options live = {arguments.options.rate, arguments.port, arguments.options.seconds};
    code = live_run(&live);
  } else if (arguments.check) {
    code = check_run(&arguments.options) ? 0 : 1;
  } else {
    code = run_once(&arguments);
  }
  curl_global_cleanup();
  return code;
}
