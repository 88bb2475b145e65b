/* SPDX-License-Identifier: MIT */
/*
 * Engines: their making and their end, and what a runtime offers besides runs.
 *
 * The end comes once, by whichever is first: JavaScript gives the handle back, or the environment
 * ends (a worker is terminated, the process exits). It waits for weir's thread, which has nothing
 * left to wait for by then: every attempt that JavaScript still held has been completed. So nothing
 * of weir runs when the environment is gone.
 *
 * libuv. Node exports libuv's functions, and a library that is loaded into it gets those, whichever
 * libuv it was linked with (seen with 1.44.2 against the 1.46.0 of Node 20): that is within libuv's
 * promise for version 1. weir runs a loop of its own on a thread of its own there, and touches no
 * loop, handle or thread of the host's; the addon asks Node-API for nothing of libuv.
 */
#include "weir_node.h"

#define FIELD(member, name, type, words) \
  { name, offsetof(weir_runtime_options, member), type, words }
static const char *const drivers[] = {"thread", "uv", "manual", NULL};
static const char *const levels[] = {"off", "error", "warning", "info", "debug", NULL};
const struct field runtime_fields[] = {
    FIELD(driver, "driver", FIELD_WORD, drivers),
    FIELD(seed, "seed", FIELD_U64, NULL),
    FIELD(max_in_flight, "maxInFlight", FIELD_I64, NULL),
    FIELD(close_grace_ms, "closeGraceMs", FIELD_I64, NULL),
    FIELD(name, "name", FIELD_TEXT, NULL),
    FIELD(log_level, "logLevel", FIELD_WORD, levels),
    FIELD(recorder_entries, "recorderEntries", FIELD_U32, NULL),
    FIELD(metrics, "metrics", FIELD_FLAG, NULL),
    FIELDS_END,
};

struct engine *engine_get(struct environment *e, napi_value value) {
  return handle_get(e, value, KIND_ENGINE);
}

weir_value *weighed_value(struct engine *engine, double id, double weight) {
  weir_value *value = NULL;
  if (id >= 0) weir_value_new_host(engine->queue, (uint64_t)id | (uint64_t)weight << 32, &value);
  return value;
}

weir_value *host_value(struct engine *engine, double id) { return weighed_value(engine, id, 0); }

weir_error *host_error(struct engine *engine, double id, uint32_t domain, double code,
                       const char *message) {
  weir_error *error = NULL;
  weir_value *detail = host_value(engine, id);
  weir_error_new_with(engine->runtime, domain, (int64_t)code, message, NULL, detail, &error);
  weir_value_unref(detail);
  return error;
}

/* Gives back what waits in the queue; nobody will look at it any more. */
static void drop_records(struct engine *engine) {
  weir_record records[64];
  size_t count = 0;
  while ((count = weir_completions_drain(engine->queue, records, sizeof *records, 64)) > 0)
    for (size_t i = 0; i < count; i++) {
      weir_record *record = &records[i];
      if (record->kind == WEIR_RECORD_START || record->kind == WEIR_RECORD_ASK) {
        weir_value_unref((weir_value *)(uintptr_t)record->detail);
        weir_complete(engine->runtime, record->object, NULL);
      } else if (record->kind == WEIR_RECORD_SETTLED) {
        if (record->channel == WEIR_CHANNEL_VALUE)
          weir_value_unref((weir_value *)(uintptr_t)record->object);
        else
          weir_error_unref((weir_error *)(uintptr_t)record->object);
      }
    }
}

static void wait_for_end(struct engine *engine) {
  weir_status status = WEIR_ETIMEDOUT;
  for (int round = 0; round < 40 && status == WEIR_ETIMEDOUT; round++) {
    drop_records(engine); /* a START may have come meanwhile, and would hold up the end */
    attempts_abandon(engine);
    status = weir_runtime_close_wait(engine->runtime, 50);
  }
  if (status == WEIR_ENOTSUP)
    weir_runtime_process(engine->runtime, weir_runtime_now(engine->runtime));
  drop_records(engine);
}

