/* SPDX-License-Identifier: MIT */
/* The table on the terminal: one row for each arm. */
#ifndef OUTAGE_TABLE_H
#define OUTAGE_TABLE_H

#include "metrics.h"

void table_print(const struct outage *outage, const struct metrics metrics[ARM_COUNT]);

#endif
