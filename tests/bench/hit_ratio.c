/* SPDX-License-Identifier: MIT
 *
 * How often does the cache have what is asked for? Replays traces through the public functions: a
 * lookup, and a put where it misses; every entry weighs 1 and lives for ever.
 *
 *   hit_ratio [--check] [--shards N] [--seed N] [--seeds N] README FOLDER
 *       the cells of the table in README, of the unpacked traces NAME.u32le in FOLDER
 *   hit_ratio --synthetic [--check] [--shards N] [--seed N] [--seeds N]
 *       workloads made up
 *
 * --seeds N: the adaptive policy with N seeds of the cache's hash, from --seed on: its mean, and to
 * LRU the least.
 *
 * --check: status 1 unless the mean gap to the best of all policies of the table is at most 0.5
 * points, and the adaptive policy nowhere more than 0.5 points below LRU. */
#include "hit_ratio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weir/weir.h>

static const double most_gap = 0.5;

static struct {
  int check, synthetic;
  uint32_t shards, seeds; /* this many, from `seed` on */
  uint64_t seed;
} settings = {0, 0, 1, 1, 1};

/* One line of the table: what the reference policies reach. */
struct cell {
  char name[64];
  uint32_t entries;
  double lru, s3_fifo, best;
};

struct replay {
  double hit_ratio; /* percent */
  double access_ns;
};

struct summary {
  unsigned cells;
  double gaps, worst_gap, least_over_lru, access_ns;
};

static void die(const char *what) {
  fprintf(stderr, "hit_ratio: %s\n", what);
  exit(2);
}

void trace_add(struct trace *trace, uint32_t key) {
  if (trace->count == trace->capacity) {
    trace->capacity = trace->capacity == 0 ? 1 << 16 : trace->capacity * 2;
    trace->keys = realloc(trace->keys, trace->capacity * sizeof(*trace->keys));
    if (trace->keys == NULL) die("no memory");
  }
  trace->keys[trace->count++] = key;
}

void trace_free(struct trace *trace) {
  free(trace->keys);
  *trace = (struct trace){0};
}

static void trace_read(struct trace *trace, const char *folder, const char *name) {
  char path[4096];
  unsigned char word[4];
  snprintf(path, sizeof(path), "%s/%s.u32le", folder, name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) die(path);
  while (fread(word, sizeof(word), 1, file) == 1) {
    trace_add(trace, word[0] | word[1] << 8 | word[2] << 16 | (uint32_t)word[3] << 24);
  }
  fclose(file);
}

/* ---- replaying ---- */

static weir_cache *cache_new(weir_runtime *runtime, uint32_t eviction, uint32_t entries) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  weir_cache *cache = NULL;
  options.eviction = eviction;
  options.max_entries = entries;
  options.ttl_ms = WEIR_FOREVER;
  options.shards = settings.shards;
  if (weir_cache_new(runtime, &options, &cache, NULL) != WEIR_OK) die("no cache");
  return cache;
}

static size_t count_hits(weir_cache *cache, const struct trace *trace) {
  size_t hits = 0;
  for (size_t i = 0; i < trace->count; i++) {
    weir_value *value = NULL;
    const uint32_t *key = &trace->keys[i];
    if (weir_cache_lookup_at(cache, key, sizeof(*key), 0, &value) == WEIR_OK)
      hits++;
    else if (weir_cache_put_at(cache, key, sizeof(*key), NULL, 0) != WEIR_OK)
      die("no memory");
  }
  return hits;
}

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static struct replay replay(const struct trace *trace, uint32_t eviction, uint32_t entries,
                            uint64_t seed) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_runtime *runtime = NULL;
  options.driver = WEIR_DRIVER_MANUAL;
  options.seed = seed;
  if (weir_runtime_new(&options, &runtime, NULL) != WEIR_OK) die("no runtime");
  weir_cache *cache = cache_new(runtime, eviction, entries);
  double begin_ns = now_ns();
  size_t hits = count_hits(cache, trace);
  double access_ns = (now_ns() - begin_ns) / (double)trace->count;
  weir_cache_unref(cache);
  weir_runtime_unref(runtime);
  return (struct replay){100.0 * (double)hits / (double)trace->count, access_ns};
}

/* ---- the table ---- */

static void print_head(void) {
  printf("%-16s %7s %7s %7s %7s %7s %7s %7s %7s %7s %5s\n", "", "", "LRU", "of it", "S3-FIFO",
         "of it", "adaptv", "best", "gap", "to LRU", "ns");
}

static struct replay replay_adaptive(const struct trace *trace, uint32_t entries, double *least) {
  struct replay mean = {0, 0};
  for (uint32_t i = 0; i < settings.seeds; i++) {
    struct replay one = replay(trace, WEIR_EVICTION_ADAPTIVE, entries, settings.seed + i);
    mean.hit_ratio += one.hit_ratio / settings.seeds;
    mean.access_ns += one.access_ns / settings.seeds;
    if (one.hit_ratio < *least) *least = one.hit_ratio;
  }
  return mean;
}

