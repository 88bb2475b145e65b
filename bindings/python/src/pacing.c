/* SPDX-License-Identifier: MIT */
/*
 * Debounce, throttle and single flight: they hold an operation, and are one.
 */
#include "weirpy.h"

static const char *const supersededs[] = {"cancel", "share", NULL};
static const char *const overlaps[] = {"queue", "concurrent", "cancel", NULL};

#define AT(member) offsetof(weir_debounce_options, member)
static const Field debounce_fields[] = {{"wait", FIELD_MS, AT(wait_ms), NULL},
                                        {"max_wait", FIELD_MS, AT(max_wait_ms), NULL},
                                        {"leading", FIELD_U32, AT(leading), NULL},
                                        {"trailing", FIELD_U32, AT(trailing), NULL},
                                        {"superseded", FIELD_CHOICE, AT(superseded), supersededs},
                                        {"overlap", FIELD_CHOICE, AT(overlap), overlaps},
                                        {"policy", FIELD_POLICY, AT(policy), NULL},
                                        {"name", FIELD_TEXT, AT(name), NULL},
                                        {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_throttle_options, member)
static const Field throttle_fields[] = {{"interval", FIELD_MS, AT(interval_ms), NULL},
                                        {"leading", FIELD_U32, AT(leading), NULL},
                                        {"trailing", FIELD_U32, AT(trailing), NULL},
                                        {"superseded", FIELD_CHOICE, AT(superseded), supersededs},
                                        {"overlap", FIELD_CHOICE, AT(overlap), overlaps},
                                        {"policy", FIELD_POLICY, AT(policy), NULL},
                                        {"name", FIELD_TEXT, AT(name), NULL},
                                        {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_pacing_stats, member)
static const Column pacing_columns[] = {{"calls", FIELD_U64, AT(calls), NULL},
                                        {"runs", FIELD_U64, AT(runs), NULL},
                                        {"superseded", FIELD_U64, AT(superseded), NULL},
                                        {"pending", FIELD_U64, AT(pending), NULL},
                                        {"running", FIELD_U64, AT(running), NULL},
                                        {"keys", FIELD_U64, AT(keys), NULL},
                                        {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_flight_options, member)
static const Field flight_fields[] = {{"timeout", FIELD_MS, AT(timeout_ms), NULL},
                                      {"name", FIELD_TEXT, AT(name), NULL},
                                      {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_flight_stats, member)
static const Column flight_columns[] = {
    {"calls", FIELD_U64, AT(calls), NULL},     {"runs", FIELD_U64, AT(runs), NULL},
    {"shared", FIELD_U64, AT(shared), NULL},   {"running", FIELD_U64, AT(running), NULL},
    {"waiting", FIELD_U64, AT(waiting), NULL}, {NULL, FIELD_U32, 0, NULL}};
#undef AT
static PyTypeObject *pacing_stats_type, *flight_stats_type;

#define KEYWORDS(function) (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS

/* A reference more of the operation that a handle is. */
static PyObject *operation_of(PyObject *self, weir_operation *operation) {
  return wrap_handle(&OperationType, weir_operation_ref(operation), ((HandleObject *)self)->runtime,
                     self);
}

typedef weir_status (*KeyFn)(void *handle, const void *key, size_t key_size);

static PyObject *with_key(PyObject *self, PyObject *args, KeyFn act) {
  PyObject *object = Py_None;
  Key key;
  if (!PyArg_ParseTuple(args, "|O", &object) || to_key(object, &key) < 0) return NULL;
  weir_status status = act(HANDLE(self), key.data, key.size);
  release_key(&key);
  return none_or_raise(status);
}

/* --- debounce and throttle -------------------------------------------------------------------- */

typedef union {
  weir_debounce_options debounce;
  weir_throttle_options throttle;
} PacerOptions;

typedef struct {
  PacerOptions options; /* first: the fields' offsets are from here */
  weir_operation *operation;
} PacerArguments;

/* What is the library's own of each. */
typedef struct {
  const char *name;
  const Field *fields;
  void (*defaults)(PacerOptions *options);
  NewFn create; /* of PacerArguments */
  SetFn change;
  weir_operation *(*operation)(void *handle);
  KeyFn cancel, flush;
  uint64_t (*pending)(void *handle);
  weir_status (*get_stats)(void *handle, weir_pacing_stats *stats);
} Pacer;

#define PACER(name)                                                                         \
  static void name##_defaults(PacerOptions *options) {                                      \
    weir_##name##_options_init(&options->name, sizeof options->name);                       \
  }                                                                                         \
  static weir_status name##_create(weir_runtime *runtime, const void *given, void **out,    \
                                   weir_error **error) {                                    \
    const PacerArguments *arguments = given;                                                \
    return weir_##name##_new(runtime, arguments->operation, &arguments->options.name,       \
                             (weir_##name **)out, error);                                   \
  }                                                                                         \
  static weir_status name##_change(void *handle, const void *options, weir_error **error) { \
    return weir_##name##_set_options(handle, options, error);                               \
  }                                                                                         \
  static weir_operation *name##_operation(void *handle) {                                   \
    return weir_##name##_operation(handle);                                                 \
  }                                                                                         \
  static weir_status name##_cancel(void *handle, const void *key, size_t size) {            \
    return weir_##name##_cancel(handle, key, size);                                         \
  }                                                                                         \
  static weir_status name##_flush(void *handle, const void *key, size_t size) {             \
    return weir_##name##_flush(handle, key, size);                                          \
  }                                                                                         \
  static uint64_t name##_pending(void *handle) { return weir_##name##_pending(handle); }    \
  static weir_status name##_get_stats(void *handle, weir_pacing_stats *stats) {             \
    return weir_##name##_get_stats(handle, stats);                                          \
  }                                                                                         \
  static void unref_##name(void *handle) { weir_##name##_unref(handle); }                   \
  static const Pacer name##_pacer = {#name,           name##_fields, name##_defaults,       \
                                     name##_create,   name##_change, name##_operation,      \
                                     name##_cancel,   name##_flush,  name##_pending,        \
                                     name##_get_stats};

