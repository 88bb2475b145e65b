/* SPDX-License-Identifier: MIT */
/* The meaning of a tree, worked out without an engine: each node's result from its children's. */

#include "compose.h"

#include <string.h>

struct context {
  struct expectation *expected;
  uint64_t input;
  int64_t deadline_ns;
};

uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) ^ (b + UINT64_C(0xD1B54A32D192ED03));
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  return x ^ (x >> 31);
}

uint64_t print_number(uint64_t number) { return mix(11, number); }

uint64_t print_error(weir_status status, int64_t code, uint64_t items) {
  return mix(mix(mix(12, (uint64_t)(uint32_t)status), (uint64_t)code), items);
}

uint64_t print_item(uint64_t before, uint64_t index, uint64_t error) {
  return mix(mix(before + 13, index), error);
}

uint64_t print_element(uint64_t before, bool is_error, uint64_t print) {
  return mix(mix(before + 14, is_error), print);
}

struct behaviour behave(uint64_t seed, uint32_t leaf, int64_t at_ns, uint64_t input) {
  uint64_t drawn = mix(mix(mix(seed, leaf), (uint64_t)at_ns), input);
  struct behaviour behaviour = {0};
  behaviour.takes_ns = (int64_t)(drawn % (60 * MS)) | 1;
  if (drawn >> 58 == 0) behaviour.takes_ns = NEVER;
  behaviour.succeeds = (drawn >> 40) % 100 < 60;
  behaviour.number = (uint32_t)(drawn >> 20) % 1000;
  return behaviour;
}

static struct result value(int64_t at_ns, uint64_t print) {
  return (struct result){at_ns, WEIR_OK, print};
}

static struct result failure(int64_t at_ns, weir_status status, int64_t code, uint64_t items) {
  return (struct result){at_ns, status, print_error(status, code, items)};
}

static struct result never(void) { return (struct result){NEVER, WEIR_OK, 0}; }

static bool succeeded(const struct result *result) { return result->status == WEIR_OK; }

static struct result eval(struct context context, const struct node *node, int64_t at_ns);

/* Whoever started since `mark` later than `end_ns` never did. */
static void forget_after(struct expectation *expected, uint32_t mark, int64_t end_ns) {
  uint32_t kept = mark;
  for (uint32_t i = mark; i < expected->start_count; ++i) {
    if (expected->starts[i].at_ns == end_ns) expected->ambiguous = true;
    if (expected->starts[i].at_ns < end_ns) expected->starts[kept++] = expected->starts[i];
  }
  expected->start_count = kept;
}

static struct result eval_leaf(struct context context, const struct node *node, int64_t at_ns) {
  struct expectation *expected = context.expected;
  if (expected->start_count == MOST_STARTS) {
    expected->ambiguous = true;
    return never();
  }
  struct behaviour behaviour = behave(expected->seed, node->id, at_ns, context.input);
  int64_t end_ns = behaviour.takes_ns == NEVER ? NEVER : at_ns + behaviour.takes_ns;
  expected->starts[expected->start_count++] = (struct start){node->id, at_ns, end_ns};
  if (end_ns == NEVER) return never();
  if (behaviour.succeeds) return value(end_ns, print_number(behaviour.number));
  return failure(end_ns, WEIR_EFAILED, behaviour.number, 0);
}

static void eval_children(struct context context, const struct node *node, int64_t at_ns,
                          struct result *results) {
  for (uint32_t i = 0; i < node->count; ++i) results[i] = eval(context, node->children[i], at_ns);
  for (uint32_t i = 0; i < node->count; ++i) {
    for (uint32_t j = i + 1; j < node->count; ++j) {
      bool same = results[i].at_ns == results[j].at_ns && results[i].at_ns != NEVER;
      if (same) context.expected->ambiguous = true;
    }
  }
}

/* The earliest that succeeded, or failed; NULL if none will. */
static const struct result *first_of(const struct result *results, uint32_t count, bool success) {
  const struct result *first = NULL;
  for (uint32_t i = 0; i < count; ++i) {
    if (results[i].at_ns == NEVER || succeeded(&results[i]) != success) continue;
    if (first == NULL || results[i].at_ns < first->at_ns) first = &results[i];
  }
  return first;
}

static int64_t last_end(const struct result *results, uint32_t count) {
  int64_t end_ns = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (results[i].at_ns > end_ns) end_ns = results[i].at_ns;
  }
  return end_ns;
}

static struct result all_failed(const struct result *results, uint32_t count) {
  int64_t end_ns = last_end(results, count);
  if (end_ns == NEVER) return never();
  uint64_t items = 0;
  for (uint32_t i = 0; i < count; ++i) items = print_item(items, i, results[i].print);
  return failure(end_ns, WEIR_EAGGREGATE, WEIR_EAGGREGATE, items);
}