/* A cell whose LRU is 0 stands for one without reference: the best of our own is the best. */
static void run_cell(const struct trace *trace, struct cell cell, struct summary *summary) {
  struct replay lru = replay(trace, WEIR_EVICTION_LRU, cell.entries, settings.seed);
  struct replay s3_fifo = replay(trace, WEIR_EVICTION_S3_FIFO, cell.entries, settings.seed);
  double least = 100;
  struct replay adaptive = replay_adaptive(trace, cell.entries, &least);
  if (settings.synthetic) {
    cell.lru = lru.hit_ratio;
    cell.s3_fifo = s3_fifo.hit_ratio;
    cell.best = lru.hit_ratio > s3_fifo.hit_ratio ? lru.hit_ratio : s3_fifo.hit_ratio;
    if (adaptive.hit_ratio > cell.best) cell.best = adaptive.hit_ratio;
  }
  double gap = cell.best - adaptive.hit_ratio;
  double over_lru = least - cell.lru;
  printf("%-16s %7u %7.2f %+7.2f %7.2f %+7.2f %7.2f %7.2f %7.2f %+7.2f %5.0f%s\n", cell.name,
         (unsigned)cell.entries, lru.hit_ratio, lru.hit_ratio - cell.lru, s3_fifo.hit_ratio,
         s3_fifo.hit_ratio - cell.s3_fifo, adaptive.hit_ratio, cell.best, gap, over_lru,
         adaptive.access_ns, over_lru < -most_gap ? "  below LRU" : "");
  fflush(stdout);
  summary->gaps += gap;
  summary->access_ns += adaptive.access_ns;
  if (summary->cells == 0 || gap > summary->worst_gap) summary->worst_gap = gap;
  if (summary->cells == 0 || over_lru < summary->least_over_lru) summary->least_over_lru = over_lru;
  summary->cells++;
}

/* | trace | entries | LRU | S3-FIFO | ARC | LIRS | 1 % | 20 % | adaptive | clairvoyant | best | */
static int read_cell(const char *line, struct cell *cell) {
  return sscanf(line, "| %63s | %u | %lf | %lf | %*f | %*f | %*f | %*f | %*f | %*f | %lf |",
                cell->name, &cell->entries, &cell->lru, &cell->s3_fifo, &cell->best) == 5;
}

static void run_traces(const char *readme, const char *folder, struct summary *summary) {
  char line[1024], loaded[64] = "";
  struct trace trace = {0};
  struct cell cell;
  FILE *file = fopen(readme, "r");
  if (file == NULL) die(readme);
  while (fgets(line, sizeof(line), file) != NULL) {
    if (!read_cell(line, &cell)) continue;
    if (strcmp(loaded, cell.name) != 0) {
      trace_free(&trace);
      trace_read(&trace, folder, cell.name);
      strcpy(loaded, cell.name);
    }
    run_cell(&trace, cell, summary);
  }
  fclose(file);
  trace_free(&trace);
}

static void run_synthetic(struct summary *summary) {
  static const uint32_t sizes[] = {50, 500, 5000};
  for (size_t size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++) {
    for (unsigned kind = 0; synthetic_name(kind) != NULL; kind++) {
      struct cell cell = {.entries = sizes[size]};
      struct trace trace = {0};
      snprintf(cell.name, sizeof(cell.name), "%s", synthetic_name(kind));
      synthetic_make(&trace, kind, cell.entries, settings.seed);
      run_cell(&trace, cell, summary);
      trace_free(&trace);
    }
  }
}

static int parse(int count, char **arguments) {
  int i = 1;
  for (; i < count && arguments[i][0] == '-'; i++) {
    const char *next = i + 1 < count ? arguments[i + 1] : "";
    if (strcmp(arguments[i], "--check") == 0)
      settings.check = 1;
    else if (strcmp(arguments[i], "--synthetic") == 0)
      settings.synthetic = 1;
    else if (strcmp(arguments[i], "--shards") == 0)
      settings.shards = (uint32_t)atoi(next), i++;
    else if (strcmp(arguments[i], "--seed") == 0)
      settings.seed = strtoull(next, NULL, 10), i++;
    else if (strcmp(arguments[i], "--seeds") == 0 && atoi(next) > 0)
      settings.seeds = (uint32_t)atoi(next), i++;
    else
      die("not an option that there is");
  }
  if (count - i != (settings.synthetic ? 0 : 2)) die("see the head of hit_ratio.c");
  return i;
}

int main(int count, char **arguments) {
  struct summary summary = {0};
  int first = parse(count, arguments);
  print_head();
  if (settings.synthetic)
    run_synthetic(&summary);
  else
    run_traces(arguments[first], arguments[first + 1], &summary);
  if (summary.cells == 0) die("no cells in the table");
  double mean = summary.gaps / summary.cells;
  printf("%u cells: mean gap %.3f, worst %.2f; least over LRU %+.2f; %.0f ns an access\n",
         summary.cells, mean, summary.worst_gap, summary.least_over_lru,
         summary.access_ns / summary.cells);
  int met = mean <= most_gap && summary.least_over_lru >= -most_gap;
  if (settings.check) puts(met ? "met" : "NOT MET");
  return settings.check && !met;
}
