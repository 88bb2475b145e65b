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
 * The cache's model keeps for each key what it may have: the value last written (or, if there may
 * have been no memory to store what a load brought, one of those before it), a remembered failure,
 * or nothing. A lookup may return what may be there and be alive, or nothing; nothing only where
 * the bounds or time can have taken it away. What was once seen to be gone stays gone until it is
 * written again, and what was seen is there. The bounds take something away only where something is
 * stored; the stats count it, and the bound by count is full then. Neither bound can be reached in
 * `exact` worlds.
 *
 * Only loads store without saying whether they could. The allocator is the model's, so where none
 * of its allocations has failed by the end of a step, all that was to be stored has been stored.
 *
 * A value that has expired may serve those whose load fails or cannot begin, for stale_if_error_ms
 * after its end, and must if it is there. It is the one that the key has when the load ends, not
 * when it began, so nothing that was invalidated or replaced meanwhile.
 */

#include <stddef.h>
#include <stdint.h>

#include <weir/cache.h>
#include <weir/testing.h>
#include <weir/weir.h>

#define MS INT64_C(1000000)

enum { KEYS = 24, GETS = 32, LOADS = 32, BULK = 6, VERSIONS = 8 };
enum { PACE_KEYS = 4, PACE_CALLS = 24, FLIGHTS = 12, PACE_VALUE = KEYS };

struct world;

/* A value that knows its number; freed exactly once. */
struct sim_value {
  struct world *world;
  uint64_t number; /* 0 once freed */
  size_t key;
  int told; /* on_evict has heard of it */
};

struct version {
  uint64_t number; /* the value's */
  int own;         /* its lifetime is its own: no idle time */
  int64_t written_ns;
  int64_t hard_ns;    /* end of the lifetime after write */
  int64_t used_ns;    /* the last use that is known of */
  int64_t perhaps_ns; /* the last that there may have been */
};

struct key_model {
  struct version versions[VERSIONS]; /* it has one of these, the last first, or none */
  size_t count;
  int certain;          /* it has one, unless time has taken it */
  int shaken;           /* or something that was stored in this step */
  int64_t negative_ns;  /* until when a failure is remembered; 0: none */
  int64_t failure;      /* that failure's code */
  int negative_certain; /* it is, unless time has taken it */
  /* As many allocations had failed, and one, when something was to be stored that would make the
   * first version (the failure) certain; 0: nothing was. */
  uint64_t stored_at;
  uint64_t negative_at;
  uint64_t load; /* number of the load that will be stored; 0: none */
};

/* The values that may have been there at a moment. */
struct numbers {
  uint64_t of[VERSIONS];
  size_t count;
  int must; /* the only one was, for certain */
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
  int foreground; /* none, for certain: it stops when nobody waits any more */
  int told;       /* to stop; then nobody waits for it */
  int completed;  /* by us */
  int freed;
  uint64_t values[BULK];      /* of each key: the value's number, or 0 and */
  int64_t codes[BULK];        /* the failure */
  struct numbers stale[BULK]; /* what served instead of a failure when the load ended */
};

/* What one key of a get may become, seen from the moment it was asked. */
struct item {
  size_t key;
  struct numbers alive; /* what was to be returned */
  struct numbers stale; /* what serves if the load cannot begin */
  int refresh;          /* it is due, if the value is there */
  int64_t failure;      /* the failure that was remembered; 0: none */
  uint64_t load;        /* the load it may wait for; 0: none */
};

struct get {
  struct world *world;
  uint64_t number; /* 0: the slot is free */
  int many;
  size_t count;
  struct item items[BULK];
  weir_call *call;
  int64_t deadline_ns;
  uint64_t injected; /* allocations that had failed when it was asked */
  int taken_up;      /* which loads it waits for is known */
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
  int scarce;           /* allocations fail in every episode, else in some */
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
  uint64_t load_failures;
  uint64_t told;    /* by on_evict */
  uint64_t evicted; /* as the stats had it at the end of the last step */
  int64_t step_ns;  /* that end */
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
/* A key; with a chance of one in `n` one that is being loaded, if there is one. */
size_t choose_key(struct world *world, uint64_t n);
weir_value *new_value(struct world *world, size_t key, uint64_t *number);
void run_idle(struct world *world);

/* entries.c: what the cache may say. */
int may_be_alive(const struct world *world, const struct key_model *key);
int must_be_alive(const struct world *world, const struct key_model *key);
int refresh_is_due(const struct world *world, const struct key_model *key);
struct numbers alive_numbers(const struct world *world, const struct key_model *key);
/* What serves instead of a failure now: alive, or expired for less than stale_if_error_ms. */
struct numbers stale_numbers(const struct world *world, const struct key_model *key);
int is_among(const struct numbers *numbers, uint64_t number);
/* The weight that the decider gives a value. */
int64_t weight_of(uint64_t number);
void model_written(struct world *world, size_t key, uint64_t number, int64_t ttl_ms, int own);
/* A load's value is about to be stored, if there is memory. */
void model_loaded(struct world *world, size_t key, uint64_t number);
/* A load has failed, and that is about to be remembered, if there is memory. */
void model_failed(struct world *world, size_t key, int64_t code);
/* Something was stored for `key`, which may have taken any other's place. */
void others_uncertain(struct world *world, size_t key);
void model_gone(struct world *world, size_t key);
/* The cache showed `number` (0: nothing) for the key. */
void model_seen(struct world *world, size_t key, uint64_t number);
/* It was used, for certain or perhaps. */
void model_used(struct world *world, size_t key, int certainly);
/* A touch found it alive. */
void model_touched(struct world *world, size_t key, int64_t ttl_ms);
/* All that was to be done is done: what can be known of the writes without memory. */
void settle_doubts(struct world *world);
uint64_t number_of(struct world *world, const weir_value *value, size_t key);
/* on_evict hears of a value: once, and only if it has left. */
void model_left(struct world *world, size_t key, const weir_value *value);
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
/* Those whose time or loads are over have settled, and no load goes on for nobody or too long. */
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