/* What a lent runtime still has of this engine completes without a value; what it posts later goes
 * with the queue. Nothing waits: its owner may be this very thread. */
static void let_go(struct engine *engine) {
  drop_records(engine);
  attempts_abandon(engine);
}

static void unlink_engine(struct engine *engine) {
  struct engine **place = &engine->environment->engines;
  while (*place != NULL && *place != engine) place = &(*place)->next;
  if (*place == engine) *place = engine->next;
}

void engine_end(struct engine *engine) {
  if (engine->runtime == NULL) return;
  unlink_engine(engine);
  waker_end(engine->waker);
  if (!engine->lent) weir_runtime_close(engine->runtime);
  for (uint32_t i = 0; i < engine->runs_capacity; i++) {
    if (engine->runs[i].call == NULL) continue;
    if (engine->lent) weir_call_cancel(engine->runs[i].call);
    weir_call_unref(engine->runs[i].call);
    engine->runs[i].call = NULL;
  }
  if (engine->lent)
    let_go(engine);
  else
    wait_for_end(engine);
  weir_operation_unref(engine->closure);
  weir_operation_unref(engine->loader);
  weir_completions_unref(engine->queue);
  weir_runtime_unref(engine->runtime);
  waker_unref(engine->waker);
  numbers_unref(engine->timeouts);
  numbers_unref(engine->lifetimes);
  engine->runtime = NULL;
  free(engine->attempts);
  free(engine->buckets);
  free(engine->runs);
  engine->attempts = NULL;
  engine->buckets = NULL;
  engine->runs = NULL;
  engine->runs_capacity = engine->attempts_capacity = 0;
}

static void environment_ends(void *data) { engine_end(data); }

void engine_free(struct engine *engine) {
  napi_env env = engine->environment->env;
  napi_remove_env_cleanup_hook(env, environment_ends, engine);
  engine_end(engine);
  if (engine->buffers != NULL) napi_delete_reference(env, engine->buffers);
  if (engine->extras != NULL) napi_delete_reference(env, engine->extras);
  if (engine->refused != NULL) napi_delete_reference(env, engine->refused);
  free(engine);
}

weir_status engine_queue(struct engine *engine, weir_error **error) {
  weir_completions_options options = WEIR_COMPLETIONS_OPTIONS_INIT;
  options.notify = waker_notify;
  options.notify_data = engine->waker;
  options.notify_free_data = waker_unref;
  waker_ref(engine->waker);
  weir_status status = weir_completions_new(engine->runtime, &options, &engine->queue, error);
  if (status != WEIR_OK) return status;
  status = weir_operation_new_queued(engine->queue, WEIR_USER_OF_RUN, &engine->closure, error);
  if (status != WEIR_OK) return status;
  return weir_operation_new_queued(engine->queue, USER_OF(USER_INPUT, 0), &engine->loader, error);
}

static bool listens(struct environment *e, napi_value options, const char *name) {
  napi_value value = NULL;
  napi_get_named_property(e->env, options, name, &value);
  return !is_nothing(e, value);
}

static weir_status make_runtime(struct environment *e, struct engine *engine, napi_value object,
                                weir_runtime_options *options, weir_error **error) {
  if (listens(e, object, "onLog")) {
    options->log = side_log;
    options->log_data = listener_new(engine->waker, 0);
    options->log_free_data = listener_free;
  }
  if (listens(e, object, "onEvent")) {
    options->on_event = side_event;
    options->event_data = listener_new(engine->waker, 0);
    options->event_free_data = listener_free;
  }
  weir_status status = weir_runtime_new(options, &engine->runtime, error);
  if (status == WEIR_OK && options->driver == WEIR_DRIVER_MANUAL)
    weir_runtime_process(engine->runtime, 1000000000);
  return status == WEIR_OK ? engine_queue(engine, error) : status;
}

