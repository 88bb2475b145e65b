/* SPDX-License-Identifier: MIT */
/* B16 and its neighbours: a breaker's state taken along as bytes. */

#include "breaker.h"

struct snapshot {
  unsigned char bytes[WEIR_BREAKER_SNAPSHOT_SIZE];
  size_t size;
};

static struct snapshot snapshot_of(weir_breaker *breaker) {
  struct snapshot taken = {{0}, sizeof taken.bytes};
  assert_int_equal(weir_breaker_snapshot(breaker, taken.bytes, &taken.size), WEIR_OK);
  assert_in_range(taken.size, 1, WEIR_BREAKER_SNAPSHOT_SIZE);
  return taken;
}

static weir_status restore(weir_breaker *breaker, const struct snapshot *from, int64_t elapsed_ms) {
  return weir_breaker_restore(breaker, from->bytes, from->size, elapsed_ms);
}

static void B16_restored_as_open_it_waits_for_what_is_left(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.failure_threshold = 3;
  weir_breaker *old = make_breaker(fx, &options);
  calls_fail(old, 3);
  advance_ms(fx, 10000);
  struct snapshot taken = snapshot_of(old);

  struct changes *changes = fresh_changes();
  options.on_state_change = note_change;
  options.change_data = changes;
  weir_breaker *breaker = make_breaker(fx, &options);
  weir_permit permit = admitted(breaker);
  assert_int_equal(restore(breaker, &taken, 20000), WEIR_OK);
  assert_refused(breaker, WEIR_REJECTION_OPEN, 30000);
  assert_int_equal(stats_of(breaker).failures, 3);
  assert_int_equal(weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0), WEIR_ESTALE);
  run_until_idle(fx);
  assert_int_equal(changes->count, 1);
  assert_int_equal(changes->list[0].to, WEIR_BREAKER_OPEN);
  assert_int_equal(changes->list[0].reason, WEIR_BREAKER_BY_HAND);

  assert_int_equal(restore(breaker, &taken, 49999), WEIR_OK);
  assert_state(breaker, OPEN);
  assert_int_equal(restore(breaker, &taken, 50000), WEIR_OK); /* its time is just over */
  assert_state(breaker, HALF_OPEN);
  assert_int_equal(restore(breaker, &taken, INT64_MAX), WEIR_OK);
  assert_state(breaker, HALF_OPEN);
  calls_succeed(breaker, 2);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
  weir_breaker_unref(old);
}

static void B16_restored_as_open_it_says_what_opened_it(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.mode = WEIR_BREAKER_COUNT_WINDOW;
  options.min_calls = 4;
  options.slow_call_ms = 10;
  weir_breaker *old = make_breaker(fx, &options);
  calls_succeed(old, 1);
  calls_fail(old, 2);
  assert_int_equal(weir_breaker_report(old, admitted(old), WEIR_CLASS_SUCCESS, SECOND), WEIR_OK);
  assert_state(old, OPEN);
  struct snapshot taken = snapshot_of(old);
  struct changes *changes = fresh_changes();
  options.on_state_change = note_change;
  options.change_data = changes;
  weir_breaker *breaker = make_breaker(fx, &options);
  assert_int_equal(restore(breaker, &taken, 1000), WEIR_OK);
  weir_permit permit = 0;
  weir_rejection rejection = WEIR_REJECTION_INIT;
  assert_int_equal(weir_breaker_acquire(breaker, &permit, &rejection), WEIR_EOPEN);
  assert_int_equal(rejection.calls, 4);
  assert_int_equal(rejection.failures, 2);
  assert_int_equal(rejection.slow_calls, 1);
  /* with its time over it was never open here */
  weir_breaker_reset(breaker);
  run_until_idle(fx);
  changes->count = 0;
  assert_int_equal(restore(breaker, &taken, 60000), WEIR_OK);
  assert_state(breaker, HALF_OPEN);
  run_until_idle(fx);
  assert_int_equal(changes->count, 1);
  assert_int_equal(changes->list[0].from, WEIR_BREAKER_CLOSED);
  assert_int_equal(changes->list[0].to, WEIR_BREAKER_HALF_OPEN);
  weir_breaker_unref(breaker);
  weir_breaker_unref(old);
}

static void B16_restored_as_half_open_its_trials_start_from_none(struct fixture *fx) {
  weir_breaker *old = make_breaker(fx, NULL);
  calls_fail(old, 5);
  advance_ms(fx, 60000);
  calls_succeed(old, 1);
  admitted(old);
  admitted(old);
  struct snapshot taken = snapshot_of(old);
  weir_breaker *breaker = make_breaker(fx, NULL);
  assert_int_equal(restore(breaker, &taken, 0), WEIR_OK);
  assert_state(breaker, HALF_OPEN);
  assert_int_equal(stats_of(breaker).calls, 0);
  calls_succeed(breaker, 1);
  assert_state(breaker, HALF_OPEN);
  calls_succeed(breaker, 1);
  assert_state(breaker, CLOSED);
  assert_int_equal(restore(old, &taken, 0), WEIR_OK); /* into itself, trials out */
  admitted(old);
  admitted(old);
  admitted(old);
  assert_refused(old, WEIR_REJECTION_HALF_OPEN, 120000);
  weir_breaker_unref(breaker);
  weir_breaker_unref(old);
}

