/* SPDX-License-Identifier: MIT */
#ifndef WEIR_RACE_H
#define WEIR_RACE_H

/*
 * A race starts several operations at once, each with the run's input. The
 * first success is its outcome; the others are told to stop (WEIR_CANCEL_LOST)
 * and not waited for, their late results are freed. What counts as a success:
 * what its completer classed as one, otherwise every value.
 *
 *   weir_operation *racers[] = {eu, us, five_seconds};
 *   static const uint8_t decisive[] = {0, 0, 1};
 *   weir_race_options options = WEIR_RACE_OPTIONS_INIT;
 *   options.decisive = decisive;
 *   weir_race_new(runtime, racers, 3, &options, &fetch, &error);
 *
 * When all have failed the outcome is an error with status WEIR_EAGGREGATE that
 * lists each racer's with its index, in their order (weir_error_at). A refusal
 * counts as a failure of that racer. Racers begin in their order; one that has
 * not begun when another decides does not begin. Around the race anything may
 * stand: a timeout, a retry (which races again), another race.
 */

#include <weir/operation.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_race_options {
  uint32_t size; /* sizeof(weir_race_options) */
  /* 1: the first settlement of any kind is the outcome; default 0. */
  uint32_t first_settled;
  /* Nullable: for each operation 1 if it is decisive, else 0; copied. A
   * decisive racer ends the race however it settles: a sleep that fails is a
   * timeout, one with a value a fallback. It is not waited for: when all others
   * have failed, the race fails with their errors. */
  const uint8_t *decisive;
  const char *name; /* copied; nullable */
} weir_race_options;

#define WEIR_RACE_OPTIONS_INIT \
  { sizeof(weir_race_options), 0, NULL, NULL }

/* Writes the defaults; `size` is the caller's sizeof(weir_race_options). */
WEIR_API void weir_race_options_init(weir_race_options *options, size_t size);

/* Makes an operation that races `count` (at least 1) `operations`; it takes a
 * reference of each. `options` NULL: defaults. The caller owns one reference.
 * Errors: WEIR_EINVAL (one that is NULL, of another runtime, or nests others
 * 64 levels deep; a flag that is neither 0 nor 1; decisive beside
 * first_settled), WEIR_EABI, WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_race_new(weir_runtime *runtime,
                                   weir_operation *const *operations,
                                   size_t count,
                                   const weir_race_options *options,
                                   weir_operation **out, weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
