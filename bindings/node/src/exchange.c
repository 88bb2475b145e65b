/* SPDX-License-Identifier: MIT */
/*
 * The crossing: many commands in, many records out, in one call of JavaScript.
 *
 * Commands are eight doubles each, {COMMAND_*, ...}, carried out in order; records are 32 bytes
 * (struct shared_record). What does not fit a record (descriptions of failures, lists, bytes) is
 * put into the array `extras` under the record's index.
 *
 * Attempts. A drained START gets an entry of the attempts' table, which holds its token until
 * JavaScript completes it; JavaScript knows the entry's number. CANCEL finds the entry by token,
 * through a chain per bucket; one that comes after the completion finds none and is dropped.
 */
#include "weir_node.h"

enum { CHUNK = 256 };

static uint32_t bucket_of(const struct engine *engine, weir_token token) {
  return (uint32_t)((token * UINT64_C(0x9E3779B97F4A7C15)) >> 40) & (engine->attempts_capacity - 1);
}

/* Doubles the tables; chains are built anew. */
static bool attempts_grow(struct engine *engine) {
  uint32_t old = engine->attempts_capacity, capacity = old == 0 ? 64 : old * 2;
  struct attempt *attempts = realloc(engine->attempts, capacity * sizeof *attempts);
  if (attempts == NULL) return false;
  engine->attempts = attempts;
  uint32_t *buckets = calloc(capacity, sizeof *buckets);
  if (buckets == NULL) return false;
  free(engine->buckets);
  engine->buckets = buckets;
  engine->attempts_capacity = capacity;
  for (uint32_t i = 1; i < old; i++) {
    if (attempts[i].token == 0) continue;
    uint32_t bucket = bucket_of(engine, attempts[i].token);
    attempts[i].next = buckets[bucket];
    buckets[bucket] = i;
  }
  for (uint32_t i = capacity - 1; i >= (old == 0 ? 1 : old); i--) {
    attempts[i] = (struct attempt){0, engine->free_attempt};
    engine->free_attempt = i;
  }
  return true;
}

static uint32_t attempt_add(struct engine *engine, weir_token token) {
  if (engine->free_attempt == 0 && !attempts_grow(engine)) return 0;
  uint32_t index = engine->free_attempt, bucket = bucket_of(engine, token);
  engine->free_attempt = engine->attempts[index].next;
  engine->attempts[index] = (struct attempt){token, engine->buckets[bucket]};
  engine->buckets[bucket] = index;
  return index;
}

static uint32_t attempt_find(const struct engine *engine, weir_token token) {
  if (engine->attempts_capacity == 0) return 0;
  uint32_t index = engine->buckets[bucket_of(engine, token)];
  while (index != 0 && engine->attempts[index].token != token) index = engine->attempts[index].next;
  return index;
}

weir_token attempt_token(struct engine *engine, uint32_t attempt) {
  return attempt < engine->attempts_capacity && attempt > 0 ? engine->attempts[attempt].token : 0;
}

/* The token, whose entry is free from here on; 0 if there is none. */
static weir_token attempt_take(struct engine *engine, uint32_t attempt) {
  weir_token token = attempt_token(engine, attempt);
  if (token == 0) return 0;
  uint32_t *place = &engine->buckets[bucket_of(engine, token)];
  while (*place != attempt) place = &engine->attempts[*place].next;
  *place = engine->attempts[attempt].next;
  engine->attempts[attempt] = (struct attempt){0, engine->free_attempt};
  engine->free_attempt = attempt;
  return token;
}

void attempts_abandon(struct engine *engine) {
  for (uint32_t i = 1; i < engine->attempts_capacity; i++) {
    weir_token token = attempt_take(engine, i);
    if (token != 0) weir_complete(engine->runtime, token, NULL);
  }
}

bool engine_run_slot(struct engine *engine, uint32_t slot) {
  if (slot < engine->runs_capacity) return true;
  uint32_t capacity = engine->runs_capacity == 0 ? 64 : engine->runs_capacity;
  while (capacity <= slot) capacity *= 2;
  struct run *runs = realloc(engine->runs, capacity * sizeof *runs);
  if (runs == NULL) return false;
  memset(runs + engine->runs_capacity, 0, (capacity - engine->runs_capacity) * sizeof *runs);
  engine->runs = runs;
  engine->runs_capacity = capacity;
  return true;
}

