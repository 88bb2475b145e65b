/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_MODEL_H
#define WEIR_TESTS_MODEL_H

/*
 * Cache and pacers against models that know what may happen at each moment.
 *
 * An episode is one runtime, one cache and one pacer with random options, on virtual time; then a
 * few thousand random steps through both doors, with allocations failing in some episodes; then the
 * end, at which every value is freed once and no byte is left. The steps come from a seeded
 * generator (main.c), which replays them, or from the bytes that a fuzzer chooses (fuzz.c).
 *
 * The cache's model keeps for each key the value last written and until when it lives. A lookup may
 * return that value or nothing; nothing only where the bounds, a failed allocation or time can have
 * taken it away. What was once seen to be gone stays gone until it is written again. Where neither
 * bound can be reached and no allocation fails (`exact`), what is alive must be returned.
 */

#include <stddef.h>
#include <stdint.h>

#include <weir/cache.h>
#include <weir/testing.h>
#include <weir/weir.h>

#define MS INT64_C(1000000)

enum { KEYS = 24, GETS = 32, LOADS = 32, BULK = 6 };
enum { PACE_KEYS = 4, PACE_CALLS = 24, FLIGHTS = 12, PACE_VALUE = KEYS };

struct world;

/* A value that knows its number; freed exactly once. */
struct sim_value {
  struct world *world;
  uint64_t number; /* 0 once freed */
  size_t key;
};

struct key_model {
  uint64_t number; /* the value last written; 0: none */
  uint64_t older;  /* it may still be this one, as there was no memory for that; 0: no */
  int certain;     /* it is there, unless time has taken it */
  int own;         /* its lifetime is its own: no idle time */
  int64_t written_ns;
  int64_t hard_ns;     /* end of the lifetime after write */
  int64_t accessed_ns; /* the last use */
  int64_t negative_ns; /* until when a failure is remembered; 0: none */
  int64_t failure;     /* that failure's code */
  uint64_t load;       /* number of the load that will be stored; 0: none */
};

/* A started load: of one key, or of several. */
struct load {
  struct world *world;
  uint64_t number; /* 0: the slot is free */
  weir_token token;
  int64_t began_ns;
  size_t count;
  size_t keys[BULK];
  int bulk;
  int background; /* a refresh: began without waiters */
  int told;       /* to stop; then nobody waits for it */
  int completed;  /* by us */
  int freed;
  uint64_t values[BULK]; /* of each key: the value's number, or 0 and */
  int64_t codes[BULK];   /* the failure */
  uint64_t there[BULK];  /* the value that the key had when the load ended */
};

/* What one key of a get may become, seen from the moment it was asked. */
struct item {
  size_t key;
  int must;        /* `number` was there for certain */
  uint64_t number; /* the value that may have been there; 0: none */
  uint64_t older;
  uint64_t stale;  /* the expired value that serves if loading fails; 0: none */
  int64_t failure; /* the failure that was remembered; 0: none */
  uint64_t load;   /* the load it may wait for; 0: none */
};

struct get {
  struct world *world;
  uint64_t number; /* 0: the slot is free */
  int many;
  size_t count;
  struct item items[BULK];
  weir_call *call;
  int64_t deadline_ns;
  int taken_up; /* which loads it waits for is known */
  int cancelled;
  int settled;
  int freed;
};

/* A pacer's key. */
struct unit {
  uint64_t latest;      /* the last call's number */
  uint64_t started;     /* the last started run's argument */
  int64_t called_ns;    /* -1: not since the last cancel */
  int64_t burst_ns;     /* since when max_wait counts */
  int64_t started_ns;   /* -1: not since the last cancel */
  int64_t cancelled_ns; /* -1: never */
  int forced;           /* by a flush */
  int blocked;          /* a run was going on when a call came */
  int may_lead;         /* a flush may have ended the burst */
  int tied;             /* the latest call came just when the burst may have ended, or not */
};

struct flight {
  struct unit *unit; /* NULL: the slot is free */
  uint64_t number;   /* the argument's */
  weir_token token;
  int told;
  int completed;
};

struct pace_call {
  struct world *world;
  uint64_t number; /* the argument's; 0: the slot is free */
  struct unit *unit;
  weir_call *call;
  int refused;
  int cancelled;
  int settled;
};

struct pace {
  int throttles; /* else debounces */
  weir_debounce_options debounce_options;
  weir_throttle_options throttle_options;
  int trailing, supersedes, cancels_running;
  weir_operation *operation;
  weir_debounce *debounce;
  weir_throttle *throttle;
  struct unit units[PACE_KEYS];
  struct flight flights[FLIGHTS];
  struct pace_call calls[PACE_CALLS];
};

