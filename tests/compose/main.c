/* SPDX-License-Identifier: MIT */
/*
 * compose [--episodes N] [--seed S] [--episode S]: so many trees (default 100,000), each run to its
 * end against the model; every fourth with failing allocations, where only that it settles once and
 * leaves nothing is asked. What goes wrong is printed with the seed that replays it.
 */

#include "compose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ATTEMPTS = 2 * MOST_STARTS };

struct attempt {
  weir_token token;
  int64_t due_ns;
  struct behaviour behaviour;
  uint32_t leaf;
  bool over;
};

struct world;

struct leaf {
  struct world *world;
  uint32_t id;
};

struct world {
  uint64_t seed;
  uint64_t random;
  weir_runtime *runtime;
  struct node nodes[MOST_NODES];
  struct leaf leaves[MOST_NODES];
  struct expectation expected;
  struct attempt attempts[MOST_ATTEMPTS];
  uint32_t attempt_count;
  struct start starts[MOST_ATTEMPTS];
  uint64_t live_bytes;
  uint64_t slots; /* attempts whose free_data has not run */
  uint32_t fail_one_in;
  uint64_t failed;
  uint32_t settled;
  struct result result;
};

struct total {
  uint64_t episodes, judged, ambiguous, starts, failed, hash;
};

static uint32_t draw(uint64_t *random, uint32_t below) {
  *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)((*random >> 33) % below);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void *allocate(void *context, size_t size) {
  struct world *world = context;
  if (world->fail_one_in > 0 && draw(&world->random, world->fail_one_in) == 0) {
    world->failed++;
    return NULL;
  }
  world->live_bytes += size;
  return malloc(size);
}

static void deallocate(void *context, void *pointer, size_t size) {
  struct world *world = context;
  world->live_bytes -= size;
  free(pointer);
}

/* ---- prints ---------------------------------------------------------------------------------- */

uint64_t print_weir_error(const weir_error *error) {
  uint64_t items = 0;
  for (size_t i = 0; i < weir_error_count(error); ++i) {
    size_t index = 0;
    const weir_error *item = weir_error_at(error, i, &index);
    items = print_item(items, index, print_weir_error(item));
  }
  return print_error(weir_error_status(error), weir_error_code(error), items);
}

uint64_t print_value(const weir_value *value) {
  if (value == NULL) return 0;
  if (weir_value_kind(value) == WEIR_VALUE_LIST) {
    uint64_t print = 1;
    for (size_t i = 0; i < weir_value_count(value); ++i) {
      const weir_error *error = weir_value_item_error(value, i);
      print = print_element(
          print, error != NULL,
          error != NULL ? print_weir_error(error) : print_value(weir_value_item(value, i)));
    }
    return print;
  }
  uint64_t number = 0;
  if (weir_value_size(value) == sizeof number) {
    memcpy(&number, weir_value_data(value), sizeof number);
  }
  return print_number(number);
}

/* ---- leaves ---------------------------------------------------------------------------------- */

static void complete(struct world *world, struct attempt *attempt) {
  if (attempt->over) return;
  attempt->over = true;
  uint64_t number = attempt->behaviour.number;
  if (attempt->behaviour.succeeds) {
    weir_complete_bytes(world->runtime, attempt->token, &number, sizeof number);
  } else {
    weir_fail(world->runtime, attempt->token, WEIR_DOMAIN_HTTP, (int64_t)number, "drawn");
  }
}

struct slot {
  struct world *world;
  struct attempt *attempt;
};

static void on_cancel(void *data, uint32_t reason) {
  struct slot *slot = data;
  (void)reason;
  if (!is_deaf(slot->attempt->leaf)) complete(slot->world, slot->attempt);
}

static void free_slot(void *data) {
  struct slot *slot = data;
  slot->world->slots--;
  free(slot);
}

static void start_leaf(void *data, weir_attempt *given) {
  struct leaf *leaf = data;
  struct world *world = leaf->world;
  if (world->attempt_count == MOST_ATTEMPTS) {
    weir_complete(world->runtime, given->token, NULL);
    return;
  }
  uint32_t index = world->attempt_count++;
  struct attempt *attempt = &world->attempts[index];
  int64_t now_ns = weir_runtime_now(world->runtime);
  world->starts[index] = (struct start){leaf->id, now_ns, 0};
  attempt->token = given->token;
  attempt->leaf = leaf->id;
  attempt->over = false;
  attempt->behaviour = behave(world->seed, leaf->id, now_ns, print_value(given->input));
  attempt->due_ns =
      attempt->behaviour.takes_ns == NEVER ? NEVER : now_ns + attempt->behaviour.takes_ns;
  struct slot *slot = malloc(sizeof *slot);
  *slot = (struct slot){world, attempt};
  world->slots++;
  given->on_cancel = on_cancel;
  given->data = slot;
  given->free_data = free_slot;
}