/* Starts a run; the call is kept under its slot. `error` gets why not. */
static weir_status start(struct engine *engine, uint32_t slot, uint32_t flags,
                         weir_operation *operation, weir_run_options *options, weir_error **error) {
  if (!engine_run_slot(engine, slot)) return WEIR_ENOMEM;
  struct run *run = &engine->runs[slot];
  run->flags = flags;
  run->generation = (run->generation + 1) % GENERATIONS;
  options->context = (void *)(uintptr_t)((uint64_t)run->generation << 32 | slot);
  options->queue = engine->queue;
  options->user = slot;
  return weir_run(operation == NULL ? engine->closure : operation, options, NULL, NULL, NULL,
                  &run->call, error);
}

/* A run that was not accepted settles all the same, as far as JavaScript sees: it finds the slot
 * and an outcome's description at the end of `refused`. */
static void refused(struct engine *engine, uint32_t slot, weir_status status, weir_error *error) {
  struct environment *e = engine->environment;
  napi_value object = NULL, description = NULL, list = NULL;
  uint32_t length = 0;
  napi_create_object(e->env, &object);
  napi_create_object(e->env, &description);
  set_number(e, description, "status", status);
  set_number(e, description, "domain", WEIR_DOMAIN_WEIR);
  set_text(e, description, "message",
           error == NULL ? weir_status_message(status) : weir_error_message(error));
  napi_set_named_property(e->env, object, "error", description);
  set_number(e, object, "status", status);
  set_number(e, object, "channel", WEIR_CHANNEL_ERROR);
  set_number(e, object, "slot", slot);
  weir_error_unref(error);
  napi_get_reference_value(e->env, engine->refused, &list);
  napi_get_array_length(e->env, list, &length);
  napi_set_element(e->env, list, length, object);
}

/* {1, slot, operation, policy, deadlineMs, permits, input, flags + 256 × priority} */
static void command_run(struct engine *engine, const double *command) {
  struct environment *e = engine->environment;
  uint32_t flags = (uint32_t)command[7], policy = (uint32_t)command[3];
  weir_operation *operation = handle_peek(e, (uint32_t)command[2], KIND_OPERATION);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  if (policy < e->handles_count && e->handles[policy].kind >= KIND_POLICY)
    options.policy = e->handles[policy].policy;
  options.deadline_ms = ms_from(command[4]);
  options.permits = (uint32_t)command[5];
  options.priority = flags >> 8;
  options.input = host_value(engine, command[6]);
  weir_error *error = NULL;
  bool gone = (command[2] != 0 && operation == NULL) || (policy != 0 && options.policy == NULL);
  weir_status status =
      gone ? WEIR_ECLOSED
           : start(engine, (uint32_t)command[1], flags & 255, operation, &options, &error);
  weir_value_unref(options.input);
  if (status != WEIR_OK) refused(engine, (uint32_t)command[1], status, error);
}

/* {2, attempt, id, class, final, retryAfterMs, weight} */
static void command_complete(struct engine *engine, const double *command) {
  weir_token token = attempt_take(engine, (uint32_t)command[1]);
  weir_value *value = weighed_value(engine, command[2], command[6]);
  if (command[3] == 0 && command[5] < 0) {
    weir_complete(engine->runtime, token, value);
    return;
  }
  weir_completion completion = WEIR_COMPLETION_INIT;
  completion.class_ = (uint32_t)command[3];
  completion.final = (uint32_t)command[4];
  completion.retry_after_ms = (int64_t)command[5];
  weir_complete_with(engine->runtime, token, value, NULL, &completion);
}

static void command_cancel(struct engine *engine, const double *command) {
  uint32_t slot = (uint32_t)command[1];
  if (slot < engine->runs_capacity && engine->runs[slot].call != NULL)
    weir_call_cancel(engine->runs[slot].call);
}

static void carry_out(struct engine *engine, size_t count) {
  for (size_t i = 0; i < count && i < engine->commands_capacity; i++) {
    const double *command = engine->commands + i * COMMAND_WORDS;
    if (command[0] == COMMAND_RUN)
      command_run(engine, command);
    else if (command[0] == COMMAND_COMPLETE)
      command_complete(engine, command);
    else if (command[0] == COMMAND_CANCEL)
      command_cancel(engine, command);
  }
}

/* Whether more has to be known of an attempt than its START says. */
static bool wants_more(const struct engine *engine, uint64_t user) {
  uint32_t number = (uint32_t)user;
  if (user >> 60 != USER_RUN) return true;
  return number < engine->runs_capacity && (engine->runs[number].flags & RUN_WANTS_INDEX) != 0;
}

