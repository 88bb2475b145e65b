/* SPDX-License-Identifier: MIT */
/*
 * Operations made of operations: race, any, all, parallel, waterfall, poll, sleep; and the pool.
 * Each function gives a new Operation; what the operations do is in Python (../weir/flow.py).
 */
#include "weirpy.h"

#define AT(member) offsetof(weir_parallel_options, member)
static const Field parallel_fields[] = {{"stop_on_error", FIELD_U32, AT(stop_on_error), NULL},
                                        {"concurrency", FIELD_I64, AT(concurrency), NULL},
                                        {"item_timeout", FIELD_MS, AT(item_timeout_ms), NULL},
                                        {"policy", FIELD_POLICY, AT(policy), NULL},
                                        {"source", FIELD_OPERATION, AT(source), NULL},
                                        {"user", FIELD_U64, AT(user), NULL},
                                        {"name", FIELD_TEXT, AT(name), NULL},
                                        {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_pool_options, member)
static const Field pool_fields[] = {{"stop_on_error", FIELD_U32, AT(stop_on_error), NULL},
                                    {"concurrency", FIELD_I64, AT(concurrency), NULL},
                                    {"item_timeout", FIELD_MS, AT(item_timeout_ms), NULL},
                                    {"policy", FIELD_POLICY, AT(policy), NULL},
                                    {"user", FIELD_U64, AT(user), NULL},
                                    {"name", FIELD_TEXT, AT(name), NULL},
                                    {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_pool_stats, member)
static const Column pool_columns[] = {{"sealed", FIELD_U32, AT(sealed), NULL},
                                      {"added", FIELD_U64, AT(added), NULL},
                                      {"waiting", FIELD_U64, AT(waiting), NULL},
                                      {"running", FIELD_U64, AT(running), NULL},
                                      {"succeeded", FIELD_U64, AT(succeeded), NULL},
                                      {"failed", FIELD_U64, AT(failed), NULL},
                                      {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_poll_options, member)
static const Field poll_fields[] = {{"interval", FIELD_MS, AT(interval_ms), NULL},
                                    {"max_attempts", FIELD_I64, AT(max_attempts), NULL},
                                    {"max_elapsed", FIELD_MS, AT(max_elapsed_ms), NULL},
                                    {"name", FIELD_TEXT, AT(name), NULL},
                                    {NULL, FIELD_U32, 0, NULL}};
#undef AT
static PyTypeObject *pool_stats_type;

static PyObject *made(weir_status status, weir_operation *operation, weir_error *error,
                      PyObject *runtime) {
  if (status != WEIR_OK) return raise_status(status, error);
  return wrap_handle(&OperationType, operation, runtime, NULL);
}

/* --- several operations ----------------------------------------------------------------------- */

typedef struct {
  weir_operation **list;
  size_t count;
  PyObject *fast; /* keeps them */
} Operations;

static int take_operations(PyObject *object, Operations *operations) {
  operations->list = NULL;
  operations->fast = PySequence_Fast(object, "operations is a list");
  if (!operations->fast) return -1;
  operations->count = (size_t)PySequence_Fast_GET_SIZE(operations->fast);
  operations->list = PyMem_Calloc(operations->count + 1, sizeof *operations->list);
  if (!operations->list) PyErr_NoMemory();
  for (size_t i = 0; operations->list && i < operations->count; i++) {
    PyObject *item = PySequence_Fast_GET_ITEM(operations->fast, (Py_ssize_t)i);
    if (!is_instance(item, &OperationType, "operation")) break;
    operations->list[i] = HANDLE(item);
  }
  if (!PyErr_Occurred()) return 0;
  PyMem_Free(operations->list);
  Py_CLEAR(operations->fast);
  return -1;
}

static void release_operations(Operations *operations) {
  PyMem_Free(operations->list);
  Py_CLEAR(operations->fast);
}

typedef weir_status (*JoinFn)(weir_runtime *, weir_operation *const *, size_t, const char *,
                              weir_operation **, weir_error **);

/* f(runtime, operations, name) */
static PyObject *joined(PyObject *args, JoinFn join) {
  PyObject *runtime, *list;
  const char *name;
  Operations operations;
  weir_operation *out = NULL;
  weir_error *error = NULL;
  if (!PyArg_ParseTuple(args, "OOz", &runtime, &list, &name) || !as_runtime(runtime)) return NULL;
  if (take_operations(list, &operations) < 0) return NULL;
  weir_status status =
      join(RUNTIME(runtime), operations.list, operations.count, name, &out, &error);
  release_operations(&operations);
  return made(status, out, error, runtime);
}

static PyObject *flow_any(PyObject *module, PyObject *args) {
  return (void)module, joined(args, weir_any_new);
}
static PyObject *flow_all(PyObject *module, PyObject *args) {
  return (void)module, joined(args, weir_all_new);
}
static PyObject *flow_all_settled(PyObject *module, PyObject *args) {
  return (void)module, joined(args, weir_all_settled_new);
}
static PyObject *flow_waterfall(PyObject *module, PyObject *args) {
  return (void)module, joined(args, weir_waterfall_new);
}

/* race(runtime, operations, first_settled, decisive as bytes or None, name) */
static PyObject *flow_race(PyObject *module, PyObject *args) {
  PyObject *runtime, *list;
  weir_race_options options = WEIR_RACE_OPTIONS_INIT;
  const char *decisive;
  Py_ssize_t flags;
  int first_settled;
  Operations operations;
  weir_operation *out = NULL;
  weir_error *error = NULL;
  (void)module;
  if (!PyArg_ParseTuple(args, "OOpz#z", &runtime, &list, &first_settled, &decisive, &flags,
                        &options.name))
    return NULL;
  if (!as_runtime(runtime) || take_operations(list, &operations) < 0) return NULL;
  options.first_settled = (uint32_t)first_settled;
  if (decisive && (size_t)flags == operations.count) options.decisive = (const uint8_t *)decisive;
  weir_status status =
      weir_race_new(RUNTIME(runtime), operations.list, operations.count, &options, &out, &error);
  release_operations(&operations);
  return made(status, out, error, runtime);
}

/* parallel(runtime, queue, operations, **options) */
static PyObject *flow_parallel(PyObject *module, PyObject *args, PyObject *kwargs) {
  PyObject *runtime, *queue, *list;
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  Operations operations;
  Scratch scratch;
  weir_operation *out = NULL;
  weir_error *error = NULL;
  (void)module;
  if (!PyArg_ParseTuple(args, "OO!O", &runtime, &QueueType, &queue, &list) || !as_runtime(runtime))
    return NULL;
  int filled = fill_options(&options, parallel_fields, kwargs, "parallel", queue, &scratch);
  release_scratch(&scratch);
  if (filled < 0 || take_operations(list, &operations) < 0) return NULL;
  if (options.user) options.queue = ((QueueObject *)queue)->mail->queue;
  weir_status status = weir_parallel_new(RUNTIME(runtime), operations.list, operations.count,
                                         &options, &out, &error);
  release_operations(&operations);
  return made(status, out, error, runtime);
}

/* parallel_each(operation, queue, items as Many or None, **options) */
static PyObject *flow_parallel_each(PyObject *module, PyObject *args, PyObject *kwargs) {
  PyObject *operation, *queue, *items;
  weir_parallel_options options = WEIR_PARALLEL_OPTIONS_INIT;
  Scratch scratch;
  weir_operation *out = NULL;
  weir_value *list = NULL;
  weir_error *error = NULL;
  (void)module;
  if (!PyArg_ParseTuple(args, "O!O!O", &OperationType, &operation, &QueueType, &queue, &items))
    return NULL;
  int filled = fill_options(&options, parallel_fields, kwargs, "parallel", queue, &scratch);
  release_scratch(&scratch);
  if (filled < 0 || to_value(queue, items, &list) < 0) return NULL;
  if (options.user) options.queue = ((QueueObject *)queue)->mail->queue;
  weir_status status = weir_parallel_new_each(HANDLE(operation), list, &options, &out, &error);
  weir_value_unref(list);
  return made(status, out, error, ((HandleObject *)operation)->runtime);
}

/* --- one operation ---------------------------------------------------------------------------- */

/* poll(operation, **options) */
static PyObject *flow_poll(PyObject *module, PyObject *args, PyObject *kwargs) {
  PyObject *operation;
  weir_poll_options options = WEIR_POLL_OPTIONS_INIT;
  Scratch scratch;
  weir_operation *out = NULL;
  weir_error *error = NULL;
  (void)module;
  if (!PyArg_ParseTuple(args, "O!", &OperationType, &operation)) return NULL;
  int filled = fill_options(&options, poll_fields, kwargs, "poll", NULL, &scratch);
  release_scratch(&scratch);
  if (filled < 0) return NULL;
  weir_status status = weir_poll_new(HANDLE(operation), &options, &out, &error);
  return made(status, out, error, ((HandleObject *)operation)->runtime);
}

/* sleep(runtime, seconds, queue, value, status, exception): value with status 0, else the exception
 * */
static PyObject *flow_sleep(PyObject *module, PyObject *args) {
  PyObject *runtime, *seconds, *queue, *result, *exception;
  int status_wanted;
  int64_t sleep_ms;
  weir_operation *out = NULL;
  weir_value *value = NULL;
  weir_error *failure = NULL, *error = NULL;
  (void)module;
  if (!PyArg_ParseTuple(args, "OOOOiO", &runtime, &seconds, &queue, &result, &status_wanted,
                        &exception))
    return NULL;
  if (!as_runtime(runtime) || to_ms(seconds, &sleep_ms) < 0 || to_value(queue, result, &value) < 0)
    return NULL;
  if (exception != Py_None && to_error(queue, exception, &failure) < 0) {
    weir_value_unref(value);
    return NULL;
  }
  weir_status status =
      weir_sleep_new(RUNTIME(runtime), sleep_ms, status_wanted, value, failure, &out, &error);
  weir_value_unref(value);
  weir_error_unref(failure);
  return made(status, out, error, runtime);
}

/* --- the pool --------------------------------------------------------------------------------- */

static weir_status pool_create(weir_runtime *runtime, const void *options, void **out,
                               weir_error **error) {
  return weir_pool_new(runtime, options, (weir_pool **)out, error);
}

/* Pool(runtime, queue, **options): with `user`, its items' settlements are ITEM records of the
 * queue. */
static int pool_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
  PyObject *queue = PyTuple_GET_SIZE(args) > 1 ? PyTuple_GET_ITEM(args, 1) : NULL;
  if (queue && kwargs && PyDict_GetItemString(kwargs, "user")) {
    if (!is_instance(queue, &QueueType, "queue")) return -1;
    options.queue = ((QueueObject *)queue)->mail->queue;
  }
  return init_handle(self, args, kwargs, pool_fields, &options, pool_create, "pool");
}

/* add(queue, operation, input) */
static PyObject *pool_add(PyObject *self, PyObject *args) {
  PyObject *queue, *operation, *input;
  weir_value *value;
  weir_error *error = NULL;
  if (!PyArg_ParseTuple(args, "OO!O", &queue, &OperationType, &operation, &input)) return NULL;
  if (to_value(queue, input, &value) < 0) return NULL;
  weir_status status = weir_pool_add(HANDLE(self), HANDLE(operation), value, &error);
  weir_value_unref(value);
  if (status != WEIR_OK) return raise_status(status, error);
  Py_RETURN_NONE;
}

static PyObject *pool_seal(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_pool_seal(HANDLE(self)));
}

static PyObject *pool_operation(PyObject *self, PyObject *unused) {
  (void)unused;
  return wrap_handle(&OperationType, weir_operation_ref(weir_pool_operation(HANDLE(self))),
                     ((HandleObject *)self)->runtime, self);
}

static PyObject *pool_stats(PyObject *self, PyObject *unused) {
  weir_pool_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_pool_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(pool_stats_type, pool_columns, &stats)
                           : raise_status(status, NULL);
}

static PyMethodDef pool_methods[] = {
    {"_add", pool_add, METH_VARARGS, NULL},
    {"_seal", pool_seal, METH_NOARGS, NULL},
    {"_operation", pool_operation, METH_NOARGS, NULL},
    {"stats", pool_stats, METH_NOARGS, "What was added, runs and has ended."},
    {NULL, NULL, 0, NULL}};

static PyTypeObject PoolType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Pool",
                                .tp_weaklistoffset = offsetof(HandleObject, weak),
                                .tp_init = pool_init, .tp_methods = pool_methods};

