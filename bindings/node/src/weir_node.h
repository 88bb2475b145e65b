/* SPDX-License-Identifier: MIT */
#ifndef WEIR_NODE_H
#define WEIR_NODE_H

/*
 * The addon: weir's C functions as Node-API functions, and the crossing that carries many of them
 * at once. What has manners (promises, signals, classes, errors) is JavaScript, in lib/.
 *
 * Each environment (the main thread, each worker) has its own `environment`, which dies with it; no
 * other state exists. JavaScript names what is native by numbers:
 *
 *   handle   an entry of the environment's table {kind, pointer}: engines, policies, operations ...
 *   slot     a run in flight; weir gives it back as the record's `user` (the run's context)
 *   attempt  a started attempt, an entry of the engine's table that holds its token
 *   id       a JavaScript value that weir holds (a host value); the low half of the host id. The
 *            high half is what the value weighs in a cache.
 *
 * An ENGINE is a runtime with its completion queue, two buffers that both sides see, and the
 * thread-safe function that wakes JavaScript. Everything here runs on the environment's thread,
 * except what stands in side.c and says so.
 */

#define NAPI_VERSION 8
#include <node_api.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef WEIR_VENDORED
#include "weir.h"
#else
#include <weir/testing.h>
#include <weir/weir.h>
#endif

enum kind {
  KIND_FREE = 0,
  KIND_ENGINE,
  KIND_OPERATION,
  KIND_BUDGET,
  KIND_CACHE,
  KIND_MEMOIZE,
  KIND_FLIGHT,
  KIND_DEBOUNCE,
  KIND_THROTTLE,
  KIND_POOL,
  KIND_SCOPE,
  /* The policies, by WEIR_POLICY_*. */
  KIND_POLICY = 100
};

struct handle {
  void *pointer;       /* NULL: a policy that was found and has no type of its own here */
  weir_policy *policy; /* of KIND_POLICY and up */
  uint32_t kind;
  uint32_t next_free;
  const weir_completions *queue; /* of the engine it belongs to */
};

/* What the hot decide functions and JavaScript tell each other: they have no arguments and no
 * result, since reading and making each of those costs as much as the whole answer. JavaScript
 * writes, calls and reads, and nothing comes in between. lib/door.js has the same layout. */
struct door {
  uint32_t handle;
  uint32_t class_; /* WEIR_CLASS_* */
  int32_t status;
  uint32_t count;    /* permits asked for */
  double permit;     /* negative: it is in `wide` */
  double elapsed_ms; /* of the call that is reported */
  uint64_t wide;     /* a permit that is no double */
};

struct environment {
  napi_env env;
  struct door *door; /* inside of a buffer of JavaScript's, which door_buffer holds */
  napi_ref door_buffer;
  struct handle *handles; /* 0 is nobody */
  uint32_t handles_count;
  uint32_t handles_capacity;
  uint32_t free_handle;
  const weir_completions *queue; /* of the last handle that was looked up: whose values are ids */
  napi_ref make_error;           /* (descriptor) => Error */
  weir_rejection rejection;      /* the last refusal of a decide function */
  struct engine *engines;
};

struct attempt {
  weir_token token; /* 0: free */
  uint32_t next;    /* of its bucket, or of the free ones */
};

struct run {
  weir_call *call;
  uint32_t flags;      /* RUN_* */
  uint32_t generation; /* of the slot, so that a late attempt is not taken for another run's */
};

enum {
  RUN_WANTS_INDEX = 1,  /* its attempts are told apart by weir_attempt.index */
  RUN_WANTS_OUTCOME = 2 /* a success is described too */
};

/* A record of the shared buffer: 32 bytes. `kind` is WEIR_RECORD_* or one of SIDE_*. */
struct shared_record {
  int32_t kind;
  int32_t user;
  int32_t object;
  int32_t status;
  int32_t number;
  int32_t channel;
  double detail;
};

/* A command of the shared buffer: eight doubles, the first of which is COMMAND_*. */
enum { COMMAND_WORDS = 8 };
enum { COMMAND_RUN = 1, COMMAND_COMPLETE = 2, COMMAND_CANCEL = 3 };

/* Whose START it is: the four high bits of `user`; the low 32 bits are the number. A run's context
 * is such a word, too: its slot, and above it the slot's generation. */
enum { USER_RUN = 0, USER_OPERATION = 1, USER_ASK = 2, USER_INPUT = 3, USER_EVENT = 4 };
#define USER_OF(tag, number) ((uint64_t)(tag) << 60 | (uint32_t)(number))
enum { GENERATIONS = 1 << 28 };

