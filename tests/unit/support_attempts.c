/* SPDX-License-Identifier: MIT */
/*
 * Which attempts a test has to complete. While tracking is on, operations are made with a start
 * function of ours around the test's own, and the completing functions pass through here
 * (support.wrap): so an abandoned test's attempts can be completed for it. A token that is on the
 * list was not completed, and so its runtime's shell is still there.
 */

#include "support_inside.h"

struct out {
  weir_runtime *runtime; /* NULL: came as a START record */
  weir_token token;
};

static struct {
  pthread_mutex_t mutex;
  struct out *entries;
  size_t count;
  size_t capacity;
} attempts = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void track_started(weir_runtime *runtime, weir_token token) {
  if (!tracking()) return;
  pthread_mutex_lock(&attempts.mutex);
  if (attempts.count == attempts.capacity) {
    attempts.capacity = attempts.capacity == 0 ? 64 : attempts.capacity * 2;
    attempts.entries = realloc(attempts.entries, attempts.capacity * sizeof *attempts.entries);
    if (attempts.entries == NULL) abort();
  }
  attempts.entries[attempts.count++] = (struct out){runtime, token};
  pthread_mutex_unlock(&attempts.mutex);
}

void track_completed(weir_token token) {
  if (!tracking()) return;
  pthread_mutex_lock(&attempts.mutex);
  for (size_t i = attempts.count; i-- > 0;) {
    if (attempts.entries[i].token != token) continue;
    attempts.entries[i] = attempts.entries[--attempts.count];
    break;
  }
  pthread_mutex_unlock(&attempts.mutex);
}

void track_no_attempts(void) {
  free(attempts.entries);
  attempts.entries = NULL;
  attempts.count = attempts.capacity = 0;
}

/* ---- starting -------------------------------------------------------------------------------- */

struct watched {
  weir_start_fn start;
  void *data;
  weir_free_fn free_data;
};

static void start_watched(void *data, weir_attempt *attempt) {
  struct watched *watched = data;
  track_started(attempt->runtime, attempt->token);
  watched->start(watched->data, attempt);
}

static void free_watched(void *data) {
  struct watched *watched = data;
  if (watched->free_data != NULL) watched->free_data(watched->data);
  free(watched);
}

weir_status __real_weir_operation_new(weir_runtime *runtime, weir_start_fn start, void *data,
                                      weir_free_fn free_data, weir_operation **out,
                                      weir_error **error);
weir_status __wrap_weir_operation_new(weir_runtime *runtime, weir_start_fn start, void *data,
                                      weir_free_fn free_data, weir_operation **out,
                                      weir_error **error);
weir_status __wrap_weir_operation_new(weir_runtime *runtime, weir_start_fn start, void *data,
                                      weir_free_fn free_data, weir_operation **out,
                                      weir_error **error) {
  if (!tracking() || start == NULL) {
    return __real_weir_operation_new(runtime, start, data, free_data, out, error);
  }
  struct watched *watched = malloc(sizeof *watched);
  if (watched == NULL) abort();
  *watched = (struct watched){start, data, free_data};
  weir_status status =
      __real_weir_operation_new(runtime, start_watched, watched, free_watched, out, error);
  if (status == WEIR_OK) track_got_operation(*out);
  return status;
}

/* ---- completing takes ------------------------------------------------------------------------ */

weir_status __real_weir_complete(weir_runtime *runtime, weir_token token, weir_value *value);
weir_status __wrap_weir_complete(weir_runtime *runtime, weir_token token, weir_value *value);
weir_status __wrap_weir_complete(weir_runtime *runtime, weir_token token, weir_value *value) {
  track_gave(value);
  if (runtime != NULL) track_completed(token);
  return __real_weir_complete(runtime, token, value);
}

weir_status __real_weir_complete_bytes(weir_runtime *runtime, weir_token token, const void *data,
                                       size_t size);
weir_status __wrap_weir_complete_bytes(weir_runtime *runtime, weir_token token, const void *data,
                                       size_t size);
weir_status __wrap_weir_complete_bytes(weir_runtime *runtime, weir_token token, const void *data,
                                       size_t size) {
  if (runtime != NULL && (data != NULL || size == 0)) track_completed(token);
  return __real_weir_complete_bytes(runtime, token, data, size);
}

weir_status __real_weir_complete_pointer(weir_runtime *runtime, weir_token token, void *pointer,
                                         weir_free_fn free_pointer);
weir_status __wrap_weir_complete_pointer(weir_runtime *runtime, weir_token token, void *pointer,
                                         weir_free_fn free_pointer);
weir_status __wrap_weir_complete_pointer(weir_runtime *runtime, weir_token token, void *pointer,
                                         weir_free_fn free_pointer) {
  if (runtime != NULL) track_completed(token);
  return __real_weir_complete_pointer(runtime, token, pointer, free_pointer);
}

weir_status __real_weir_fail(weir_runtime *runtime, weir_token token, uint32_t domain, int64_t code,
                             const char *message);
weir_status __wrap_weir_fail(weir_runtime *runtime, weir_token token, uint32_t domain, int64_t code,
                             const char *message);
weir_status __wrap_weir_fail(weir_runtime *runtime, weir_token token, uint32_t domain, int64_t code,
                             const char *message) {
  if (runtime != NULL) track_completed(token);
  return __real_weir_fail(runtime, token, domain, code, message);
}

weir_status __real_weir_fail_with(weir_runtime *runtime, weir_token token, weir_error *error);
weir_status __wrap_weir_fail_with(weir_runtime *runtime, weir_token token, weir_error *error);
weir_status __wrap_weir_fail_with(weir_runtime *runtime, weir_token token, weir_error *error) {
  track_gave(error);
  if (runtime != NULL && error != NULL) track_completed(token);
  return __real_weir_fail_with(runtime, token, error);
}

weir_status __real_weir_complete_with(weir_runtime *runtime, weir_token token, weir_value *value,
                                      weir_error *error, const weir_completion *completion);
weir_status __wrap_weir_complete_with(weir_runtime *runtime, weir_token token, weir_value *value,
                                      weir_error *error, const weir_completion *completion);
weir_status __wrap_weir_complete_with(weir_runtime *runtime, weir_token token, weir_value *value,
                                      weir_error *error, const weir_completion *completion) {
  track_gave(value);
  track_gave(error);
  weir_status status = __real_weir_complete_with(runtime, token, value, error, completion);
  if (status == WEIR_OK || status == WEIR_ESTALE) track_completed(token);
  return status;
}

void track_complete_all(weir_runtime *runtime) {
  while (attempts.count > 0) {
    struct out out = attempts.entries[--attempts.count];
    weir_runtime *whose = out.runtime != NULL ? out.runtime : runtime;
    if (whose != NULL) __real_weir_complete(whose, out.token, NULL);
  }
}
