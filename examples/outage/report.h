/* SPDX-License-Identifier: MIT */
/* The HTML report: one file, no scripts, nothing loaded from anywhere. */
#ifndef OUTAGE_REPORT_H
#define OUTAGE_REPORT_H

#include "metrics.h"

#include <stdbool.h>

extern const char report_style[];

/* False, with errno, if the file cannot be written. */
bool report_write(const char *path, const struct outage *outage,
                  const struct metrics metrics[ARM_COUNT]);

#endif