static bool share_buffers(struct environment *e, struct engine *engine, napi_value *arg) {
  void *data = NULL;
  size_t size = 0;
  napi_typedarray_type type = napi_float64_array;
  napi_value holder = NULL;
  if (napi_get_typedarray_info(e->env, arg[1], &type, &size, &data, NULL, NULL) != napi_ok)
    return false;
  engine->commands = data;
  engine->commands_capacity = size / COMMAND_WORDS;
  if (napi_get_arraybuffer_info(e->env, arg[2], &data, &size) != napi_ok) return false;
  engine->records = data;
  engine->records_capacity = size / sizeof *engine->records;
  napi_create_array(e->env, &holder);
  napi_set_element(e->env, holder, 0, arg[1]);
  napi_set_element(e->env, holder, 1, arg[2]);
  return napi_create_reference(e->env, holder, 1, &engine->buffers) == napi_ok &&
         napi_create_reference(e->env, arg[3], 1, &engine->extras) == napi_ok &&
         napi_create_reference(e->env, arg[4], 1, &engine->refused) == napi_ok;
}

static struct numbers *numbers_new(void) {
  struct numbers *numbers = calloc(1, sizeof *numbers);
  if (numbers != NULL) atomic_store(&numbers->references, 1);
  return numbers;
}

bool engine_prepare(struct environment *e, struct engine *engine, napi_value *arg) {
  engine->environment = e;
  return share_buffers(e, engine, arg) && (engine->timeouts = numbers_new()) != NULL &&
         (engine->lifetimes = numbers_new()) != NULL &&
         (engine->waker = waker_new(e, arg[5])) != NULL;
}

napi_value engine_made(struct engine *engine, weir_status status, weir_error *error) {
  struct environment *e = engine->environment;
  if (engine->runtime != NULL) {
    engine->next = e->engines;
    e->engines = engine;
    napi_add_env_cleanup_hook(e->env, environment_ends, engine);
    e->queue = engine->queue;
  }
  if (status == WEIR_OK) return handle_value(e, KIND_ENGINE, engine);
  if (engine->runtime == NULL && engine->waker != NULL) {
    waker_end(engine->waker);
    waker_unref(engine->waker);
  }
  if (engine->runtime == NULL) {
    numbers_unref(engine->timeouts);
    numbers_unref(engine->lifetimes);
  }
  engine_free(engine);
  return throw_status(e, status, error);
}

/* open(options, commands: Float64Array, records: ArrayBuffer, extras: [], refused: [], wake) */
static napi_value open_engine(napi_env env, napi_callback_info info) {
  ARGUMENTS(6);
  struct engine *engine = calloc(1, sizeof *engine);
  if (engine == NULL) return throw_status(e, WEIR_ENOMEM, NULL);
  struct options_memory memory = {.count = 0};
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_error *error = NULL;
  weir_status status = WEIR_EINVAL;
  bool fine = engine_prepare(e, engine, arg) &&
              options_read(e, arg[0], runtime_fields, &options, &memory, "runtime");
  if (fine) status = make_runtime(e, engine, arg[0], &options, &error);
  options_done(&memory);
  return engine_made(engine, status, error);
}

/* setNumber(engine, lifetimes, index, ms): of a run's timeout, or a value's lifetime */
static napi_value set_number_of(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  bool lifetimes = false;
  napi_get_value_bool(env, arg[1], &lifetimes);
  struct numbers *numbers = lifetimes ? engine->lifetimes : engine->timeouts;
  uint64_t index = (uint64_t)number_of(e, arg[2]);
  if (index >= (uint64_t)NUMBERS_CHUNK * NUMBERS_CHUNKS) return throw_status(e, WEIR_EFULL, NULL);
  int64_t *chunk = atomic_load(&numbers->chunks[index / NUMBERS_CHUNK]);
  if (chunk == NULL) {
    if ((chunk = calloc(NUMBERS_CHUNK, sizeof *chunk)) == NULL)
      return throw_status(e, WEIR_ENOMEM, NULL);
    atomic_store(&numbers->chunks[index / NUMBERS_CHUNK], chunk);
  }
  double ms = number_of(e, arg[3]);
  chunk[index % NUMBERS_CHUNK] = ms == -2 ? -2 : ms_from(ms);
  return NULL;
}