static void the_row_of_failures_and_the_reopenings_come_along(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.reset_timeout_ms = 1000;
  options.reset_multiplier = 2;
  weir_breaker *old = make_breaker(fx, &options);
  calls_fail(old, 4);
  struct snapshot taken = snapshot_of(old);
  weir_breaker *breaker = make_breaker(fx, &options);
  assert_int_equal(restore(breaker, &taken, 5), WEIR_OK);
  assert_state(breaker, CLOSED);
  calls_fail(breaker, 1);
  assert_state(breaker, OPEN);
  weir_breaker_unref(breaker);

  options.failure_threshold = 2; /* a shorter row than the snapshot's never opens by itself */
  breaker = make_breaker(fx, &options);
  assert_int_equal(restore(breaker, &taken, 5), WEIR_OK);
  assert_state(breaker, CLOSED);
  calls_fail(breaker, 1);
  assert_state(breaker, OPEN);

  advance_ms(fx, 1000);
  calls_fail(breaker, 1);
  assert_int_equal(stats_of(breaker).open_remaining_ns, 2000 * MS);
  taken = snapshot_of(breaker);
  assert_int_equal(restore(old, &taken, 2000), WEIR_OK);
  calls_fail(old, 1);
  assert_int_equal(stats_of(old).open_remaining_ns, 4000 * MS);
  weir_breaker_unref(breaker);
  weir_breaker_unref(old);
}

static void manual_states_come_along(struct fixture *fx) {
  weir_breaker *old = make_breaker(fx, NULL);
  assert_int_equal(weir_breaker_force(old, WEIR_BREAKER_METRICS_ONLY), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(old), WEIR_OK);
  assert_int_equal(weir_breaker_isolate(old), WEIR_OK);
  struct snapshot taken = snapshot_of(old);
  weir_breaker *breaker = make_breaker(fx, NULL);
  assert_int_equal(restore(breaker, &taken, 0), WEIR_OK);
  assert_state(breaker, FORCED_OPEN);
  assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  assert_state(breaker, FORCED_OPEN);
  assert_int_equal(weir_breaker_release(breaker), WEIR_OK);
  assert_state(breaker, METRICS_ONLY);
  weir_breaker_unref(breaker);
  weir_breaker_unref(old);
}

static void a_restored_window_is_empty(struct fixture *fx) {
  weir_breaker_options options = BREAKER_OPTIONS;
  options.mode = WEIR_BREAKER_COUNT_WINDOW;
  weir_breaker *breaker = make_breaker(fx, &options);
  struct snapshot taken = snapshot_of(breaker);
  calls_fail(breaker, 9);
  assert_int_equal(restore(breaker, &taken, 0), WEIR_OK);
  assert_int_equal(stats_of(breaker).calls, 0);
  calls_fail(breaker, 9);
  assert_state(breaker, CLOSED);
  weir_breaker_unref(breaker);
}

/* A listener misses no step: a breaker whose open time is over was half-open before it is restored.
 * */