/* The run that an attempt is of, if that is still in flight: then its slot, else 0. */
static uint32_t run_of(const struct engine *engine, const weir_attempt *shown) {
  uint64_t context = (uint64_t)(uintptr_t)shown->context;
  uint32_t slot = (uint32_t)context;
  if (slot >= engine->runs_capacity || engine->runs[slot].call == NULL) return 0;
  return engine->runs[slot].generation == context >> 32 ? slot : 0;
}

static bool convert_start(struct engine *engine, const weir_record *from, struct shared_record *to,
                          napi_value extras, uint32_t record) {
  struct environment *e = engine->environment;
  weir_value *input = (weir_value *)(uintptr_t)from->detail;
  uint32_t attempt = attempt_add(engine, from->object);
  if (attempt == 0) {
    weir_value_unref(input);
    weir_fail(engine->runtime, from->object, WEIR_DOMAIN_WEIR, WEIR_ENOMEM, NULL);
    return false;
  }
  to->object = (int32_t)attempt;
  to->channel = (int32_t)(from->user >> 60);
  if (wants_more(engine, from->user)) {
    weir_attempt shown = {.size = sizeof shown};
    weir_attempt_get(engine->runtime, from->object, &shown, NULL);
    to->status = (int32_t)shown.index;
    to->channel |= (int32_t)(run_of(engine, &shown) << 8);
  }
  int32_t id = value_id(e, input);
  to->detail = id;
  if (id == -2) napi_set_element(e->env, extras, record, value_value(e, input));
  weir_value_unref(input);
  return true;
}

static void convert_settled(struct engine *engine, const weir_record *from,
                            struct shared_record *to, napi_value extras, uint32_t record) {
  struct environment *e = engine->environment;
  uint32_t slot = (uint32_t)from->user;
  struct run *run = &engine->runs[slot];
  weir_call *call = run->call;
  run->call = NULL;
  to->channel = from->channel;
  to->detail = ms_of_ns((int64_t)from->detail);
  if (from->channel == WEIR_CHANNEL_VALUE) {
    weir_value *value = (weir_value *)(uintptr_t)from->object;
    to->object = value_id(e, value);
    if ((run->flags & RUN_WANTS_OUTCOME) != 0)
      napi_set_element(e->env, extras, record, outcome_value(e, weir_call_outcome(call)));
    else if (to->object == -2)
      napi_set_element(e->env, extras, record, value_value(e, value));
    weir_value_unref(value);
  } else {
    napi_set_element(e->env, extras, record, outcome_value(e, weir_call_outcome(call)));
    weir_error_unref((weir_error *)(uintptr_t)from->object);
  }
  weir_call_unref(call);
}

static void convert_item(struct environment *e, const weir_record *from, struct shared_record *to,
                         napi_value extras, uint32_t record) {
  to->channel = from->channel;
  to->detail = (double)from->detail;
  if (from->channel == WEIR_CHANNEL_VALUE) {
    weir_value *value = (weir_value *)(uintptr_t)from->object;
    to->object = value_id(e, value);
    if (to->object == -2) napi_set_element(e->env, extras, record, value_value(e, value));
    weir_value_unref(value);
    return;
  }
  weir_error *error = (weir_error *)(uintptr_t)from->object;
  if (error != NULL) napi_set_element(e->env, extras, record, error_value(e, error));
  weir_error_unref(error);
}

/* Whether there is something to tell. */
static bool convert(struct engine *engine, const weir_record *from, struct shared_record *to,
                    napi_value extras, uint32_t record) {
  *to =
      (struct shared_record){from->kind, (int32_t)from->user, 0, from->status, from->number, 0, 0};
  switch (from->kind) {
    case WEIR_RECORD_START:
    case WEIR_RECORD_ASK:
      return convert_start(engine, from, to, extras, record);
    case WEIR_RECORD_CANCEL:
      to->object = (int32_t)attempt_find(engine, from->object);
      return to->object != 0;
    case WEIR_RECORD_SETTLED:
      convert_settled(engine, from, to, extras, record);
      return true;
    case WEIR_RECORD_RELEASED:
      to->object = (int32_t)(from->object & INT32_MAX);
      return true;
    case WEIR_RECORD_EVENT:
      to->object = (int32_t)from->object;
      to->detail = (double)from->detail;
      return true;
    case WEIR_RECORD_ITEM:
      convert_item(engine->environment, from, to, extras, record);
      return true;
    default:
      return true;
  }
}

/* What listeners left goes before the records that were drained with it, so that who is told of a
 * retry is told before its attempt starts. */
