/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* Policies from their definitions: for each type its fields, how it is made, and how its options
 * are set live. `type`, and what refers to another thing, is handled by hand. */

#define FIELD(struct_, kind, name) \
  { #name, kind, offsetof(struct_, name), NULL }
#define WORD(struct_, name, words) \
  { #name, OPTION_WORD, offsetof(struct_, name), words }
#define FAILURES(struct_) \
  { "failures", OPTION_FAILURES, offsetof(struct_, failures), NULL }

static const struct option retry_fields[] = {
    WORD(weir_retry_options, backoff, backoff_words),
    FIELD(weir_retry_options, OPTION_I64, max_attempts),
    FIELD(weir_retry_options, OPTION_I64, base_delay_ms),
    FIELD(weir_retry_options, OPTION_I64, max_delay_ms),
    FIELD(weir_retry_options, OPTION_I64, min_delay_ms),
    FIELD(weir_retry_options, OPTION_F64, multiplier),
    FIELD(weir_retry_options, OPTION_F64, jitter_factor),
    WORD(weir_retry_options, jitter, jitter_words),
    FIELD(weir_retry_options, OPTION_U32, retry_refusals),
    FIELD(weir_retry_options, OPTION_I64, max_elapsed_ms),
    FIELD(weir_retry_options, OPTION_I64, attempt_timeout_ms),
    FAILURES(weir_retry_options),
    FIELD(weir_retry_options, OPTION_TEXT, name)};
static const struct option budget_fields[] = {
    FIELD(weir_budget_options, OPTION_F64, ratio),
    FIELD(weir_budget_options, OPTION_F64, min_per_second),
    FIELD(weir_budget_options, OPTION_I64, window_ms),
    FIELD(weir_budget_options, OPTION_TEXT, name)};
static const struct option breaker_fields[] = {
    WORD(weir_breaker_options, mode, breaker_mode_words),
    FIELD(weir_breaker_options, OPTION_U32, failure_threshold),
    FIELD(weir_breaker_options, OPTION_U32, window_size),
    FIELD(weir_breaker_options, OPTION_I64, window_ms),
    FIELD(weir_breaker_options, OPTION_F64, failure_rate),
    FIELD(weir_breaker_options, OPTION_U32, min_calls),
    FIELD(weir_breaker_options, OPTION_U32, half_open_max_calls),
    FIELD(weir_breaker_options, OPTION_U32, half_open_success_threshold),
    FIELD(weir_breaker_options, OPTION_U32, half_open_failures),
    FIELD(weir_breaker_options, OPTION_I64, slow_call_ms),
    FIELD(weir_breaker_options, OPTION_F64, slow_call_rate),
    FIELD(weir_breaker_options, OPTION_I64, reset_timeout_ms),
    FIELD(weir_breaker_options, OPTION_F64, reset_multiplier),
    FIELD(weir_breaker_options, OPTION_I64, max_reset_timeout_ms),
    FIELD(weir_breaker_options, OPTION_I64, trial_timeout_ms),
    FIELD(weir_breaker_options, OPTION_I64, ramp_up_ms),
    FAILURES(weir_breaker_options),
    FIELD(weir_breaker_options, OPTION_TEXT, name)};
static const struct option limiter_fields[] = {
    WORD(weir_limiter_options, algorithm, algorithm_words),
    FIELD(weir_limiter_options, OPTION_I64, permits),
    FIELD(weir_limiter_options, OPTION_I64, interval_ms),
    FIELD(weir_limiter_options, OPTION_I64, burst),
    FIELD(weir_limiter_options, OPTION_I64, max_concurrent),
    FIELD(weir_limiter_options, OPTION_I64, max_queue),
    FIELD(weir_limiter_options, OPTION_I64, queue_timeout_ms),
    WORD(weir_limiter_options, queue_order, queue_order_words),
    WORD(weir_limiter_options, key_overflow, overflow_words),
    FIELD(weir_limiter_options, OPTION_I64, max_keys),
    WORD(weir_limiter_options, adaptive, adaptive_words),
    FIELD(weir_limiter_options, OPTION_U32, early_release),
    FIELD(weir_limiter_options, OPTION_I64, adaptive_min),
    FIELD(weir_limiter_options, OPTION_I64, adaptive_max),
    FIELD(weir_limiter_options, OPTION_I64, adaptive_latency_ms),
    FIELD(weir_limiter_options, OPTION_F64, adaptive_backoff),
    FIELD(weir_limiter_options, OPTION_TEXT, name)};
static const struct option timeout_fields[] = {FIELD(weir_timeout_options, OPTION_I64, timeout_ms),
                                               FIELD(weir_timeout_options, OPTION_TEXT, message),
                                               FIELD(weir_timeout_options, OPTION_TEXT, name)};
static const struct option hedge_fields[] = {FIELD(weir_hedge_options, OPTION_U32, max_hedges),
                                             FIELD(weir_hedge_options, OPTION_I64, delay_ms),
                                             FAILURES(weir_hedge_options),
                                             FIELD(weir_hedge_options, OPTION_TEXT, name)};
static const struct option fallback_fields[] = {FAILURES(weir_fallback_options),
                                                FIELD(weir_fallback_options, OPTION_TEXT, name)};
static const struct option chaos_fields[] = {FIELD(weir_chaos_options, OPTION_U32, enabled),
                                             FIELD(weir_chaos_options, OPTION_U64, seed),
                                             FIELD(weir_chaos_options, OPTION_F64, failure_rate),
                                             FIELD(weir_chaos_options, OPTION_F64, outcome_rate),
                                             FIELD(weir_chaos_options, OPTION_F64, hang_rate),
                                             FIELD(weir_chaos_options, OPTION_F64, latency_rate),
                                             FIELD(weir_chaos_options, OPTION_I64, latency_min_ms),
                                             FIELD(weir_chaos_options, OPTION_I64, latency_max_ms),
                                             FIELD(weir_chaos_options, OPTION_TEXT, name)};

/* Fills an options struct from its definition, with the thing's name where it may have one. */
#define FILL(fields)          \
  weir_error_range ranges[8]; \
  fill_options(world, def, fields, COUNT_OF(fields), &options, ranges)
#define SET_OR_MAKE(kind)                                                                      \
  options.name = thing->handle != NULL ? NULL : thing->name;                                   \
  if (thing->handle != NULL) return weir_##kind##_set_options(thing->handle, &options, error); \
  weir_##kind *made = NULL;                                                                    \
  weir_status status = weir_##kind##_new(world->runtime, &options, &made, error);              \
  thing->handle = made

static weir_status apply_retry(struct world *world, struct thing *thing, const cJSON *def,
                               weir_error **error) {
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  FILL(retry_fields);
  const char *budget = text_field(def, "budget", NULL);
  if (budget != NULL) options.budget = need_handle(world, budget);
  SET_OR_MAKE(retry);
  if (made != NULL) thing->policy = weir_retry_policy(made);
  return status;
}

static weir_status apply_budget(struct world *world, struct thing *thing, const cJSON *def,
                                weir_error **error) {
  weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
  FILL(budget_fields);
  thing->kind = THING_BUDGET;
  SET_OR_MAKE(budget);
  return status;
}

static weir_status apply_breaker(struct world *world, struct thing *thing, const cJSON *def,
                                 weir_error **error) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  FILL(breaker_fields);
  SET_OR_MAKE(breaker);
  if (made != NULL) thing->policy = weir_breaker_policy(made);
  return status;
}

static weir_status add_limits(struct world *world, weir_limiter *limiter, const cJSON *def,
                              weir_error **error) {
  const cJSON *limit;
  cJSON_ArrayForEach(limit, cJSON_GetObjectItemCaseSensitive(def, "limits")) {
    const char *algorithm = text_field(limit, "algorithm", "token_bucket");
    weir_status status = weir_limiter_add_limit(
        limiter, (uint32_t)number_of(world, algorithm_words, algorithm),
        number_field(limit, "permits", 0), number_field(limit, "interval_ms", 0),
        number_field(limit, "burst", WEIR_OFF), error);
    if (status != WEIR_OK) return status;
  }
  return WEIR_OK;
}

static weir_status apply_limiter(struct world *world, struct thing *thing, const cJSON *def,
                                 weir_error **error) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  FILL(limiter_fields);
  SET_OR_MAKE(limiter);
  if (status != WEIR_OK) return status;
  thing->policy = weir_limiter_policy(made);
  return add_limits(world, made, def, error);
}

