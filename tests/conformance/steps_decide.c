/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "table.h"

/* The decide doors of breaker, limiter, retry and budget, and what changes a policy. */

static struct thing *labelled(struct world *world, const char *label, enum thing_kind kind) {
  struct thing *thing = find_thing(world, label);
  return thing != NULL ? thing : new_thing(world, label, kind, "label");
}

static struct thing *kept(struct world *world, const cJSON *step, enum thing_kind kind) {
  return labelled(world, text_field(step, "permit", "no label"), kind);
}

static void check_rejection(struct world *world, const cJSON *step,
                            const weir_rejection *rejection) {
  const char *reason = text_field(step, "reason", NULL);
  const cJSON *after = cJSON_GetObjectItemCaseSensitive(step, "retry_after_ms");
  if (reason != NULL && strcmp(reason, word_of(reason_words, rejection->reason)) != 0) {
    problem(world, "the reason is %s, not %s", word_of(reason_words, rejection->reason), reason);
  }
  if (after != NULL && plain_number(after) != rejection->retry_after_ms) {
    problem(world, "retry after %lld ms, not %lld", (long long)rejection->retry_after_ms,
            (long long)plain_number(after));
  }
}

static void check_number(struct world *world, const cJSON *step, const char *name, int64_t number) {
  const cJSON *expected = cJSON_GetObjectItemCaseSensitive(step, name);
  if (expected != NULL && plain_number(expected) != number) {
    problem(world, "%s: %s is %lld, not %lld", text_field(step, "do", ""), name, (long long)number,
            (long long)plain_number(expected));
  }
}

static void step_acquire(struct world *world, const cJSON *step, void *breaker) {
  weir_rejection rejection = WEIR_REJECTION_INIT;
  weir_permit permit = 0;
  weir_status status = weir_breaker_acquire(breaker, &permit, &rejection);
  if (status == WEIR_OK) kept(world, step, THING_PERMIT)->number = permit;
  check_status(world, step, status);
  check_rejection(world, step, &rejection);
}

static void step_report(struct world *world, const cJSON *step, void *breaker) {
  uint32_t class_ = (uint32_t)number_of(world, class_words, text_field(step, "class", ""));
  check_status(world, step,
               weir_breaker_report(breaker, kept(world, step, THING_PERMIT)->number, class_,
                                   number_field(step, "elapsed_ms", 0) * MS));
}

static void step_state(struct world *world, const cJSON *step, void *breaker) {
  const char *state = word_of(state_words, weir_breaker_state(breaker));
  const char *expected = text_field(step, "expect", "");
  if (strcmp(state, expected) != 0) problem(world, "it is %s, not %s", state, expected);
}

static void step_isolate(struct world *world, const cJSON *step, void *breaker) {
  check_status(world, step, weir_breaker_isolate(breaker));
}

static void step_end_isolation(struct world *world, const cJSON *step, void *breaker) {
  check_status(world, step, weir_breaker_release(breaker));
}

static void step_reset(struct world *world, const cJSON *step, void *breaker) {
  check_status(world, step, weir_breaker_reset(breaker));
}

static void step_force(struct world *world, const cJSON *step, void *breaker) {
  uint32_t state = (uint32_t)number_of(world, state_words, text_field(step, "state", ""));
  check_status(world, step, weir_breaker_force(breaker, state));
}

static void step_snapshot(struct world *world, const cJSON *step, void *breaker) {
  struct thing *thing = labelled(world, text_field(step, "snapshot", ""), THING_SNAPSHOT);
  thing->size = sizeof(thing->bytes);
  check_status(world, step, weir_breaker_snapshot(breaker, thing->bytes, &thing->size));
}

static void step_restore(struct world *world, const cJSON *step, void *breaker) {
  const struct thing *thing = labelled(world, text_field(step, "snapshot", ""), THING_SNAPSHOT);
  check_status(world, step,
               weir_breaker_restore(breaker, thing->bytes, thing->size,
                                    number_field(step, "elapsed_ms", 0)));
}

static void step_try_acquire(struct world *world, const cJSON *step, void *limiter) {
  weir_rejection rejection = WEIR_REJECTION_INIT;
  weir_permit permit = 0;
  const char *key = text_field(step, "key", NULL);
  uint32_t permits = (uint32_t)number_field(step, "permits", 1);
  weir_status status = key == NULL ? weir_limiter_try_acquire(limiter, permits, &permit, &rejection)
                                   : weir_limiter_try_acquire_key(limiter, key, strlen(key),
                                                                  permits, &permit, &rejection);
  if (status == WEIR_OK) kept(world, step, THING_PERMIT)->number = permit;
  check_status(world, step, status);
  check_rejection(world, step, &rejection);
}

static void step_release(struct world *world, const cJSON *step, void *limiter) {
  const char *key = text_field(step, "key", NULL);
  weir_permit permit = kept(world, step, THING_PERMIT)->number;
  check_status(world, step,
               key == NULL ? weir_limiter_release(limiter, permit)
                           : weir_limiter_release_key(limiter, key, strlen(key), permit));
}

