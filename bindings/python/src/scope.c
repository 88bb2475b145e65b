/* SPDX-License-Identifier: MIT */
/*
 * Scopes: what groups runs, their values and resources, and the operation that ends one.
 */
#include "weirpy.h"

static const char *const exits[] = {"join", "cancel", "grace", NULL};
static const char *const states[] = {"open", "ending", "closing", "ended", NULL};

#define AT(member) offsetof(weir_scope_options, member)
static const Field scope_fields[] = {
    {"exit", FIELD_CHOICE, AT(exit), exits}, {"deadline", FIELD_MS, AT(deadline_ms), NULL},
    {"grace", FIELD_MS, AT(grace_ms), NULL}, {"parent", FIELD_SCOPE, AT(parent), NULL},
    {"name", FIELD_TEXT, AT(name), NULL},    {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_scope_stats, member)
static const Column stats_columns[] = {
    {"state", FIELD_CHOICE, AT(state), states},    {"cancelled", FIELD_U32, AT(cancelled), NULL},
    {"resources", FIELD_U32, AT(resources), NULL}, {"calls", FIELD_U64, AT(calls), NULL},
    {"leaked", FIELD_U64, AT(leaked), NULL},       {NULL, FIELD_U32, 0, NULL}};
#undef AT
static PyTypeObject *stats_type;

static weir_status create(weir_runtime *runtime, const void *options, void **out,
                          weir_error **error) {
  return weir_scope_new(runtime, options, (weir_scope **)out, error);
}

static int scope_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  return init_handle(self, args, kwargs, scope_fields, &options, create, "scope");
}

static PyObject *scope_cancel(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_scope_cancel(HANDLE(self)));
}

static PyObject *made(weir_status status, weir_operation *operation, weir_error *error,
                      PyObject *runtime) {
  if (status != WEIR_OK) return raise_status(status, error);
  return wrap_handle(&OperationType, operation, runtime, NULL);
}

static PyObject *scope_join(PyObject *self, PyObject *unused) {
  weir_operation *out = NULL;
  weir_error *error = NULL;
  (void)unused;
  weir_status status = weir_scope_join(HANDLE(self), &out, &error);
  return made(status, out, error, ((HandleObject *)self)->runtime);
}

/* set(queue, key, value): an int or bytes as such, for every language to read; others as objects */
static PyObject *scope_set(PyObject *self, PyObject *args) {
  PyObject *queue, *object;
  const char *key;
  weir_value *value = NULL;
  weir_status status;
  if (!PyArg_ParseTuple(args, "OsO", &queue, &key, &object)) return NULL;
  if (PyLong_CheckExact(object)) {
    long long number = PyLong_AsLongLong(object);
    if (number != -1 || !PyErr_Occurred())
      return none_or_raise(weir_scope_set_int64(HANDLE(self), key, number));
    PyErr_Clear();
  } else if (PyBytes_CheckExact(object)) {
    status = weir_scope_set_bytes(HANDLE(self), key, PyBytes_AS_STRING(object),
                                  (size_t)PyBytes_GET_SIZE(object));
    return none_or_raise(status);
  }
  if (to_value(queue, object, &value) < 0) return NULL;
  status = weir_scope_set_value(HANDLE(self), key, value);
  weir_value_unref(value);
  return none_or_raise(status);
}

/* get(key, default) */
static PyObject *scope_get(PyObject *self, PyObject *args) {
  PyObject *missing;
  const char *key;
  int64_t number;
  weir_value *value = NULL;
  if (!PyArg_ParseTuple(args, "sO", &key, &missing)) return NULL;
  weir_status status = weir_scope_get_int64(HANDLE(self), key, &number);
  if (status == WEIR_OK) return PyLong_FromLongLong(number);
  status = weir_scope_get_value(HANDLE(self), key, &value);
  if (status == WEIR_ENOTFOUND) {
    Py_INCREF(missing);
    return missing;
  }
  if (status != WEIR_OK) return raise_status(status, NULL);
  PyObject *object = from_value(value);
  weir_value_unref(value);
  return object;
}

