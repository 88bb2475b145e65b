/* SPDX-License-Identifier: MIT */
/* Scopes and runs that several share: these see the values of the first that asked, but belong to
 * no scope. So does what a cache asks on their behalf. */

#include "scope_help.h"

/* `operation`, shared by all who run it at once. */
static weir_operation *share(struct fixture *fx, weir_operation *operation) {
  weir_flight *flight = NULL;
  weir_operation *shared = NULL;
  weir_status made = weir_flight_new(fx->runtime, NULL, &flight, NULL);
  if (made == WEIR_OK) made = weir_flight_operation(flight, operation, &shared, NULL);
  weir_flight_unref(flight);
  assert_int_equal(made, WEIR_OK);
  return shared;
}

/* `work` in a scope of its own, shared. */
static weir_operation *shared_in_a_scope(struct fixture *fx, struct script *work) {
  weir_operation *body = NULL;
  weir_status made = weir_scope_operation(work->operation, NULL, &body, NULL);
  assert_int_equal(made, WEIR_OK);
  weir_operation *shared = share(fx, body);
  weir_operation_unref(body);
  return shared;
}

static void note_number(struct script *script, const weir_attempt *attempt) {
  weir_scope_get_int64(attempt->scope, "number", script->user);
}

static void what_several_share_outlives_the_first_ones_scope(struct fixture *fx) {
  int64_t seen = 0;
  struct script *work = scripted(fx, "v7+20");
  work->on_start = note_number;
  work->user = &seen;
  weir_operation *shared = shared_in_a_scope(fx, work);
  weir_scope *scope = make_scope(fx, NULL);
  weir_status set = weir_scope_set_int64(scope, "number", 60);
  assert_int_equal(set, WEIR_OK);
  struct run *first = begin_in(fx, scope, shared);
  struct run *second = begin(fx, shared, NULL);
  weir_operation_unref(shared);
  run_until_idle(fx);
  assert_int_equal(work->started, 1);
  assert_int_equal(seen, 60);
  assert_int_equal(weir_scope_cancel(scope), WEIR_OK);
  weir_scope_unref(scope);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  assert_pending(second);
  advance_ms(fx, 20);
  assert_int_equal(settled(second)->value, 7);
}

static void a_scope_does_not_wait_for_what_others_share(struct fixture *fx) {
  struct script *work = scripted(fx, "v7+20");
  weir_operation *shared = shared_in_a_scope(fx, work);
  weir_scope *scope = make_scope(fx, NULL);
  weir_operation *join = NULL;
  weir_status made = weir_scope_join(scope, &join, NULL);
  assert_int_equal(made, WEIR_OK);
  struct run *first = begin_in(fx, scope, shared);
  struct run *second = begin(fx, shared, NULL);
  weir_operation_unref(shared);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(first->call), WEIR_OK);
  struct run *end = begin(fx, join, NULL);
  weir_operation_unref(join);
  run_until_idle(fx);
  assert_int_equal(settled(end)->channel, WEIR_CHANNEL_VALUE);
  weir_scope_unref(scope);
  assert_pending(second);
  advance_ms(fx, 20);
  assert_int_equal(settled(second)->value, 7);
}

struct told {
  weir_runtime *runtime;
  int freed;
  int in_scope;
  char subject[32];
};

static void keep_subject(void *data, int32_t level, const char *subject, const char *message) {
  struct told *told = data;
  (void)level, (void)message;
  snprintf(told->subject, sizeof(told->subject), "%s", subject);
}

static void free_and_log(void *data) {
  struct told *told = data;
  told->freed++;
  told->in_scope = weir_scope_current(told->runtime) != NULL;
  weir_log(told->runtime, WEIR_LOG_INFO, "input", "is freed");
}