static void step_available(struct world *world, const cJSON *step, void *limiter) {
  check_number(world, step, "expect", weir_limiter_available(limiter));
}

static void step_drain(struct world *world, const cJSON *step, void *limiter) {
  int64_t drained = -1;
  weir_limiter_drain(limiter, &drained);
  check_number(world, step, "expect", drained);
}

static void step_refund(struct world *world, const cJSON *step, void *limiter) {
  check_status(world, step,
               weir_limiter_refund(limiter, (uint32_t)number_field(step, "permits", 1)));
}

static void step_reserve(struct world *world, const cJSON *step, void *limiter) {
  int64_t wait_ns = 0;
  weir_permit reservation = 0;
  uint32_t permits = (uint32_t)number_field(step, "permits", 1);
  check_status(world, step, weir_limiter_reserve(limiter, permits, &wait_ns, &reservation));
  kept(world, step, THING_PERMIT)->number = reservation;
  check_number(world, step, "wait_ms", (wait_ns + MS - 1) / MS);
}

static void step_cancel_reservation(struct world *world, const cJSON *step, void *limiter) {
  check_status(world, step,
               weir_limiter_cancel_reservation(limiter, (uint32_t)number_field(step, "permits", 1),
                                               kept(world, step, THING_PERMIT)->number));
}

static void step_pause(struct world *world, const cJSON *step, void *limiter) {
  check_status(world, step, weir_limiter_pause(limiter));
}

static void step_resume(struct world *world, const cJSON *step, void *limiter) {
  check_status(world, step, weir_limiter_resume(limiter));
}

static void step_deposit(struct world *world, const cJSON *step, void *budget) {
  check_status(world, step, weir_budget_deposit(budget));
}

static void step_withdraw(struct world *world, const cJSON *step, void *budget) {
  check_status(world, step, weir_budget_withdraw(budget));
}

static void step_give_back(struct world *world, const cJSON *step, void *budget) {
  check_status(world, step, weir_budget_refund(budget));
}

static void step_begin_retry(struct world *world, const cJSON *step, void *retry) {
  struct thing *thing = labelled(world, text_field(step, "state", ""), THING_RETRY_STATE);
  check_status(world, step, weir_retry_begin(retry, &thing->state));
}

static void step_next_retry(struct world *world, const cJSON *step, void *retry) {
  struct thing *thing = labelled(world, text_field(step, "state", ""), THING_RETRY_STATE);
  int64_t delay_ns = 0;
  uint32_t reason = 0;
  uint32_t class_ = (uint32_t)number_of(world, class_words, text_field(step, "class", "failure"));
  const char *expected = text_field(step, "stop_reason", NULL);
  check_status(world, step,
               weir_retry_next(retry, &thing->state, class_,
                               number_field(step, "asked_delay_ms", -1), &delay_ns, &reason));
  check_number(world, step, "delay_ms", delay_ns / MS);
  if (expected != NULL && strcmp(expected, word_of(stop_words, reason)) != 0) {
    problem(world, "the stop reason is %s, not %s", word_of(stop_words, reason), expected);
  }
}

static void step_enable(struct world *world, const cJSON *step, void *chaos) {
  check_status(world, step, weir_chaos_enable(chaos, (uint32_t)flag_field(step, "enabled", 1)));
}

static void step_set_options(struct world *world, const cJSON *step, void *handle) {
  (void)handle;
  check_status(world, step,
               set_options(world, need_thing(world, text_field(step, "policy", "")),
                           cJSON_GetObjectItemCaseSensitive(step, "options")));
}

static const struct {
  const char *verb;
  void (*step)(struct world *, const cJSON *, void *handle);
} decide_steps[] = {{"acquire", step_acquire},
                    {"report", step_report},
                    {"state", step_state},
                    {"isolate", step_isolate},
                    {"end_isolation", step_end_isolation},
                    {"reset", step_reset},
                    {"force", step_force},
                    {"snapshot", step_snapshot},
                    {"restore", step_restore},
                    {"try_acquire", step_try_acquire},
                    {"release", step_release},
                    {"available", step_available},
                    {"drain", step_drain},
                    {"refund", step_refund},
                    {"reserve", step_reserve},
                    {"cancel_reservation", step_cancel_reservation},
                    {"pause", step_pause},
                    {"resume", step_resume},
                    {"deposit", step_deposit},
                    {"withdraw", step_withdraw},
                    {"give_back", step_give_back},
                    {"begin_retry", step_begin_retry},
                    {"next_retry", step_next_retry},
                    {"enable", step_enable},
                    {"set_options", step_set_options}};

int do_decide_step(struct world *world, const cJSON *step, const char *verb) {
  for (size_t i = 0; i < COUNT_OF(decide_steps); i++) {
    if (strcmp(decide_steps[i].verb, verb) != 0) continue;
    decide_steps[i].step(world, step, need_handle(world, text_field(step, "policy", "")));
    return 1;
  }
  return 0;
}
