/* SPDX-License-Identifier: MIT */
/* Trees drawn from a seed, shown, and made into operations of weir. */

#include "compose.h"

#include <stdio.h>

/* ---- drawing --------------------------------------------------------------------------------- */

static uint32_t draw(uint64_t *random, uint32_t below) {
  *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)((*random >> 33) % below);
}

struct drawing {
  struct node *nodes;
  uint32_t used;
  uint64_t *random;
  uint32_t primes; /* used */
};

static int64_t next_prime_ms(struct drawing *drawing) {
  static const int primes[] = {2,  3,  5,  7,  11, 13, 17, 19, 23, 29, 31, 37,
                               41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89};
  uint32_t index = (drawing->primes * 5 + draw(drawing->random, 5)) % 24;
  drawing->primes++;
  return primes[index];
}

static struct node *draw_node(struct drawing *drawing, int depth, bool again, bool hedged);

static void draw_children(struct drawing *drawing, struct node *node, int depth, uint32_t count,
                          bool again, bool hedged) {
  for (uint32_t i = 0; i < count; ++i) {
    node->children[node->count] = draw_node(drawing, depth + 1, again, hedged);
    if (node->children[node->count] != NULL) node->count++;
  }
}

static bool is_policy(enum kind kind) {
  return kind == HEDGE || kind == TIMEOUT || kind == RETRY || kind == POLL;
}

/* `again`: something around may start it more than once. `hedged`: it lies among policies that a
 * hedge stands around, where a fallback is refused. */
static struct node *draw_node(struct drawing *drawing, int depth, bool again, bool hedged) {
  if (drawing->used == MOST_NODES) return NULL;
  struct node *node = &drawing->nodes[drawing->used];
  *node = (struct node){.id = drawing->used++};
  bool leaf = depth == 5 || drawing->used > MOST_NODES / 2 || draw(drawing->random, 6) == 0;
  node->kind = leaf && depth > 0 ? LEAF : (enum kind)(1 + draw(drawing->random, KIND_COUNT - 1));
  if (node->kind == POOL && again) node->kind = PARALLEL;
  if (node->kind == FALLBACK && hedged) node->kind = ANY;
  if (node->kind == LEAF) return node;
  node->ms = next_prime_ms(drawing);
  node->number = 1 + draw(drawing->random, 4);
  node->stops = draw(drawing->random, 2) == 0;
  uint32_t children = node->kind < EACH || node->kind == POOL || node->kind == WATERFALL
                          ? 1 + draw(drawing->random, MOST_CHILDREN)
                          : 1;
  if (node->kind == FALLBACK) children = 1 + draw(drawing->random, 2);
  bool repeats = again || node->kind == RETRY || node->kind == POLL || node->kind == HEDGE ||
                 node->kind == EACH || node->kind == POOL; /* pools do not nest */
  hedged = is_policy(node->kind) && (hedged || node->kind == HEDGE);
  draw_children(drawing, node, depth, children, repeats, hedged);
  if (node->count == 0) node->kind = LEAF;
  return node;
}

struct node *draw_tree(struct node nodes[MOST_NODES], uint64_t *random) {
  struct drawing drawing = {nodes, 0, random, 0};
  return draw_node(&drawing, 0, false, false);
}

void show_tree(const struct node *node, int depth) {
  static const char *const names[] = {
      "leaf",        "race",     "decisive race", "first settled", "any",       "all",
      "all settled", "parallel", "each",          "pool",          "waterfall", "poll",
      "hedge",       "fallback", "timeout",       "retry",         "scope",
  };
  printf("%*s%s %u", 2 * depth, "", names[node->kind], node->id);
  if (node->kind != LEAF) {
    printf(" (%u, %lld ms%s)", node->number, (long long)node->ms, node->stops ? ", stops" : "");
  }
  printf("\n");
  for (uint32_t i = 0; i < node->count; ++i) show_tree(node->children[i], depth + 1);
}

/* ---- building -------------------------------------------------------------------------------- */

