/* SPDX-License-Identifier: MIT */
/*
 * Values, errors and outcomes as what lib/errors.js turns into JavaScript's own: an id stands for
 * the very object that JavaScript handed in, everything else is a plain description.
 */
#include "weir_node.h"

int32_t value_id(struct environment *e, weir_value *value) {
  if (value == NULL) return -1;
  uint32_t kind = weir_value_kind(value);
  if (kind == WEIR_VALUE_BYTES || kind == WEIR_VALUE_LIST) return -2;
  return (int32_t)(weir_value_host_id_of(value, e->queue) & INT32_MAX);
}

/* { list: [...] }, { bytes: Buffer } or the id. */
napi_value value_value(struct environment *e, weir_value *value) {
  int32_t id = value_id(e, value);
  if (id != -2) return number_value(e, id);
  napi_value object = NULL, content = NULL;
  napi_create_object(e->env, &object);
  if (weir_value_kind(value) == WEIR_VALUE_LIST) {
    size_t count = weir_value_count(value);
    napi_create_array_with_length(e->env, count, &content);
    for (size_t i = 0; i < count; i++) {
      weir_error *error = weir_value_item_error(value, i);
      napi_value item = NULL;
      if (error == NULL) {
        item = value_value(e, weir_value_item(value, i));
      } else {
        napi_create_object(e->env, &item);
        napi_set_named_property(e->env, item, "error", error_value(e, error));
      }
      napi_set_element(e->env, content, (uint32_t)i, item);
    }
    napi_set_named_property(e->env, object, "list", content);
  } else {
    napi_create_buffer_copy(e->env, weir_value_size(value), weir_value_data(value), NULL, &content);
    napi_set_named_property(e->env, object, "bytes", content);
  }
  return object;
}

static void set_listed(struct environment *e, napi_value object, weir_error *error) {
  size_t count = weir_error_count(error);
  napi_value errors = NULL, indexes = NULL;
  napi_create_array_with_length(e->env, count, &errors);
  napi_create_array_with_length(e->env, count, &indexes);
  for (size_t i = 0; i < count; i++) {
    size_t index = 0;
    weir_error *one = weir_error_at(error, i, &index);
    napi_set_element(e->env, errors, (uint32_t)i, error_value(e, one));
    napi_set_element(e->env, indexes, (uint32_t)i, number_value(e, (double)index));
  }
  napi_set_named_property(e->env, object, "errors", errors);
  napi_set_named_property(e->env, object, "indexes", indexes);
}

napi_value error_value(struct environment *e, weir_error *error) {
  napi_value object = NULL;
  napi_create_object(e->env, &object);
  set_number(e, object, "status", weir_error_status(error));
  set_number(e, object, "domain", weir_error_domain(error));
  set_number(e, object, "code", (double)weir_error_code(error));
  weir_value *detail = weir_error_detail(error);
  if (detail != NULL) napi_set_named_property(e->env, object, "detail", value_value(e, detail));
  weir_error *cause = weir_error_cause(error);
  if (value_id(e, detail) <= 0 || cause != NULL)
    set_text(e, object, "message", weir_error_message(error));
  if (cause != NULL) napi_set_named_property(e->env, object, "cause", error_value(e, cause));
  if (weir_error_count(error) > 0) set_listed(e, object, error);
  return object;
}

static const char *const rejection_policies[] = {"none",     "retry",    "breaker", "limiter",
                                                 "timeout",  "pipeline", "budget",  "hedge",
                                                 "fallback", "chaos",    NULL};
static const char *const rejection_reasons[] = {
    "none",        "open",       "half-open",     "forced-open", "ramp-up", "rate",
    "concurrency", "queue-full", "queue-timeout", "paused",      "weight",  "keys",
    "no-time",     "waiters",    "budget",        NULL};

#define FIELD(member, name, type) \
  { name, offsetof(weir_rejection, member), type, NULL }
static const struct field rejection_fields[] = {
    FIELD(status, "status", FIELD_U32),
    FIELD(requested, "requested", FIELD_I64),
    FIELD(available, "available", FIELD_I64),
    FIELD(limit, "limit", FIELD_I64),
    FIELD(queued, "queued", FIELD_I64),
    FIELD(calls, "calls", FIELD_U64),
    FIELD(failures, "failures", FIELD_U64),
    FIELD(slow_calls, "slowCalls", FIELD_U64),
    FIELD(name, "name", FIELD_CHARS),
    FIELD(threshold, "threshold", FIELD_F64),
    FIELD(interval_ns, "intervalMs", FIELD_NS),
    FIELD(waited_ns, "waitedMs", FIELD_NS),
    FIELD(remaining_ns, "remainingMs", FIELD_NS),
    FIELDS_END,
};

napi_value rejection_value(struct environment *e, const weir_rejection *rejection) {
  napi_value object = struct_value(e, rejection_fields, rejection);
  char sentence[320];
  weir_rejection_describe(rejection, sentence, sizeof sentence);
  set_number(e, object, "status", rejection->status);
  if (rejection->policy < sizeof rejection_policies / sizeof *rejection_policies - 1)
    set_text(e, object, "policy", rejection_policies[rejection->policy]);
  if (rejection->reason < sizeof rejection_reasons / sizeof *rejection_reasons - 1)
    set_text(e, object, "reason", rejection_reasons[rejection->reason]);
  if (rejection->retry_after_ns >= 0)
    set_number(e, object, "retryAfterMs", (double)rejection->retry_after_ms);
  set_text(e, object, "message", sentence);
  return object;
}

napi_value outcome_value(struct environment *e, const weir_outcome *outcome) {
  napi_value object = NULL, statuses = NULL;
  napi_create_object(e->env, &object);
  set_number(e, object, "channel", outcome->channel);
  set_number(e, object, "status", outcome->status);
  set_number(e, object, "class", outcome->class_);
  set_number(e, object, "attempts", outcome->attempts);
  set_number(e, object, "stopReason", outcome->stop_reason);
  set_number(e, object, "cancelReason", outcome->cancel_reason);
  set_number(e, object, "final", outcome->final);
  set_number(e, object, "elapsedMs", ms_of_ns(outcome->elapsed_ns));
  if (outcome->retry_after_ms >= 0)
    set_number(e, object, "retryAfterMs", (double)outcome->retry_after_ms);
  if (outcome->value != NULL)
    napi_set_named_property(e->env, object, "value", value_value(e, outcome->value));
  if (outcome->error != NULL)
    napi_set_named_property(e->env, object, "error", error_value(e, outcome->error));
  if (outcome->rejection != NULL)
    napi_set_named_property(e->env, object, "rejection", rejection_value(e, outcome->rejection));
  uint32_t count =
      outcome->attempts < WEIR_OUTCOME_STATUSES ? outcome->attempts : WEIR_OUTCOME_STATUSES;
  napi_create_array_with_length(e->env, count, &statuses);
  for (uint32_t i = 0; i < count; i++)
    napi_set_element(e->env, statuses, i, number_value(e, outcome->statuses[i]));
  napi_set_named_property(e->env, object, "statuses", statuses);
  return object;
}