/* The first one's scope has ended, and is gone when the shared run lets go of its input. */
static void what_is_freed_last_runs_in_no_scope(struct fixture *fx) {
  struct told told = {0};
  weir_runtime_options runtime_options = WEIR_RUNTIME_OPTIONS_INIT;
  runtime_options.log = keep_subject;
  runtime_options.log_data = &told;
  runtime_options.log_level = WEIR_LOG_INFO;
  remake_runtime(fx, &runtime_options);
  told.runtime = fx->runtime;
  weir_operation *shared = share(fx, scripted(fx, "v7+20")->operation);
  weir_scope *scope = make_scope(fx, NULL);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_status made = weir_value_new_pointer(fx->runtime, &told, free_and_log, &options.input);
  assert_int_equal(made, WEIR_OK);
  options.scope = scope;
  struct run *first = begin(fx, shared, &options);
  struct run *second = begin(fx, shared, NULL);
  weir_value_unref(options.input);
  weir_operation_unref(shared);
  run_until_idle(fx);
  assert_int_equal(weir_scope_cancel(scope), WEIR_OK);
  weir_scope_unref(scope);
  run_until_idle(fx);
  assert_int_equal(settled(first)->status, WEIR_ECANCELLED);
  weir_call_unref(first->call);
  first->call = NULL;
  assert_int_equal(told.freed, 0);
  advance_ms(fx, 20);
  assert_int_equal(settled(second)->value, 7);
  assert_int_equal(told.freed, 1);
  assert_int_equal(told.in_scope, 0);
  assert_string_equal(told.subject, "input");
}

/* ---- an expire function that goes by the run's scope ---- */

static int64_t lifetime_of_scope(void *data, const weir_expiry *expiry) {
  int64_t ttl_ms = WEIR_EXPIRE_KEEP;
  weir_scope_get_int64(weir_scope_current(*(weir_runtime **)data), "ttl_ms", &ttl_ms);
  return expiry->moment == WEIR_EXPIRE_READ ? WEIR_EXPIRE_KEEP : ttl_ms;
}

/* The get's, of which a load begins: what it stored has the scope's lifetime, what was put from
 * outside the cache's. */
static void expire_sees_the_scope_of_the_run(struct fixture *fx) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  options.expire = lifetime_of_scope;
  options.expire_data = &fx->runtime;
  weir_cache *cache = NULL;
  weir_operation *get = NULL;
  weir_status made = weir_cache_new(fx->runtime, &options, &cache, NULL);
  assert_int_equal(made, WEIR_OK);
  struct script *load = scripted(fx, "v7+20");
  made = weir_cache_operation(cache, load->operation, &get, NULL);
  assert_int_equal(made, WEIR_OK);
  weir_scope *scope = make_scope(fx, NULL);
  made = weir_scope_set_int64(scope, "ttl_ms", 50);
  assert_int_equal(made, WEIR_OK);
  assert_int_equal(weir_cache_put(cache, "put", 3, NULL), WEIR_OK);
  weir_run_options run_options = WEIR_RUN_OPTIONS_INIT;
  run_options.scope = scope;
  run_options.key = "got";
  run_options.key_size = 3;
  struct run *run = begin(fx, get, &run_options);
  advance_ms(fx, 20);
  assert_int_equal(settled(run)->value, 7);
  weir_value *value = NULL;
  advance_ms(fx, 49);
  assert_int_equal(weir_cache_lookup(cache, "got", 3, &value), WEIR_OK);
  weir_value_unref(value);
  advance_ms(fx, 1);
  assert_int_equal(weir_cache_lookup(cache, "got", 3, &value), WEIR_ENOTFOUND);
  assert_int_equal(weir_cache_lookup(cache, "put", 3, &value), WEIR_OK);
  weir_operation_unref(get);
  weir_cache_unref(cache);
  weir_scope_unref(scope);
}

TEST_MAIN("scope shared", TEST(what_several_share_outlives_the_first_ones_scope),
          TEST(a_scope_does_not_wait_for_what_others_share),
          TEST(what_is_freed_last_runs_in_no_scope), TEST(expire_sees_the_scope_of_the_run))