struct waker; /* side.c */

/* Numbers that JavaScript sets by slot or id, and deciders read on any thread: timeouts of runs,
 * lifetimes of values. Chunks never move. */
enum { NUMBERS_CHUNK = 4096, NUMBERS_CHUNKS = 1024 };
struct numbers {
  atomic_uint references;
  _Atomic(int64_t *) chunks[NUMBERS_CHUNKS];
};
struct numbers *numbers_ref(struct numbers *numbers);
void numbers_unref(void *data);
/* What was set; `otherwise` if there is no room for it. */
int64_t numbers_get(struct numbers *numbers, uint64_t index, int64_t otherwise);

struct engine {
  struct environment *environment;
  struct engine *next;
  bool lent; /* the runtime is somebody else's, who ends it */
  weir_runtime *runtime;
  weir_completions *queue;
  weir_operation *closure; /* START names the run's slot */
  weir_operation *loader;  /* START's input is the function's id */
  struct waker *waker;
  struct numbers *timeouts;  /* by slot */
  struct numbers *lifetimes; /* by id */
  napi_ref buffers;
  napi_ref extras;  /* what a record cannot hold, by the record's index */
  napi_ref refused; /* runs that were not accepted */
  double *commands;
  size_t commands_capacity;
  struct shared_record *records;
  size_t records_capacity;
  struct attempt *attempts; /* 0 is nobody */
  uint32_t attempts_capacity;
  uint32_t free_attempt;
  uint32_t *buckets; /* token to attempt; as many as attempts_capacity */
  struct run *runs;
  uint32_t runs_capacity;
};

/* The common beginning of a function: `arg`, as many as there may be, and `e`. */
#define ARGUMENTS(count)        \
  napi_value arg[count];        \
  size_t given = count;         \
  struct environment *e = NULL; \
  napi_get_cb_info(env, info, &given, arg, NULL, (void **)&e)

/* handles.c */
void handle_free(struct environment *e, uint32_t handle);
void *handle_peek(struct environment *e, uint32_t handle, uint32_t kind);
void *handle_get(struct environment *e, napi_value value, uint32_t kind); /* NULL: it threw */
weir_policy *policy_get(struct environment *e, napi_value value);         /* NULL: none, or threw */
napi_value handle_value(struct environment *e, uint32_t kind, void *pointer);
napi_value policy_value(struct environment *e, void *pointer, weir_policy *policy);
int32_t int_of(struct environment *e, napi_value value);
double number_of(struct environment *e, napi_value value);
int64_t whole_of(struct environment *e, napi_value value); /* -1: infinite, or no number */
/* A BigUint64Array of at least `count`; NULL: it is none. */
uint64_t *words_of(struct environment *e, napi_value value, size_t count, size_t *length);
uint64_t permit_of(struct environment *e, napi_value value);
napi_value permit_value(struct environment *e, uint64_t permit);
napi_value number_value(struct environment *e, double number);
napi_value text_value(struct environment *e, const char *text);
bool is_nothing(struct environment *e, napi_value value); /* undefined or null */
void set_number(struct environment *e, napi_value object, const char *name, double number);
void set_text(struct environment *e, napi_value object, const char *name, const char *text);
napi_value throw_status(struct environment *e, weir_status status, weir_error *error); /* takes */
/* The same of what failed without an error of its own: "what: why". */
napi_value throw_at(struct environment *e, const char *what, weir_status status);
napi_value throw_invalid(struct environment *e, const char *message);
double ms_of_ns(int64_t ns); /* INT64_MAX: infinite */
int64_t ms_from(double ms);  /* infinite: -1 */

/* Bytes of a string or Uint8Array argument. */
struct bytes {
  const void *data; /* NULL: the argument was neither */
  size_t size;
  char inside[256];
  void *owned;
};
bool bytes_of(struct environment *e, napi_value value, struct bytes *out);
bool text_of(struct environment *e, napi_value value, struct bytes *out); /* ends with a 0 */
void bytes_done(struct bytes *bytes);

/* options.c */
enum field_type {
  FIELD_U32,
  FIELD_I64, /* whole; Infinity and null are -1 */
  FIELD_F64,
  FIELD_OFF_F64, /* null is -1 */
  FIELD_FLAG,    /* boolean as uint32_t */
  FIELD_WORD,    /* one of `words`, as its index */
  FIELD_TEXT,
  FIELD_BUDGET,
  FIELD_POLICY,
  FIELD_SCOPE,
  FIELD_RANGES, /* failures, with its count behind it */
  /* only read from structs: */
  FIELD_U64,
  FIELD_NS, /* as milliseconds */
  FIELD_CHARS
};
struct field {
  const char *name;
  size_t offset;
  enum field_type type;
  const char *const *words;
};
#define FIELDS_END \
  { NULL, 0, FIELD_U32, NULL }
