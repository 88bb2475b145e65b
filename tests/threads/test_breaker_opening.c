/* SPDX-License-Identifier: MIT */
/* B06, B15: of failures that would each open the breaker, only the one that does has a say in when
 * it is open until, and what opened it. */

#include "breaker.h"

enum { ROUNDS = 500 };

struct duel {
  weir_breaker *breaker;
  uint64_t round; /* begun; each thread reports once in each */
  uint64_t ended[2];
  weir_permit permits[2];
  weir_status status[2];
};

struct duellist {
  struct duel *duel;
  size_t self;
};

/* Their clocks are far apart, so that what each of them would say can be told apart. */
static int64_t time_of(size_t self) { return self == 0 ? SECOND : 1000 * SECOND; }

static void *fight(void *data) {
  struct duellist *duellist = data;
  struct duel *duel = duellist->duel;
  size_t self = duellist->self;
  for (uint64_t round = 1; round <= ROUNDS; round++) {
    while (__atomic_load_n(&duel->round, __ATOMIC_ACQUIRE) < round) sched_yield();
    duel->status[self] = weir_breaker_report_at(duel->breaker, duel->permits[self],
                                                WEIR_CLASS_FAILURE, 0, time_of(self));
    __atomic_store_n(&duel->ended[self], round, __ATOMIC_RELEASE);
  }
  return NULL;
}

/* Keeps the breaker's mutex busy meanwhile, so that both are likely to wait for it. */
static void wait_for_both(struct duel *duel, uint64_t round) {
  for (size_t i = 0; i < 2; i++) {
    while (__atomic_load_n(&duel->ended[i], __ATOMIC_ACQUIRE) < round) {
      weir_breaker_stats stats = {.size = sizeof stats};
      weir_breaker_get_stats(duel->breaker, &stats);
    }
  }
}

static void B15_a_failure_that_comes_second_does_not_move_the_deadline(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 1;
  struct duel duel = {.breaker = make_breaker(fx, &options)};
  struct duellist duellists[2] = {{&duel, 0}, {&duel, 1}};
  pthread_t threads[2];
  for (size_t i = 0; i < 2; i++) pthread_create(&threads[i], NULL, fight, &duellists[i]);
  uint64_t two_winners = 0;
  uint64_t moved = 0;
  for (uint64_t round = 1; round <= ROUNDS; round++) {
    for (size_t i = 0; i < 2; i++) {
      weir_breaker_acquire_at(duel.breaker, &duel.permits[i], NULL, SECOND);
    }
    __atomic_store_n(&duel.round, round, __ATOMIC_RELEASE);
    wait_for_both(&duel, round);
    size_t winner = duel.status[0] == WEIR_OK ? 0 : 1;
    if (duel.status[1 - winner] != WEIR_ESTALE) two_winners++;
    int64_t until_ns = time_of(winner) + 60 * SECOND;
    if (weir_breaker_state_at(duel.breaker, until_ns - 1) != WEIR_BREAKER_OPEN ||
        weir_breaker_state_at(duel.breaker, until_ns) != WEIR_BREAKER_HALF_OPEN) {
      moved++;
    }
    weir_breaker_reset(duel.breaker);
  }
  for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  assert_int_equal(two_winners, 0);
  assert_int_equal(moved, 0);
  weir_breaker_unref(duel.breaker);
}

TEST_MAIN("breaker_opening", LONG_TEST(B15_a_failure_that_comes_second_does_not_move_the_deadline))
