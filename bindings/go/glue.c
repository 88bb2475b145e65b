/* SPDX-License-Identifier: MIT */
#include "glue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Numbers travel as pointer values: they need no slot, and no release. What
 * frees them tells them from the pointers of other modules. */
static void free_number(void *number) { (void)number; }

static uint32_t look(const weir_completions *queue, weir_value *value, uint64_t *host) {
  *host = 0;
  switch (weir_value_kind(value)) {
    case WEIR_VALUE_NONE:
      return WEIRGO_NONE;
    case WEIR_VALUE_POINTER:
      *host = (uint64_t)(uintptr_t)weir_value_pointer_of(value, free_number);
      return *host == 0 ? WEIRGO_OTHER : WEIRGO_NUMBER;
    case WEIR_VALUE_HOST:
      *host = weir_value_host_id_of(value, queue);
      return *host == 0 ? WEIRGO_OTHER : WEIRGO_HOST;
    default:
      return WEIRGO_OTHER;
  }
}

static void copy_record(const weir_completions *queue, weirgo_record *to, const weir_record *from) {
  to->user = from->user;
  to->object = from->object;
  to->detail = from->detail;
  to->host = 0;
  to->status = from->status;
  to->number = from->number;
  to->kind = from->kind;
  to->channel = from->channel;
  if (from->kind != WEIR_RECORD_SETTLED || from->object == 0) return;
  if (from->channel != WEIR_CHANNEL_VALUE) return;
  weir_value *value = (weir_value *)(uintptr_t)from->object;
  if (look(queue, value, &to->host) != WEIRGO_NUMBER) {
    to->host = 0;
    return;
  }
  to->object = 0;
  weir_value_unref(value);
}

void weirgo_drain(weir_completions *queue, weirgo_record *records, uint32_t capacity,
                  uint32_t *count) {
  weir_record raw[256];
  if (capacity > 256) capacity = 256;
  size_t got = weir_completions_drain(queue, raw, sizeof(raw[0]), capacity);
  for (size_t i = 0; i < got; ++i) copy_record(queue, &records[i], &raw[i]);
  *count = (uint32_t)got;
}

void weirgo_give_back(const uintptr_t *calls, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    if (calls[i] != 0) weir_call_unref((weir_call *)calls[i]);
  }
}

/* The caller wakes the engine, here and below. */
static weir_status begin(weir_operation *operation, const weir_run_options *run, weir_call **call,
                         weir_error **error) {
  int before = weirgo_rouse(1);
  weir_status status = weir_run(operation, run, NULL, NULL, NULL, call, error);
  weirgo_rouse(before);
  return status;
}

static weir_status complete(weir_runtime *runtime, weir_token token, weir_value *value,
                            weir_error *error, const weir_completion *completion) {
  int before = weirgo_rouse(1);
  weir_status status = weir_complete_with(runtime, token, value, error, completion);
  weirgo_rouse(before);
  return status;
}

static weir_status no_memory(weir_runtime *runtime, weir_token token) {
  int before = weirgo_rouse(1);
  weir_status status = weir_fail(runtime, token, WEIR_DOMAIN_WEIR, WEIR_ENOMEM, NULL);
  weirgo_rouse(before);
  return status;
}

weir_status weirgo_run(weir_operation *operation, weir_completions *queue,
                       const weirgo_run_options *options, const void *key, uint64_t key_size,
                       const char *name, weir_call **call, weir_error **error) {
  weir_run_options run = WEIR_RUN_OPTIONS_INIT;
  run.permits = options->permits;
  run.policy = options->policy;
  run.deadline_ms = options->deadline_ms;
  run.key = key;
  run.key_size = key_size;
  run.name = name;
  run.input = options->input;
  run.context = (void *)(uintptr_t)options->context;
  run.queue = queue;
  run.user = options->user;
  run.priority = options->priority;
  run.scope = options->scope;
  return begin(operation, &run, call, error);
}

