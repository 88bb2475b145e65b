/* SPDX-License-Identifier: MIT */
/*
 * The decide door: answers at once, by numbers alone where the answer is yes. What refused is read
 * afterwards with rejection(), from where the last refusal left it.
 */
#include "weir_node.h"

/* The last refusal of this environment's decide functions; undefined before the first. */
static napi_value rejection(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  return e->rejection.status == WEIR_OK ? NULL : rejection_value(e, &e->rejection);
}

#define DOOR(index, name) handle_get(e, arg[index], KIND_POLICY + WEIR_POLICY_##name)

/* The hot ones: all that they take and give is in the environment's door. */
static inline struct environment *door_environment(napi_env env, napi_callback_info info) {
  void *data = NULL;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &data);
  return data;
}

/* NULL: it threw. */
static inline void *door_pointer(struct environment *e, uint32_t kind) {
  void *pointer = handle_peek(e, e->door->handle, KIND_POLICY + kind);
  if (pointer == NULL) throw_status(e, WEIR_ECLOSED, NULL);
  return pointer;
}

static inline void door_permit(struct door *door, weir_permit permit) {
  bool fits = permit <= UINT64_C(1) << 53;
  door->permit = fits ? (double)permit : -1;
  if (!fits) door->wide = permit;
}

static inline weir_permit permit_in(const struct door *door) {
  double number = door->permit;
  if (number < 0) return door->wide;
  return number <= 9007199254740992.0 ? (weir_permit)number : 0;
}

/* breakerAcquire(): permit, which is 0 if it refuses */
static napi_value breaker_acquire(napi_env env, napi_callback_info info) {
  struct environment *e = door_environment(env, info);
  weir_breaker *breaker = door_pointer(e, WEIR_POLICY_BREAKER);
  if (breaker == NULL) return NULL;
  weir_permit permit = 0;
  weir_status status = weir_breaker_acquire(breaker, &permit, &e->rejection);
  if (status != WEIR_OK && status != WEIR_EOPEN) return throw_status(e, status, NULL);
  door_permit(e->door, permit);
  return NULL;
}

/* breakerReport(): permit, class, elapsed time; status */
static napi_value breaker_report(napi_env env, napi_callback_info info) {
  struct environment *e = door_environment(env, info);
  struct door *door = e->door;
  weir_breaker *breaker = door_pointer(e, WEIR_POLICY_BREAKER);
  if (breaker == NULL) return NULL;
  door->status = weir_breaker_report(breaker, permit_in(door), door->class_,
                                     (int64_t)(door->elapsed_ms * 1e6));
  return NULL;
}

/* breakerAcquireMany(handle, BigUint64Array): how many were granted */
static napi_value breaker_acquire_many(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  weir_breaker *breaker = DOOR(0, BREAKER);
  size_t count = 0, granted = 0;
  if (breaker == NULL) return NULL;
  uint64_t *permits = words_of(e, arg[1], 1, &count);
  weir_status status =
      permits == NULL ? WEIR_EINVAL
                      : weir_breaker_acquire_n(breaker, count, permits, &granted, &e->rejection);
  if (status == WEIR_EOPEN) return number_value(e, 0);
  return status == WEIR_OK ? number_value(e, (double)granted) : throw_status(e, status, NULL);
}

/* breakerReportMany(handle, BigUint64Array, count, class, elapsedMs): how many were recorded */
static napi_value breaker_report_many(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  weir_breaker *breaker = DOOR(0, BREAKER);
  size_t length = 0, recorded = 0;
  if (breaker == NULL) return NULL;
  uint64_t *permits = words_of(e, arg[1], 1, &length);
  int64_t count = whole_of(e, arg[2]), elapsed_ns = (int64_t)(number_of(e, arg[4]) * 1e6);
  uint32_t class_ = (uint32_t)int_of(e, arg[3]);
  if (permits == NULL || count < 0) return throw_status(e, WEIR_EINVAL, NULL);
  for (size_t i = 0; i < (size_t)count && i < length; i++)
    recorded += weir_breaker_report(breaker, permits[i], class_, elapsed_ns) == WEIR_OK;
  return number_value(e, (double)recorded);
}