static weir_operation *wrap(struct builder *builder, weir_policy *policy, weir_operation *inner) {
  weir_operation *operation = NULL;
  if (policy != NULL && inner != NULL) {
    weir_policy_wrap(policy, inner, &operation, &builder->error);
  }
  weir_operation_unref(inner);
  weir_policy_unref(policy);
  return operation;
}

static weir_policy *make_hedge(struct builder *builder, const struct node *node) {
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  weir_hedge *hedge = NULL;
  options.delay_ms = node->ms;
  options.max_hedges = node->number;
  weir_hedge_new(builder->runtime, &options, &hedge, &builder->error);
  return weir_hedge_policy(hedge);
}

static weir_policy *make_timeout(struct builder *builder, const struct node *node) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_timeout *timeout = NULL;
  options.timeout_ms = node->ms;
  weir_timeout_new(builder->runtime, &options, &timeout, &builder->error);
  return weir_timeout_policy(timeout);
}

static weir_policy *make_retry(struct builder *builder, const struct node *node) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_retry *retry = NULL;
  options.max_attempts = node->number;
  options.backoff = WEIR_BACKOFF_CONSTANT;
  options.jitter = WEIR_JITTER_NONE;
  options.base_delay_ms = node->ms;
  weir_retry_new(builder->runtime, &options, &retry, &builder->error);
  return weir_retry_policy(retry);
}

static weir_policy *make_fallback(struct builder *builder, const struct node *node) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  weir_fallback *fallback = NULL;
  uint64_t number = node->number;
  options.has_value = node->count == 1;
  bool there = node->count == 1
                   ? weir_value_new_bytes(builder->runtime, &number, sizeof number,
                                          &options.value) == WEIR_OK
                   : (options.operation = build_tree(builder, node->children[1])) != NULL;
  if (there) weir_fallback_new(builder->runtime, &options, &fallback, &builder->error);
  weir_value_unref(options.value);
  weir_operation_unref(options.operation);
  return weir_fallback_policy(fallback);
}

static weir_operation *make_race(struct builder *builder, const struct node *node,
                                 weir_operation *const *children) {
  weir_operation *operation = NULL;
  weir_operation *racers[MOST_CHILDREN + 1];
  uint8_t decisive[MOST_CHILDREN + 1] = {0};
  weir_race_options options = WEIR_RACE_OPTIONS_INIT;
  uint32_t count = node->count;
  for (uint32_t i = 0; i < count; ++i) racers[i] = children[i];
  options.first_settled = node->kind == FIRST_SETTLED;
  if (node->kind != DECISIVE_RACE) {
    weir_race_new(builder->runtime, racers, count, &options, &operation, &builder->error);
    return operation;
  }
  if (weir_sleep_new(builder->runtime, node->ms, WEIR_ETIMEDOUT, NULL, NULL, &racers[count],
                     &builder->error) != WEIR_OK) {
    return NULL;
  }
  decisive[count] = 1;
  options.decisive = decisive;
  weir_race_new(builder->runtime, racers, count + 1, &options, &operation, &builder->error);
  weir_operation_unref(racers[count]);
  return operation;
}

static weir_operation *make_parallel(struct builder *builder, const struct node *node,
                                     weir_operation *const *children) {
  weir_operation *operation = NULL;
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  options.concurrency = node->number;
  options.stop_on_error = node->stops;
  weir_parallel_new(builder->runtime, children, node->count, &options, &operation, &builder->error);
  return operation;
}

static weir_operation *make_each(struct builder *builder, const struct node *node,
                                 weir_operation *child) {
  weir_operation *operation = NULL;
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  weir_value *values[16] = {NULL};
  weir_value *items = NULL;
  bool there = true;
  for (uint64_t i = 0; i < node->number && there; ++i) {
    there = weir_value_new_bytes(builder->runtime, &i, sizeof i, &values[i]) == WEIR_OK;
  }
  there =
      there && weir_value_new_list(builder->runtime, values, NULL, node->number, &items) == WEIR_OK;
  options.concurrency = 2;
  options.stop_on_error = node->stops;
  if (there) weir_parallel_new_each(child, items, &options, &operation, &builder->error);
  for (uint32_t i = 0; i < node->number; ++i) weir_value_unref(values[i]);
  weir_value_unref(items);
  return operation;
}