static struct result eval_race(struct context context, const struct node *node, int64_t at_ns) {
  struct result results[MOST_CHILDREN];
  uint32_t mark = context.expected->start_count;
  eval_children(context, node, at_ns, results);
  const struct result *winner = first_of(results, node->count, true);
  if (node->kind == FIRST_SETTLED) {
    const struct result *loser = first_of(results, node->count, false);
    if (winner == NULL || (loser != NULL && loser->at_ns < winner->at_ns)) winner = loser;
  }
  struct result result = winner != NULL                ? *winner
                         : node->kind == FIRST_SETTLED ? never()
                                                       : all_failed(results, node->count);
  if (node->kind == DECISIVE_RACE) {
    int64_t decided_ns = at_ns + node->ms * MS;
    if (result.at_ns == decided_ns) context.expected->ambiguous = true;
    if (decided_ns < result.at_ns) {
      result = failure(decided_ns, WEIR_ETIMEDOUT, WEIR_ETIMEDOUT, 0);
    }
  }
  if (result.at_ns != NEVER) forget_after(context.expected, mark, result.at_ns);
  return result;
}

static struct result list_of(const struct result *results, uint32_t count, int64_t at_ns) {
  int64_t end_ns = last_end(results, count);
  if (end_ns == NEVER) return never();
  uint64_t print = 1;
  for (uint32_t i = 0; i < count; ++i) {
    print = print_element(print, !succeeded(&results[i]), results[i].print);
  }
  return value(count == 0 ? at_ns : end_ns, print);
}

static struct result eval_all(struct context context, const struct node *node, int64_t at_ns) {
  struct result results[MOST_CHILDREN];
  uint32_t mark = context.expected->start_count;
  eval_children(context, node, at_ns, results);
  const struct result *failed = node->kind == ALL ? first_of(results, node->count, false) : NULL;
  if (failed == NULL) return list_of(results, node->count, at_ns);
  forget_after(context.expected, mark, failed->at_ns);
  return *failed;
}

/* At most `number` at once, in their order. */
static struct result eval_parallel(struct context context, const struct node *node, int64_t at_ns) {
  struct result results[16];
  uint32_t count = node->kind == EACH ? node->number : node->count;
  uint32_t width = node->kind == EACH ? 2 : node->number;
  uint32_t mark = context.expected->start_count;
  bool ended[16] = {false};
  uint32_t running = 0;
  uint32_t started = 0;
  if (node->kind == POOL) context.input = 0; /* items bring their own */
  for (uint32_t settled = 0; settled < count;) {
    while (running < width && started < count) {
      const struct node *child = node->children[node->kind == EACH ? 0 : started];
      if (node->kind == EACH) context.input = print_number(started);
      results[started] = eval(context, child, at_ns);
      ++started;
      ++running;
    }
    uint32_t next = count;
    for (uint32_t i = 0; i < started; ++i) {
      if (ended[i]) continue;
      bool same = next != count && results[i].at_ns == results[next].at_ns;
      if (same && results[i].at_ns != NEVER) context.expected->ambiguous = true;
      if (next == count || results[i].at_ns < results[next].at_ns) next = i;
    }
    at_ns = results[next].at_ns;
    if (at_ns == NEVER) return never();
    ended[next] = true;
    --running;
    ++settled;
    if (node->stops && !succeeded(&results[next])) {
      forget_after(context.expected, mark, at_ns);
      return results[next];
    }
  }
  return list_of(results, count, at_ns);
}

static struct result eval_waterfall(struct context context, const struct node *node,
                                    int64_t at_ns) {
  struct result result = value(at_ns, context.input);
  for (uint32_t i = 0; i < node->count && succeeded(&result) && result.at_ns != NEVER; ++i) {
    context.input = result.print;
    result = eval(context, node->children[i], result.at_ns);
  }
  return result;
}

/* A wait known not to fit before the deadline is none. */
static bool fits(struct context context, int64_t at_ns) {
  if (at_ns == context.deadline_ns) context.expected->ambiguous = true;
  return at_ns < context.deadline_ns;
}

/* Retry and poll: tries until one succeeds, or it is enough. */
static struct result eval_tries(struct context context, const struct node *node, int64_t at_ns) {
  struct result result = eval(context, node->children[0], at_ns);
  for (uint32_t tries = 1; tries < node->number; ++tries) {
    if (result.at_ns == NEVER || succeeded(&result)) break;
    int64_t next_ns = result.at_ns + node->ms * MS;
    if (!fits(context, next_ns)) break;
    result = eval(context, node->children[0], next_ns);
  }
  return result;
}