static PyObject *scope_log(PyObject *self, PyObject *args) {
  int level;
  const char *message;
  if (!PyArg_ParseTuple(args, "is", &level, &message)) return NULL;
  weir_scope_log(HANDLE(self), level, message);
  Py_RETURN_NONE;
}

static PyObject *scope_stats(PyObject *self, PyObject *unused) {
  weir_scope_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_scope_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(stats_type, stats_columns, &stats)
                           : raise_status(status, NULL);
}

/* scope_resource(open, close, key) */
static PyObject *resource(PyObject *module, PyObject *args) {
  PyObject *open, *close;
  const char *key;
  weir_operation *out = NULL;
  weir_error *error = NULL;
  (void)module;
  if (!PyArg_ParseTuple(args, "O!O!z", &OperationType, &open, &OperationType, &close, &key))
    return NULL;
  weir_status status = weir_scope_resource(HANDLE(open), HANDLE(close), key, &out, &error);
  return made(status, out, error, ((HandleObject *)open)->runtime);
}

/* scope_operation(body, **options) */
static PyObject *scoped(PyObject *module, PyObject *args, PyObject *kwargs) {
  PyObject *body;
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  Scratch scratch;
  weir_operation *out = NULL;
  weir_error *error = NULL;
  (void)module;
  if (!PyArg_ParseTuple(args, "O!", &OperationType, &body)) return NULL;
  int filled = fill_options(&options, scope_fields, kwargs, "scope", NULL, &scratch);
  release_scratch(&scratch);
  if (filled < 0) return NULL;
  weir_status status = weir_scope_operation(HANDLE(body), &options, &out, &error);
  return made(status, out, error, ((HandleObject *)body)->runtime);
}

static PyMethodDef scope_methods[] = {
    {"_cancel", scope_cancel, METH_NOARGS, NULL},
    {"_join", scope_join, METH_NOARGS, NULL},
    {"_set", scope_set, METH_VARARGS, NULL},
    {"_get", scope_get, METH_VARARGS, NULL},
    {"_log", scope_log, METH_VARARGS, NULL},
    {"stats", scope_stats, METH_NOARGS, "Its state, and what is in it."},
    {NULL, NULL, 0, NULL}};

PyTypeObject ScopeType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Scope",
                          .tp_weaklistoffset = offsetof(HandleObject, weak), .tp_init = scope_init,
                          .tp_methods = scope_methods};

/* The package's class of scopes, of which those that are found are made, too. */
static PyTypeObject *scope_class;

PyObject *wrap_scope(weir_scope *scope, PyObject *runtime) {
  return wrap_handle(scope_class ? scope_class : &ScopeType, weir_scope_ref(scope), runtime, NULL);
}

static PyObject *set_scope_class(PyObject *module, PyObject *type) {
  (void)module;
  if (!PyType_Check(type) || !PyType_IsSubtype((PyTypeObject *)type, &ScopeType)) {
    PyErr_SetString(PyExc_TypeError, "a class of scopes is wanted");
    return NULL;
  }
  Py_INCREF(type);
  Py_XSETREF(scope_class, (PyTypeObject *)type);
  Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"set_scope_class", set_scope_class, METH_O, NULL},
    {"scope_resource", resource, METH_VARARGS, NULL},
    {"scope_operation", (PyCFunction)(void (*)(void))scoped, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL}};

static void unref_scope(void *handle) { weir_scope_unref(handle); }

int add_scope(PyObject *module) {
  stats_type = new_record_type("weir.ScopeStats", "A scope's state.", stats_columns);
  if (!stats_type || PyModule_AddObject(module, "ScopeStats", (PyObject *)stats_type) < 0)
    return -1;
  if (PyModule_AddFunctions(module, functions) < 0) return -1;
  return add_handle_type(module, &ScopeType, &HandleType, "Scope", unref_scope);
}
