/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* The table's words, the values that travel, and the first problem found. */

const struct word status_words[] = {{"ok", WEIR_OK},
                                    {"invalid", WEIR_EINVAL},
                                    {"no_memory", WEIR_ENOMEM},
                                    {"cancelled", WEIR_ECANCELLED},
                                    {"timed_out", WEIR_ETIMEDOUT},
                                    {"no_time", WEIR_ENOTIME},
                                    {"open", WEIR_EOPEN},
                                    {"limited", WEIR_ELIMITED},
                                    {"full", WEIR_EFULL},
                                    {"failed", WEIR_EFAILED},
                                    {"aggregate", WEIR_EAGGREGATE},
                                    {"exhausted", WEIR_EEXHAUSTED},
                                    {"superseded", WEIR_ESUPERSEDED},
                                    {"stale", WEIR_ESTALE},
                                    {"closed", WEIR_ECLOSED},
                                    {"not_found", WEIR_ENOTFOUND},
                                    {"exists", WEIR_EEXISTS},
                                    {"not_supported", WEIR_ENOTSUP},
                                    {"expired", WEIR_EEXPIRED},
                                    {"stop", WEIR_ESTOP},
                                    {NULL, 0}};
const struct word class_words[] = {{"success", WEIR_CLASS_SUCCESS}, {"failure", WEIR_CLASS_FAILURE},
                                   {"refusal", WEIR_CLASS_REFUSAL}, {"ignore", WEIR_CLASS_IGNORE},
                                   {"abandon", WEIR_CLASS_ABANDON}, {NULL, 0}};
const struct word stop_words[] = {
    {"none", WEIR_STOP_NONE},           {"attempts", WEIR_STOP_ATTEMPTS},
    {"elapsed", WEIR_STOP_ELAPSED},     {"budget", WEIR_STOP_BUDGET},
    {"no_time", WEIR_STOP_NO_TIME},     {"refused", WEIR_STOP_REFUSED},
    {"final", WEIR_STOP_FINAL},         {"classified", WEIR_STOP_CLASSIFIED},
    {"no_memory", WEIR_STOP_NO_MEMORY}, {NULL, 0}};
const struct word cancel_words[] = {
    {"none", WEIR_CANCEL_NONE},         {"caller", WEIR_CANCEL_CALLER},
    {"deadline", WEIR_CANCEL_DEADLINE}, {"timeout", WEIR_CANCEL_TIMEOUT},
    {"lost", WEIR_CANCEL_LOST},         {"superseded", WEIR_CANCEL_SUPERSEDED},
    {"shutdown", WEIR_CANCEL_SHUTDOWN}, {NULL, 0}};
const struct word reason_words[] = {{"none", WEIR_REJECTION_NONE},
                                    {"open", WEIR_REJECTION_OPEN},
                                    {"half_open", WEIR_REJECTION_HALF_OPEN},
                                    {"forced_open", WEIR_REJECTION_FORCED_OPEN},
                                    {"ramp_up", WEIR_REJECTION_RAMP_UP},
                                    {"rate", WEIR_REJECTION_RATE},
                                    {"concurrency", WEIR_REJECTION_CONCURRENCY},
                                    {"queue_full", WEIR_REJECTION_QUEUE_FULL},
                                    {"queue_timeout", WEIR_REJECTION_QUEUE_TIMEOUT},
                                    {"paused", WEIR_REJECTION_PAUSED},
                                    {"weight", WEIR_REJECTION_WEIGHT},
                                    {"keys", WEIR_REJECTION_KEYS},
                                    {"no_time", WEIR_REJECTION_NO_TIME},
                                    {"waiters", WEIR_REJECTION_WAITERS},
                                    {"budget", WEIR_REJECTION_BUDGET},
                                    {NULL, 0}};
const struct word state_words[] = {{"closed", WEIR_BREAKER_CLOSED},
                                   {"open", WEIR_BREAKER_OPEN},
                                   {"half_open", WEIR_BREAKER_HALF_OPEN},
                                   {"forced_open", WEIR_BREAKER_FORCED_OPEN},
                                   {"forced_closed", WEIR_BREAKER_FORCED_CLOSED},
                                   {"metrics_only", WEIR_BREAKER_METRICS_ONLY},
                                   {NULL, 0}};
