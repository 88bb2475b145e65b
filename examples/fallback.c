/* SPDX-License-Identifier: MIT */
/*
 * Recommendations that are better old than missing: while their service fails, or its circuit
 * breaker is open, a fallback answers with what was there last. It sees why it was asked.
 */

#include <stdio.h>
#include <string.h>

#include <weir/weir.h>

struct shop {
  weir_runtime *runtime;
  weir_operation *fetch;
  weir_operation *last;
  weir_breaker *breaker;
  weir_fallback *fallback;
  weir_pipeline *pipeline;
  int service_is_down;
};

/* The service. */
static void fetch(void *data, weir_attempt *attempt) {
  const struct shop *shop = data;
  static const char fresh[] = "what is new";
  if (shop->service_is_down) {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_HTTP, 503, "unavailable");
  } else {
    weir_complete_bytes(attempt->runtime, attempt->token, fresh, sizeof fresh);
  }
}

/* What was there last; a real one would look into a cache. */
static void answer_last(void *data, weir_attempt *attempt) {
  static const char stale[] = "what was there last";
  char why[160];
  (void)data;
  weir_outcome_describe(attempt->failed, why, sizeof why);
  printf("  (%s)\n", why);
  weir_complete_bytes(attempt->runtime, attempt->token, stale, sizeof stale);
}

/* fallback -> breaker -> fetch */
static weir_status open_shop(struct shop *shop, weir_error **error) {
  weir_breaker_options breaker = WEIR_BREAKER_OPTIONS_INIT;
  weir_fallback_options fallback = WEIR_FALLBACK_OPTIONS_INIT;
  breaker.name = "recommendations";
  breaker.failure_threshold = 2;
  fallback.name = "last";
  weir_status status = weir_runtime_new(NULL, &shop->runtime, error);
  if (status != WEIR_OK) return status;
  status = weir_operation_new(shop->runtime, fetch, shop, NULL, &shop->fetch, error);
  if (status != WEIR_OK) return status;
  status = weir_operation_new(shop->runtime, answer_last, shop, NULL, &shop->last, error);
  if (status != WEIR_OK) return status;
  fallback.operation = shop->last;
  status = weir_breaker_new(shop->runtime, &breaker, &shop->breaker, error);
  if (status != WEIR_OK) return status;
  status = weir_fallback_new(shop->runtime, &fallback, &shop->fallback, error);
  if (status != WEIR_OK) return status;
  weir_policy *policies[] = {weir_fallback_policy(shop->fallback),
                             weir_breaker_policy(shop->breaker)};
  return weir_pipeline_new(shop->runtime, policies, 2, NULL, &shop->pipeline, error);
}

static void close_shop(struct shop *shop) {
  weir_pipeline_unref(shop->pipeline);
  weir_fallback_unref(shop->fallback);
  weir_breaker_unref(shop->breaker);
  weir_operation_unref(shop->last);
  weir_operation_unref(shop->fetch);
  weir_runtime_close_wait(shop->runtime, WEIR_FOREVER);
  weir_runtime_unref(shop->runtime);
}

/* 1 if it was answered. */
static int recommend(struct shop *shop) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  options.policy = weir_pipeline_policy(shop->pipeline);
  if (weir_run_wait(shop->fetch, &options, WEIR_FOREVER, &outcome, NULL) != WEIR_OK) return 0;
  int answered = outcome.status == WEIR_OK;
  if (answered) printf("%s\n", (const char *)weir_value_data(outcome.value));
  weir_outcome_release(&outcome);
  return answered;
}

int main(void) {
  struct shop shop;
  weir_error *error = NULL;
  int answered = 0;
  memset(&shop, 0, sizeof shop);
  if (open_shop(&shop, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  for (int i = 0; i < 4; i++) { /* the first is fresh; two fail, and the breaker opens */
    answered += recommend(&shop);
    shop.service_is_down = 1;
  }
  close_shop(&shop);
  return answered == 4 ? 0 : 1;
}