static weir_operation *make_pool(struct builder *builder, const struct node *node,
                                 weir_operation *const *children) {
  weir_pool *pool = NULL;
  weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
  options.concurrency = node->number;
  options.stop_on_error = node->stops;
  if (weir_pool_new(builder->runtime, &options, &pool, &builder->error) != WEIR_OK) return NULL;
  bool there = true;
  for (uint32_t i = 0; i < node->count && there; ++i) {
    there = weir_pool_add(pool, children[i], NULL, &builder->error) == WEIR_OK;
  }
  weir_pool_seal(pool);
  weir_operation *operation = there ? weir_operation_ref(weir_pool_operation(pool)) : NULL;
  weir_pool_unref(pool);
  return operation;
}

static weir_operation *make_poll(struct builder *builder, const struct node *node,
                                 weir_operation *child) {
  weir_operation *operation = NULL;
  weir_poll_options options = WEIR_POLL_OPTIONS_INIT;
  options.interval_ms = node->ms;
  options.max_attempts = node->number;
  weir_poll_new(child, &options, &operation, &builder->error);
  return operation;
}

static weir_operation *make_scope(struct builder *builder, weir_operation *child) {
  weir_operation *operation = NULL;
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.grace_ms = WEIR_FOREVER;
  weir_scope_operation(child, &options, &operation, &builder->error);
  return operation;
}

static weir_operation *combine(struct builder *builder, const struct node *node,
                               weir_operation *const *children) {
  weir_operation *operation = NULL;
  weir_runtime *runtime = builder->runtime;
  weir_error **error = &builder->error;
  switch (node->kind) {
    case RACE:
    case DECISIVE_RACE:
    case FIRST_SETTLED:
      return make_race(builder, node, children);
    case ANY:
      weir_any_new(runtime, children, node->count, NULL, &operation, error);
      break;
    case ALL:
      weir_all_new(runtime, children, node->count, NULL, &operation, error);
      break;
    case ALL_SETTLED:
      weir_all_settled_new(runtime, children, node->count, NULL, &operation, error);
      break;
    case PARALLEL:
      return make_parallel(builder, node, children);
    case EACH:
      return make_each(builder, node, children[0]);
    case POOL:
      return make_pool(builder, node, children);
    case WATERFALL:
      weir_waterfall_new(runtime, children, node->count, NULL, &operation, error);
      break;
    case POLL:
      return make_poll(builder, node, children[0]);
    case HEDGE:
      return wrap(builder, make_hedge(builder, node), weir_operation_ref(children[0]));
    case FALLBACK:
      return wrap(builder, make_fallback(builder, node), weir_operation_ref(children[0]));
    case TIMEOUT:
      return wrap(builder, make_timeout(builder, node), weir_operation_ref(children[0]));
    case RETRY:
      return wrap(builder, make_retry(builder, node), weir_operation_ref(children[0]));
    case SCOPE:
      return make_scope(builder, children[0]);
    case LEAF:
    case KIND_COUNT:
      break;
  }
  return operation;
}

weir_operation *build_tree(struct builder *builder, const struct node *node) {
  if (node->kind == LEAF) return builder->make_leaf(builder->data, node->id);
  weir_operation *children[MOST_CHILDREN] = {NULL};
  uint32_t count = node->kind == FALLBACK ? 1 : node->count;
  bool there = true;
  for (uint32_t i = 0; i < count && there; ++i) {
    children[i] = build_tree(builder, node->children[i]);
    there = children[i] != NULL;
  }
  weir_operation *operation = there ? combine(builder, node, children) : NULL;
  for (uint32_t i = 0; i < count; ++i) weir_operation_unref(children[i]);
  return operation;
}