const struct word domain_words[] = {{"user", WEIR_DOMAIN_USER},   {"weir", WEIR_DOMAIN_WEIR},
                                    {"errno", WEIR_DOMAIN_ERRNO}, {"uv", WEIR_DOMAIN_UV},
                                    {"http", WEIR_DOMAIN_HTTP},   {"grpc", WEIR_DOMAIN_GRPC},
                                    {"curl", WEIR_DOMAIN_CURL},   {NULL, 0}};
const struct word channel_words[] = {{"value", WEIR_CHANNEL_VALUE},
                                     {"error", WEIR_CHANNEL_ERROR},
                                     {"stopped", WEIR_CHANNEL_STOPPED},
                                     {NULL, 0}};
const struct word policy_words[] = {{"none", WEIR_POLICY_NONE},
                                    {"retry", WEIR_POLICY_RETRY},
                                    {"breaker", WEIR_POLICY_BREAKER},
                                    {"limiter", WEIR_POLICY_LIMITER},
                                    {"timeout", WEIR_POLICY_TIMEOUT},
                                    {"pipeline", WEIR_POLICY_PIPELINE},
                                    {"budget", WEIR_POLICY_BUDGET},
                                    {"hedge", WEIR_POLICY_HEDGE},
                                    {"chaos", WEIR_POLICY_CHAOS},
                                    {"fallback", WEIR_POLICY_FALLBACK},
                                    {NULL, 0}};
const struct word backoff_words[] = {{"constant", WEIR_BACKOFF_CONSTANT},
                                     {"linear", WEIR_BACKOFF_LINEAR},
                                     {"exponential", WEIR_BACKOFF_EXPONENTIAL},
                                     {"decorrelated", WEIR_BACKOFF_DECORRELATED},
                                     {"decorrelated_v2", WEIR_BACKOFF_DECORRELATED_V2},
                                     {NULL, 0}};
const struct word jitter_words[] = {
    {"none", WEIR_JITTER_NONE},           {"full", WEIR_JITTER_FULL},
    {"equal", WEIR_JITTER_EQUAL},         {"proportional", WEIR_JITTER_PROPORTIONAL},
    {"symmetric", WEIR_JITTER_SYMMETRIC}, {NULL, 0}};
const struct word breaker_mode_words[] = {{"consecutive", WEIR_BREAKER_CONSECUTIVE},
                                          {"count_window", WEIR_BREAKER_COUNT_WINDOW},
                                          {"time_window", WEIR_BREAKER_TIME_WINDOW},
                                          {NULL, 0}};
const struct word algorithm_words[] = {{"token_bucket", WEIR_LIMITER_TOKEN_BUCKET},
                                       {"fixed_window", WEIR_LIMITER_FIXED_WINDOW},
                                       {"sliding_window", WEIR_LIMITER_SLIDING_WINDOW},
                                       {NULL, 0}};
const struct word queue_order_words[] = {
    {"fifo", WEIR_LIMITER_FIFO}, {"priority", WEIR_LIMITER_PRIORITY}, {NULL, 0}};
const struct word overflow_words[] = {
    {"deny", WEIR_LIMITER_DENY}, {"evict", WEIR_LIMITER_EVICT}, {NULL, 0}};
const struct word adaptive_words[] = {{"off", WEIR_ADAPTIVE_OFF},
                                      {"aimd", WEIR_ADAPTIVE_AIMD},
                                      {"gradient", WEIR_ADAPTIVE_GRADIENT},
                                      {NULL, 0}};
const struct word eviction_words[] = {{"adaptive", WEIR_EVICTION_ADAPTIVE},
                                      {"s3_fifo", WEIR_EVICTION_S3_FIFO},
                                      {"lru", WEIR_EVICTION_LRU},
                                      {NULL, 0}};
const struct word superseded_words[] = {
    {"cancel", WEIR_SUPERSEDED_CANCEL}, {"share", WEIR_SUPERSEDED_SHARE}, {NULL, 0}};
const struct word overlap_words[] = {{"queue", WEIR_OVERLAP_QUEUE},
                                     {"concurrent", WEIR_OVERLAP_CONCURRENT},
                                     {"cancel", WEIR_OVERLAP_CANCEL},
                                     {NULL, 0}};
const struct word exit_words[] = {{"join", WEIR_SCOPE_JOIN},
                                  {"cancel", WEIR_SCOPE_CANCEL},
                                  {"grace", WEIR_SCOPE_GRACE},
                                  {NULL, 0}};
const struct word chaos_words[] = {{"latency", WEIR_CHAOS_LATENCY},
                                   {"failure", WEIR_CHAOS_FAILURE},
                                   {"outcome", WEIR_CHAOS_OUTCOME},
                                   {"hang", WEIR_CHAOS_HANG},
                                   {NULL, 0}};

