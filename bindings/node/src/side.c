/* SPDX-License-Identifier: MIT */
/*
 * What comes from weir's thread: the wake-up, and listeners that have no record of their own (log,
 * events, retries, evictions). A listener copies what it is shown into a list; the list
 * is taken with the next drain. No JavaScript runs here, and nothing waits for it.
 *
 * The wake-up is a thread-safe function, called once for all that is told until JavaScript looks.
 * Others that do without the host's libuv were measured: a queue bounded at 1 is the same; a socket
 * pair read through node:net costs a write, a read and a stream's callback more, and half of the
 * throughput; Atomics.waitAsync() is woken by JavaScript alone, so by a worker that waits for weir,
 * one thread more to be woken on the way.
 *
 * Invariants of a waker:
 * - It outlives the environment if weir still holds it (as a listener's data); `function` is NULL
 *   then and nobody is woken. It is read and written under the mutex, so the thread-safe function
 *   is never called once waker_end() has returned.
 * - `awake` is 1 from the first notification until JavaScript rests: further ones cost one
 *   exchange. Who rests drains once more afterwards, as a notification may just have been dropped.
 */
#include <stdio.h>

#include "weir_node.h"

struct side {
  struct side *next;
  int32_t kind;
  uint32_t user;
  uint32_t number;
  int32_t status;
  double first;
  double second;
  weir_value *value;
  weir_error *error;
  weir_event event;
  weir_rejection rejection;
  size_t key_size;
  char *text; /* behind this struct: what the kind has as text or key */
  char *more;
};

struct waker {
  atomic_uint references;
  atomic_int awake;
  pthread_mutex_t mutex;
  napi_threadsafe_function function;
  struct side *first;
  struct side **last;
};

static void wake_javascript(napi_env env, napi_value callback, void *context, void *data) {
  (void)context, (void)data;
  napi_value receiver = NULL, result = NULL;
  if (env == NULL || callback == NULL) return;
  napi_get_undefined(env, &receiver);
  napi_call_function(env, receiver, callback, 0, NULL, &result);
}

struct waker *waker_new(struct environment *e, napi_value wake) {
  struct waker *waker = calloc(1, sizeof *waker);
  napi_value name = text_value(e, "weir");
  if (waker == NULL) return NULL;
  waker->last = &waker->first;
  atomic_store(&waker->references, 1);
  pthread_mutex_init(&waker->mutex, NULL);
  if (napi_create_threadsafe_function(e->env, wake, NULL, name, 0, 1, NULL, NULL, NULL,
                                      wake_javascript, &waker->function) != napi_ok) {
    waker_unref(waker);
    return NULL;
  }
  napi_unref_threadsafe_function(e->env, waker->function);
  return waker;
}

void waker_ref(struct waker *waker) { atomic_fetch_add(&waker->references, 1); }

static void side_free(struct side *side) {
  weir_value_unref(side->value);
  weir_error_unref(side->error);
  free(side);
}

void waker_unref(void *data) {
  struct waker *waker = data;
  if (atomic_fetch_sub(&waker->references, 1) != 1) return;
  for (struct side *side = waker->first, *next; side != NULL; side = next) {
    next = side->next;
    side_free(side);
  }
  pthread_mutex_destroy(&waker->mutex);
  free(waker);
}

/* While held, the wake-up keeps the process alive. */
void waker_hold(napi_env env, struct waker *waker, bool hold) {
  if (waker->function == NULL) return;
  if (hold)
    napi_ref_threadsafe_function(env, waker->function);
  else
    napi_unref_threadsafe_function(env, waker->function);
}

void waker_end(struct waker *waker) {
  pthread_mutex_lock(&waker->mutex);
  napi_threadsafe_function function = waker->function;
  waker->function = NULL;
  pthread_mutex_unlock(&waker->mutex);
  if (function != NULL) napi_release_threadsafe_function(function, napi_tsfn_abort);
}

void waker_notify(void *data) {
  struct waker *waker = data;
  if (atomic_exchange(&waker->awake, 1) != 0) return;
  pthread_mutex_lock(&waker->mutex);
  if (waker->function != NULL)
    napi_call_threadsafe_function(waker->function, NULL, napi_tsfn_nonblocking);
  pthread_mutex_unlock(&waker->mutex);
}

void waker_attach(struct waker *waker) { atomic_store(&waker->awake, 1); }

bool waker_rest(struct waker *waker) { return atomic_exchange(&waker->awake, 0) != 0; }

static struct side *side_new(int32_t kind, uint32_t user, size_t extra) {
  struct side *side = calloc(1, sizeof *side + extra);
  if (side == NULL) return NULL;
  side->kind = kind;
  side->user = user;
  side->text = (char *)(side + 1);
  return side;
}

static void side_post(struct waker *waker, struct side *side) {
  pthread_mutex_lock(&waker->mutex);
  *waker->last = side;
  waker->last = &side->next;
  pthread_mutex_unlock(&waker->mutex);
  waker_notify(waker);
}

struct listener *listener_new(struct waker *waker, uint32_t user) {
  struct listener *listener = malloc(sizeof *listener);
  if (listener == NULL) return NULL;
  waker_ref(waker);
  *listener = (struct listener){waker, user};
  return listener;
}

void listener_free(void *data) {
  struct listener *listener = data;
  waker_unref(listener->waker);
  free(listener);
}