static void unref_pool(void *handle) { weir_pool_unref(handle); }

#define KEYWORDS(function) (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS
static PyMethodDef functions[] = {{"any_of", flow_any, METH_VARARGS, NULL},
                                  {"all_of", flow_all, METH_VARARGS, NULL},
                                  {"all_settled", flow_all_settled, METH_VARARGS, NULL},
                                  {"waterfall", flow_waterfall, METH_VARARGS, NULL},
                                  {"race", flow_race, METH_VARARGS, NULL},
                                  {"parallel", KEYWORDS(flow_parallel), NULL},
                                  {"parallel_each", KEYWORDS(flow_parallel_each), NULL},
                                  {"poll", KEYWORDS(flow_poll), NULL},
                                  {"sleep", flow_sleep, METH_VARARGS, NULL},
                                  {NULL, NULL, 0, NULL}};

int add_flow(PyObject *module) {
  pool_stats_type = new_record_type("weir.PoolStats", "What a pool has counted.", pool_columns);
  if (!pool_stats_type || PyModule_AddObject(module, "PoolStats", (PyObject *)pool_stats_type) < 0)
    return -1;
  if (PyModule_AddFunctions(module, functions) < 0) return -1;
  return add_handle_type(module, &PoolType, &HandleType, "Pool", unref_pool);
}
