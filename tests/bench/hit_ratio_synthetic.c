/* SPDX-License-Identifier: MIT
 *
 * Workloads of known shape, to see that the adaptive policy is not fitted to the recorded traces:
 * popularity, loops, recency, bursts, drift, and phases of these. */
#include <math.h>
#include <stdlib.h>

#include "hit_ratio.h"

struct maker {
  struct trace *trace;
  uint32_t entries;
  uint32_t next_key; /* never used before */
  uint64_t random;
};

/* SplitMix64. */
static uint64_t draw(struct maker *maker) {
  uint64_t z = maker->random += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static double uniform(struct maker *maker) { return (double)(draw(maker) >> 11) * 0x1.0p-53; }

static uint32_t below(struct maker *maker, uint32_t bound) {
  return (uint32_t)((draw(maker) >> 32) * bound >> 32);
}

static uint32_t new_keys(struct maker *maker, uint32_t count) {
  uint32_t first = maker->next_key;
  maker->next_key += count;
  return first;
}

/* ---- popularity ---- */

struct zipf {
  double *sums;
  uint32_t keys;
};

static struct zipf zipf_new(uint32_t keys, double skew) {
  struct zipf zipf = {malloc(keys * sizeof(double)), keys};
  double sum = 0;
  for (uint32_t i = 0; i < keys; i++) zipf.sums[i] = sum += pow(i + 1, -skew);
  return zipf;
}

static uint32_t zipf_draw(const struct zipf *zipf, struct maker *maker) {
  double at = uniform(maker) * zipf->sums[zipf->keys - 1];
  uint32_t low = 0, high = zipf->keys - 1;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (zipf->sums[middle] < at)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* A scan of twice the cache every so often, if `scans`. */
static void popular(struct maker *maker, uint32_t count, double skew, int scans) {
  struct zipf zipf = zipf_new(maker->entries * 20, skew);
  uint32_t first = new_keys(maker, zipf.keys);
  for (uint32_t i = 0; i < count; i++) {
    trace_add(maker->trace, first + zipf_draw(&zipf, maker));
    if (!scans || below(maker, maker->entries * 2) != 0) continue;
    for (uint32_t k = 0; k < maker->entries * 2 && i < count; k++, i++) {
      trace_add(maker->trace, new_keys(maker, 1));
    }
  }
  free(zipf.sums);
}

/* All keys change after each `period`. */
static void shifting(struct maker *maker, uint32_t count, uint32_t period) {
  struct zipf zipf = zipf_new(maker->entries * 20, 0.9);
  uint32_t first = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (i % period == 0) first = new_keys(maker, zipf.keys);
    trace_add(maker->trace, first + zipf_draw(&zipf, maker));
  }
  free(zipf.sums);
}

/* The most popular keys move on, by two caches over the whole. */
static void drifting(struct maker *maker, uint32_t count) {
  struct zipf zipf = zipf_new(maker->entries * 20, 0.9);
  uint32_t first = new_keys(maker, zipf.keys);
  for (uint32_t i = 0; i < count; i++) {
    uint64_t moved = (uint64_t)i * 2 * maker->entries / count;
    trace_add(maker->trace, first + (uint32_t)((zipf_draw(&zipf, maker) + moved) % zipf.keys));
  }
  free(zipf.sums);
}

/* ---- order ---- */

static void loop(struct maker *maker, uint32_t count, double share) {
  uint32_t length = (uint32_t)(maker->entries * share) + 2;
  uint32_t first = new_keys(maker, length);
  for (uint32_t i = 0; i < count; i++) trace_add(maker->trace, first + i % length);
}

static void loops(struct maker *maker, uint32_t count) {
  static const double shares[8] = {0.7, 1.1, 2, 1.3, 0.9, 4, 1.05, 1.6};
  for (int i = 0; i < 8; i++) loop(maker, count / 8, shares[i]);
}

static void two_loops(struct maker *maker, uint32_t count) {
  uint32_t small = maker->entries * 2 / 5 + 1, large = maker->entries * 3;
  uint32_t first = new_keys(maker, small + large);
  for (uint32_t i = 0; i < count; i++) {
    trace_add(maker->trace, first + (i % 3 != 0 ? i % small : small + i % large));
  }
}

static void loop_and_popular(struct maker *maker, uint32_t count) {
  struct zipf zipf = zipf_new(maker->entries * 20, 1.0);
  uint32_t length = maker->entries * 6 / 5 + 2;
  uint32_t first = new_keys(maker, zipf.keys + length);
  for (uint32_t i = 0; i < count; i++) {
    int is_popular = uniform(maker) < 0.5;
    trace_add(maker->trace,
              first + (is_popular ? zipf_draw(&zipf, maker) : zipf.keys + i % length));
  }
  free(zipf.sums);
}

/* ---- recency ---- */

/* Again what was used d accesses ago, log d uniform up to three caches; one in seven is new. */
static void recent(struct maker *maker, uint32_t count) {
  size_t begin = maker->trace->count;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t farthest = i < maker->entries * 3 ? i : maker->entries * 3;
    if (i < 10 || uniform(maker) < 0.15) {
      trace_add(maker->trace, new_keys(maker, 1));
    } else {
      size_t back = (size_t)exp(uniform(maker) * log(farthest));
      trace_add(maker->trace, maker->trace->keys[begin + i - back]);
    }
  }
}

