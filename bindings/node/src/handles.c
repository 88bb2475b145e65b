/* SPDX-License-Identifier: MIT */
/*
 * Handles, and the small change of Node-API: numbers, texts, bytes, throwing.
 *
 * A handle's number is taken again after it was freed; JavaScript frees each once and forgets the
 * number then. A number of the wrong kind throws, so a mistake there is an error and no crash.
 */
#include <math.h>
#include <stdio.h>

#include "weir_node.h"

static uint32_t handle_new(struct environment *e, struct handle handle) {
  uint32_t index = e->free_handle;
  if (index != 0) {
    e->free_handle = e->handles[index].next_free;
  } else {
    if (e->handles_count == e->handles_capacity) {
      uint32_t capacity = e->handles_capacity * 2;
      struct handle *grown = realloc(e->handles, capacity * sizeof *grown);
      if (grown == NULL) return 0;
      e->handles = grown;
      e->handles_capacity = capacity;
    }
    index = e->handles_count++;
  }
  handle.queue = e->queue;
  e->handles[index] = handle;
  return index;
}

void *handle_peek(struct environment *e, uint32_t handle, uint32_t kind) {
  if (handle >= e->handles_count || e->handles[handle].kind != kind) return NULL;
  return e->handles[handle].pointer;
}

void *handle_get(struct environment *e, napi_value value, uint32_t kind) {
  uint32_t handle = 0;
  void *pointer = NULL;
  if (napi_get_value_uint32(e->env, value, &handle) == napi_ok)
    pointer = handle_peek(e, handle, kind);
  if (pointer == NULL)
    throw_status(e, WEIR_ECLOSED, NULL);
  else
    e->queue = e->handles[handle].queue;
  return pointer;
}

weir_policy *policy_get(struct environment *e, napi_value value) {
  uint32_t handle = 0;
  if (napi_get_value_uint32(e->env, value, &handle) != napi_ok || handle == 0) return NULL;
  if (handle < e->handles_count && e->handles[handle].kind >= KIND_POLICY)
    return e->handles[handle].policy;
  throw_status(e, WEIR_ECLOSED, NULL);
  return NULL;
}

static void give_back(struct handle handle) {
  switch (handle.kind) {
    case KIND_ENGINE:
      engine_free(handle.pointer);
      break;
    case KIND_OPERATION:
      weir_operation_unref(handle.pointer);
      break;
    case KIND_BUDGET:
      weir_budget_unref(handle.pointer);
      break;
    case KIND_CACHE:
      weir_cache_unref(handle.pointer);
      break;
    case KIND_MEMOIZE:
      weir_memoize_unref(handle.pointer);
      break;
    case KIND_FLIGHT:
      weir_flight_unref(handle.pointer);
      break;
    case KIND_DEBOUNCE:
      weir_debounce_unref(handle.pointer);
      break;
    case KIND_THROTTLE:
      weir_throttle_unref(handle.pointer);
      break;
    case KIND_POOL:
      weir_pool_unref(handle.pointer);
      break;
    case KIND_SCOPE:
      weir_scope_unref(handle.pointer);
      break;
    case KIND_FREE:
      break;
    default:
      weir_policy_unref(handle.policy);
      break;
  }
}

void handle_free(struct environment *e, uint32_t handle) {
  if (handle == 0 || handle >= e->handles_count || e->handles[handle].kind == KIND_FREE) return;
  struct handle gone = e->handles[handle];
  e->handles[handle] = (struct handle){.kind = KIND_FREE, .next_free = e->free_handle};
  e->free_handle = handle;
  give_back(gone);
}

static napi_value kept(struct environment *e, struct handle handle) {
  uint32_t index = handle_new(e, handle);
  if (index != 0) return number_value(e, index);
  give_back(handle);
  return throw_status(e, WEIR_ENOMEM, NULL);
}

napi_value handle_value(struct environment *e, uint32_t kind, void *pointer) {
  return kept(e, (struct handle){.pointer = pointer, .kind = kind});
}

napi_value policy_value(struct environment *e, void *pointer, weir_policy *policy) {
  return kept(e, (struct handle){
                     .pointer = pointer,
                     .policy = policy,
                     .kind = KIND_POLICY + weir_policy_kind(policy),
                 });
}

int32_t int_of(struct environment *e, napi_value value) {
  int32_t number = 0;
  napi_get_value_int32(e->env, value, &number);
  return number;
}

double number_of(struct environment *e, napi_value value) {
  double number = 0;
  napi_get_value_double(e->env, value, &number);
  return number;
}

int64_t whole_of(struct environment *e, napi_value value) {
  double number = -1;
  napi_get_value_double(e->env, value, &number);
  return number > -9e15 && number < 9e15 ? (int64_t)number : -1;
}

uint64_t *words_of(struct environment *e, napi_value value, size_t count, size_t *length) {
  napi_typedarray_type type = napi_uint8_array;
  void *data = NULL;
  if (napi_get_typedarray_info(e->env, value, &type, length, &data, NULL, NULL) != napi_ok ||
      type != napi_biguint64_array || *length < count)
    return NULL;
  return data;
}

