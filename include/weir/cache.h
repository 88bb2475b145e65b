/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CACHE_H
#define WEIR_CACHE_H

/*
 * A cache holds values by key, up to a bound of entries and weight, each for
 * its lifetime. Keys are bytes; values are weir_value, shared and never copied.
 *
 * Two doors. DECIDE functions (lookup, put, invalidate ...) are synchronous and
 * take any thread; a lookup never waits for code that allocates, evicts, calls
 * back or frees. RUN functions load what is missing: however many runs wait for
 * one key, it is loaded once, and all of them get the value or the error.
 *
 *   weir_cache_get(cache, id, id_size, load_profile, on_profile, me, NULL,
 *                  NULL, &error);
 *
 * Lifetimes. An entry expires ttl_ms after it was written or idle_ms after it
 * was last used, whichever comes first, unless the put, or the expire function,
 * gave it a lifetime of its own. From the nanosecond it expires it is never
 * returned, swept or not, but by a get whose loading failed
 * (stale_if_error_ms). Sweeping is done by one timer per cache on the runtime's
 * thread, up to 17 ms after the end, at most 1000 entries a turn; it does not
 * keep an attached loop alive. An entry with a lifetime of its own has no idle
 * time.
 *
 * A put or invalidate during a load wins: the load's result still goes to those
 * who wait for it and is not stored, and a get that comes later loads anew.
 *
 * Eviction. The adaptive policy keeps one set of lists that can be run as
 * W-TinyLFU with a small or a large window (Einziger, Friedman, Manes,
 * "TinyLFU", 2017), as LIRS (Jiang, Zhang, 2002), as S3-FIFO (Yang et al.,
 * 2023) or as LRU; small sampled shadow caches tell which of them serves this
 * workload best at the moment.
 *
 * Bounds. Unless `shards` says otherwise, a cache with a bound below 8192
 * entries, or with one by weight, is one shard and exact at every moment. A
 * larger one is divided among shards, each of which keeps its part exactly: as
 * keys do not spread evenly, one may evict while another has room. A put takes
 * up to 16 steps: an entry is evicted, or looked at because its time may be
 * over. What a heavy one leaves is done by later writes and the runtime's
 * thread, until when the weight may lie above its bound.
 */

#include <weir/run.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_EVICTION_ADAPTIVE = 0,
  WEIR_EVICTION_S3_FIFO = 1,
  WEIR_EVICTION_LRU = 2
};

/* Why an entry left. */
enum {
  WEIR_EVICT_EXPIRED = 1,
  WEIR_EVICT_SIZE = 2,     /* to keep within the bounds */
  WEIR_EVICT_REPLACED = 3, /* another value was written */
  WEIR_EVICT_EXPLICIT = 4, /* invalidated */
  WEIR_EVICT_CLEARED = 5
};

/* When an expire function is asked. */
enum {
  WEIR_EXPIRE_CREATED = 1, /* written, the key was absent */
  WEIR_EXPIRE_UPDATED = 2, /* written over another value */
  WEIR_EXPIRE_READ = 3
};

/* An expire function's answer: the entry keeps the lifetime it has; a new
 * entry: the cache's own ttl_ms. */
#define WEIR_EXPIRE_KEEP (-2)

typedef struct weir_expiry {
  uint32_t size;
  uint32_t moment; /* WEIR_EXPIRE_* */
  const void *key; /* valid during the call */
  uint64_t key_size;
  weir_value *value; /* borrowed; nullable */
  /* What is left of its lifetime; INT64_MAX if it has none; 0 when created. */
  int64_t remaining_ns;
} weir_expiry;

/* A decider: the entry's lifetime from now in milliseconds (0: gone at once),
 * WEIR_FOREVER, or WEIR_EXPIRE_KEEP. Another negative number counts as
 * WEIR_EXPIRE_KEEP: who works it out as an end less now cuts it at 0. Asked by
 * lookups and gets that find a value, which they give out whatever the answer,
 * and by writes that bring no lifetime along. If it uses its own cache, it is
 * asked for that, too: inside of itself, and it must see to an end. */
