/* SPDX-License-Identifier: MIT */
/*
 * outage --serve: one client, one upstream, and a page that shows both as they move and has buttons
 * to break and heal the upstream and to isolate and reset the breaker. Until SIGINT or SIGTERM.
 *
 *   GET  /         the page
 *   GET  /state    what it shows, as JSON
 *   POST /break    the upstream fails from now on: 503s, resets, silence
 *   POST /slow     one answer in twenty takes 300 ms
 *   POST /heal     it is well again
 *   POST /isolate  the breaker refuses everything until it is reset
 *   POST /reset    isolation ends, the breaker closes and forgets
 */
#ifndef OUTAGE_LIVE_H
#define OUTAGE_LIVE_H

#include <stdint.h>

struct live_options {
  int64_t rate;    /* calls a second */
  int64_t port;    /* 0: a free one; the address is printed */
  int64_t seconds; /* ends by itself then; 0: never */
};

/* Returns the program's exit code. */
int live_run(const struct live_options *options);

/* The page. */
extern const char live_page[];

#endif
