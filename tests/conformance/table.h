/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_CONFORMANCE_TABLE_H
#define WEIR_TESTS_CONFORMANCE_TABLE_H

/*
 * The C runner of the conformance table (schema.json says what a table is and how a runner goes
 * through it). One world per scenario: a manual runtime, the things that the scenario names, an
 * agenda of completions to come, and what was seen.
 *
 * What was seen is kept as JSON of the same form as what is expected, so that comparing is one
 * function over two trees, and a wrong expectation is noticed by the same lines as a wrong library.
 * Nothing here asserts: the first thing that is not as written is noted in `problem`.
 */

#include <stddef.h>
#include <stdint.h>

#include <cJSON.h>

#include <weir/testing.h>
#include <weir/weir.h>

#define MS          INT64_C(1000000)
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* A word of the table and the constant it stands for. */
struct word {
  const char *text;
  int64_t number;
};

/* What a name of the scenario stands for. */
enum thing_kind {
  THING_POLICY = 1, /* `handle` by policy_kind */
  THING_BUDGET,
  THING_OPERATION, /* `operation`; debounce, throttle, pool and memoize have a handle, too */
  THING_CACHE,
  THING_FLIGHT,
  THING_SCOPE,
  THING_PERMIT, /* `number` */
  THING_RETRY_STATE,
  THING_SNAPSHOT
};

struct thing {
  struct thing *next;
  char name[64];
  enum thing_kind kind;
  const char *type; /* as the table says it */
  void *handle;
  weir_policy *policy;
  weir_operation *operation;
  uint64_t number;
  weir_retry_state state;
  size_t size;
  unsigned char bytes[WEIR_BREAKER_SNAPSHOT_SIZE];
};

/* An operation of type leaf. */
struct leaf {
  struct world *world;
  struct leaf *next;
  char name[64];
  const cJSON *fates; /* `attempts` */
  const char *by;
  uint64_t started;
  const cJSON *last; /* the last start's fate and event */
  int64_t last_event;
  cJSON *starts; /* of {at_ms, event} */
  cJSON *inputs;
  cJSON *stops;
};

/* An attempt that waits for its completion. */
struct entry {
  struct world *world;
  struct entry *next;
  struct leaf *leaf;
  weir_token token;
  const cJSON *fate;
  cJSON *result;  /* instead of the fate's value: echo, scope_value; else NULL */
  int64_t due_ms; /* INT64_MAX: never */
  int on_agenda;
};

struct run {
  struct world *world;
  struct run *next;
  char label[64];
  weir_call *call;
  unsigned settled;
};

/* How a scenario is run. */
enum manner {
  PLAIN,
  REVERSED, /* completions due at one moment go the other way round */
  BY_QUEUE  /* leaves are told by a completion queue */
};

struct world {
  const cJSON *scenario;
  enum manner manner;
  weir_completions *queue; /* by queue: of the leaves; else NULL */
  weir_runtime *runtime;
  struct thing *things;
  struct leaf *leaves;
  struct run *runs;
  struct entry *agenda; /* in the order the attempts began */
  int64_t start_ns;
  int64_t event;
  cJSON *settled;   /* an array of settlements, each with its `event` */
  int most_at_once; /* runs in flight after any event */
  int in_flight;
  char problem[512];
};

/* ---- words.c: JSON and its words ---- */

extern const struct word status_words[], class_words[], stop_words[], cancel_words[],
    reason_words[], state_words[], domain_words[], channel_words[], policy_words[], backoff_words[],
    jitter_words[], breaker_mode_words[], algorithm_words[], queue_order_words[], overflow_words[],
    adaptive_words[], eviction_words[], superseded_words[], overlap_words[], exit_words[],
    chaos_words[];

/* The number of a word; notes a problem if it is none. */
int64_t number_of(struct world *world, const struct word *words, const char *text);
/* The word of a number; "?" if it has none. */
const char *word_of(const struct word *words, int64_t number);

const char *text_field(const cJSON *object, const char *name, const char *otherwise);
/* A number, or -1 for forever, unlimited and off. */
int64_t number_field(const cJSON *object, const char *name, int64_t otherwise);
int flag_field(const cJSON *object, const char *name, int otherwise);
int64_t plain_number(const cJSON *item);