typedef int64_t (*weir_expire_fn)(void *data, const weir_expiry *expiry);

/* A decider: an entry's weight, asked once, when it is written; 0 to 2^32 - 1.
 * A negative one refuses the write (WEIR_EFAILED); a greater one is too heavy
 * for every bound. */
typedef int64_t (*weir_weigh_fn)(void *data, const void *key, size_t key_size,
                                 const weir_value *value);

typedef struct weir_eviction {
  uint32_t size;
  uint32_t cause;  /* WEIR_EVICT_* */
  const void *key; /* valid during the call */
  uint64_t key_size;
  weir_value *value; /* borrowed; ref it to keep it; nullable */
  uint64_t weight;
} weir_eviction;

/* A listener: an entry with a value left. After the fact, in the order they
 * left (of one shard); each is kept until it has been told, so they pile up
 * where the runtime's thread is busy for long, or a manual one is not driven.
 * Not told of what goes with the cache itself, nor of remembered failures. A
 * runtime's event listener hears of WEIR_EVICT_SIZE too, by number
 * (WEIR_EVENT_EVICTION, policy NULL). */
typedef void (*weir_evict_fn)(void *data, weir_cache *cache,
                              const weir_eviction *eviction);

typedef struct weir_cache_options {
  uint32_t size;     /* sizeof(weir_cache_options) */
  uint32_t eviction; /* WEIR_EVICTION_*; default adaptive */
  /* Entries at most; 0 (stores nothing) to 2^32 - 1, or WEIR_UNLIMITED; default
   * 1000. */
  int64_t max_entries;
  /* Weight at most; 0 or more, or WEIR_UNLIMITED (default). A bound needs
   * `weigh`. An entry of weight 0 is never evicted for weight; one heavier than
   * the bound is refused, and the others stay. */
  int64_t max_weight;
  /* After write; 0 (gone at once) or more, or WEIR_FOREVER; default 300000. */
  int64_t ttl_ms;
  /* After the last use; 0 or more, or WEIR_OFF (default). */
  int64_t idle_ms;
  /* Of one load; a load has no caller's deadline. 0 or more, or WEIR_FOREVER
   * (default). */
  int64_t load_timeout_ms;
  /* A get that finds an entry written longer ago than this gets its value and
   * has it loaded again in the background, once; if that fails, the next such
   * get tries again. 0 to ttl_ms, or WEIR_OFF (default). */
  int64_t refresh_ms;
  /* How long after its expiry a value still serves gets whose loading failed;
   * 0 or more, WEIR_FOREVER is not offered; WEIR_OFF (default). */
  int64_t stale_if_error_ms;
  /* How long a get remembers that loading failed, with the error, and gives it
   * out without loading; 0 or more, or WEIR_OFF (default). Such a failure is an
   * entry, of weight 0 if there is `weigh`, and found by nothing but gets. */
  int64_t negative_ttl_ms;
  /* Parts with bounds and writers' locks of their own; 0 (default): by the
   * processors and the bound; at most 256, rounded up to a power of two, and
   * no more than max_entries. Lookups on different processors do not meet even
   * in one shard. An entry has to fit in its shard's part of max_weight. */
  uint32_t shards;
  uint32_t reserved;   /* 0 */
  weir_weigh_fn weigh; /* nullable: each entry weighs 1 */
  void *weigh_data;
  weir_free_fn weigh_free_data;
  weir_expire_fn expire; /* nullable */
  void *expire_data;
  weir_free_fn expire_free_data;
  weir_evict_fn on_evict; /* nullable */
  void *evict_data;
  weir_free_fn evict_free_data;
  const char *name; /* copied; nullable */
} weir_cache_options;

