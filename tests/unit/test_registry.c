/* SPDX-License-Identifier: MIT */
/* Policies by name. */

#include "support.h"

static weir_breaker *make_breaker(struct fixture *fx, const char *name) {
  weir_breaker *breaker = NULL;
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  options.failure_threshold = 2;
  options.name = name;
  assert_int_equal(weir_breaker_new(fx->runtime, &options, &breaker, NULL), WEIR_OK);
  return breaker;
}

/* Asserts that it is taken; gives the caller's reference back. */
static weir_breaker *registered(struct fixture *fx, const char *name) {
  weir_breaker *breaker = make_breaker(fx, name);
  assert_int_equal(weir_policy_register(weir_breaker_policy(breaker), NULL), WEIR_OK);
  weir_breaker_unref(breaker);
  return breaker;
}

static weir_policy *found(struct fixture *fx, const char *name) {
  weir_policy *policy = NULL;
  assert_int_equal(weir_policy_find(fx->runtime, name, &policy, NULL), WEIR_OK);
  assert_non_null(policy);
  return policy;
}

static void fail_once(weir_breaker *breaker) {
  weir_permit permit = 0;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, NULL), WEIR_OK);
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_OK);
}

/* ---- finding --------------------------------------------------------------------------------- */

static void two_modules_share_the_breaker_of_one_name(struct fixture *fx) {
  /* given one module that makes and registers it, and gives its own reference back */
  registered(fx, "api");
  /* when two others find it */
  weir_policy *first = found(fx, "api");
  weir_policy *second = found(fx, "api");
  /* then both judge by the same counts */
  fail_once(weir_policy_breaker(first));
  fail_once(weir_policy_breaker(second));
  assert_int_equal(weir_breaker_state(weir_policy_breaker(first)), WEIR_BREAKER_OPEN);
  struct run *refused = begin_under(fx, second, scripted(fx, "v1")->operation);
  run_until_idle(fx);
  assert_int_equal(settled(refused)->status, WEIR_EOPEN);
  assert_string_equal(settled(refused)->rejection.name, "api");
  weir_policy_unref(first);
  weir_policy_unref(second);
}

static void who_comes_second_finds_what_the_first_made(struct fixture *fx) {
  weir_breaker *first = registered(fx, "api");
  weir_breaker *second = make_breaker(fx, "api");
  weir_error *error = NULL;
  assert_int_equal(weir_policy_register(weir_breaker_policy(second), &error), WEIR_EEXISTS);
  assert_message(error, "registry.name 'api' is taken");
  weir_breaker_unref(second);
  weir_policy *policy = found(fx, "api");
  assert_ptr_equal(weir_policy_breaker(policy), first);
  weir_policy_unref(policy);
}

static void a_name_is_taken_across_kinds_and_by_the_policy_itself(struct fixture *fx) {
  weir_breaker *breaker = registered(fx, "api");
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_bulkhead_new(fx->runtime, 1, 0, "api", &limiter, NULL), WEIR_OK);
  weir_error *error = NULL;
  assert_int_equal(weir_policy_register(weir_limiter_policy(limiter), &error), WEIR_EEXISTS);
  assert_message(error, "registry.name 'api' is taken");
  assert_int_equal(weir_policy_register(weir_breaker_policy(breaker), NULL), WEIR_EEXISTS);
  weir_limiter_unref(limiter);
}

static void a_thousand_names_are_told_apart(struct fixture *fx) {
  enum { NAMES = 1000 };
  weir_breaker *breakers[NAMES];
  char name[32];
  for (int i = 0; i < NAMES; i++) {
    snprintf(name, sizeof name, "host-%d:443", i);
    breakers[i] = registered(fx, name);
  }
  for (int i = 0; i < NAMES; i += 2) {
    assert_int_equal(weir_policy_unregister(weir_breaker_policy(breakers[i])), WEIR_OK);
  }
  for (int i = 0; i < NAMES; i++) {
    snprintf(name, sizeof name, "host-%d:443", i);
    weir_policy *policy = NULL;
    weir_status status = weir_policy_find(fx->runtime, name, &policy, NULL);
    assert_int_equal(status, i % 2 == 0 ? WEIR_ENOTFOUND : WEIR_OK);
    assert_ptr_equal(policy, i % 2 == 0 ? NULL : weir_breaker_policy(breakers[i]));
    weir_policy_unref(policy);
  }
}