/* A reference the caller owns; NULL for null. */
weir_value *value_from(struct world *world, const cJSON *json);
weir_error *error_from(struct world *world, const cJSON *json);
cJSON *value_to_json(const weir_value *value);
/* {code, message, domain} of a user's error. */
cJSON *error_to_json(const weir_error *error);

/* Notes what is not as written; the first counts. */
void problem(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- options.c: structs from JSON by tables of their fields ---- */

enum option_kind {
  OPTION_U32,
  OPTION_I64,
  OPTION_U64,
  OPTION_F64,
  OPTION_TEXT,
  OPTION_WORD,    /* an enumeration in 32 bits */
  OPTION_FAILURES /* weir_error_range pointer and count */
};

struct option {
  const char *name;
  enum option_kind kind;
  size_t offset;
  const struct word *words;
};

/* Fills what `def` has; ranges for OPTION_FAILURES go to `ranges` (room for 8). */
void fill_options(struct world *world, const cJSON *def, const struct option *fields, size_t count,
                  void *options, weir_error_range *ranges);
/* Compares the numbers that `expect` names with a stats struct. */
void compare_stats(struct world *world, const char *name, const cJSON *expect,
                   const struct option *fields, size_t count, const void *stats);

/* ---- build_policies.c, build_operations.c ---- */

struct thing *new_thing(struct world *world, const char *name, enum thing_kind kind,
                        const char *type);
struct thing *find_thing(struct world *world, const char *name);
/* Finds, or builds from its definition; notes a problem and returns NULL if there is none. */
struct thing *need_thing(struct world *world, const char *name);
/* Builds all that the scenario defines. */
void need_everything(struct world *world);
weir_policy *need_policy(struct world *world, const char *name);
weir_operation *need_operation(struct world *world, const char *name);
void *need_handle(struct world *world, const char *name);

/* Builds under `name`; on failure returns the status and stores the error (the caller's). */
weir_status build_policy(struct world *world, const char *name, const cJSON *def,
                         weir_error **error);
weir_status build_operation(struct world *world, const char *name, const cJSON *def,
                            weir_error **error);
weir_status build_cache(struct world *world, const char *name, const cJSON *def,
                        weir_error **error);
weir_status build_flight(struct world *world, const char *name, const cJSON *def,
                         weir_error **error);
weir_status build_scope(struct world *world, const char *name, const cJSON *def,
                        weir_error **error);
weir_status set_options(struct world *world, struct thing *thing, const cJSON *def);
void check_stats(struct world *world, const char *name, const cJSON *expect);
/* A thing for a policy that was found by its name; takes the reference. */
void adopt_policy(struct world *world, const char *name, weir_policy *policy);
void free_things(struct world *world);

/* ---- leaf.c: the user's functions and the agenda ---- */

weir_status build_leaf(struct world *world, const char *name, const cJSON *def,
                       weir_operation **operation, weir_error **error);
/* Takes records of the queue; 0 if there was none. */
int drain(struct world *world);
/* INT64_MAX if nothing is due ever. */
int64_t agenda_next_ms(const struct world *world);
/* Completes the first entry (reversed: the last) that is due; 0 if there was none. */
int complete_due(struct world *world, int64_t now_ms);
/* Completes everything, whatever its fate. */
void complete_all(struct world *world);

/* ---- steps.c, steps_decide.c ---- */

void do_step(struct world *world, const cJSON *step);
/* 0: not a step of these. */
int do_decide_step(struct world *world, const cJSON *step, const char *verb);
int do_store_step(struct world *world, const cJSON *step, const char *verb);
/* Compares a status that a step gave with what it expects. */
void check_status(struct world *world, const cJSON *step, weir_status status);

/* ---- record.c ---- */

int64_t now_ms(const struct world *world);
void record_settle(void *data, weir_call *call, const weir_outcome *outcome);
/* Compares all that was seen with what the scenario expects. */
void compare(struct world *world);

/* ---- world.c ---- */

/* Runs a scenario; what went wrong is in `problem`, empty if nothing. */
void run_scenario(struct world *world, const cJSON *scenario, enum manner manner);

#endif