static struct result eval_hedge(struct context context, const struct node *node, int64_t at_ns) {
  struct result results[WEIR_HEDGE_MAX + 1];
  bool ended[WEIR_HEDGE_MAX + 1] = {false};
  uint32_t mark = context.expected->start_count;
  uint32_t started = 1;
  int64_t timer_ns = at_ns + node->ms * MS;
  results[0] = eval(context, node->children[0], at_ns);
  while (true) {
    uint32_t next = started;
    for (uint32_t i = 0; i < started; ++i) {
      if (!ended[i] && (next == started || results[i].at_ns < results[next].at_ns)) next = i;
    }
    int64_t end_ns = next == started ? NEVER : results[next].at_ns;
    bool may_start = started <= node->number;
    if (may_start && timer_ns == end_ns) context.expected->ambiguous = true;
    if (may_start && timer_ns < end_ns) {
      at_ns = timer_ns;
    } else if (end_ns == NEVER) {
      break;
    } else if (succeeded(&results[next])) {
      forget_after(context.expected, mark, end_ns);
      return results[next];
    } else {
      ended[next] = true;
      at_ns = end_ns;
      if (!may_start) continue;
    }
    results[started++] = eval(context, node->children[0], at_ns);
    timer_ns = at_ns + node->ms * MS;
  }
  return started == 1 ? results[0] : all_failed(results, started);
}

static struct result eval_fallback(struct context context, const struct node *node, int64_t at_ns) {
  struct result result = eval(context, node->children[0], at_ns);
  if (result.at_ns == NEVER || succeeded(&result)) return result;
  if (node->count == 1) return value(result.at_ns, print_number(node->number));
  return eval(context, node->children[1], result.at_ns);
}

static struct result eval_timeout(struct context context, const struct node *node, int64_t at_ns) {
  uint32_t mark = context.expected->start_count;
  int64_t limit_ns = at_ns + node->ms * MS;
  if (limit_ns < context.deadline_ns) context.deadline_ns = limit_ns;
  struct result result = eval(context, node->children[0], at_ns);
  if (result.at_ns == limit_ns) context.expected->ambiguous = true;
  if (result.at_ns <= limit_ns) return result;
  forget_after(context.expected, mark, limit_ns);
  return failure(limit_ns, WEIR_ETIMEDOUT, WEIR_ETIMEDOUT, 0);
}

/* It ends when the last attempt that does not heed being told to stop has ended. */
static struct result eval_scope(struct context context, const struct node *node, int64_t at_ns) {
  struct expectation *expected = context.expected;
  uint32_t mark = expected->start_count;
  struct result result = eval(context, node->children[0], at_ns);
  for (uint32_t i = mark; i < expected->start_count; ++i) {
    const struct start *start = &expected->starts[i];
    if (is_deaf(start->leaf) && start->end_ns > result.at_ns) result.at_ns = start->end_ns;
  }
  return result;
}

static struct result eval(struct context context, const struct node *node, int64_t at_ns) {
  switch (node->kind) {
    case LEAF:
      return eval_leaf(context, node, at_ns);
    case RACE:
    case DECISIVE_RACE:
    case FIRST_SETTLED:
    case ANY:
      return eval_race(context, node, at_ns);
    case ALL:
    case ALL_SETTLED:
      return eval_all(context, node, at_ns);
    case PARALLEL:
    case EACH:
    case POOL:
      return eval_parallel(context, node, at_ns);
    case WATERFALL:
      return eval_waterfall(context, node, at_ns);
    case POLL:
    case RETRY:
      return eval_tries(context, node, at_ns);
    case HEDGE:
      return eval_hedge(context, node, at_ns);
    case FALLBACK:
      return eval_fallback(context, node, at_ns);
    case TIMEOUT:
      return eval_timeout(context, node, at_ns);
    case SCOPE:
      return eval_scope(context, node, at_ns);
    case KIND_COUNT:
      break;
  }
  return never();
}

void expect_tree(struct expectation *expected, const struct node *tree, int64_t at_ns,
                 int64_t cancel_ns) {
  expected->start_count = 0;
  expected->ambiguous = false;
  struct context context = {expected, 0, NEVER};
  expected->result = eval(context, tree, at_ns);
  if (expected->result.at_ns == cancel_ns && cancel_ns != NEVER) expected->ambiguous = true;
  if (expected->result.at_ns < cancel_ns) return;
  forget_after(expected, 0, cancel_ns);
  expected->result = (struct result){cancel_ns, WEIR_ECANCELLED, 0};
}