static napi_value close_engine(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine != NULL) weir_runtime_close(engine->runtime);
  return NULL;
}

static napi_value release(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  handle_free(e, (uint32_t)int_of(e, arg[0]));
  return NULL;
}

/* hold(engine, keepsTheProcessAlive) */
static napi_value hold(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct engine *engine = engine_get(e, arg[0]);
  bool held = false;
  napi_get_value_bool(env, arg[1], &held);
  if (engine != NULL) waker_hold(env, engine->waker, held);
  return NULL;
}

/* The manual driver's clock: goes `delta` nanoseconds on and does what is due. */
static napi_value process(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  int64_t now = weir_runtime_now(engine->runtime), delta = (int64_t)number_of(e, arg[1]);
  return number_value(e, (double)weir_runtime_process(engine->runtime, now + delta));
}

/* Nanoseconds until process() must be called; Infinity if nothing waits for time. */
static napi_value until_next(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  int64_t next = weir_runtime_next_deadline(engine->runtime);
  int64_t now = weir_runtime_now(engine->runtime);
  return number_value(e, next == INT64_MAX ? ms_of_ns(next)
                         : next < now      ? 0
                                           : (double)(next - now));
}

static napi_value now(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct engine *engine = engine_get(e, arg[0]);
  return engine == NULL ? NULL : number_value(e, (double)weir_runtime_now(engine->runtime));
}

#undef FIELD
#define FIELD(member, name, type) \
  { name, offsetof(weir_runtime_stats, member), type, NULL }
static const struct field stats_fields[] = {
    FIELD(runs_accepted, "runsAccepted", FIELD_U64),
    FIELD(runs_settled, "runsSettled", FIELD_U64),
    FIELD(attempts_started, "attemptsStarted", FIELD_U64),
    FIELD(live_calls, "liveCalls", FIELD_U64),
    FIELD(orphans, "orphans", FIELD_U64),
    FIELD(timers, "timers", FIELD_U64),
    FIELD(turns, "turns", FIELD_U64),
    FIELDS_END,
};

static napi_value runtime_stats(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_runtime_stats stats = {.size = sizeof stats};
  weir_status status = weir_runtime_get_stats(engine->runtime, &stats);
  return status == WEIR_OK ? struct_value(e, stats_fields, &stats) : throw_status(e, status, NULL);
}

typedef weir_status (*text_fn)(weir_runtime *, char *, size_t, size_t *);

static napi_value whole_text(struct environment *e, napi_value value, text_fn function) {
  struct engine *engine = engine_get(e, value);
  if (engine == NULL) return NULL;
  size_t needed = 0, size = 0;
  char *text = NULL;
  weir_status status = function(engine->runtime, NULL, 0, &needed);
  while (status == WEIR_EFULL || (status == WEIR_OK && text == NULL)) {
    size = needed + 256; /* it may have grown by then */
    free(text);
    if ((text = malloc(size)) == NULL) return throw_status(e, WEIR_ENOMEM, NULL);
    status = function(engine->runtime, text, size, &needed);
  }
  napi_value result = status == WEIR_OK ? text_value(e, text) : throw_status(e, status, NULL);
  free(text);
  return result;
}

static napi_value metrics(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  bool old = false;
  napi_get_value_bool(env, arg[1], &old);
  return whole_text(e, arg[0], old ? weir_runtime_metrics_text : weir_runtime_metrics);
}

static napi_value recorder_dump(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  return whole_text(e, arg[0], weir_recorder_dump);
}

#define FIELD_OF(member, name, type) \
  { name, offsetof(weir_recorded, member), type, NULL }
