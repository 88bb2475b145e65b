/* SPDX-License-Identifier: MIT */
/* One name, many threads that each find it or make it. Threads record, the body asserts. */

#include "support.h"

enum { SEEKERS = 8, ROUNDS = 200 };

struct seeker {
  weir_runtime *runtime;
  pthread_barrier_t *gate;
  size_t made;                /* breakers that were registered by this one */
  weir_policy *found[ROUNDS]; /* compared, not used */
  weir_status wrong;          /* the first status that must not be */
};

/* As the header shows it. */
static weir_status find_or_make(struct seeker *seeker, const char *name, weir_policy **policy) {
  weir_status status = weir_policy_find(seeker->runtime, name, policy, NULL);
  while (status == WEIR_ENOTFOUND) {
    weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
    weir_breaker *mine = NULL;
    options.name = name;
    status = weir_breaker_new(seeker->runtime, &options, &mine, NULL);
    if (status != WEIR_OK) return status;
    status = weir_policy_register(weir_breaker_policy(mine), NULL);
    seeker->made += status == WEIR_OK;
    weir_breaker_unref(mine);
    if (status != WEIR_OK && status != WEIR_EEXISTS) return status;
    status = weir_policy_find(seeker->runtime, name, policy, NULL);
  }
  return status;
}

static void *seek(void *data) {
  struct seeker *seeker = data;
  char name[32];
  for (int round = 0; round < ROUNDS; round++) {
    snprintf(name, sizeof name, "service-%d", round);
    pthread_barrier_wait(seeker->gate);
    weir_status status = find_or_make(seeker, name, &seeker->found[round]);
    if (status != WEIR_OK && seeker->wrong == WEIR_OK) seeker->wrong = status;
    weir_policy_unref(seeker->found[round]);
  }
  return NULL;
}

static void threads_that_all_find_or_make_agree_on_one(struct fixture *fx) {
  pthread_barrier_t gate;
  pthread_t threads[SEEKERS];
  static struct seeker seekers[SEEKERS];
  memset(seekers, 0, sizeof seekers);
  pthread_barrier_init(&gate, NULL, SEEKERS);
  for (size_t i = 0; i < SEEKERS; i++) {
    seekers[i].runtime = fx->runtime;
    seekers[i].gate = &gate;
    if (pthread_create(&threads[i], NULL, seek, &seekers[i]) != 0) abort();
  }
  for (size_t i = 0; i < SEEKERS; i++) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&gate);
  size_t made = 0;
  for (size_t i = 0; i < SEEKERS; i++) {
    assert_int_equal(seekers[i].wrong, WEIR_OK);
    made += seekers[i].made;
    for (int round = 0; round < ROUNDS; round++) {
      assert_ptr_equal(seekers[i].found[round], seekers[0].found[round]);
    }
  }
  assert_int_equal(made, ROUNDS);
}

/* ---- taking out while others find ------------------------------------------------------------ */

static void *come_and_go(void *data) {
  struct seeker *seeker = data;
  for (int round = 0; round < ROUNDS; round++) {
    weir_policy *policy = NULL;
    weir_status status = find_or_make(seeker, "api", &policy);
    if (status != WEIR_OK) {
      seeker->wrong = status;
      continue;
    }
    weir_breaker_reset(weir_policy_breaker(policy)); /* alive, whoever takes it out */
    weir_policy_unregister(policy);
    weir_policy_unref(policy);
  }
  return NULL;
}

static void what_was_found_stays_alive_whoever_takes_it_out(struct fixture *fx) {
  pthread_t threads[SEEKERS];
  static struct seeker seekers[SEEKERS];
  memset(seekers, 0, sizeof seekers);
  for (size_t i = 0; i < SEEKERS; i++) {
    seekers[i].runtime = fx->runtime;
    if (pthread_create(&threads[i], NULL, come_and_go, &seekers[i]) != 0) abort();
  }
  for (size_t i = 0; i < SEEKERS; i++) pthread_join(threads[i], NULL);
  for (size_t i = 0; i < SEEKERS; i++) assert_int_equal(seekers[i].wrong, WEIR_OK);
}

/* ---- closing meanwhile ----------------------------------------------------------------------- */

static void *register_until_closed(void *data) {
  struct seeker *seeker = data;
  weir_status status = WEIR_OK;
  char name[32];
  for (int i = 0; status == WEIR_OK; i++) {
    snprintf(name, sizeof name, "%p/%d", data, i);
    weir_policy *policy = NULL;
    status = find_or_make(seeker, name, &policy);
    weir_policy_unref(policy);
  }
  seeker->wrong = status;
  return NULL;
}

static void registering_against_the_close_loses_nothing(struct fixture *fx) {
  for (int round = 0; round < 20; round++) {
    weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
    options.driver = WEIR_DRIVER_THREAD;
    weir_runtime *runtime = NULL;
    assert_int_equal(weir_runtime_new(&options, &runtime, NULL), WEIR_OK);
    pthread_t threads[2];
    struct seeker seekers[2] = {{.runtime = runtime}, {.runtime = runtime}};
    for (size_t i = 0; i < 2; i++) {
      if (pthread_create(&threads[i], NULL, register_until_closed, &seekers[i]) != 0) abort();
    }
    for (int spin = 0; spin < round * 1000; spin++) weir_runtime_now(runtime);
    weir_status closed = weir_runtime_close_wait(runtime, 30000);
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    weir_runtime_unref(runtime);
    assert_int_equal(closed, WEIR_OK);
    for (size_t i = 0; i < 2; i++) assert_int_equal(seekers[i].wrong, WEIR_ECLOSED);
  }
  (void)fx;
}

TEST_MAIN("registry threads", LONG_TEST(threads_that_all_find_or_make_agree_on_one),
          LONG_TEST(what_was_found_stays_alive_whoever_takes_it_out),
          LONG_TEST(registering_against_the_close_loses_nothing))