struct options_memory {
  void *pieces[24];
  size_t count;
};
/* Fills `options` from `object` (which may be undefined); false: it threw. */
bool options_read(struct environment *e, napi_value object, const struct field *fields,
                  void *options, struct options_memory *memory, const char *what);
void options_done(struct options_memory *memory);
napi_value struct_value(struct environment *e, const struct field *fields, const void *data);
napi_value field_names(struct environment *e, const struct field *fields);

/* errors.c */
napi_value error_value(struct environment *e, weir_error *error);
napi_value rejection_value(struct environment *e, const weir_rejection *rejection);
napi_value outcome_value(struct environment *e, const weir_outcome *outcome);
napi_value value_value(struct environment *e, weir_value *value);
/* -1: none, -2: not a host value, 0: of another host. */
int32_t value_id(struct environment *e, weir_value *value);

/* engine.c */
struct engine *engine_get(struct environment *e, napi_value value);
/* Fills a new engine's buffers and waker from arg[1] to arg[5] of open(); false: it failed. */
bool engine_prepare(struct environment *e, struct engine *engine, napi_value *arg);
weir_status engine_queue(struct engine *engine, weir_error **error);
/* Its handle; if it has no runtime, or with an error, it ends and throws. */
napi_value engine_made(struct engine *engine, weir_status status, weir_error *error);
weir_value *host_value(struct engine *engine, double id); /* negative: NULL */
weir_value *weighed_value(struct engine *engine, double id, double weight);
weir_error *host_error(struct engine *engine, double id, uint32_t domain, double code,
                       const char *message);
void engine_free(struct engine *engine);
void engine_end(struct engine *engine);

/* exchange.c */
bool engine_run_slot(struct engine *engine, uint32_t slot);
weir_token attempt_token(struct engine *engine, uint32_t attempt);
void attempts_abandon(struct engine *engine);
napi_value record_value(struct environment *e, struct engine *engine, napi_value array);

/* side.c: what comes from weir's thread as calls. */
enum { SIDE_LOG = 100, SIDE_EVENT = 101, SIDE_RETRY = 102, SIDE_EVICTION = 103 };
struct waker *waker_new(struct environment *e, napi_value wake);
void waker_hold(napi_env env, struct waker *waker, bool hold);
void waker_end(struct waker *waker); /* JavaScript is not called from here on */
void waker_notify(void *data);       /* any thread */
void waker_ref(struct waker *waker);
void waker_unref(void *data);           /* any thread */
bool waker_rest(struct waker *waker);   /* before the last drain */
void waker_attach(struct waker *waker); /* JavaScript looks now */
uint32_t side_take(struct environment *e, struct engine *engine, napi_value extras,
                   struct shared_record *records, uint32_t from, uint32_t capacity);
struct listener {
  struct waker *waker;
  uint32_t user;
};
struct listener *listener_new(struct waker *waker, uint32_t user);
void listener_free(void *data);
void side_log(void *data, int32_t level, const char *subject, const char *message);
void side_event(void *data, const weir_event *event);
void side_retry(void *data, uint32_t attempt, int64_t delay_ns, const weir_outcome *outcome);
void side_eviction(void *data, weir_cache *cache, const weir_eviction *eviction);

/* What each family adds to the module's exports. */
struct function {
  const char *name;
  napi_callback callback;
};
extern const struct function engine_functions[], sharing_functions[], exchange_functions[],
    policy_functions[], door_functions[], cache_functions[], flow_functions[], pace_functions[],
    scope_functions[];

/* tables.c */
extern const struct field retry_fields[], retry_stats[], breaker_fields[], breaker_stats[],
    limiter_fields[], limiter_stats[], timeout_fields[], timeout_stats[], hedge_fields[],
    hedge_stats[], fallback_fields[], fallback_stats[], chaos_fields[], chaos_stats[],
    budget_fields[], budget_stats[], cache_fields[], cache_stats[], memoize_fields[],
    flight_fields[], flight_stats[], debounce_fields[], throttle_fields[], pacing_stats[],
    race_fields[], parallel_fields[], pool_fields[], pool_stats[], poll_fields[], scope_fields[],
    scope_stats[], runtime_fields[]; /* engine.c */

#endif