/* Permits are 64 bits; most fit into a number, the others travel as BigInt. */
uint64_t permit_of(struct environment *e, napi_value value) {
  double number = 0;
  if (napi_get_value_double(e->env, value, &number) == napi_ok)
    return number > 0 && number <= 9007199254740992.0 ? (uint64_t)number : 0;
  uint64_t permit = 0;
  bool lossless = false;
  napi_get_value_bigint_uint64(e->env, value, &permit, &lossless);
  return lossless ? permit : 0;
}

napi_value permit_value(struct environment *e, uint64_t permit) {
  napi_value value = NULL;
  if (permit <= UINT64_C(1) << 53)
    napi_create_double(e->env, (double)permit, &value);
  else
    napi_create_bigint_uint64(e->env, permit, &value);
  return value;
}

napi_value number_value(struct environment *e, double number) {
  napi_value value = NULL;
  napi_create_double(e->env, number, &value);
  return value;
}

napi_value text_value(struct environment *e, const char *text) {
  napi_value value = NULL;
  napi_create_string_utf8(e->env, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

bool is_nothing(struct environment *e, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(e->env, value, &type);
  return type == napi_undefined || type == napi_null;
}

void set_number(struct environment *e, napi_value object, const char *name, double number) {
  napi_set_named_property(e->env, object, name, number_value(e, number));
}

void set_text(struct environment *e, napi_value object, const char *name, const char *text) {
  napi_set_named_property(e->env, object, name, text_value(e, text));
}

/* The error is made by JavaScript, so that it is one of the classes of lib/errors.js. */
static napi_value throw_described(struct environment *e, napi_value descriptor) {
  bool pending = false;
  napi_is_exception_pending(e->env, &pending);
  napi_value make = NULL, error = NULL, receiver = NULL;
  if (pending || napi_get_reference_value(e->env, e->make_error, &make) != napi_ok) return NULL;
  napi_get_undefined(e->env, &receiver);
  if (napi_call_function(e->env, receiver, make, 1, &descriptor, &error) == napi_ok)
    napi_throw(e->env, error);
  return NULL;
}

napi_value throw_status(struct environment *e, weir_status status, weir_error *error) {
  napi_value descriptor = NULL;
  if (error != NULL) {
    descriptor = error_value(e, error);
    weir_error_unref(error);
  } else {
    napi_create_object(e->env, &descriptor);
    set_number(e, descriptor, "status", status);
    set_text(e, descriptor, "message", weir_status_message(status));
  }
  return throw_described(e, descriptor);
}

napi_value throw_at(struct environment *e, const char *what, weir_status status) {
  char message[128];
  const char *why = status == WEIR_ECLOSED ? "the runtime is closed" : weir_status_message(status);
  napi_value descriptor = NULL;
  snprintf(message, sizeof message, "%s: %s", what, why);
  napi_create_object(e->env, &descriptor);
  set_number(e, descriptor, "status", status);
  set_text(e, descriptor, "message", message);
  return throw_described(e, descriptor);
}

napi_value throw_invalid(struct environment *e, const char *message) {
  napi_value descriptor = NULL;
  napi_create_object(e->env, &descriptor);
  set_number(e, descriptor, "status", WEIR_EINVAL);
  set_text(e, descriptor, "message", message);
  return throw_described(e, descriptor);
}

double ms_of_ns(int64_t ns) { return ns == INT64_MAX ? INFINITY : (double)ns / 1e6; }

/* Rounded up: nothing fires early. */
int64_t ms_from(double ms) { return ms < 9e15 ? (int64_t)ceil(ms) : -1; }

static bool text_bytes(struct environment *e, napi_value value, struct bytes *out) {
  size_t size = 0;
  if (napi_get_value_string_utf8(e->env, value, out->inside, sizeof out->inside, &size) != napi_ok)
    return false;
  out->data = out->inside;
  out->size = size;
  if (size < sizeof out->inside - 4) return true; /* it may have been cut off otherwise */
  napi_get_value_string_utf8(e->env, value, NULL, 0, &size);
  out->owned = malloc(size + 1);
  if (out->owned == NULL) return false;
  napi_get_value_string_utf8(e->env, value, out->owned, size + 1, &out->size);
  out->data = out->owned;
  return true;
}

bool text_of(struct environment *e, napi_value value, struct bytes *out) {
  out->data = NULL;
  out->size = 0;
  out->owned = NULL;
  return text_bytes(e, value, out);
}

bool bytes_of(struct environment *e, napi_value value, struct bytes *out) {
  out->data = NULL;
  out->size = 0;
  out->owned = NULL;
  bool typed = false;
  napi_is_typedarray(e->env, value, &typed);
  if (!typed) return text_bytes(e, value, out);
  napi_typedarray_type type = napi_uint8_array;
  void *data = NULL;
  napi_get_typedarray_info(e->env, value, &type, &out->size, &data, NULL, NULL);
  out->data = data == NULL ? out->inside : data;
  return type == napi_uint8_array;
}

void bytes_done(struct bytes *bytes) { free(bytes->owned); }