static weir_status apply_bulkhead(struct world *world, struct thing *thing, const cJSON *def,
                                  weir_error **error) {
  weir_limiter *made = NULL;
  weir_status status =
      weir_bulkhead_new(world->runtime, number_field(def, "max_concurrent", 0),
                        number_field(def, "queue_limit", 0), thing->name, &made, error);
  thing->handle = made;
  if (made != NULL) thing->policy = weir_limiter_policy(made);
  return status;
}

static weir_status apply_timeout(struct world *world, struct thing *thing, const cJSON *def,
                                 weir_error **error) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  FILL(timeout_fields);
  SET_OR_MAKE(timeout);
  if (made != NULL) thing->policy = weir_timeout_policy(made);
  return status;
}

static weir_status apply_hedge(struct world *world, struct thing *thing, const cJSON *def,
                               weir_error **error) {
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  FILL(hedge_fields);
  const char *budget = text_field(def, "budget", NULL);
  if (budget != NULL) options.budget = need_handle(world, budget);
  SET_OR_MAKE(hedge);
  if (made != NULL) thing->policy = weir_hedge_policy(made);
  return status;
}

static weir_status make_fallback(struct world *world, struct thing *thing, const cJSON *def,
                                 weir_fallback_options *given, weir_error **error) {
  weir_fallback_options options = *given;
  FILL(fallback_fields);
  SET_OR_MAKE(fallback);
  if (made != NULL) thing->policy = weir_fallback_policy(made);
  return status;
}