struct world {
  uint64_t seed;
  uint64_t random;
  const uint8_t *bytes; /* instead of the generator, if not NULL */
  size_t bytes_left;
  uint64_t hash;
  uint64_t step;
  const char *problem;
  char detail[256];
  char decisions[1 << 14]; /* the flight recorder's, when it was found */
  int ended;               /* the runtime is gone */

  uint64_t live_blocks;
  uint64_t injected;
  uint32_t fail_one_in; /* 0: never */
  int memory_fails;     /* now */
  int released;

  weir_cache_options options;
  int exact; /* nothing but time takes an entry away */
  weir_runtime *runtime;
  weir_cache *cache;
  weir_operation *loader;
  weir_operation *bulk_loader;
  weir_operation *getter; /* the cache's get as an operation */

  struct key_model keys[KEYS];
  struct load loads[LOADS];
  struct get gets[GETS];
  uint64_t numbers;
  uint64_t calls; /* accepted: gets, and a pacer's calls that settle */
  uint64_t settled;
  int64_t values;       /* not yet freed */
  int loader_manner;    /* how a load that starts now behaves */
  uint64_t loads_begun; /* keys of them */
  uint64_t told;        /* by on_evict */
  int closing;

  struct pace pace;
};

enum { LOAD_LATER, LOAD_INLINE, LOAD_FAILS, LOAD_MANNERS };

/* Notes the first thing that is wrong; the episode ends at the next step. */
void wrong(struct world *world, const char *what, int64_t a, int64_t b);
#define MUST(world, condition, a, b)                                        \
  do {                                                                      \
    if (!(condition)) wrong(world, #condition, (int64_t)(a), (int64_t)(b)); \
  } while (0)

/* source.c: where chance comes from, and episodes. */
uint64_t draw(struct world *world);
/* 0 to bound - 1. */
uint64_t below(struct world *world, uint64_t bound);
static inline int one_in(struct world *world, uint64_t n) { return below(world, n) == 0; }
void mix(struct world *world, uint64_t event);
int64_t world_now(const struct world *world);
/* Runs one episode of at most `steps` steps; returns whether all went well. */
int episode(struct world *world, uint64_t steps);

/* world.c */
int world_open(struct world *world);
void world_close(struct world *world, int opened);
/* The bytes of key `index`; keys differ in length, and one is empty. */
const void *key_bytes(size_t index, size_t *size);
size_t key_index(struct world *world, const void *key, size_t size);
weir_value *new_value(struct world *world, size_t key, uint64_t *number);
void run_idle(struct world *world);

/* entries.c: what the cache may say. */
int may_be_alive(const struct world *world, const struct key_model *key);
int must_be_alive(const struct world *world, const struct key_model *key);
/* The weight that the decider gives a value. */
int64_t weight_of(uint64_t number);
void model_written(struct world *world, size_t key, uint64_t number, int64_t ttl_ms, int own);
/* Something was stored for `key`, which may have taken any other's place. */
void others_uncertain(struct world *world, size_t key);
void model_gone(struct world *world, size_t key);
/* The cache showed `number` (0: nothing) for the key. */
void model_seen(struct world *world, size_t key, uint64_t number);
void model_used(struct world *world, size_t key);
uint64_t number_of(struct world *world, const weir_value *value, size_t key);
void check_stats(struct world *world);

/* Whether the cache would store the value: 0 if weigh refuses, -1 if it is too heavy. */
int storable(const struct world *world, uint64_t number);

/* loads.c: loaders and how they end. */
void load_started(void *data, weir_attempt *attempt);
void bulk_started(void *data, weir_attempt *attempt);
struct load *find_load(struct world *world, uint64_t number);
void complete_load(struct load *load, int fails);
void complete_step(struct world *world);
void finish_loads(struct world *world);

/* gets.c */
void get_step(struct world *world);
void get_many_step(struct world *world);
void cancel_step(struct world *world);
/* Gets that still wait for this load. */
size_t waiters_of(const struct world *world, const struct load *load);
/* Those whose loads are over have settled. */
void check_gets(struct world *world);
void forget_gets(struct world *world);

/* pace.c */
int pace_open(struct world *world);
void pace_step(struct world *world);
void pace_finish(struct world *world);
void pace_give_back(struct world *world);

/* steps.c */
void take_step(struct world *world);

#endif