void problem(struct world *world, const char *format, ...) {
  va_list arguments;
  if (world->problem[0] != '\0') return;
  int used = world->runtime == NULL ? 0
                                    : snprintf(world->problem, sizeof(world->problem),
                                               "at %lld ms: ", (long long)now_ms(world));
  va_start(arguments, format);
  vsnprintf(world->problem + used, sizeof(world->problem) - (size_t)used, format, arguments);
  va_end(arguments);
}

int64_t number_of(struct world *world, const struct word *words, const char *text) {
  for (; words->text != NULL; words++) {
    if (strcmp(words->text, text) == 0) return words->number;
  }
  problem(world, "'%s' is no word here", text);
  return 0;
}

const char *word_of(const struct word *words, int64_t number) {
  for (; words->text != NULL; words++) {
    if (words->number == number) return words->text;
  }
  return "?";
}

const char *text_field(const cJSON *object, const char *name, const char *otherwise) {
  const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, name);
  return cJSON_IsString(field) ? field->valuestring : otherwise;
}

int64_t plain_number(const cJSON *item) {
  return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : -1;
}

int64_t number_field(const cJSON *object, const char *name, int64_t otherwise) {
  const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, name);
  return field == NULL ? otherwise : plain_number(field);
}

int flag_field(const cJSON *object, const char *name, int otherwise) {
  const cJSON *field = cJSON_GetObjectItemCaseSensitive(object, name);
  return field == NULL ? otherwise : cJSON_IsTrue(field);
}

static weir_value *list_from(struct world *world, const cJSON *json) {
  size_t count = (size_t)cJSON_GetArraySize(json), position = 0;
  weir_value **values = calloc(count + 1, sizeof(*values)), *list = NULL;
  const cJSON *item;
  cJSON_ArrayForEach(item, json) values[position++] = value_from(world, item);
  weir_value_new_list(world->runtime, values, NULL, count, &list);
  weir_values_unref(values, count);
  free(values);
  return list;
}

weir_value *value_from(struct world *world, const cJSON *json) {
  weir_value *value = NULL;
  if (json == NULL || cJSON_IsNull(json)) return NULL;
  if (cJSON_IsArray(json)) return list_from(world, json);
  char *text = cJSON_PrintUnformatted(json);
  weir_value_new_bytes(world->runtime, text, strlen(text), &value);
  cJSON_free(text);
  return value;
}

weir_error *error_from(struct world *world, const cJSON *json) {
  weir_error *error = NULL;
  weir_error_new(world->runtime,
                 (uint32_t)number_of(world, domain_words, text_field(json, "domain", "user")),
                 number_field(json, "code", 0), text_field(json, "message", NULL), &error);
  return error;
}

cJSON *error_to_json(const weir_error *error) {
  cJSON *json = cJSON_CreateObject();
  cJSON_AddNumberToObject(json, "code", (double)weir_error_code(error));
  cJSON_AddStringToObject(json, "message", weir_error_message(error));
  cJSON_AddStringToObject(json, "domain", word_of(domain_words, weir_error_domain(error)));
  return json;
}

static cJSON *failed_item(const weir_error *error) {
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "status", word_of(status_words, weir_error_status(error)));
  cJSON_AddStringToObject(json, "message", weir_error_message(error));
  cJSON_AddItemToObject(json, "error", error_to_json(error));
  return json;
}

/* A key's bytes are no JSON. */
static cJSON *plain_bytes(const weir_value *value) {
  char text[64];
  size_t size = weir_value_size(value);
  if (value == NULL || size >= sizeof(text)) return cJSON_CreateNull();
  memcpy(text, weir_value_data(value), size);
  text[size] = '\0';
  return cJSON_CreateString(text);
}

cJSON *value_to_json(const weir_value *value) {
  if (weir_value_kind(value) != WEIR_VALUE_LIST) {
    cJSON *json = cJSON_ParseWithLength(weir_value_data(value), weir_value_size(value));
    return json != NULL ? json : plain_bytes(value);
  }
  cJSON *list = cJSON_CreateArray();
  for (size_t i = 0; i < weir_value_count(value); i++) {
    weir_error *error = weir_value_item_error(value, i);
    cJSON_AddItemToArray(
        list, error != NULL ? failed_item(error) : value_to_json(weir_value_item(value, i)));
  }
  return list;
}
