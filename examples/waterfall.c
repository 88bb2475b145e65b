/* SPDX-License-Identifier: MIT */
/*
 * The price for a user: user -> orders -> total -> discount, each step fed by the last. The first
 * run goes through; in the second there are no orders, and the outcome names the step.
 */

#include <stdio.h>
#include <string.h>

#include <weir/weir.h>

static int64_t number_in(const weir_value *value) {
  int64_t number = 0;
  if (weir_value_size(value) == sizeof number) {
    memcpy(&number, weir_value_data(value), sizeof number);
  }
  return number;
}

static void answer(const weir_attempt *attempt, int64_t number) {
  weir_complete_bytes(attempt->runtime, attempt->token, &number, sizeof number);
}

/* Steps: real ones would ask a service and answer later, with the token. */

static void orders_of_user(void *data, weir_attempt *attempt) {
  (void)data;
  int64_t user = number_in(attempt->input);
  if (user == 13) {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_HTTP, 404, "user 13 has no orders");
  } else {
    answer(attempt, 3);
  }
}

static void total_of_orders(void *data, weir_attempt *attempt) {
  (void)data;
  answer(attempt, 50 * number_in(attempt->input));
}

static void less_discount(void *data, weir_attempt *attempt) {
  (void)data;
  int64_t total = number_in(attempt->input);
  answer(attempt, total >= 100 ? total - total / 10 : total);
}

static weir_operation *make_price(weir_runtime *runtime) {
  static const weir_start_fn functions[] = {orders_of_user, total_of_orders, less_discount};
  weir_operation *steps[3] = {NULL, NULL, NULL};
  weir_operation *price = NULL;
  for (size_t i = 0; i < 3; i++) {
    weir_operation_new(runtime, functions[i], NULL, NULL, &steps[i], NULL);
  }
  weir_error *error = NULL;
  if (weir_waterfall_new(runtime, steps, 3, "price", &price, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    weir_error_unref(error);
  }
  for (size_t i = 0; i < 3; i++) weir_operation_unref(steps[i]);
  return price;
}

/* The price for `user`; -1 if there is none. */
static int64_t price_for(weir_runtime *runtime, weir_operation *price, int64_t user) {
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  int64_t result = -1;
  weir_value_new_bytes(runtime, &user, sizeof user, &options.input);
  if (weir_run_wait(price, &options, WEIR_FOREVER, &outcome, NULL) == WEIR_OK) {
    if (outcome.status == WEIR_OK) {
      result = number_in(outcome.value);
      printf("user %d pays %d\n", (int)user, (int)result);
    } else {
      printf("user %d: %s\n", (int)user, weir_error_message(outcome.error));
    }
    weir_outcome_release(&outcome);
  }
  weir_value_unref(options.input);
  return result;
}

int main(void) {
  weir_runtime *runtime = NULL;
  if (weir_runtime_new(NULL, &runtime, NULL) != WEIR_OK) return 1;
  weir_operation *price = make_price(runtime);
  int as_expected = price_for(runtime, price, 7) == 135;
  as_expected &= price_for(runtime, price, 13) == -1;
  weir_operation_unref(price);
  weir_runtime_close_wait(runtime, WEIR_FOREVER);
  weir_runtime_unref(runtime);
  return as_expected ? 0 : 1;
}