weir_status weirgo_run_plain(weir_operation *operation, weir_completions *queue,
                             weir_policy *policy, int64_t deadline_ms, uint64_t user,
                             weir_call **call, weir_error **error) {
  weir_run_options run = WEIR_RUN_OPTIONS_INIT;
  run.policy = policy;
  run.deadline_ms = deadline_ms;
  run.context = (void *)(uintptr_t)user;
  run.queue = queue;
  run.user = user;
  return begin(operation, &run, call, error);
}

static weir_completion judged(uint32_t class_, uint32_t final_, int64_t retry_after_ms) {
  weir_completion completion = WEIR_COMPLETION_INIT;
  completion.class_ = class_;
  completion.final = final_;
  completion.retry_after_ms = retry_after_ms;
  return completion;
}

weir_status weirgo_complete_number(weir_runtime *runtime, weir_token token, uint64_t number,
                                   uint32_t class_, uint32_t final_, int64_t retry_after_ms) {
  if (number == 0 && class_ == WEIR_CLASS_NONE && retry_after_ms == WEIR_OFF && final_ == 0) {
    int before = weirgo_rouse(1);
    weir_status status = weir_complete(runtime, token, NULL);
    weirgo_rouse(before);
    return status;
  }
  weir_value *value = NULL;
  if (number != 0 &&
      weir_value_new_pointer(runtime, (void *)(uintptr_t)number, free_number, &value) != WEIR_OK) {
    return no_memory(runtime, token);
  }
  weir_completion completion = judged(class_, final_, retry_after_ms);
  return complete(runtime, token, value, NULL, &completion);
}

weir_status weirgo_complete_value(weir_runtime *runtime, weir_token token, weir_value *value,
                                  uint32_t class_, uint32_t final_, int64_t retry_after_ms) {
  weir_completion completion = judged(class_, final_, retry_after_ms);
  return complete(runtime, token, value, NULL, &completion);
}

weir_status weirgo_fail(weir_runtime *runtime, weir_completions *queue, weir_token token,
                        uint64_t id, uint32_t domain, int64_t code, const char *message,
                        uint32_t class_, uint32_t final_, int64_t retry_after_ms) {
  weir_value *detail = NULL;
  weir_error *error = NULL;
  weir_status status = weir_value_new_host(queue, id, &detail);
  if (status == WEIR_OK) {
    status = weir_error_new_with(runtime, domain, code, message, NULL, detail, &error);
    weir_value_unref(detail);
  }
  if (status != WEIR_OK) {
    return no_memory(runtime, token);
  }
  weir_completion completion = judged(class_, final_, retry_after_ms);
  return complete(runtime, token, NULL, error, &completion);
}

weir_status weirgo_attempt_get(weir_runtime *runtime, weir_token token, weirgo_attempt *attempt) {
  weir_attempt seen;
  weir_outcome failed;
  memset(&seen, 0, sizeof(seen));
  memset(&failed, 0, sizeof(failed));
  seen.size = sizeof(seen);
  failed.size = sizeof(failed);
  memset(attempt, 0, sizeof(*attempt));
  weir_status status = weir_attempt_get(runtime, token, &seen, &failed);
  if (status != WEIR_OK) return status;
  attempt->context = (uint64_t)(uintptr_t)seen.context;
  attempt->index = seen.index;
  attempt->remaining_ns = seen.remaining_ns;
  attempt->scope = seen.scope;
  attempt->key = seen.key;
  attempt->key_size = seen.key_size;
  attempt->number = seen.number;
  if (seen.failed == NULL) return WEIR_OK;
  attempt->has_failed = 1;
  attempt->failed_status = failed.status;
  attempt->failed_attempts = failed.attempts;
  attempt->failed_error = failed.error;
  return WEIR_OK;
}

void weirgo_outcome_get(weir_call *call, weirgo_outcome *outcome, weir_rejection *rejection) {
  memset(outcome, 0, sizeof(*outcome));
  const weir_outcome *seen = weir_call_outcome(call);
  if (seen == NULL) return;
  outcome->elapsed_ns = seen->elapsed_ns;
  outcome->retry_after_ms = seen->retry_after_ms;
  outcome->value = seen->value;
  outcome->error = seen->error;
  outcome->channel = seen->channel;
  outcome->status = seen->status;
  outcome->attempts = seen->attempts;
  outcome->stop_reason = seen->stop_reason;
  outcome->cancel_reason = seen->cancel_reason;
  outcome->final = seen->final;
  memcpy(outcome->statuses, seen->statuses, sizeof(outcome->statuses));
  if (seen->rejection == NULL) return;
  outcome->has_rejection = 1;
  *rejection = *seen->rejection;
}

