/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_LIMITER_CROWD_H
#define WEIR_TESTS_LIMITER_CROWD_H

/* Threads that act on one limiter together. They record, and the body asserts. */

#include "limiter_help.h"

#if defined(__SANITIZE_THREAD__)
#define SLOW_BUILD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLOW_BUILD 1
#endif
#endif
#ifndef SLOW_BUILD
#define SLOW_BUILD 0
#endif

enum { CROWD = 8, ROUNDS = SLOW_BUILD ? 4000 : 40000 };

struct crowd {
  weir_limiter *limiter;
  void (*act)(struct crowd *crowd, size_t self);
  pthread_barrier_t gate;
  int64_t start_ns;
  uint64_t clock_ns; /* shared: the threads' time, see next_time() */
  int64_t granted[CROWD];
  uint64_t errors;
  int64_t held; /* by all threads now */
  int64_t most_held;
};

struct member {
  struct crowd *crowd;
  size_t self;
};

static void *join_crowd(void *data) {
  struct member *member = data;
  pthread_barrier_wait(&member->crowd->gate);
  member->crowd->act(member->crowd, member->self);
  return NULL;
}

static inline void together(struct crowd *crowd, void (*act)(struct crowd *crowd, size_t self)) {
  pthread_t threads[CROWD];
  struct member members[CROWD];
  crowd->act = act;
  pthread_barrier_init(&crowd->gate, NULL, CROWD);
  for (size_t i = 0; i < CROWD; ++i) {
    members[i] = (struct member){crowd, i};
    if (pthread_create(&threads[i], NULL, join_crowd, &members[i]) != 0) abort();
  }
  for (size_t i = 0; i < CROWD; ++i) pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&crowd->gate);
}

static inline int64_t granted_by_all(const struct crowd *crowd) {
  int64_t granted = 0;
  for (size_t i = 0; i < CROWD; ++i) granted += crowd->granted[i];
  return granted;
}

/* A time that all threads push on, and each uses a little later: so times cross. */
static inline int64_t next_time(struct crowd *crowd, uint64_t step_ns) {
  return crowd->start_ns + (int64_t)__atomic_add_fetch(&crowd->clock_ns, step_ns, __ATOMIC_RELAXED);
}

static inline void note_error(struct crowd *crowd) {
  __atomic_add_fetch(&crowd->errors, 1, __ATOMIC_RELAXED);
}

static inline void take_singles(struct crowd *crowd, size_t self) {
  for (int i = 0; i < ROUNDS; ++i) {
    int64_t at = next_time(crowd, 100);
    weir_status status = weir_limiter_try_acquire_at(crowd->limiter, 1, NULL, NULL, at);
    crowd->granted[self] += status == WEIR_OK;
    if (status != WEIR_OK && status != WEIR_ELIMITED) note_error(crowd);
  }
}

#endif