static void a_restore_tells_first_what_time_had_changed(struct fixture *fx) {
  struct changes *changes = fresh_changes();
  weir_breaker_options options = BREAKER_OPTIONS;
  options.on_state_change = note_change;
  options.change_data = changes;
  weir_breaker *breaker = make_breaker(fx, &options);
  struct snapshot closed = snapshot_of(breaker);
  calls_fail(breaker, 5);
  run_until_idle(fx);
  assert_int_equal(changes->count, 1);
  advance_ms(fx, 60001);
  assert_int_equal(restore(breaker, &closed, 0), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(changes->count, 3);
  assert_int_equal(changes->list[1].from, WEIR_BREAKER_OPEN);
  assert_int_equal(changes->list[1].to, WEIR_BREAKER_HALF_OPEN);
  assert_int_equal(changes->list[1].reason, WEIR_BREAKER_BY_TIME);
  assert_int_equal(changes->list[2].from, WEIR_BREAKER_HALF_OPEN);
  assert_int_equal(changes->list[2].to, WEIR_BREAKER_CLOSED);
  assert_int_equal(changes->list[2].reason, WEIR_BREAKER_BY_HAND);
  weir_breaker_unref(breaker);
}

static void what_is_no_snapshot_is_refused_and_changes_nothing(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  struct snapshot taken = snapshot_of(breaker);
  calls_fail(breaker, 5);
  for (size_t i = 0; i < taken.size * 8; i++) { /* any bit flipped */
    struct snapshot bad = taken;
    bad.bytes[i / 8] ^= (unsigned char)(1u << i % 8);
    weir_status status = restore(breaker, &bad, 0);
    assert_int_equal(status, i / 8 == 4 && bad.bytes[4] > 1 ? WEIR_EABI : WEIR_EINVAL);
  }
  for (size_t size = 0; size <= sizeof taken.bytes; size++) {
    if (size == taken.size) continue;
    assert_int_equal(weir_breaker_restore(breaker, taken.bytes, size, 0), WEIR_EINVAL);
  }
  struct snapshot later = taken; /* whose size nobody can know yet */
  later.bytes[4]++;
  for (size_t size = 0; size <= sizeof later.bytes; size++) {
    weir_status wanted = size > 4 ? WEIR_EABI : WEIR_EINVAL;
    assert_int_equal(weir_breaker_restore(breaker, later.bytes, size, 0), wanted);
  }
  assert_int_equal(restore(breaker, &taken, -1), WEIR_EINVAL);
  assert_int_equal(weir_breaker_restore(breaker, NULL, taken.size, 0), WEIR_EINVAL);
  assert_int_equal(weir_breaker_restore(NULL, taken.bytes, taken.size, 0), WEIR_EINVAL);
  assert_state(breaker, OPEN);

  size_t size = taken.size - 1;
  assert_int_equal(weir_breaker_snapshot(breaker, taken.bytes, &size), WEIR_EINVAL);
  assert_int_equal(size, taken.size);
  size = 0;
  assert_int_equal(weir_breaker_snapshot(breaker, NULL, &size), WEIR_EINVAL);
  assert_int_equal(size, taken.size);
  assert_int_equal(weir_breaker_snapshot(breaker, taken.bytes, NULL), WEIR_EINVAL);
  assert_int_equal(weir_breaker_snapshot(NULL, taken.bytes, &size), WEIR_EINVAL);
  weir_breaker_unref(breaker);
}

/* Bytes with a right checksum and wrong contents, as a program could write that means no good. */
static void contents_that_could_not_be_are_refused(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  calls_fail(breaker, 5);
  static const struct {
    size_t offset;
    unsigned char byte;
  } spoils[] = {{4, 0}, {7, 1}, {5, 3},     {5, 255},   {6, 1},
                {6, 2}, {6, 6}, {23, 0x80}, {31, 0xBF}, {31, 0x7F}};
  for (size_t i = 0; i < COUNT_OF(spoils); i++) {
    struct snapshot bad = snapshot_of(breaker);
    bad.bytes[spoils[i].offset] = spoils[i].byte;
    uint32_t hash = 0x811c9dc5;
    for (size_t j = 0; j < 56; j++) hash = (hash ^ bad.bytes[j]) * 0x01000193;
    for (size_t j = 0; j < 4; j++) bad.bytes[56 + j] = (unsigned char)(hash >> 8 * j);
    assert_int_equal(restore(breaker, &bad, 0), WEIR_EINVAL);
    assert_state(breaker, OPEN);
  }
  weir_breaker_unref(breaker);
}

static void a_snapshot_fits_where_it_says_it_does(struct fixture *fx) {
  weir_breaker *breaker = make_breaker(fx, NULL);
  unsigned char bytes[WEIR_BREAKER_SNAPSHOT_SIZE + 1];
  size_t needed = 0;
  assert_int_equal(weir_breaker_snapshot(breaker, NULL, &needed), WEIR_EINVAL);
  assert_in_range(needed, 1, WEIR_BREAKER_SNAPSHOT_SIZE);
  memset(bytes, 0x55, sizeof bytes);
  size_t size = needed - 1;
  assert_int_equal(weir_breaker_snapshot(breaker, bytes, &size), WEIR_EINVAL);
  assert_int_equal(size, needed);
  assert_int_equal(bytes[0], 0x55);
  assert_int_equal(weir_breaker_snapshot(breaker, bytes, &size), WEIR_OK);
  assert_int_equal(size, needed);
  assert_int_equal(bytes[needed], 0x55);
  weir_breaker_unref(breaker);
}

TEST_MAIN("breaker_snapshot", TEST(a_snapshot_fits_where_it_says_it_does),
          TEST(B16_restored_as_open_it_waits_for_what_is_left),
          TEST(B16_restored_as_open_it_says_what_opened_it),
          TEST(B16_restored_as_half_open_its_trials_start_from_none),
          TEST(the_row_of_failures_and_the_reopenings_come_along), TEST(manual_states_come_along),
          TEST(a_restored_window_is_empty), TEST(a_restore_tells_first_what_time_had_changed),
          TEST(what_is_no_snapshot_is_refused_and_changes_nothing),
          TEST(contents_that_could_not_be_are_refused))
