/* SPDX-License-Identifier: MIT */
#ifndef HIT_RATIO_H
#define HIT_RATIO_H

#include <stddef.h>
#include <stdint.h>

/* One access after another, keys as they come. */
struct trace {
  uint32_t *keys;
  size_t count;
  size_t capacity;
};

void trace_add(struct trace *trace, uint32_t key);
void trace_free(struct trace *trace);

/* Workloads made up, for a cache of `entries`: the `kind`th, NULL when there are no more; what it
 * is like is its name. */
const char *synthetic_name(unsigned kind);
void synthetic_make(struct trace *trace, unsigned kind, uint32_t entries, uint64_t seed);

#endif
