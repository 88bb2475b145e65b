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

/* The second argument of the pacers' constructors. */
static weir_operation *paced_operation(PyObject *args) {
  PyObject *operation = PyTuple_GET_SIZE(args) > 1 ? PyTuple_GET_ITEM(args, 1) : Py_None;
  return is_instance(operation, &OperationType, "operation") ? HANDLE(operation) : NULL;
}

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

/* --- debounce --------------------------------------------------------------------------------- */

typedef struct {
  weir_debounce_options options;
  weir_operation *operation;
} DebounceArguments;

static weir_status debounce_create(weir_runtime *runtime, const void *options, void **out,
                                   weir_error **error) {
  return weir_debounce_new(runtime, ((const DebounceArguments *)options)->operation, options,
                           (weir_debounce **)out, error);
}

static weir_status debounce_change(void *debounce, const void *options, weir_error **error) {
  return weir_debounce_set_options(debounce, options, error);
}

static int debounce_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  DebounceArguments arguments = {WEIR_DEBOUNCE_OPTIONS_INIT, paced_operation(args)};
  if (!arguments.operation) return -1;
  return init_handle(self, args, kwargs, debounce_fields, &arguments, debounce_create, "debounce");
}

static PyObject *debounce_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  return set_options(self, kwargs, debounce_fields, &options, debounce_change, "debounce");
}

static PyObject *debounce_operation(PyObject *self, PyObject *unused) {
  (void)unused;
  return operation_of(self, weir_debounce_operation(HANDLE(self)));
}

static weir_status debounce_cancel_key(void *handle, const void *key, size_t size) {
  return weir_debounce_cancel(handle, key, size);
}
static weir_status debounce_flush_key(void *handle, const void *key, size_t size) {
  return weir_debounce_flush(handle, key, size);
}
static PyObject *debounce_cancel(PyObject *self, PyObject *args) {
  return with_key(self, args, debounce_cancel_key);
}
static PyObject *debounce_flush(PyObject *self, PyObject *args) {
  return with_key(self, args, debounce_flush_key);
}

static PyObject *debounce_pending(PyObject *self, PyObject *unused) {
  (void)unused;
  return PyLong_FromUnsignedLongLong(weir_debounce_pending(HANDLE(self)));
}

static PyObject *debounce_stats(PyObject *self, PyObject *unused) {
  weir_pacing_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_debounce_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(pacing_stats_type, pacing_columns, &stats)
                           : raise_status(status, NULL);
}

static PyMethodDef debounce_methods[] = {{"operation", debounce_operation, METH_NOARGS, NULL},
                                         {"cancel", debounce_cancel, METH_VARARGS, NULL},
                                         {"flush", debounce_flush, METH_VARARGS, NULL},
                                         {"pending", debounce_pending, METH_NOARGS, NULL},
                                         {"stats", debounce_stats, METH_NOARGS, NULL},
                                         {"set_options", KEYWORDS(debounce_set_options), NULL},
                                         {NULL, NULL, 0, NULL}};

static PyTypeObject DebounceType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Debounce",
                                    .tp_init = debounce_init, .tp_methods = debounce_methods};

/* --- throttle --------------------------------------------------------------------------------- */

typedef struct {
  weir_throttle_options options;
  weir_operation *operation;
} ThrottleArguments;

static weir_status throttle_create(weir_runtime *runtime, const void *options, void **out,
                                   weir_error **error) {
  return weir_throttle_new(runtime, ((const ThrottleArguments *)options)->operation, options,
                           (weir_throttle **)out, error);
}

static weir_status throttle_change(void *throttle, const void *options, weir_error **error) {
  return weir_throttle_set_options(throttle, options, error);
}

static int throttle_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  ThrottleArguments arguments = {WEIR_THROTTLE_OPTIONS_INIT, paced_operation(args)};
  if (!arguments.operation) return -1;
  return init_handle(self, args, kwargs, throttle_fields, &arguments, throttle_create, "throttle");
}

static PyObject *throttle_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  return set_options(self, kwargs, throttle_fields, &options, throttle_change, "throttle");
}

static PyObject *throttle_operation(PyObject *self, PyObject *unused) {
  (void)unused;
  return operation_of(self, weir_throttle_operation(HANDLE(self)));
}

static weir_status throttle_cancel_key(void *handle, const void *key, size_t size) {
  return weir_throttle_cancel(handle, key, size);
}
static weir_status throttle_flush_key(void *handle, const void *key, size_t size) {
  return weir_throttle_flush(handle, key, size);
}
static PyObject *throttle_cancel(PyObject *self, PyObject *args) {
  return with_key(self, args, throttle_cancel_key);
}
static PyObject *throttle_flush(PyObject *self, PyObject *args) {
  return with_key(self, args, throttle_flush_key);
}

static PyObject *throttle_pending(PyObject *self, PyObject *unused) {
  (void)unused;
  return PyLong_FromUnsignedLongLong(weir_throttle_pending(HANDLE(self)));
}

static PyObject *throttle_stats(PyObject *self, PyObject *unused) {
  weir_pacing_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_throttle_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(pacing_stats_type, pacing_columns, &stats)
                           : raise_status(status, NULL);
}

static PyMethodDef throttle_methods[] = {{"operation", throttle_operation, METH_NOARGS, NULL},
                                         {"cancel", throttle_cancel, METH_VARARGS, NULL},
                                         {"flush", throttle_flush, METH_VARARGS, NULL},
                                         {"pending", throttle_pending, METH_NOARGS, NULL},
                                         {"stats", throttle_stats, METH_NOARGS, NULL},
                                         {"set_options", KEYWORDS(throttle_set_options), NULL},
                                         {NULL, NULL, 0, NULL}};

static PyTypeObject ThrottleType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Throttle",
                                    .tp_init = throttle_init, .tp_methods = throttle_methods};

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

static void unref_debounce(void *handle) { weir_debounce_unref(handle); }
static void unref_throttle(void *handle) { weir_throttle_unref(handle); }
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