/* Each key is used 2 to 6 times within a few caches' time, and never again. */
static void bursts(struct maker *maker, uint32_t count) {
  uint32_t *due = calloc(count, sizeof(*due)); /* keys by time, 0: none, others one higher */
  for (uint32_t i = 0; i < count; i++) {
    uint32_t key = due[i] != 0 ? due[i] - 1 : new_keys(maker, 1);
    uint32_t uses = due[i] != 0 ? 0 : 1 + below(maker, 5);
    trace_add(maker->trace, key);
    for (uint32_t at = i; uses > 0; uses--) {
      at += 1 + below(maker, maker->entries / 2 + 1);
      while (at < count && due[at] != 0) at++;
      if (at < count) due[at] = key + 1;
    }
  }
  free(due);
}

/* ---- changes ---- */

static void phases(struct maker *maker, uint32_t count) {
  popular(maker, count / 6, 0.9, 0);
  loop(maker, count / 6, 1.3);
  bursts(maker, count / 6);
  recent(maker, count / 6);
  popular(maker, count / 6, 1.1, 1);
  loop(maker, count / 6, 1.1);
}

static void short_phases(struct maker *maker, uint32_t count) {
  for (int i = 0; i < 5; i++) {
    popular(maker, count / 20, 0.9, 0);
    loop(maker, count / 20, 1.3);
    bursts(maker, count / 20);
    recent(maker, count / 20);
  }
}

static void scan_then_popular(struct maker *maker, uint32_t count) {
  for (uint32_t i = 0; i < count / 4; i++) trace_add(maker->trace, new_keys(maker, 1));
  popular(maker, count * 3 / 4, 1.0, 0);
}

static void zipf_07(struct maker *maker, uint32_t count) { popular(maker, count, 0.7, 0); }
static void zipf_09(struct maker *maker, uint32_t count) { popular(maker, count, 0.9, 0); }
static void zipf_11(struct maker *maker, uint32_t count) { popular(maker, count, 1.1, 0); }
static void zipf_scans(struct maker *maker, uint32_t count) { popular(maker, count, 0.9, 1); }
static void shifts(struct maker *maker, uint32_t count) { shifting(maker, count, count / 10); }

static const struct {
  const char *name;
  void (*make)(struct maker *maker, uint32_t count);
} workloads[] = {
    {"zipf_0.7", zipf_07},
    {"zipf_0.9", zipf_09},
    {"zipf_1.1", zipf_11},
    {"zipf_0.9_scans", zipf_scans},
    {"loops", loops},
    {"two_loops", two_loops},
    {"loop_and_zipf", loop_and_popular},
    {"recency", recent},
    {"bursts", bursts},
    {"shifting", shifts},
    {"drifting", drifting},
    {"phases", phases},
    {"short_phases", short_phases},
    {"scan_then_zipf", scan_then_popular},
};

const char *synthetic_name(unsigned kind) {
  return kind < sizeof(workloads) / sizeof(workloads[0]) ? workloads[kind].name : NULL;
}

void synthetic_make(struct trace *trace, unsigned kind, uint32_t entries, uint64_t seed) {
  uint32_t count = entries * 40 > 200000 ? entries * 40 : 200000;
  struct maker maker = {trace, entries, 0, seed * 1000 + kind};
  workloads[kind].make(&maker, count);
}