static void each_runtime_has_names_of_its_own(struct fixture *fx) {
  weir_runtime *other = NULL;
  assert_int_equal(weir_testing_runtime_new(1, &other), WEIR_OK);
  registered(fx, "api");
  weir_policy *policy = NULL;
  assert_int_equal(weir_policy_find(other, "api", &policy, NULL), WEIR_ENOTFOUND);
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_bulkhead_new(other, 1, 0, "api", &limiter, NULL), WEIR_OK);
  assert_int_equal(weir_policy_register(weir_limiter_policy(limiter), NULL), WEIR_OK);
  policy = found(fx, "api");
  assert_int_equal(weir_policy_kind(policy), WEIR_POLICY_BREAKER);
  weir_policy_unref(policy);
  weir_limiter_unref(limiter);
  weir_runtime_unref(other);
}

/* ---- lifetime -------------------------------------------------------------------------------- */

/* A retry whose classify function is never called, but freed with it. */
static uint32_t never_asked(void *data, const weir_outcome *outcome) {
  (void)data, (void)outcome;
  return WEIR_CLASS_NONE;
}

static weir_policy *register_freed(struct fixture *fx, const char *name, void *data,
                                   weir_free_fn free_data) {
  weir_retry *retry = NULL;
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.classify = never_asked;
  options.classify_data = data;
  options.classify_free_data = free_data;
  options.name = name;
  assert_int_equal(weir_retry_new(fx->runtime, &options, &retry, NULL), WEIR_OK);
  assert_int_equal(weir_policy_register(weir_retry_policy(retry), NULL), WEIR_OK);
  weir_retry_unref(retry);
  return weir_retry_policy(retry);
}

static void unregistering_frees_the_name_and_leaves_the_finders_theirs(struct fixture *fx) {
  static unsigned freed;
  freed = 0;
  weir_policy *policy = register_freed(fx, "api", &freed, count_free);
  weir_policy *kept = found(fx, "api");
  assert_int_equal(weir_policy_unregister(policy), WEIR_OK);
  assert_int_equal(freed, 0);
  assert_int_equal(weir_policy_unregister(policy), WEIR_ENOTFOUND);
  weir_policy *none = kept;
  weir_error *error = NULL;
  assert_int_equal(weir_policy_find(fx->runtime, "api", &none, &error), WEIR_ENOTFOUND);
  assert_message(error, "registry.name 'api' is not registered");
  assert_null(none);
  registered(fx, "api"); /* another may have it now */
  assert_int_equal(weir_policy_unregister(kept), WEIR_ENOTFOUND);
  struct run *run = begin_under(fx, kept, scripted(fx, "v7")->operation);
  run_until_idle(fx);
  assert_int_equal(settled(run)->value, 7);
  weir_policy_unref(kept);
  assert_int_equal(freed, 1);
}

static void the_registry_lets_go_when_the_runtime_has_closed(struct fixture *fx) {
  static unsigned freed;
  freed = 0;
  register_freed(fx, "one", &freed, count_free);
  weir_policy *two = register_freed(fx, "two", &freed, count_free);
  weir_policy_ref(two);
  struct script *work = scripted(fx, "hang");
  struct run *run = begin_under(fx, two, work->operation);
  run_until_idle(fx);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  assert_int_equal(freed, 0);
  run_until_idle(fx);
  assert_int_equal(settled(run)->status, WEIR_ECLOSED);
  assert_int_equal(freed, 1); /* the other has been referenced */
  assert_int_equal(weir_policy_unregister(two), WEIR_ENOTFOUND);
  weir_policy_unref(two);
  assert_int_equal(freed, 1); /* its run's attempt is still out */
  finish_all(work);
  run_until_idle(fx);
  assert_int_equal(freed, 2);
}