#define WEIR_CACHE_OPTIONS_INIT                                               \
  {                                                                           \
    sizeof(weir_cache_options), WEIR_EVICTION_ADAPTIVE, 1000, WEIR_UNLIMITED, \
        300000, WEIR_OFF, WEIR_FOREVER, WEIR_OFF, WEIR_OFF, WEIR_OFF, 0, 0,   \
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL            \
  }

/* Writes the defaults; `size` is the caller's sizeof(weir_cache_options). */
WEIR_API void weir_cache_options_init(weir_cache_options *options, size_t size);

/* Makes a cache; the caller owns one reference. `options` NULL: defaults.
 * Errors: WEIR_EINVAL (a weight bound without weigh, refresh_ms above ttl_ms
 * too), WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_cache_new(weir_runtime *runtime,
                                    const weir_cache_options *options,
                                    weir_cache **out, weir_error **error);

/* One reference more; returns `cache`. Any thread. */
WEIR_API weir_cache *weir_cache_ref(weir_cache *cache);

/* One reference less. Gets in flight keep it alive. Any thread. */
WEIR_API void weir_cache_unref(weir_cache *cache);

/*
 * The decide door. All take any thread. `key` has `key_size` bytes, 0 to
 * 2^24 - 1 (16 MiB); it may be NULL if key_size is 0. Errors of all:
 * WEIR_EINVAL (cache NULL, key NULL with a size, key too long, a lifetime that
 * is none). The _at forms are given the time, of weir_runtime_now()'s clock;
 * the others read what clock they need. In a forked child all but lookups
 * return WEIR_EFORKED, and lookups may.
 */

/* WEIR_OK and in `value` the entry's value (may be NULL if that was put) with a
 * reference of the caller's own, or WEIR_ENOTFOUND and NULL. A remembered
 * failure counts as absent. */
WEIR_API weir_status weir_cache_lookup(weir_cache *cache, const void *key,
                                       size_t key_size, weir_value **value);
/* As lookup, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_cache_lookup_at(weir_cache *cache, const void *key,
                                          size_t key_size, int64_t now_ns,
                                          weir_value **value);

/* Copies the bytes of a bytes value to `buffer` (at most `capacity`; nullable
 * if that is 0) and stores in `size` (nullable) how many it has; to be compared
 * with capacity. WEIR_OK, WEIR_ENOTFOUND, or WEIR_ENOTSUP if the value is of
 * another kind. */
WEIR_API weir_status weir_cache_lookup_copy(weir_cache *cache, const void *key,
                                            size_t key_size, void *buffer,
                                            size_t capacity, size_t *size);
/* As lookup_copy, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_cache_lookup_copy_at(weir_cache *cache,
                                               const void *key, size_t key_size,
                                               int64_t now_ns, void *buffer,
                                               size_t capacity, size_t *size);

/* Writes an entry over what the key had; a reference of `value` (nullable) is
 * added, the caller keeps its own. The plain form gives it the cache's
 * lifetimes or what the expire function says; _for gives it `ttl_ms` (0 or
 * more, or WEIR_FOREVER) instead of all these. Stores nothing and returns
 * WEIR_OK, and the key is then absent, with a bound of 0 entries or a lifetime
 * of 0. WEIR_EFULL: heavier than the bound; the key is then absent too, other
 * entries stay. Errors otherwise: WEIR_ENOMEM (the key keeps what it had),
 * WEIR_EFAILED (weigh refused; likewise), WEIR_ECLOSED (the runtime closes). */
WEIR_API weir_status weir_cache_put(weir_cache *cache, const void *key,
                                    size_t key_size, weir_value *value);
/* As put, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_cache_put_at(weir_cache *cache, const void *key,
                                       size_t key_size, weir_value *value,
                                       int64_t now_ns);
/* As put, with a lifetime of its own: `ttl_ms`, 0 or more, or WEIR_FOREVER. */
WEIR_API weir_status weir_cache_put_for(weir_cache *cache, const void *key,
                                        size_t key_size, weir_value *value,
                                        int64_t ttl_ms);
