/* SPDX-License-Identifier: MIT */
#include "policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *arm_name(enum arm_kind kind) {
  static const char *const names[ARM_COUNT] = {"bare",     "timeout", "retry",  "breaker",
                                               "adaptive", "cached",  "hedged", "fallback"};
  return names[kind];
}

const char *arm_description(enum arm_kind kind) {
  static const char *const descriptions[ARM_COUNT] = {
      "no policy",
      "timeout",
      "retry → timeout",
      "budgeted retry → breaker → timeout",
      "adaptive limiter → budgeted retry → breaker → timeout",
      "cache, stale if loading fails → budgeted retry → breaker → timeout",
      "budgeted hedge → timeout",
      "fallback to a stale answer → budgeted retry → breaker → timeout"};
  return descriptions[kind];
}

int arm_is_protected(enum arm_kind kind) {
  return kind == ARM_BREAKER || kind == ARM_ADAPTIVE || kind == ARM_CACHED || kind == ARM_FALLBACK;
}

/* Options are constants here: a message is a mistake in this file. */
static void made(weir_status status, weir_error *error) {
  if (status != WEIR_OK) {
    fprintf(stderr, "outage: %s: %s\n", weir_status_name(status), weir_error_message(error));
    exit(2);
  }
}

static weir_policy *add_limiter(struct policies *policies, weir_runtime *runtime) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  weir_error *error = NULL;
  options.name = "upstream";
  options.max_concurrent = CONCURRENCY_START;
  options.max_queue = QUEUE_LENGTH;
  options.queue_timeout_ms = QUEUE_TIMEOUT_MS;
  options.adaptive = WEIR_ADAPTIVE_AIMD;
  options.adaptive_min = CONCURRENCY_MIN;
  options.adaptive_max = CONCURRENCY_MAX;
  options.adaptive_latency_ms = OVERLOAD_LATENCY_MS;
  made(weir_limiter_new(runtime, &options, &policies->limiter, &error), error);
  return weir_limiter_policy(policies->limiter);
}

/* One retry for every five calls (the default), so an outage is amplified by a fifth at most. */
static weir_budget *add_budget(struct policies *policies, weir_runtime *runtime) {
  weir_error *error = NULL;
  made(weir_budget_new(runtime, NULL, &policies->budget, &error), error);
  return policies->budget;
}

static weir_policy *add_retry(struct policies *policies, weir_runtime *runtime,
                              weir_budget *budget) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  weir_error *error = NULL;
  options.name = "upstream";
  options.max_attempts = MAX_ATTEMPTS;
  options.base_delay_ms = BASE_DELAY_MS;
  options.max_delay_ms = MAX_DELAY_MS;
  options.budget = budget;
  made(weir_retry_new(runtime, &options, &policies->retry, &error), error);
  return weir_retry_policy(policies->retry);
}

static weir_policy *add_breaker(struct policies *policies, weir_runtime *runtime,
                                weir_breaker_change_fn on_change, void *data) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  weir_error *error = NULL;
  options.name = "upstream";
  options.failure_threshold = FAILURE_THRESHOLD;
  options.reset_timeout_ms = RESET_TIMEOUT_MS;
  options.trial_timeout_ms = TRIAL_TIMEOUT_MS;
  options.on_state_change = on_change;
  options.change_data = data;
  made(weir_breaker_new(runtime, &options, &policies->breaker, &error), error);
  return weir_breaker_policy(policies->breaker);
}

static weir_policy *add_timeout(struct policies *policies, weir_runtime *runtime) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  weir_error *error = NULL;
  options.name = "upstream";
  options.timeout_ms = TIMEOUT_MS;
  made(weir_timeout_new(runtime, &options, &policies->timeout, &error), error);
  return weir_timeout_policy(policies->timeout);
}

static weir_budget *add_hedge_budget(struct policies *policies, weir_runtime *runtime) {
  weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
  weir_error *error = NULL;
  options.name = "upstream";
  options.ratio = HEDGE_RATIO;
  options.min_per_second = 0;
  made(weir_budget_new(runtime, &options, &policies->budget, &error), error);
  return policies->budget;
}

static weir_policy *add_hedge(struct policies *policies, weir_runtime *runtime,
                              weir_budget *budget) {
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  weir_error *error = NULL;
  options.name = "upstream";
  options.delay_ms = HEDGE_DELAY_MS;
  options.max_hedges = MAX_HEDGES;
  options.budget = budget;
  made(weir_hedge_new(runtime, &options, &policies->hedge, &error), error);
  return weir_hedge_policy(policies->hedge);
}