static void closed_runtimes_take_and_find_nothing(struct fixture *fx) {
  weir_breaker *late = make_breaker(fx, "late");
  registered(fx, "api");
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  for (int i = 0; i < 2; i++) { /* while it closes, and when it has */
    weir_policy *policy = weir_breaker_policy(late);
    weir_error *error = NULL;
    assert_int_equal(weir_policy_register(weir_breaker_policy(late), &error), WEIR_ECLOSED);
    assert_message(error, "registry: closed");
    assert_int_equal(weir_policy_find(fx->runtime, "api", &policy, NULL), WEIR_ECLOSED);
    assert_null(policy);
    run_until_idle(fx);
  }
  weir_breaker_unref(late);
}

/* Frees may use the registry: nothing is held around them. */
struct reentry {
  weir_runtime *runtime;
  weir_status status;
};

static void find_in_free(void *data) {
  struct reentry *reentry = data;
  weir_policy *policy = NULL;
  reentry->status = weir_policy_find(reentry->runtime, "api", &policy, NULL);
  weir_policy_unref(policy);
}

static void a_free_function_may_ask_the_registry(struct fixture *fx) {
  static struct reentry reentry;
  reentry = (struct reentry){fx->runtime, WEIR_EINVAL};
  weir_policy *policy = register_freed(fx, "freed", &reentry, find_in_free);
  registered(fx, "api");
  assert_int_equal(weir_policy_unregister(policy), WEIR_OK);
  assert_int_equal(reentry.status, WEIR_OK);
  register_freed(fx, "at-close", &reentry, find_in_free);
  assert_int_equal(weir_runtime_close(fx->runtime), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(reentry.status, WEIR_ECLOSED);
}

/* ---- views ----------------------------------------------------------------------------------- */

static void each_kind_is_found_as_its_own_type_alone(struct fixture *fx) {
  weir_breaker *breaker = registered(fx, "breaker");
  weir_limiter *limiter = NULL;
  assert_int_equal(weir_bulkhead_new(fx->runtime, 1, 0, "limiter", &limiter, NULL), WEIR_OK);
  weir_retry *retry = NULL;
  assert_int_equal(weir_retry_new(fx->runtime, NULL, &retry, NULL), WEIR_OK);
  weir_timeout *timeout = NULL;
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = 5;
  assert_int_equal(weir_timeout_new(fx->runtime, &options, &timeout, NULL), WEIR_OK);
  weir_policy *members[] = {weir_timeout_policy(timeout)};
  weir_pipeline *pipeline = NULL;
  assert_int_equal(weir_pipeline_new(fx->runtime, members, 1, NULL, &pipeline, NULL), WEIR_OK);
  weir_policy *policies[] = {weir_breaker_policy(breaker), weir_limiter_policy(limiter),
                             weir_retry_policy(retry), weir_timeout_policy(timeout),
                             weir_pipeline_policy(pipeline)};
  for (size_t i = 0; i < COUNT_OF(policies); i++) {
    weir_policy *policy = policies[i];
    assert_ptr_equal(weir_policy_breaker(policy), i == 0 ? breaker : NULL);
    assert_ptr_equal(weir_policy_limiter(policy), i == 1 ? limiter : NULL);
    assert_ptr_equal(weir_policy_retry(policy), i == 2 ? retry : NULL);
    assert_ptr_equal(weir_policy_timeout(policy), i == 3 ? timeout : NULL);
    assert_ptr_equal(weir_policy_pipeline(policy), i == 4 ? pipeline : NULL);
  }
  assert_null(weir_policy_breaker(NULL));
  assert_null(weir_policy_limiter(NULL));
  assert_null(weir_policy_retry(NULL));
  assert_null(weir_policy_timeout(NULL));
  assert_null(weir_policy_pipeline(NULL));
  weir_pipeline_unref(pipeline);
  weir_timeout_unref(timeout);
  weir_retry_unref(retry);
  weir_limiter_unref(limiter);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static const char long_name[] = "12345678901234567890123456789012345678901234567"; /* 47 */

static void C08_names_that_cannot_be_registered_are_named(struct fixture *fx) {
  static const struct {
    const char *name;
    const char *message;
  } wrong[] = {
      {NULL, "registry.name must not be empty"},
      {"", "registry.name must not be empty"},
      {"123456789012345678901234567890123456789012345678",
       "registry.name must be at most 47 characters (got '1234567890"},
      {"a b", "registry.name must be of letters, digits and _ . : / - (got 'a b')"},
      {"a\"b", "must be of letters"},
      {"a\nb", "must be of letters"},
      {"a{b}", "must be of letters"},
      {"a\\b", "must be of letters"},
      {"h\xc3\xa9", "must be of letters"},
      {"\x80", "must be of letters"},
      {" ", "must be of letters"},
  };
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    weir_breaker *breaker = make_breaker(fx, wrong[i].name);
    weir_error *error = NULL;
    assert_int_equal(weir_policy_register(weir_breaker_policy(breaker), &error), WEIR_EINVAL);
    assert_message(error, wrong[i].message);
    assert_int_equal(weir_policy_register(weir_breaker_policy(breaker), NULL), WEIR_EINVAL);
    weir_breaker_unref(breaker);
    if (wrong[i].name == NULL) continue;
    weir_policy *policy = (weir_policy *)fx;
    error = NULL;
    assert_int_equal(weir_policy_find(fx->runtime, wrong[i].name, &policy, &error), WEIR_EINVAL);
    assert_message(error, wrong[i].message);
    assert_null(policy);
  }
}

static void every_legal_character_and_length_is_taken(struct fixture *fx) {
  static const char *const names[] = {"a",
                                      "Z",
                                      "0",
                                      "_.:/-",
                                      "http://api.example.com:8080/v1-x_y",
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                                      "abcdefghijklmnopqrstuvwxyz0123456789",
                                      long_name};
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    registered(fx, names[i]);
    weir_policy *policy = found(fx, names[i]);
    assert_string_equal(weir_policy_name(policy), names[i]);
    weir_policy_unref(policy);
  }
}