/* As put_for, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_cache_put_for_at(weir_cache *cache, const void *key,
                                           size_t key_size, weir_value *value,
                                           int64_t ttl_ms, int64_t now_ns);

/* As put, unless the key has a value: then WEIR_EEXISTS, and in `existing`
 * (nullable) that value with a reference of the caller's own. WEIR_EFULL takes
 * no value away. */
WEIR_API weir_status weir_cache_put_if_absent(weir_cache *cache,
                                              const void *key, size_t key_size,
                                              weir_value *value,
                                              weir_value **existing);
/* As put_if_absent, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_cache_put_if_absent_at(
    weir_cache *cache, const void *key, size_t key_size, weir_value *value,
    int64_t now_ns, weir_value **existing);

/* Uses an entry without reading it: its idle time begins anew, and it has
 * `ttl_ms` (0 or more, or WEIR_FOREVER) from now on. WEIR_OK, WEIR_ENOTFOUND or
 * WEIR_ECLOSED. Asks no expire function, and is no hit in the stats. */
WEIR_API weir_status weir_cache_touch(weir_cache *cache, const void *key,
                                      size_t key_size, int64_t ttl_ms);
/* As touch, at a time of weir_runtime_now()'s clock. */
WEIR_API weir_status weir_cache_touch_at(weir_cache *cache, const void *key,
                                         size_t key_size, int64_t ttl_ms,
                                         int64_t now_ns);

/* Removes an entry: once this has returned, no lookup and no get that begins
 * later sees its value. WEIR_OK, or WEIR_ENOTFOUND: it had none. In both cases
 * a remembered failure is forgotten, and a load in flight is not stored. */
WEIR_API weir_status weir_cache_invalidate(weir_cache *cache, const void *key,
                                           size_t key_size);

/* Removes all entries; loads in flight are not stored. Takes as long as there
 * are entries; other threads' lookups do not wait for it. */
WEIR_API weir_status weir_cache_clear(weir_cache *cache);

/* One entry of a scan. */
typedef struct weir_cache_entry {
  weir_value *key;      /* a bytes value; the caller's reference */
  weir_value *value;    /* the caller's reference; nullable */
  int64_t remaining_ns; /* of its lifetime; INT64_MAX: no end */
  uint64_t weight;
} weir_cache_entry;

/* Goes on with a scan: up to `capacity` live entries, each `entry_size` (the
 * caller's sizeof(weir_cache_entry)) bytes, into `entries`, and in `count` how
 * many. `cursor` begins at 0 and is 0 again when the scan is over (also if
 * count is not 0). Writers go on: an entry that is there all the time is
 * returned exactly once, one that comes, goes or is written meanwhile at most
 * once. Is no use of the entries. Errors: WEIR_EINVAL (a pointer NULL, capacity
 * 0), WEIR_EABI, WEIR_ENOMEM (the cursor stays, and nothing is returned). */
WEIR_API weir_status weir_cache_scan(weir_cache *cache, uint64_t *cursor,
                                     weir_cache_entry *entries,
                                     size_t entry_size, size_t capacity,
                                     size_t *count);

typedef struct weir_cache_stats {
  uint32_t size;     /* set by the caller: sizeof(weir_cache_stats) */
  uint32_t reserved; /* 0 */
  uint64_t hits;     /* of lookups and gets; ever, as all but the last three */
  uint64_t misses;
  uint64_t stale_hits; /* gets served by stale_if_error; also misses */
  uint64_t puts;       /* stored, loads and remembered failures included */
  uint64_t loads;      /* begun; a key of a bulk load counts as one */
  uint64_t load_failures;
  uint64_t load_time_ns; /* of all loads that ended */
  uint64_t refused;      /* heavier than the bound, or refused by weigh */
  uint64_t expired;      /* left, by cause */
  uint64_t evicted;      /* WEIR_EVICT_SIZE */
  uint64_t replaced;
  uint64_t invalidated;
  uint64_t cleared;
  uint64_t entries; /* now; expired and not yet swept ones included */
  uint64_t weight;
  uint64_t loading; /* keys being loaded */
} weir_cache_stats;