void side_log(void *data, int32_t level, const char *subject, const char *message) {
  struct listener *listener = data;
  size_t subject_size = strlen(subject) + 1, message_size = strlen(message) + 1;
  struct side *side = side_new(SIDE_LOG, listener->user, subject_size + message_size);
  if (side == NULL) return;
  side->status = level;
  memcpy(side->text, subject, subject_size);
  side->more = side->text + subject_size;
  memcpy(side->more, message, message_size);
  side_post(listener->waker, side);
}

void side_event(void *data, const weir_event *event) {
  struct listener *listener = data;
  size_t size = strlen(event->name) + 1;
  struct side *side = side_new(SIDE_EVENT, listener->user, size);
  if (side == NULL) return;
  side->event = *event;
  if (event->rejection != NULL) side->rejection = *event->rejection;
  memcpy(side->text, event->name, size);
  side_post(listener->waker, side);
}

void side_retry(void *data, uint32_t attempt, int64_t delay_ns, const weir_outcome *outcome) {
  struct listener *listener = data;
  struct side *side = side_new(SIDE_RETRY, listener->user, 0);
  if (side == NULL) return;
  side->number = attempt;
  side->first = ms_of_ns(delay_ns);
  side->status = outcome->status;
  side->value = weir_value_ref(outcome->value);
  side->error = weir_error_ref(outcome->error);
  side_post(listener->waker, side);
}

void side_eviction(void *data, weir_cache *cache, const weir_eviction *eviction) {
  struct listener *listener = data;
  struct side *side = side_new(SIDE_EVICTION, listener->user, (size_t)eviction->key_size + 1);
  (void)cache;
  if (side == NULL) return;
  side->number = eviction->cause;
  side->first = (double)eviction->weight;
  side->value = weir_value_ref(eviction->value);
  side->key_size = (size_t)eviction->key_size;
  memcpy(side->text, eviction->key, side->key_size);
  side_post(listener->waker, side);
}

#define FIELD(member, name, type) \
  { name, offsetof(weir_event, member), type, NULL }
static const struct field event_fields[] = {
    FIELD(from, "from", FIELD_U32),
    FIELD(to, "to", FIELD_U32),
    FIELD(reason, "reason", FIELD_U32),
    FIELD(count, "count", FIELD_U64),
    FIELD(delay_ns, "delayMs", FIELD_NS),
    FIELD(at_ns, "atMs", FIELD_NS),
    FIELD(calls, "calls", FIELD_U64),
    FIELD(failures, "failures", FIELD_U64),
    FIELD(slow_calls, "slowCalls", FIELD_U64),
    FIELDS_END,
};

static napi_value side_value(struct environment *e, struct side *side) {
  napi_value object = NULL;
  if (side->kind == SIDE_EVENT) {
    object = struct_value(e, event_fields, &side->event);
    set_number(e, object, "kind", side->event.kind);
    set_number(e, object, "status", side->event.status);
    set_text(e, object, "name", side->text);
    if (side->event.rejection != NULL)
      napi_set_named_property(e->env, object, "rejection", rejection_value(e, &side->rejection));
    return object;
  }
  napi_create_object(e->env, &object);
  set_number(e, object, "number", side->number);
  set_number(e, object, "status", side->status);
  set_number(e, object, "first", side->first);
  set_number(e, object, "second", side->second);
  if (side->kind == SIDE_LOG) {
    set_text(e, object, "subject", side->text);
    set_text(e, object, "message", side->more);
  }
  if (side->kind == SIDE_EVICTION) {
    napi_value key = NULL;
    napi_create_string_utf8(e->env, side->text, side->key_size, &key);
    napi_set_named_property(e->env, object, "key", key);
  }
  if (side->kind == SIDE_EVICTION || side->kind == SIDE_RETRY) {
    napi_set_named_property(e->env, object, "value", value_value(e, side->value));
    if (side->error != NULL)
      napi_set_named_property(e->env, object, "error", error_value(e, side->error));
  }
  return object;
}

struct numbers *numbers_ref(struct numbers *numbers) {
  atomic_fetch_add(&numbers->references, 1);
  return numbers;
}

void numbers_unref(void *data) {
  struct numbers *numbers = data;
  if (numbers == NULL || atomic_fetch_sub(&numbers->references, 1) != 1) return;
  for (int i = 0; i < NUMBERS_CHUNKS; i++) free(atomic_load(&numbers->chunks[i]));
  free(numbers);
}

int64_t numbers_get(struct numbers *numbers, uint64_t index, int64_t otherwise) {
  if (index >= (uint64_t)NUMBERS_CHUNK * NUMBERS_CHUNKS) return otherwise;
  int64_t *chunk = atomic_load(&numbers->chunks[index / NUMBERS_CHUNK]);
  return chunk == NULL ? otherwise : chunk[index % NUMBERS_CHUNK];
}

static struct side *side_pop(struct waker *waker) {
  pthread_mutex_lock(&waker->mutex);
  struct side *side = waker->first;
  if (side != NULL) {
    waker->first = side->next;
    if (waker->first == NULL) waker->last = &waker->first;
  }
  pthread_mutex_unlock(&waker->mutex);
  return side;
}

/* Appends what listeners left as records from `from` on; returns how many there are now. */
uint32_t side_take(struct environment *e, struct engine *engine, napi_value extras,
                   struct shared_record *records, uint32_t from, uint32_t capacity) {
  struct side *side = NULL;
  while (from < capacity && (side = side_pop(engine->waker)) != NULL) {
    records[from] = (struct shared_record){side->kind, (int32_t)side->user, 0, 0, 0, 0, 0};
    napi_set_element(e->env, extras, from++, side_value(e, side));
    side_free(side); /* an id in it is released after this record at the earliest */
  }
  return from;
}