static weir_status apply_fallback(struct world *world, struct thing *thing, const cJSON *def,
                                  weir_error **error) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(def, "value");
  const char *operation = text_field(def, "operation", NULL);
  options.has_value = value != NULL;
  options.value = value_from(world, value);
  if (operation != NULL) options.operation = need_operation(world, operation);
  weir_status status = make_fallback(world, thing, def, &options, error);
  weir_value_unref(options.value);
  return status;
}

static void fill_phases(struct world *world, const cJSON *list, weir_chaos_phase *phases,
                        weir_chaos_options *options) {
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    if (options->phases_count == 8) break;
    weir_chaos_phase *phase = &phases[options->phases_count++];
    memset(phase, 0, sizeof(*phase));
    phase->from_ms = number_field(item, "from_ms", 0);
    phase->until_ms = number_field(item, "until_ms", 0);
    phase->what = (uint32_t)number_of(world, chaos_words, text_field(item, "what", ""));
    phase->rate = cJSON_GetObjectItemCaseSensitive(item, "rate")->valuedouble;
  }
  options->phases = phases;
}

static weir_status make_chaos(struct world *world, struct thing *thing, const cJSON *def,
                              weir_chaos_options *given, weir_error **error) {
  weir_chaos_options options = *given;
  weir_chaos_phase phases[8];
  FILL(chaos_fields);
  fill_phases(world, cJSON_GetObjectItemCaseSensitive(def, "phases"), phases, &options);
  SET_OR_MAKE(chaos);
  if (made != NULL) thing->policy = weir_chaos_policy(made);
  return status;
}

static weir_status apply_chaos(struct world *world, struct thing *thing, const cJSON *def,
                               weir_error **error) {
  weir_chaos_options options = WEIR_CHAOS_OPTIONS_INIT;
  const cJSON *failure = cJSON_GetObjectItemCaseSensitive(def, "failure");
  if (failure != NULL) options.failure = error_from(world, failure);
  options.value = value_from(world, cJSON_GetObjectItemCaseSensitive(def, "value"));
  weir_status status = make_chaos(world, thing, def, &options, error);
  weir_error_unref(options.failure);
  weir_value_unref(options.value);
  return status;
}

static weir_status apply_pipeline(struct world *world, struct thing *thing, const cJSON *def,
                                  weir_error **error) {
  weir_policy *policies[WEIR_PIPELINE_MAX] = {NULL};
  size_t count = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(def, "policies")) {
    if (count < COUNT_OF(policies)) policies[count++] = need_policy(world, item->valuestring);
  }
  weir_pipeline *made = NULL;
  weir_status status =
      weir_pipeline_new(world->runtime, policies, count, thing->name, &made, error);
  thing->handle = made;
  if (made != NULL) thing->policy = weir_pipeline_policy(made);
  return status;
}

static const struct {
  const char *type;
  weir_status (*apply)(struct world *, struct thing *, const cJSON *, weir_error **);
} appliers[] = {{"retry", apply_retry},       {"budget", apply_budget},
                {"breaker", apply_breaker},   {"limiter", apply_limiter},
                {"bulkhead", apply_bulkhead}, {"timeout", apply_timeout},
                {"hedge", apply_hedge},       {"fallback", apply_fallback},
                {"chaos", apply_chaos},       {"pipeline", apply_pipeline}};

static weir_status apply(struct world *world, struct thing *thing, const cJSON *def,
                         weir_error **error) {
  const char *type = text_field(def, "type", "");
  for (size_t i = 0; i < COUNT_OF(appliers); i++) {
    if (strcmp(appliers[i].type, type) == 0) return appliers[i].apply(world, thing, def, error);
  }
  problem(world, "there is no policy '%s'", type);
  return WEIR_ENOTSUP;
}

weir_status build_policy(struct world *world, const char *name, const cJSON *def,
                         weir_error **error) {
  struct thing *thing = new_thing(world, name, THING_POLICY, text_field(def, "type", ""));
  return apply(world, thing, def, error);
}

weir_status set_options(struct world *world, struct thing *thing, const cJSON *def) {
  return apply(world, thing, def, NULL);
}

void adopt_policy(struct world *world, const char *name, weir_policy *policy) {
  uint32_t kind = weir_policy_kind(policy);
  struct thing *thing = new_thing(world, name, THING_POLICY, word_of(policy_words, kind));
  thing->policy = policy;
  switch (kind) {
    case WEIR_POLICY_RETRY:
      thing->handle = weir_policy_retry(policy);
      break;
    case WEIR_POLICY_BREAKER:
      thing->handle = weir_policy_breaker(policy);
      break;
    case WEIR_POLICY_LIMITER:
      thing->handle = weir_policy_limiter(policy);
      break;
    case WEIR_POLICY_TIMEOUT:
      thing->handle = weir_policy_timeout(policy);
      break;
    case WEIR_POLICY_PIPELINE:
      thing->handle = weir_policy_pipeline(policy);
      break;
    case WEIR_POLICY_CHAOS:
      thing->handle = weir_policy_chaos(policy);
      break;
    default:
      break;
  }
}