static uint32_t drain(struct engine *engine, napi_value extras) {
  struct environment *e = engine->environment;
  weir_record raw[CHUNK];
  uint32_t count = 0, capacity = (uint32_t)engine->records_capacity;
  size_t drained = 1;
  while (drained > 0 && count < capacity) {
    size_t room = capacity - count < CHUNK ? capacity - count : CHUNK;
    drained = weir_completions_drain(engine->queue, raw, sizeof *raw, room);
    napi_handle_scope scope = NULL; /* what is described has many handles */
    napi_open_handle_scope(e->env, &scope);
    count = side_take(e, engine, extras, engine->records, count, capacity - (uint32_t)drained);
    for (size_t i = 0; i < drained; i++)
      count += convert(engine, &raw[i], &engine->records[count], extras, count);
    napi_close_handle_scope(e->env, scope);
  }
  return count;
}

/* exchange(engine, commands, drains): how many records there are now, if it drains. At 0 JavaScript
 * is woken for the next one. */
static napi_value exchange(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  bool drains = false;
  napi_get_value_bool(env, arg[2], &drains);
  carry_out(engine, (size_t)number_of(e, arg[1]));
  if (!drains) return NULL;
  napi_value extras = NULL;
  napi_get_reference_value(env, engine->extras, &extras);
  waker_attach(engine->waker);
  uint32_t count = drain(engine, extras);
  if (count == 0) {
    waker_rest(engine->waker);
    count = drain(engine, extras);
    if (count > 0) waker_attach(engine->waker);
  }
  return number_value(e, count);
}

/* run(engine, slot, operation, policy, deadlineMs, permits, input, flags + 256 × priority, key,
 * name, scope): what a command cannot hold. */
static napi_value run(napi_env env, napi_callback_info info) {
  ARGUMENTS(11);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  uint32_t handle = (uint32_t)int_of(e, arg[2]), scope = (uint32_t)int_of(e, arg[10]);
  uint32_t flags = (uint32_t)int_of(e, arg[7]);
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_operation *operation = NULL;
  if (handle != 0 && (operation = handle_get(e, arg[2], KIND_OPERATION)) == NULL) return NULL;
  if (scope != 0 && (options.scope = handle_get(e, arg[10], KIND_SCOPE)) == NULL) return NULL;
  options.policy = policy_get(e, arg[3]);
  options.deadline_ms = ms_from(number_of(e, arg[4]));
  options.permits = (uint32_t)number_of(e, arg[5]);
  options.priority = flags >> 8;
  struct bytes key, name;
  if (bytes_of(e, arg[8], &key)) {
    options.key = key.data;
    options.key_size = key.size;
  }
  if (text_of(e, arg[9], &name)) options.name = name.data;
  options.input = host_value(engine, number_of(e, arg[6]));
  weir_error *error = NULL;
  weir_status status =
      start(engine, (uint32_t)int_of(e, arg[1]), flags & 255, operation, &options, &error);
  weir_value_unref(options.input);
  bytes_done(&key);
  bytes_done(&name);
  return status == WEIR_OK ? NULL : throw_status(e, status, error);
}

/* A list of bytes values, of an array of strings or Uint8Arrays. */
static weir_value *keys_value(struct environment *e, struct engine *engine, napi_value array) {
  uint32_t count = 0;
  napi_get_array_length(e->env, array, &count);
  weir_value **values = calloc(count + 1, sizeof *values), *list = NULL;
  if (values == NULL) return NULL;
  for (uint32_t i = 0; i < count; i++) {
    napi_value key = NULL;
    struct bytes bytes;
    napi_get_element(e->env, array, i, &key);
    if (bytes_of(e, key, &bytes))
      weir_value_new_bytes(engine->runtime, bytes.data, bytes.size, &values[i]);
    bytes_done(&bytes);
  }
  weir_value_new_list(engine->runtime, values, NULL, count, &list);
  weir_values_unref(values, count);
  free(values);
  return list;
}

/* runKeys(engine, slot, operation, policy, deadlineMs, flags, keys): the input is a list of keys */
static napi_value run_keys(napi_env env, napi_callback_info info) {
  ARGUMENTS(7);
  struct engine *engine = engine_get(e, arg[0]);
  weir_operation *operation = engine == NULL ? NULL : handle_get(e, arg[2], KIND_OPERATION);
  if (operation == NULL) return NULL;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = policy_get(e, arg[3]);
  options.deadline_ms = ms_from(number_of(e, arg[4]));
  options.input = keys_value(e, engine, arg[6]);
  weir_error *error = NULL;
  weir_status status = start(engine, (uint32_t)int_of(e, arg[1]), (uint32_t)int_of(e, arg[5]),
                             operation, &options, &error);
  weir_value_unref(options.input);
  return status == WEIR_OK ? NULL : throw_status(e, status, error);
}