static weir_operation *make_leaf(void *data, uint32_t id) {
  struct world *world = data;
  struct leaf *leaf = &world->leaves[id];
  weir_operation *operation = NULL;
  *leaf = (struct leaf){world, id};
  weir_operation_new(world->runtime, start_leaf, leaf, NULL, &operation, NULL);
  return operation;
}

/* ---- an episode ------------------------------------------------------------------------------ */

static void on_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct world *world = data;
  (void)call;
  world->settled++;
  world->result.at_ns = weir_runtime_now(world->runtime);
  world->result.status = outcome->status;
  world->result.print = outcome->channel == WEIR_CHANNEL_VALUE   ? print_value(outcome->value)
                        : outcome->channel == WEIR_CHANNEL_ERROR ? print_weir_error(outcome->error)
                                                                 : 0;
}

static struct attempt *next_due(struct world *world) {
  struct attempt *next = NULL;
  for (uint32_t i = 0; i < world->attempt_count; ++i) {
    struct attempt *attempt = &world->attempts[i];
    if (attempt->over || attempt->due_ns == NEVER) continue;
    if (next == NULL || attempt->due_ns < next->due_ns) next = attempt;
  }
  return next;
}

static void process(struct world *world, int64_t now_ns) {
  while (weir_runtime_next_deadline(world->runtime) <= now_ns) {
    weir_runtime_process(world->runtime, now_ns);
  }
  weir_runtime_process(world->runtime, now_ns);
}

/* Until nothing is due before `end_ns`. */
static void play(struct world *world, weir_call *call, int64_t cancel_ns, int64_t end_ns) {
  while (true) {
    struct attempt *due = next_due(world);
    int64_t at_ns = weir_runtime_next_deadline(world->runtime);
    if (due != NULL && due->due_ns < at_ns) at_ns = due->due_ns;
    if (cancel_ns < at_ns) at_ns = cancel_ns;
    if (at_ns > end_ns) return;
    process(world, at_ns);
    if (at_ns == cancel_ns) {
      weir_call_cancel(call);
      cancel_ns = NEVER;
    }
    if (due != NULL && due->due_ns == at_ns) complete(world, due);
    process(world, at_ns);
  }
}

static void complete_all(struct world *world) {
  for (uint32_t i = 0; i < world->attempt_count; ++i) complete(world, &world->attempts[i]);
  process(world, weir_runtime_now(world->runtime));
}

static int compare_starts(const void *a, const void *b) {
  const struct start *first = a;
  const struct start *second = b;
  if (first->at_ns != second->at_ns) return first->at_ns < second->at_ns ? -1 : 1;
  return (first->leaf > second->leaf) - (first->leaf < second->leaf);
}

static bool same_starts(struct world *world) {
  struct expectation *expected = &world->expected;
  if (world->attempt_count != expected->start_count) return false;
  qsort(world->starts, world->attempt_count, sizeof *world->starts, compare_starts);
  qsort(expected->starts, expected->start_count, sizeof *expected->starts, compare_starts);
  for (uint32_t i = 0; i < expected->start_count; ++i) {
    if (compare_starts(&world->starts[i], &expected->starts[i]) != 0) return false;
  }
  return true;
}

static const char *judge(struct world *world, const struct result *seen) {
  const struct result *expected = &world->expected.result;
  if (world->expected.ambiguous) return NULL;
  if (seen->at_ns != expected->at_ns) return "it settled at another time";
  if (seen->at_ns == NEVER) return NULL;
  if (seen->status != expected->status) return "it settled with another status";
  if (seen->print != expected->print) return "it settled with another value or error";
  return same_starts(world) ? NULL : "other leaves were started, or at other times";
}

static weir_call *begin(struct world *world, struct builder *builder, const struct node *tree) {
  weir_operation *operation = build_tree(builder, tree);
  weir_call *call = NULL;
  if (operation != NULL) {
    weir_run(operation, NULL, on_settled, world, NULL, &call, NULL);
  }
  weir_operation_unref(operation);
  return call;
}