static napi_value breaker_state(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_breaker *breaker = DOOR(0, BREAKER);
  return breaker == NULL ? NULL : number_value(e, weir_breaker_state(breaker));
}

/* breakerControl(handle, what, state): isolate 0, release 1, reset 2, force 3 */
static napi_value breaker_control(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  weir_breaker *breaker = DOOR(0, BREAKER);
  if (breaker == NULL) return NULL;
  weir_status status = WEIR_EINVAL;
  switch (int_of(e, arg[1])) {
    case 0:
      status = weir_breaker_isolate(breaker);
      break;
    case 1:
      status = weir_breaker_release(breaker);
      break;
    case 2:
      status = weir_breaker_reset(breaker);
      break;
    case 3:
      status = weir_breaker_force(breaker, (uint32_t)int_of(e, arg[2]));
      break;
    default:
      break;
  }
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

static napi_value breaker_snapshot(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  weir_breaker *breaker = DOOR(0, BREAKER);
  char bytes[WEIR_BREAKER_SNAPSHOT_SIZE];
  size_t size = sizeof bytes;
  napi_value buffer = NULL;
  if (breaker == NULL) return NULL;
  weir_status status = weir_breaker_snapshot(breaker, bytes, &size);
  if (status != WEIR_OK) return throw_status(e, status, NULL);
  napi_create_buffer_copy(env, size, bytes, NULL, &buffer);
  return buffer;
}

/* breakerRestore(handle, Uint8Array, elapsedMs) */
static napi_value breaker_restore(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  weir_breaker *breaker = DOOR(0, BREAKER);
  struct bytes bytes;
  if (breaker == NULL) return NULL;
  weir_status status = WEIR_EINVAL;
  if (bytes_of(e, arg[1], &bytes))
    status = weir_breaker_restore(breaker, bytes.data, bytes.size, whole_of(e, arg[2]));
  bytes_done(&bytes);
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

/* limiterAcquire(): count; status WEIR_OK and a permit (0 without a concurrency limit), or
 * WEIR_ELIMITED */
static napi_value limiter_acquire(napi_env env, napi_callback_info info) {
  struct environment *e = door_environment(env, info);
  weir_limiter *limiter = door_pointer(e, WEIR_POLICY_LIMITER);
  if (limiter == NULL) return NULL;
  weir_permit permit = 0;
  weir_status status = weir_limiter_try_acquire(limiter, e->door->count, &permit, &e->rejection);
  if (status != WEIR_OK && status != WEIR_ELIMITED) return throw_status(e, status, NULL);
  e->door->status = status;
  door_permit(e->door, permit);
  return NULL;
}

/* Whether it passed: then a permit, which is 0 without a concurrency limit, so -1 says no. */
static napi_value limiter_answer(struct environment *e, weir_status status, weir_permit permit) {
  if (status == WEIR_OK) return permit_value(e, permit);
  return status == WEIR_ELIMITED ? number_value(e, -1) : throw_status(e, status, NULL);
}

/* limiterAcquireKey(handle, permits, key): a permit, or -1 */
static napi_value limiter_acquire_key(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  weir_limiter *limiter = DOOR(0, LIMITER);
  struct bytes key;
  if (limiter == NULL) return NULL;
  weir_permit permit = 0;
  weir_status status = WEIR_EINVAL;
  if (bytes_of(e, arg[2], &key))
    status = weir_limiter_try_acquire_key(limiter, key.data, key.size, (uint32_t)int_of(e, arg[1]),
                                          &permit, &e->rejection);
  bytes_done(&key);
  return limiter_answer(e, status, permit);
}

/* limiterAcquireMany(handle, count): how many were granted */
static napi_value limiter_acquire_many(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  weir_limiter *limiter = DOOR(0, LIMITER);
  size_t granted = 0;
  if (limiter == NULL) return NULL;
  int64_t count = whole_of(e, arg[1]);
  weir_status status =
      count < 0 ? WEIR_EINVAL
                : weir_limiter_acquire_n(limiter, (size_t)count, &granted, &e->rejection);
  if (status == WEIR_ELIMITED) return number_value(e, 0);
  return status == WEIR_OK ? number_value(e, (double)granted) : throw_status(e, status, NULL);
}

/* limiterRelease(handle, permit, key, class, elapsedMs) */
static napi_value limiter_release(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  weir_limiter *limiter = DOOR(0, LIMITER);
  if (limiter == NULL) return NULL;
  weir_permit permit = permit_of(e, arg[1]);
  weir_status status = WEIR_OK;
  struct bytes key = {.data = NULL};
  if (given > 2 && bytes_of(e, arg[2], &key)) {
    status = weir_limiter_release_key(limiter, key.data, key.size, permit);
    bytes_done(&key);
  } else if (given > 3 && int_of(e, arg[3]) != WEIR_CLASS_NONE) {
    status = weir_limiter_release_with(limiter, permit, (uint32_t)int_of(e, arg[3]),
                                       (int64_t)(number_of(e, arg[4]) * 1e6));
  } else {
    status = weir_limiter_release(limiter, permit);
  }
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

/* limiterReserve(handle, permits): [waitMs, reservation], or undefined */
static napi_value limiter_reserve(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  weir_limiter *limiter = DOOR(0, LIMITER);
  int64_t wait_ns = 0;
  weir_permit reservation = 0;
  napi_value pair = NULL;
  if (limiter == NULL) return NULL;
  weir_status status =
      weir_limiter_reserve(limiter, (uint32_t)int_of(e, arg[1]), &wait_ns, &reservation);
  if (status == WEIR_ELIMITED) return NULL;
  if (status != WEIR_OK) return throw_status(e, status, NULL);
  napi_create_array(env, &pair);
  napi_set_element(env, pair, 0, number_value(e, ms_of_ns(wait_ns)));
  napi_set_element(env, pair, 1, permit_value(e, reservation));
  return pair;
}

/* limiterCancel(handle, permits, reservation): whether something could be given back */
static napi_value limiter_cancel(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  weir_limiter *limiter = DOOR(0, LIMITER);
  napi_value done = NULL;
  if (limiter == NULL) return NULL;
  weir_status status =
      weir_limiter_cancel_reservation(limiter, (uint32_t)int_of(e, arg[1]), permit_of(e, arg[2]));
  if (status != WEIR_OK && status != WEIR_ESTALE) return throw_status(e, status, NULL);
  napi_get_boolean(env, status == WEIR_OK, &done);
  return done;
}

/* limiterControl(handle, what, permits): pause 0, resume 1, refund 2, drain 3, available 4 */
static napi_value limiter_control(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  weir_limiter *limiter = DOOR(0, LIMITER);
  if (limiter == NULL) return NULL;
  weir_status status = WEIR_EINVAL;
  int64_t number = 0;
  switch (int_of(e, arg[1])) {
    case 0:
      status = weir_limiter_pause(limiter);
      break;
    case 1:
      status = weir_limiter_resume(limiter);
      break;
    case 2:
      status = weir_limiter_refund(limiter, (uint32_t)int_of(e, arg[2]));
      break;
    case 3:
      status = weir_limiter_drain(limiter, &number);
      break;
    case 4:
      number = weir_limiter_available(limiter);
      return number_value(e, number == INT64_MAX ? ms_of_ns(number) : (double)number);
    default:
      break;
  }
  return status == WEIR_OK ? number_value(e, (double)number) : throw_status(e, status, NULL);
}

/* limiterAddLimit(handle, algorithm, permits, intervalMs, burst) */
static napi_value limiter_add_limit(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  weir_limiter *limiter = DOOR(0, LIMITER);
  weir_error *error = NULL;
  if (limiter == NULL) return NULL;
  weir_status status =
      weir_limiter_add_limit(limiter, (uint32_t)int_of(e, arg[1]), whole_of(e, arg[2]),
                             whole_of(e, arg[3]), whole_of(e, arg[4]), &error);
  return status == WEIR_OK ? NULL : throw_status(e, status, error);
}

/* retryBegin(handle, BigUint64Array of 4) */
static napi_value retry_begin(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  weir_retry *retry = DOOR(0, RETRY);
  void *state = NULL;
  size_t count = 0;
  if (retry == NULL) return NULL;
  napi_get_typedarray_info(env, arg[1], NULL, &count, &state, NULL, NULL);
  weir_status status = count < 4 ? WEIR_EINVAL : weir_retry_begin(retry, state);
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

/* retryNext(handle, state, class, askedMs): the delay in ms; or -1 - stop reason */
static napi_value retry_next(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  weir_retry *retry = DOOR(0, RETRY);
  void *state = NULL;
  size_t count = 0;
  int64_t delay_ns = 0;
  uint32_t reason = 0;
  if (retry == NULL) return NULL;
  napi_get_typedarray_info(env, arg[1], NULL, &count, &state, NULL, NULL);
  weir_status status = count < 4 ? WEIR_EINVAL
                                 : weir_retry_next(retry, state, (uint32_t)int_of(e, arg[2]),
                                                   whole_of(e, arg[3]), &delay_ns, &reason);
  if (status == WEIR_OK) return number_value(e, ms_of_ns(delay_ns));
  return status == WEIR_ESTOP ? number_value(e, -1.0 - reason) : throw_status(e, status, NULL);
}

/* budgetControl(handle, what): deposit 0, withdraw 1, refund 2; whether it was allowed */
static napi_value budget_control(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  weir_budget *budget = handle_get(e, arg[0], KIND_BUDGET);
  napi_value allowed = NULL;
  if (budget == NULL) return NULL;
  weir_status status = WEIR_EINVAL;
  switch (int_of(e, arg[1])) {
    case 0:
      status = weir_budget_deposit(budget);
      break;
    case 1:
      status = weir_budget_try_withdraw(budget, &e->rejection);
      break;
    case 2:
      status = weir_budget_refund(budget);
      break;
    default:
      break;
  }
  if (status != WEIR_OK && status != WEIR_ELIMITED) return throw_status(e, status, NULL);
  napi_get_boolean(env, status == WEIR_OK, &allowed);
  return allowed;
}

/* chaosEnable(handle, on) */
static napi_value chaos_enable(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  weir_chaos *chaos = DOOR(0, CHAOS);
  bool on = false;
  if (chaos == NULL) return NULL;
  napi_get_value_bool(env, arg[1], &on);
  weir_status status = weir_chaos_enable(chaos, on);
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

const struct function door_functions[] = {
    {"rejection", rejection},
    {"breakerAcquire", breaker_acquire},
    {"breakerReport", breaker_report},
    {"breakerAcquireMany", breaker_acquire_many},
    {"breakerReportMany", breaker_report_many},
    {"breakerState", breaker_state},
    {"breakerControl", breaker_control},
    {"breakerSnapshot", breaker_snapshot},
    {"breakerRestore", breaker_restore},
    {"limiterAcquire", limiter_acquire},
    {"limiterAcquireKey", limiter_acquire_key},
    {"limiterAcquireMany", limiter_acquire_many},
    {"limiterRelease", limiter_release},
    {"limiterReserve", limiter_reserve},
    {"limiterCancel", limiter_cancel},
    {"limiterControl", limiter_control},
    {"limiterAddLimit", limiter_add_limit},
    {"retryBegin", retry_begin},
    {"retryNext", retry_next},
    {"budgetControl", budget_control},
    {"chaosEnable", chaos_enable},
    {NULL, NULL},
};