static void C08_nulls_are_named(struct fixture *fx) {
  weir_policy *policy = (weir_policy *)fx;
  weir_error *error = NULL;
  assert_int_equal(weir_policy_register(NULL, &error), WEIR_EINVAL);
  assert_message(error, "registry.policy must not be NULL");
  error = NULL;
  assert_int_equal(weir_policy_find(NULL, "api", &policy, &error), WEIR_EINVAL);
  assert_message(error, "registry.runtime must not be NULL");
  assert_null(policy);
  error = NULL;
  assert_int_equal(weir_policy_find(fx->runtime, NULL, &policy, &error), WEIR_EINVAL);
  assert_message(error, "registry.name must not be NULL");
  error = NULL;
  assert_int_equal(weir_policy_find(fx->runtime, "api", NULL, &error), WEIR_EINVAL);
  assert_message(error, "registry.policy must not be NULL");
  assert_int_equal(weir_policy_register(NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_policy_find(NULL, NULL, NULL, NULL), WEIR_EINVAL);
  assert_int_equal(weir_policy_unregister(NULL), WEIR_EINVAL);
}

TEST_MAIN("registry", TEST(two_modules_share_the_breaker_of_one_name),
          TEST(who_comes_second_finds_what_the_first_made),
          TEST(a_name_is_taken_across_kinds_and_by_the_policy_itself),
          LONG_TEST(a_thousand_names_are_told_apart), TEST(each_runtime_has_names_of_its_own),
          TEST(unregistering_frees_the_name_and_leaves_the_finders_theirs),
          TEST(the_registry_lets_go_when_the_runtime_has_closed),
          TEST(closed_runtimes_take_and_find_nothing), TEST(a_free_function_may_ask_the_registry),
          TEST(each_kind_is_found_as_its_own_type_alone),
          TEST(C08_names_that_cannot_be_registered_are_named),
          TEST(every_legal_character_and_length_is_taken), TEST(C08_nulls_are_named))