static const char *run_tree(struct world *world, const struct node *tree, int64_t cancel_ns) {
  const int64_t begin_ns = 1000 * MS;
  const char *wrong = NULL;
  struct builder builder = {world->runtime, make_leaf, world, NULL};
  weir_runtime_process(world->runtime, begin_ns);
  weir_call *call = begin(world, &builder, tree);
  if (call == NULL) {
    if (world->fail_one_in == 0) wrong = "it could not be made";
    if (wrong != NULL) printf("%s\n", weir_error_message(builder.error));
    weir_error_unref(builder.error);
    return wrong;
  }
  weir_error_unref(builder.error);
  play(world, call, cancel_ns, begin_ns + 20000 * MS);
  struct result seen = world->result;
  if (world->settled == 0) seen.at_ns = NEVER;
  if (world->fail_one_in == 0) wrong = judge(world, &seen);
  weir_call_cancel(call);
  process(world, weir_runtime_now(world->runtime));
  complete_all(world);
  if (world->settled != 1) wrong = "it did not settle exactly once";
  if (world->slots != 0) wrong = "an attempt's data was not freed exactly once";
  weir_call_unref(call);
  return wrong;
}

static bool open_runtime(struct world *world) {
  weir_allocator allocator = WEIR_ALLOCATOR_INIT;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  allocator.alloc = allocate;
  allocator.free = deallocate;
  allocator.context = world;
  options.driver = WEIR_DRIVER_MANUAL;
  options.allocator = &allocator;
  options.seed = 1;
  options.recorder_entries = 64;
  return weir_runtime_new(&options, &world->runtime, NULL) == WEIR_OK;
}

static bool episode(struct world *world, uint64_t seed, struct total *total) {
  static char decisions[16384];
  memset(world, 0, offsetof(struct world, expected));
  world->seed = world->random = seed;
  world->expected.seed = seed;
  world->attempt_count = 0;
  world->live_bytes = world->slots = world->failed = 0;
  world->settled = 0;
  struct node *tree = draw_tree(world->nodes, &world->random);
  int64_t cancel_ns = NEVER;
  if (draw(&world->random, 4) == 0) cancel_ns = 1000 * MS + draw(&world->random, 200000000) * 2;
  world->fail_one_in = draw(&world->random, 4) == 0 ? 20 + draw(&world->random, 100) : 0;
  expect_tree(&world->expected, tree, 1000 * MS, cancel_ns);
  const char *wrong = NULL;
  decisions[0] = '\0';
  if (open_runtime(world)) {
    wrong = run_tree(world, tree, cancel_ns);
    if (wrong != NULL) weir_recorder_dump(world->runtime, decisions, sizeof decisions, NULL);
    weir_runtime_unref(world->runtime);
  }
  if (wrong == NULL && world->live_bytes != 0) wrong = "memory is left";
  total->episodes++;
  total->starts += world->attempt_count;
  total->failed += world->failed;
  total->ambiguous += world->expected.ambiguous;
  total->judged += world->fail_one_in == 0 && !world->expected.ambiguous;
  total->hash = mix(total->hash, mix((uint64_t)world->result.at_ns, world->result.print));
  if (wrong == NULL) return true;
  printf("WRONG: %s\nreplay: compose --episode %llu\n", wrong, (unsigned long long)seed);
  show_tree(tree, 0);
  const struct result *expected = &world->expected.result;
  printf("expected: at %lld, status %d, print %llx, %u starts\n", (long long)expected->at_ns,
         expected->status, (unsigned long long)expected->print, world->expected.start_count);
  printf("seen:     at %lld, status %d, print %llx, %u starts (settled %u times)\n%s",
         (long long)world->result.at_ns, world->result.status,
         (unsigned long long)world->result.print, world->attempt_count, world->settled, decisions);
  return false;
}

int main(int argc, char **argv) {
  static struct world world;
  struct total total = {0};
  uint64_t episodes = 100000;
  uint64_t seed = 1;
  for (int i = 1; i < argc; i++) {
    int more = i + 1 < argc;
    if (strcmp(argv[i], "--episodes") == 0 && more) {
      episodes = strtoull(argv[++i], NULL, 10);
    } else if (strcmp(argv[i], "--seed") == 0 && more) {
      seed = strtoull(argv[++i], NULL, 10);
    } else if (strcmp(argv[i], "--episode") == 0 && more) {
      return episode(&world, strtoull(argv[++i], NULL, 10), &total) ? 0 : 1;
    } else {
      return fprintf(stderr, "usage: compose [--episodes N] [--seed S] [--episode S]\n"), 2;
    }
  }
  bool good = true;
  for (uint64_t i = 0; i < episodes && good; ++i) good = episode(&world, mix(seed, i), &total);
  printf(
      "%llu trees, %llu of them judged (%llu ambiguous), %llu leaves started, %llu allocations "
      "failed, hash %016llx\n",
      (unsigned long long)total.episodes, (unsigned long long)total.judged,
      (unsigned long long)total.ambiguous, (unsigned long long)total.starts,
      (unsigned long long)total.failed, (unsigned long long)total.hash);
  return good ? 0 : 1;
}