/* fail(engine, attempt, id, domain, code, message, class, final, retryAfterMs) */
static napi_value fail(napi_env env, napi_callback_info info) {
  ARGUMENTS(9);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  struct bytes message;
  bool said = text_of(e, arg[5], &message);
  weir_error *error = host_error(engine, number_of(e, arg[2]), (uint32_t)int_of(e, arg[3]),
                                 number_of(e, arg[4]), said ? message.data : NULL);
  bytes_done(&message);
  weir_completion completion = WEIR_COMPLETION_INIT;
  completion.class_ = (uint32_t)int_of(e, arg[6]);
  completion.final = (uint32_t)int_of(e, arg[7]);
  completion.retry_after_ms = whole_of(e, arg[8]);
  weir_token token = attempt_take(engine, (uint32_t)int_of(e, arg[1]));
  if (error == NULL)
    weir_fail(engine->runtime, token, WEIR_DOMAIN_WEIR, WEIR_ENOMEM, NULL);
  else
    weir_complete_with(engine->runtime, token, NULL, error, &completion);
  return NULL;
}

/* completeList(engine, attempt, ids, errorIds, weights): a list value; a positive error id wins. */
static napi_value complete_list(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  uint32_t count = 0;
  napi_get_array_length(env, arg[2], &count);
  weir_value **values = calloc(count + 1, sizeof *values), *list = NULL;
  weir_error **errors = calloc(count + 1, sizeof *errors);
  for (uint32_t i = 0; i < count && values != NULL && errors != NULL; i++) {
    napi_value id = NULL, failed = NULL, weight = NULL;
    napi_get_element(env, arg[2], i, &id);
    napi_get_element(env, arg[3], i, &failed);
    if (!is_nothing(e, arg[4])) napi_get_element(env, arg[4], i, &weight);
    if (number_of(e, failed) >= 0)
      errors[i] = host_error(engine, number_of(e, failed), WEIR_DOMAIN_USER, 0, NULL);
    else
      values[i] =
          weighed_value(engine, number_of(e, id), weight == NULL ? 0 : number_of(e, weight));
  }
  weir_token token = attempt_take(engine, (uint32_t)int_of(e, arg[1]));
  if (values != NULL && errors != NULL)
    weir_value_new_list(engine->runtime, values, errors, count, &list);
  for (uint32_t i = 0; i < count && values != NULL && errors != NULL; i++) {
    weir_value_unref(values[i]);
    weir_error_unref(errors[i]);
  }
  free(values);
  free(errors);
  weir_complete(engine->runtime, token, list);
  return NULL;
}

/* attempt(engine, attempt): { number, index, remainingMs, key, failed }, or undefined */
static napi_value attempt(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_attempt shown = {.size = sizeof shown};
  weir_outcome failed = WEIR_OUTCOME_INIT;
  weir_token token = attempt_token(engine, (uint32_t)int_of(e, arg[1]));
  if (token == 0 || weir_attempt_get(engine->runtime, token, &shown, &failed) != WEIR_OK)
    return NULL;
  napi_value object = NULL, key = NULL;
  napi_create_object(env, &object);
  set_number(e, object, "number", shown.number);
  set_number(e, object, "index", (double)shown.index);
  set_number(e, object, "remainingMs", ms_of_ns(shown.remaining_ns));
  if (shown.key != NULL) {
    napi_create_string_utf8(env, shown.key, (size_t)shown.key_size, &key);
    napi_set_named_property(env, object, "key", key);
  }
  if (shown.failed != NULL)
    napi_set_named_property(env, object, "failed", outcome_value(e, &failed));
  return object;
}

/* attemptScope(engine, attempt): a handle, or undefined */
static napi_value attempt_scope(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_attempt shown = {.size = sizeof shown};
  weir_token token = attempt_token(engine, (uint32_t)int_of(e, arg[1]));
  if (token == 0 || weir_attempt_get(engine->runtime, token, &shown, NULL) != WEIR_OK) return NULL;
  return shown.scope == NULL ? NULL : handle_value(e, KIND_SCOPE, weir_scope_ref(shown.scope));
}

const struct function exchange_functions[] = {
    {"exchange", exchange},          {"run", run},
    {"runKeys", run_keys},           {"fail", fail},
    {"completeList", complete_list}, {"attempt", attempt},
    {"attemptScope", attempt_scope}, {NULL, NULL},
};