static const struct field recorded_fields[] = {
    FIELD_OF(number, "number", FIELD_U64),
    FIELD_OF(at_ns, "atMs", FIELD_NS),
    FIELD_OF(kind, "kind", FIELD_U32),
    FIELD_OF(reason, "reason", FIELD_U32),
    FIELD_OF(from, "from", FIELD_U32),
    FIELD_OF(to, "to", FIELD_U32),
    FIELD_OF(count, "count", FIELD_U64),
    FIELD_OF(delay_ns, "delayMs", FIELD_NS),
    FIELD_OF(name, "name", FIELD_CHARS),
    FIELD_OF(text, "text", FIELD_CHARS),
    FIELDS_END,
};

/* recorderRead(engine, cursor: BigUint64Array of 1): at most 64 entries */
static napi_value recorder_read(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_recorded entries[64];
  size_t length = 0, count = 0;
  napi_value list = NULL;
  uint64_t *cursor = words_of(e, arg[1], 1, &length);
  weir_status status =
      weir_recorder_read(engine->runtime, cursor, entries, sizeof *entries, 64, &count);
  if (status != WEIR_OK) return throw_status(e, status, NULL);
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < count; i++) {
    napi_value entry = struct_value(e, recorded_fields, &entries[i]);
    set_number(e, entry, "status", entries[i].status);
    napi_set_element(env, list, i, entry);
  }
  return list;
}

/* recorderNotify(engine): a record whenever there are new entries */
static napi_value recorder_notify(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_status status = weir_recorder_notify(engine->runtime, engine->queue, 0);
  return status == WEIR_OK ? NULL : throw_status(e, status, NULL);
}

/* log(engine, level, subject, message) */
static napi_value write_log(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  char subject[128], message[1024] = "";
  size_t size = 0;
  bool named = napi_get_value_string_utf8(env, arg[2], subject, sizeof subject, &size) == napi_ok;
  napi_get_value_string_utf8(env, arg[3], message, sizeof message, &size);
  weir_log(engine->runtime, int_of(e, arg[1]), named ? subject : NULL, message);
  return NULL;
}

static napi_value trim(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine != NULL) weir_runtime_trim(engine->runtime);
  return NULL;
}

static napi_value version(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  return text_value(e, weir_version_string());
}

static napi_value status_name(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  return text_value(e, weir_status_name(int_of(e, arg[0])));
}

/* statusMessage(status): its words */
static napi_value status_message(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  return text_value(e, weir_status_message(int_of(e, arg[0])));
}

/* audit(engine): manual runtimes only, whose thread this is */
static napi_value audit(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct engine *engine = engine_get(e, arg[0]);
  if (engine == NULL) return NULL;
  weir_audit_entry entries[64];
  size_t count = 0;
  weir_status status = weir_runtime_audit(engine->runtime, entries, sizeof *entries, 64, &count);
  if (status != WEIR_OK) return throw_status(e, status, NULL);
  napi_value list = NULL;
  napi_create_array(env, &list);
  for (size_t i = 0; i < count && i < 64; i++) {
    napi_value entry = NULL;
    napi_create_object(env, &entry);
    set_text(e, entry, "kind", entries[i].kind == WEIR_AUDIT_CALL ? "call" : "orphan");
    set_number(e, entry, "attempts", entries[i].attempts);
    set_number(e, entry, "ageMs", ms_of_ns(entries[i].age_ns));
    set_text(e, entry, "name", entries[i].name);
    set_text(e, entry, "waitsFor", entries[i].waits_for);
    napi_set_element(env, list, (uint32_t)i, entry);
  }
  return list;
}

const struct function engine_functions[] = {
    {"open", open_engine},
    {"setNumber", set_number_of},
    {"close", close_engine},
    {"release", release},
    {"hold", hold},
    {"process", process},
    {"untilNext", until_next},
    {"now", now},
    {"runtimeStats", runtime_stats},
    {"metrics", metrics},
    {"recorderDump", recorder_dump},
    {"recorderRead", recorder_read},
    {"recorderNotify", recorder_notify},
    {"log", write_log},
    {"trim", trim},
    {"version", version},
    {"statusName", status_name},
    {"statusMessage", status_message},
    {"audit", audit},
    {NULL, NULL},
};
