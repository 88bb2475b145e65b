/* SPDX-License-Identifier: MIT */
/* What the work that several runs wait for takes over from the first who asks: through a flight, a
 * cache, and a cache's get of many. */

#include "limiter_help.h"

enum { GROUPS = 3 };

/* Each is an operation that shares what it does; `input` is what it is given. */
struct group {
  weir_operation *operation;
  weir_value *input;
  void *owner;
  void (*unref_owner)(void *owner);
};

static void unref_flight(void *flight) { weir_flight_unref(flight); }
static void unref_cache(void *cache) { weir_cache_unref(cache); }

static weir_value *list_of(struct fixture *fx, const char *text) {
  weir_value *key = NULL;
  weir_value *list = NULL;
  weir_error *none = NULL;
  assert_int_equal(weir_value_new_bytes(fx->runtime, text, strlen(text), &key), WEIR_OK);
  weir_status status = weir_value_new_list(fx->runtime, &key, &none, 1, &list);
  weir_value_unref(key);
  assert_int_equal(status, WEIR_OK);
  return list;
}

static struct group make_group(struct fixture *fx, int which, weir_operation *work,
                               const char *key) {
  struct group group = {NULL, NULL, NULL, unref_cache};
  if (which == 0) {
    weir_flight *flight = NULL;
    assert_int_equal(weir_flight_new(fx->runtime, NULL, &flight, NULL), WEIR_OK);
    group = (struct group){NULL, NULL, flight, unref_flight};
    assert_int_equal(weir_flight_operation(flight, work, &group.operation, NULL), WEIR_OK);
    return group;
  }
  weir_cache *cache = NULL;
  assert_int_equal(weir_cache_new(fx->runtime, NULL, &cache, NULL), WEIR_OK);
  group.owner = cache;
  if (which == 1) {
    assert_int_equal(weir_cache_operation(cache, work, &group.operation, NULL), WEIR_OK);
  } else {
    assert_int_equal(weir_cache_operation_many(cache, work, &group.operation, NULL), WEIR_OK);
    group.input = list_of(fx, key);
  }
  return group;
}

static void drop_group(struct group *group) {
  weir_value_unref(group->input);
  weir_operation_unref(group->operation);
  group->unref_owner(group->owner);
}

/* A run of the group as `options` say, for `key`. */
static void ask(struct fixture *fx, const struct group *group, const char *key,
                weir_run_options options) {
  options.input = group->input;
  options.key = key;
  options.key_size = strlen(key);
  begin(fx, group->operation, &options);
  run_until_idle(fx);
}

static weir_operation *guard(struct script *work, weir_limiter *limiter) {
  weir_operation *guarded = NULL;
  assert_int_equal(weir_policy_wrap(weir_limiter_policy(limiter), work->operation, &guarded, NULL),
                   WEIR_OK);
  return guarded;
}

static void the_work_takes_the_permits_of_the_first(struct fixture *fx) {
  for (int which = 0; which < GROUPS; which++) {
    struct script *work = scripted(fx, "hang");
    weir_limiter *limiter = make_concurrent(fx, 10, 0);
    weir_operation *guarded = guard(work, limiter);
    struct group group = make_group(fx, which, guarded, "k");
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.permits = 3;
    ask(fx, &group, "k", options);
    options.permits = 5;
    ask(fx, &group, "k", options);
    assert_int_equal(work->started, 1);
    assert_int_equal(stats_of(limiter).concurrent, 3);
    drop_group(&group);
    weir_operation_unref(guarded);
    weir_limiter_unref(limiter);
  }
}

static void the_work_waits_with_the_priority_of_the_first(struct fixture *fx) {
  static const uint32_t priorities[] = {50, 3};
  for (int which = 0; which < GROUPS; which++) {
    struct script *work = scripted(fx, "hang");
    weir_limiter_options limits = WEIR_LIMITER_OPTIONS_INIT;
    limits.max_concurrent = 1;
    limits.queue_order = WEIR_LIMITER_PRIORITY;
    weir_limiter *limiter = make_limiter(fx, &limits);
    weir_operation *guarded = guard(work, limiter);
    begin(fx, guarded, NULL); /* the others wait for this */
    run_until_idle(fx);
    for (size_t i = 0; i < COUNT_OF(priorities); i++) {
      struct group group = make_group(fx, which, guarded, "k");
      weir_run_options options = WEIR_RUN_OPTIONS_INIT;
      options.priority = priorities[i];
      options.context = (void *)&priorities[i];
      ask(fx, &group, "k", options);
      options.priority = 0;
      ask(fx, &group, "k", options);
      drop_group(&group);
    }
    assert_int_equal(finish(work, 0, "n"), WEIR_OK);
    run_until_idle(fx);
    assert_int_equal(work->started, 2);
    assert_ptr_equal(work->attempts[1].context, &priorities[1]);
    weir_operation_unref(guarded);
    weir_limiter_unref(limiter);
  }
}

static void the_work_has_the_name_of_the_first(struct fixture *fx) {
  for (int which = 0; which < GROUPS; which++) {
    struct script *work = scripted(fx, "hang");
    struct group group = make_group(fx, which, work->operation, "k");
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.name = "first";
    ask(fx, &group, "k", options);
    options.name = "second";
    ask(fx, &group, "k", options);
    weir_audit_entry entries[4];
    size_t count = 0;
    assert_int_equal(weir_runtime_audit(fx->runtime, entries, sizeof *entries, 4, &count), WEIR_OK);
    assert_int_equal(count, 3);
    int of_first = 0;
    for (size_t i = 0; i < count; i++) of_first += strcmp(entries[i].name, "first") == 0;
    assert_int_equal(of_first, 2); /* its own run, and the work */
    finish_all(work);
    run_until_idle(fx);
    drop_group(&group);
  }
}

/* Their memory is the fixture's, which looks whether anybody wrote beyond it. */
static void the_work_has_room_for_key_and_name_of_any_length(struct fixture *fx) {
  char key[140];
  char name[140];
  memset(key, 'k', sizeof key);
  memset(name, 'n', sizeof name);
  struct script *work = scripted(fx, "n");
  for (int which = 0; which < GROUPS; which++) {
    struct group group = make_group(fx, which, work->operation, "k");
    for (size_t i = 0; i < sizeof key; i++) {
      weir_run_options options = WEIR_RUN_OPTIONS_INIT;
      key[i] = '\0';
      name[sizeof name - 1 - i] = '\0';
      options.name = i % 2 == 0 ? name : key;
      ask(fx, &group, key, options);
      weir_runtime_trim(fx->runtime);
      key[i] = 'k';
      name[sizeof name - 1 - i] = 'n';
    }
    drop_group(&group);
  }
}

TEST_MAIN("shared_requests", TEST(the_work_takes_the_permits_of_the_first),
          TEST(the_work_waits_with_the_priority_of_the_first),
          TEST(the_work_has_the_name_of_the_first),
          LONG_TEST(the_work_has_room_for_key_and_name_of_any_length))