/* Fills `stats`; from several shards one after the other. Errors: WEIR_EINVAL,
 * WEIR_EABI. Any thread. */
WEIR_API weir_status weir_cache_get_stats(weir_cache *cache,
                                          weir_cache_stats *stats);

/*
 * The run door. A loader is an operation. Its attempts get the key
 * (weir_attempt.key) and as input the get's own input or, if that has none, the
 * key as a bytes value. Of many gets that wait for one key the first one's
 * loader and input are used, its context, permits and priority too; so what the
 * context points to has to stay until the load has ended, which may be after
 * that get. Each of them has its own deadline and can be cancelled; the load
 * goes on for the others, and is cancelled when the last of them has left. So
 * neither deadlines nor policies around a get reach its load: policies for that
 * go into the loader (weir_policy_wrap). A load is a run of its own, which
 * counts towards the runtime's max_in_flight.
 *
 * A loader's errors go to all who wait and are not kept, unless negative_ttl_ms
 * says so; while an expired value may serve (stale_if_error_ms) it is given out
 * instead, and the failure is not remembered. A load that took load_timeout_ms
 * has failed with WEIR_ETIMEDOUT. What brings a value that cannot be stored has
 * not failed. A loader may get other keys of the cache; one that waits for its
 * own key waits until load_timeout_ms, or until all have left.
 */

/* Gets the value of a key, loading it with `loader` if it is absent. The rest
 * is as weir_run(); for its options (deadline, queue, policy ...) see
 * weir_cache_operation(). Any thread. Errors: as weir_run(). */
WEIR_API weir_status weir_cache_get(weir_cache *cache, const void *key,
                                    size_t key_size, weir_operation *loader,
                                    weir_settle_fn settle, void *data,
                                    weir_free_fn free_data, weir_call **call,
                                    weir_error **error);

/* Makes the get an operation: the run's key is the key (none: WEIR_EINVAL is
 * its outcome) and its input the loader's. The caller owns one reference.
 * Errors: WEIR_EINVAL, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_cache_operation(weir_cache *cache,
                                          weir_operation *loader,
                                          weir_operation **out,
                                          weir_error **error);

/* Gets many keys at once: those that are absent and not being loaded are loaded
 * in one run of `loader`, whose input is a list (weir/value.h) of them as bytes
 * values, and which completes with a list of the same length: a value or an
 * error for each; neither stands for WEIR_ENOTFOUND. If the loader fails as a
 * whole, or gives anything else, each of these keys has that error. Settles
 * with a list of `count` items, in the order of `keys`, when all are there;
 * failed keys do not make it fail. `keys` and `key_sizes` (NULL with 0) are
 * copied; a key may occur twice. The rest is as weir_cache_get(). */
WEIR_API weir_status weir_cache_get_many(
    weir_cache *cache, const void *const *keys, const size_t *key_sizes,
    size_t count, weir_operation *loader, weir_settle_fn settle, void *data,
    weir_free_fn free_data, weir_call **call, weir_error **error);

/* Makes the get of many keys an operation, for runs with a deadline, a queue, a
 * policy ...: the run's input is the list of the keys (weir/value.h), each a
 * bytes value of at most 2^24 - 1 bytes; any other input makes WEIR_EINVAL its
 * outcome. The caller owns one reference. Errors: WEIR_EINVAL, WEIR_ENOMEM. Any
 * thread. */
WEIR_API weir_status weir_cache_operation_many(weir_cache *cache,
                                               weir_operation *loader,
                                               weir_operation **out,
                                               weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
