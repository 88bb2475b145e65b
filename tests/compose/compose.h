/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_COMPOSE_H
#define WEIR_TESTS_COMPOSE_H

/*
 * Random compositions of every flow pattern against a model of what they mean.
 *
 * A tree of operations is drawn from a seed: leaves of the user's, and around them races,
 * parallels, waterfalls, hedges, fallbacks, polls, retries, timeouts, scopes. What a leaf does is a
 * function of who it is, when it starts and what its input is: so the outcome of a tree is a
 * function of its start (expect.c), which knows nothing of engines, and can be held against what
 * weir does on the virtual clock: when it settles, how, with what value or which errors in which
 * order, and which leaves start when. No two moments of a tree fall together but by accident (times
 * of leaves are odd nanoseconds, times of policies prime milliseconds), and the accident is seen,
 * and not judged.
 */

#include <stdbool.h>
#include <stdint.h>

#include <weir/weir.h>

#define NEVER INT64_MAX
#define MS    INT64_C(1000000)

enum kind {
  LEAF,
  RACE,
  DECISIVE_RACE, /* its last child is a sleep that times out, and decides */
  FIRST_SETTLED,
  ANY,
  ALL,
  ALL_SETTLED,
  PARALLEL,
  EACH, /* one child over items */
  POOL,
  WATERFALL,
  POLL,
  HEDGE,
  FALLBACK, /* its second child, or a value */
  TIMEOUT,
  RETRY,
  SCOPE,
  KIND_COUNT
};

enum { MOST_CHILDREN = 4, MOST_NODES = 40, MOST_STARTS = 4096 };

struct node {
  enum kind kind;
  uint32_t id;
  uint32_t count;
  struct node *children[MOST_CHILDREN];
  uint32_t number; /* concurrency, attempts, hedges, items */
  int64_t ms;      /* delay, interval or timeout */
  bool stops;      /* stop_on_error */
};

/* A result: a value's or an error's fingerprint. */
struct result {
  int64_t at_ns; /* NEVER */
  weir_status status;
  uint64_t print;
};

struct start {
  uint32_t leaf;
  int64_t at_ns;
  int64_t end_ns; /* if nothing tells it to stop, or it does not heed that */
};

struct expectation {
  uint64_t seed;
  struct result result;
  struct start starts[MOST_STARTS];
  uint32_t start_count;
  bool ambiguous; /* two things at one moment, or too many starts */
};

/* What a leaf does. */
struct behaviour {
  int64_t takes_ns; /* NEVER: it hangs */
  bool succeeds;
  uint32_t number; /* the value, or the code of an HTTP error */
};

/* Every second leaf heeds being told to stop. */
static inline bool is_deaf(uint32_t leaf) { return leaf % 2 == 1; }

struct behaviour behave(uint64_t seed, uint32_t leaf, int64_t at_ns, uint64_t input);

uint64_t mix(uint64_t a, uint64_t b);
uint64_t print_number(uint64_t number);
uint64_t print_error(weir_status status, int64_t code, uint64_t items);
/* Of an aggregate's items, in their order, beginning with 0. */
uint64_t print_item(uint64_t before, uint64_t index, uint64_t error);
/* Of a list's items, in their order, beginning with 1. */
uint64_t print_element(uint64_t before, bool is_error, uint64_t print);
uint64_t print_value(const weir_value *value);
uint64_t print_weir_error(const weir_error *error);

/* What `tree`, started at `at_ns`, comes to, unless it is cancelled at `cancel_ns`. */
void expect_tree(struct expectation *expected, const struct node *tree, int64_t at_ns,
                 int64_t cancel_ns);

/* Draws a tree into `nodes`. */
struct node *draw_tree(struct node nodes[MOST_NODES], uint64_t *random);
void show_tree(const struct node *node, int depth);

/* Builds it; NULL without memory. Leaves are made by `make_leaf`. */
typedef weir_operation *(*make_leaf_fn)(void *data, uint32_t id);
struct builder {
  weir_runtime *runtime;
  make_leaf_fn make_leaf;
  void *data;
  weir_error *error; /* what went wrong, if something did */
};
weir_operation *build_tree(struct builder *builder, const struct node *node);

#endif