void weirgo_look(weir_completions *queue, weir_value *value, weirgo_item *item) {
  item->value = value;
  item->error = NULL;
  item->kind = weir_value_kind(value);
  item->what = look(queue, value, &item->host);
}

void weirgo_items(weir_completions *queue, weir_value *list, uint64_t from, uint32_t count,
                  weirgo_item *items) {
  for (uint32_t i = 0; i < count; ++i) {
    weirgo_look(queue, weir_value_item(list, from + i), &items[i]);
    items[i].error = weir_value_item_error(list, from + i);
  }
}

weir_status weirgo_breaker_acquire(uintptr_t breaker, weir_permit *permit,
                                   weir_rejection *rejection) {
  rejection->size = sizeof(*rejection);
  return weir_breaker_acquire((weir_breaker *)breaker, permit, rejection);
}

weir_status weirgo_breaker_report(uintptr_t breaker, weir_permit permit, uint32_t class_,
                                  int64_t elapsed_ns) {
  return weir_breaker_report((weir_breaker *)breaker, permit, class_, elapsed_ns);
}

weir_status weirgo_breaker_acquire_n(uintptr_t breaker, uint32_t count, weir_permit *permits,
                                     size_t *granted, weir_rejection *rejection) {
  rejection->size = sizeof(*rejection);
  return weir_breaker_acquire_n((weir_breaker *)breaker, count, permits, granted, rejection);
}

uint32_t weirgo_breaker_report_many(uintptr_t breaker, weir_breaker_report_entry *entries,
                                    uint32_t count) {
  uint32_t late = 0;
  weir_breaker_report_many((weir_breaker *)breaker, entries, count);
  for (uint32_t i = 0; i < count; ++i) late += entries[i].result != WEIR_OK;
  return late;
}

weir_status weirgo_limiter_acquire(uintptr_t limiter, uint32_t permits, weir_permit *permit,
                                   weir_rejection *rejection) {
  rejection->size = sizeof(*rejection);
  return weir_limiter_try_acquire((weir_limiter *)limiter, permits, permit, rejection);
}

weir_status weirgo_limiter_acquire_key(uintptr_t limiter, const void *key, size_t key_size,
                                       uint32_t permits, weir_permit *permit,
                                       weir_rejection *rejection) {
  rejection->size = sizeof(*rejection);
  return weir_limiter_try_acquire_key((weir_limiter *)limiter, key, key_size, permits, permit,
                                      rejection);
}

weir_status weirgo_limiter_release(uintptr_t limiter, weir_permit permit) {
  return weir_limiter_release((weir_limiter *)limiter, permit);
}

weir_status weirgo_limiter_acquire_n(uintptr_t limiter, uint32_t count, size_t *granted,
                                     weir_rejection *rejection) {
  rejection->size = sizeof(*rejection);
  return weir_limiter_acquire_n((weir_limiter *)limiter, count, granted, rejection);
}

/*
 * The log. Lines come on any thread and must not wait for Go, so a ring keeps
 * the last of them and counts what it lost. Two references: the runtime's hook
 * and the goroutine that drains.
 */
enum { LOG_LINES = 256 };

struct weirgo_log {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  uint32_t references;
  uint32_t closed;
  uint64_t written;
  uint64_t read;
  weirgo_line lines[LOG_LINES];
};

weirgo_log *weirgo_log_new(void) {
  weirgo_log *log = calloc(1, sizeof(*log));
  if (log == NULL) return NULL;
  pthread_mutex_init(&log->mutex, NULL);
  pthread_cond_init(&log->changed, NULL);
  log->references = 1;
  return log;
}

