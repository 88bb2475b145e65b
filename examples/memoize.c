/* SPDX-License-Identifier: MIT */
/*
 * A slow computation, done once for each input: how many primes there are below a number. It
 * blocks, so it is given to a thread of the pool. The key is the input's bytes, and calls that come
 * while their input is being computed wait for that.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <weir/weir.h>

/* ---- the computation ---- */

static uint32_t primes_below(uint32_t limit) {
  uint32_t count = limit > 2;
  for (uint32_t number = 3; number < limit; number += 2) {
    uint32_t divisor = 3;
    while (divisor * divisor <= number && number % divisor != 0) divisor += 2;
    count += divisor * divisor > number;
  }
  return count;
}

static weir_status count_primes(void *data, const weir_attempt *attempt, weir_value **value,
                                weir_error **error) {
  uint32_t limit;
  (void)error;
  atomic_fetch_add((atomic_int *)data, 1);
  memcpy(&limit, weir_value_data(attempt->input), sizeof limit);
  uint32_t count = primes_below(limit);
  return weir_value_new_bytes(attempt->runtime, &count, sizeof count, value);
}

/* ---- asking ---- */

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Starts a call; NULL if that is impossible. */
static weir_call *ask(weir_runtime *runtime, weir_memoize *primes, uint32_t limit) {
  weir_call *call = NULL;
  weir_value *input = NULL;
  if (weir_value_new_bytes(runtime, &limit, sizeof limit, &input) == WEIR_OK) {
    weir_memoize_call(primes, input, NULL, NULL, NULL, &call, NULL);
  }
  weir_value_unref(input);
  return call;
}

static uint32_t answer(weir_call *call) {
  uint32_t count = 0;
  if (call != NULL && weir_call_wait(call, WEIR_FOREVER) == WEIR_OK) {
    const weir_outcome *outcome = weir_call_outcome(call);
    if (outcome->status == WEIR_OK) memcpy(&count, weir_value_data(outcome->value), sizeof count);
  }
  weir_call_unref(call);
  return count;
}

static int ask_all(weir_runtime *runtime, weir_memoize *primes) {
  static const struct {
    uint32_t limit, count;
  } questions[] = {{1000000, 78498}, {2000000, 148933}, {1000000, 78498}, {2000000, 148933}};
  int wrong = 0;
  for (int i = 0; i < 4; i++) {
    double begun_ms = now_ms();
    weir_call *first = ask(runtime, primes, questions[i].limit);
    weir_call *second = ask(runtime, primes, questions[i].limit); /* shares it */
    uint32_t count = answer(first);
    wrong += count != questions[i].count || answer(second) != count;
    printf("%u primes below %u, twice: %8.3f ms\n", count, questions[i].limit, now_ms() - begun_ms);
  }
  return wrong;
}

int main(void) {
  atomic_int computed = 0;
  weir_error *error = NULL;
  weir_runtime *runtime = NULL;
  weir_operation *operation = NULL;
  weir_memoize *primes = NULL;
  weir_memoize_options options = WEIR_MEMOIZE_OPTIONS_INIT; /* 1000 inputs, for ever */
  options.name = "primes";

  if (weir_runtime_new(NULL, &runtime, &error) != WEIR_OK ||
      weir_operation_new_blocking(runtime, count_primes, &computed, NULL, &operation, &error) !=
          WEIR_OK ||
      weir_memoize_new(runtime, operation, &options, &primes, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  int wrong = ask_all(runtime, primes);
  printf("8 calls, computed %d times\n", atomic_load(&computed));

  weir_memoize_unref(primes);
  weir_operation_unref(operation);
  weir_runtime_close_wait(runtime, WEIR_FOREVER);
  weir_runtime_unref(runtime);
  return wrong == 0 && atomic_load(&computed) == 2 ? 0 : 1;
}