PACER(debounce)
PACER(throttle)

typedef struct {
  HandleObject handle;
  const Pacer *pacer;
} PacerObject;

static const Pacer *pacer_of(PyObject *self) { return ((PacerObject *)self)->pacer; }

/* Debounce(runtime, operation, **options), Throttle likewise */
static int pacer_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  const Pacer *pacer = pacer_of(self);
  PacerArguments arguments;
  PyObject *operation = PyTuple_GET_SIZE(args) > 1 ? PyTuple_GET_ITEM(args, 1) : Py_None;
  if (!is_instance(operation, &OperationType, "operation")) return -1;
  arguments.operation = HANDLE(operation);
  pacer->defaults(&arguments.options);
  return init_handle(self, args, kwargs, pacer->fields, &arguments, pacer->create, pacer->name);
}

static PyObject *new_pacer(PyTypeObject *type, const Pacer *pacer) {
  PyObject *self = type->tp_alloc(type, 0);
  if (self) ((PacerObject *)self)->pacer = pacer;
  return self;
}

static PyObject *debounce_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  return (void)args, (void)kwargs, new_pacer(type, &debounce_pacer);
}
static PyObject *throttle_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  return (void)args, (void)kwargs, new_pacer(type, &throttle_pacer);
}

static PyObject *pacer_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  const Pacer *pacer = pacer_of(self);
  PacerOptions options;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  pacer->defaults(&options);
  return set_options(self, kwargs, pacer->fields, &options, pacer->change, pacer->name);
}

static PyObject *pacer_operation(PyObject *self, PyObject *unused) {
  (void)unused;
  return operation_of(self, pacer_of(self)->operation(HANDLE(self)));
}

static PyObject *pacer_cancel(PyObject *self, PyObject *args) {
  return with_key(self, args, pacer_of(self)->cancel);
}

static PyObject *pacer_flush(PyObject *self, PyObject *args) {
  return with_key(self, args, pacer_of(self)->flush);
}

static PyObject *pacer_pending(PyObject *self, PyObject *unused) {
  (void)unused;
  return PyLong_FromUnsignedLongLong(pacer_of(self)->pending(HANDLE(self)));
}