void weirgo_log_unref(weirgo_log *log) {
  pthread_mutex_lock(&log->mutex);
  uint32_t left = --log->references;
  pthread_mutex_unlock(&log->mutex);
  if (left != 0) return;
  pthread_mutex_destroy(&log->mutex);
  pthread_cond_destroy(&log->changed);
  free(log);
}

static void log_free(void *data) {
  weirgo_log_close(data);
  weirgo_log_unref(data);
}

static void copy_text(char *to, size_t size, const char *from) {
  size_t length = from == NULL ? 0 : strlen(from);
  if (length >= size) length = size - 1;
  if (length > 0) memcpy(to, from, length);
  to[length] = '\0';
}

static void log_line(void *data, int32_t level, const char *subject, const char *message) {
  weirgo_log *log = data;
  pthread_mutex_lock(&log->mutex);
  weirgo_line *line = &log->lines[log->written++ % LOG_LINES];
  line->level = level;
  copy_text(line->subject, sizeof(line->subject), subject);
  copy_text(line->message, sizeof(line->message), message);
  pthread_cond_signal(&log->changed);
  pthread_mutex_unlock(&log->mutex);
}

void weirgo_log_install(weirgo_log *log, weir_runtime_options *options) {
  pthread_mutex_lock(&log->mutex);
  ++log->references;
  pthread_mutex_unlock(&log->mutex);
  options->log = log_line;
  options->log_data = log;
  options->log_free_data = log_free;
}

uint32_t weirgo_log_wait(weirgo_log *log, weirgo_line *lines, uint32_t capacity, uint64_t *lost) {
  uint32_t count = 0;
  pthread_mutex_lock(&log->mutex);
  while (log->read == log->written && !log->closed) {
    pthread_cond_wait(&log->changed, &log->mutex);
  }
  *lost = 0;
  if (log->written - log->read > LOG_LINES) {
    *lost = log->written - log->read - LOG_LINES;
    log->read = log->written - LOG_LINES;
  }
  for (; count < capacity && log->read < log->written; ++count) {
    lines[count] = log->lines[log->read++ % LOG_LINES];
  }
  pthread_mutex_unlock(&log->mutex);
  return count;
}

void weirgo_log_close(weirgo_log *log) {
  pthread_mutex_lock(&log->mutex);
  log->closed = 1;
  pthread_cond_broadcast(&log->changed);
  pthread_mutex_unlock(&log->mutex);
}

static size_t first_item(void *data, const weir_value *input, void *buffer, size_t capacity) {
  (void)data;
  const weir_value *key = weir_value_item(input, 0);
  size_t size = weir_value_size(key);
  if (size > 0 && size <= capacity) memcpy(buffer, weir_value_data(key), size);
  return size;
}

/* A Go value weighs 1: only Go knows more. */
static int64_t weigh_bytes(void *data, const void *key, size_t key_size, const weir_value *value) {
  (void)data;
  (void)key;
  if (weir_value_kind(value) != WEIR_VALUE_BYTES) return 1;
  return (int64_t)(key_size + weir_value_size(value));
}

void weirgo_weigh_bytes(weir_cache_options *options) { options->weigh = weigh_bytes; }

/*
 * Evictions. The listener, on the runtime's thread, runs a queued operation
 * whose START carries key, value and cause to Go. Without memory for that run
 * the eviction is not told.
 */
static void evicted(void *data, weir_cache *cache, const weir_eviction *eviction) {
  (void)cache;
  weir_run_options run = WEIR_RUN_OPTIONS_INIT;
  run.key = eviction->key;
  run.key_size = eviction->key_size;
  run.input = eviction->value;
  run.context = (void *)(uintptr_t)eviction->cause;
  weir_run(data, &run, NULL, NULL, NULL, NULL, NULL);
}

static void free_operation(void *data) { weir_operation_unref(data); }

void weirgo_tell_evictions(weir_cache_options *options, weir_operation *operation) {
  options->on_evict = evicted;
  options->evict_data = weir_operation_ref(operation);
  options->evict_free_data = free_operation;
}

void weirgo_memoize_keyed(weir_memoize_options *options) { options->key = first_item; }