/* The last answer to this path, however old: `data` is the cache. */
static void answer_stale(void *data, weir_attempt *attempt) {
  weir_value *value = NULL;
  weir_status status = weir_cache_lookup(data, attempt->key, attempt->key_size, &value);
  if (status == WEIR_OK) {
    weir_complete(attempt->runtime, attempt->token, value);
  } else {
    weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_WEIR, status, "never answered");
  }
}

static weir_policy *add_fallback(struct policies *policies, weir_runtime *runtime) {
  weir_cache_options kept = WEIR_CACHE_OPTIONS_INIT;
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  weir_error *error = NULL;
  kept.name = "last answers";
  kept.ttl_ms = WEIR_FOREVER;
  made(weir_cache_new(runtime, &kept, &policies->cache, &error), error);
  made(weir_operation_new(runtime, answer_stale, policies->cache, NULL, &options.operation, &error),
       error);
  options.name = "stale";
  made(weir_fallback_new(runtime, &options, &policies->fallback, &error), error);
  weir_operation_unref(options.operation);
  return weir_fallback_policy(policies->fallback);
}

/* A cache is no policy: it answers for a key. What it has to load it loads under `policy`. */
static weir_operation *add_cache(struct policies *policies, weir_runtime *runtime,
                                 weir_policy *policy, weir_operation *fetch) {
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT;
  weir_error *error = NULL;
  weir_operation *loader = NULL;
  weir_operation *get = NULL;
  options.name = "upstream";
  options.ttl_ms = CACHE_TTL_MS;
  options.stale_if_error_ms = CACHE_STALE_MS;
  made(weir_cache_new(runtime, &options, &policies->cache, &error), error);
  made(weir_policy_wrap(policy, fetch, &loader, &error), error);
  made(weir_cache_operation(policies->cache, loader, &get, &error), error);
  weir_operation_unref(loader);
  return get;
}

/* Outermost first; returns how many. */
static size_t make_layers(struct policies *policies, enum arm_kind kind, weir_runtime *runtime,
                          weir_breaker_change_fn on_change, void *data, weir_policy **layers) {
  size_t count = 0;
  if (kind == ARM_ADAPTIVE) {
    layers[count++] = add_limiter(policies, runtime);
  }
  if (kind == ARM_HEDGED) {
    layers[count++] = add_hedge(policies, runtime, add_hedge_budget(policies, runtime));
  }
  if (kind == ARM_FALLBACK) {
    layers[count++] = add_fallback(policies, runtime);
  }
  if (kind == ARM_RETRY) {
    layers[count++] = add_retry(policies, runtime, NULL);
  }
  if (arm_is_protected(kind)) {
    layers[count++] = add_retry(policies, runtime, add_budget(policies, runtime));
    layers[count++] = add_breaker(policies, runtime, on_change, data);
  }
  layers[count++] = add_timeout(policies, runtime);
  return count;
}

void policies_init(struct policies *policies, enum arm_kind kind, weir_operation *fetch,
                   weir_runtime *runtime, weir_breaker_change_fn on_change, void *data) {
  weir_policy *layers[4];
  weir_error *error = NULL;
  memset(policies, 0, sizeof(*policies));
  if (kind == ARM_BARE) {
    policies->operation = weir_operation_ref(fetch);
    return;
  }
  size_t count = make_layers(policies, kind, runtime, on_change, data, layers);
  made(weir_pipeline_new(runtime, layers, count, arm_name(kind), &policies->pipeline, &error),
       error);
  weir_policy *outermost = weir_pipeline_policy(policies->pipeline);
  if (kind == ARM_CACHED) {
    policies->operation = add_cache(policies, runtime, outermost, fetch);
  } else {
    policies->operation = weir_operation_ref(fetch);
    policies->outermost = outermost;
  }
}

void policies_release(struct policies *policies) {
  weir_limiter_unref(policies->limiter);
  weir_budget_unref(policies->budget);
  weir_retry_unref(policies->retry);
  weir_breaker_unref(policies->breaker);
  weir_timeout_unref(policies->timeout);
  weir_hedge_unref(policies->hedge);
  weir_fallback_unref(policies->fallback);
  weir_pipeline_unref(policies->pipeline);
  weir_cache_unref(policies->cache);
  weir_operation_unref(policies->operation);
}