static PyObject *pacer_stats(PyObject *self, PyObject *unused) {
  weir_pacing_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = pacer_of(self)->get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(pacing_stats_type, pacing_columns, &stats)
                           : raise_status(status, NULL);
}

static PyMethodDef pacer_methods[] = {{"operation", pacer_operation, METH_NOARGS, NULL},
                                      {"cancel", pacer_cancel, METH_VARARGS, NULL},
                                      {"flush", pacer_flush, METH_VARARGS, NULL},
                                      {"pending", pacer_pending, METH_NOARGS, NULL},
                                      {"stats", pacer_stats, METH_NOARGS, NULL},
                                      {"set_options", KEYWORDS(pacer_set_options), NULL},
                                      {NULL, NULL, 0, NULL}};

static PyTypeObject DebounceType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Debounce",
                                    .tp_basicsize = sizeof(PacerObject), .tp_new = debounce_new,
                                    .tp_init = pacer_init, .tp_methods = pacer_methods};

static PyTypeObject ThrottleType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Throttle",
                                    .tp_basicsize = sizeof(PacerObject), .tp_new = throttle_new,
                                    .tp_init = pacer_init, .tp_methods = pacer_methods};

/* --- flight ----------------------------------------------------------------------------------- */

static weir_status flight_create(weir_runtime *runtime, const void *options, void **out,
                                 weir_error **error) {
  return weir_flight_new(runtime, options, (weir_flight **)out, error);
}

static int flight_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_flight_options options = WEIR_FLIGHT_OPTIONS_INIT;
  return init_handle(self, args, kwargs, flight_fields, &options, flight_create, "flight");
}

static PyObject *flight_operation(PyObject *self, PyObject *work) {
  weir_operation *operation = NULL;
  weir_error *error = NULL;
  if (!is_instance(work, &OperationType, "operation")) return NULL;
  weir_status status = weir_flight_operation(HANDLE(self), HANDLE(work), &operation, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  return wrap_handle(&OperationType, operation, ((HandleObject *)self)->runtime, work);
}

static weir_status flight_forget_key(void *handle, const void *key, size_t size) {
  return weir_flight_forget(handle, key, size);
}
static PyObject *flight_forget(PyObject *self, PyObject *args) {
  return with_key(self, args, flight_forget_key);
}

static PyObject *flight_stats(PyObject *self, PyObject *unused) {
  weir_flight_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_flight_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(flight_stats_type, flight_columns, &stats)
                           : raise_status(status, NULL);
}

static PyMethodDef flight_methods[] = {
    {"_operation", flight_operation, METH_O, NULL},
    {"_forget", flight_forget, METH_VARARGS, NULL},
    {"stats", flight_stats, METH_NOARGS, "Calls, runs, and how many shared one."},
    {NULL, NULL, 0, NULL}};

static PyTypeObject FlightType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Flight",
                                  .tp_weaklistoffset = offsetof(HandleObject, weak),
                                  .tp_init = flight_init, .tp_methods = flight_methods};

static void unref_flight(void *handle) { weir_flight_unref(handle); }

int add_pacing(PyObject *module) {
  pacing_stats_type = new_record_type("weir.PacingStats",
                                      "What a debounce or throttle has counted.", pacing_columns);
  flight_stats_type =
      new_record_type("weir.FlightStats", "What a single flight has counted.", flight_columns);
  if (!pacing_stats_type || !flight_stats_type) return -1;
  if (PyModule_AddObject(module, "PacingStats", (PyObject *)pacing_stats_type) < 0 ||
      PyModule_AddObject(module, "FlightStats", (PyObject *)flight_stats_type) < 0) {
    return -1;
  }
  if (add_handle_type(module, &DebounceType, &HandleType, "Debounce", unref_debounce) < 0)
    return -1;
  if (add_handle_type(module, &ThrottleType, &HandleType, "Throttle", unref_throttle) < 0)
    return -1;
  return add_handle_type(module, &FlightType, &HandleType, "Flight", unref_flight);
}
