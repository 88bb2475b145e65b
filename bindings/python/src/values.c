/* SPDX-License-Identifier: MIT */
/*
 * Values and errors on their way into Python and out of it.
 *
 * None is "no value". Every other object is a host value whose number is its address. An exception
 * travels as the detail of an error, so the very object comes back. Errors of the library's own are
 * made into exceptions by the package (errors.py), which registers how.
 */
#include "weirpy.h"

static PyObject *error_factory;     /* (status, message, ...) -> exception */
static PyObject *describe_factory;  /* (exception) -> (domain, code, message) */
static PyObject *rejection_factory; /* (tuple) -> Rejection */

PyObject *set_factories(PyObject *module, PyObject *args) {
  PyObject *make_error, *make_rejection, *describe;
  (void)module;
  if (!PyArg_ParseTuple(args, "OOO", &make_error, &make_rejection, &describe)) return NULL;
  Py_INCREF(make_error);
  Py_XSETREF(error_factory, make_error);
  Py_INCREF(make_rejection);
  Py_XSETREF(rejection_factory, make_rejection);
  Py_INCREF(describe);
  Py_XSETREF(describe_factory, describe);
  Py_RETURN_NONE;
}

PyTypeObject KeysType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Keys"};
PyTypeObject ManyType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Many"};

static int to_bytes_value(PyObject *object, weir_value **out) {
  Key key;
  if (to_key(object, &key) < 0) return -1;
  weir_status status = weir_value_new_bytes(NULL, key.data, key.size, out);
  release_key(&key);
  if (status == WEIR_OK) return 0;
  raise_status(status, NULL);
  return -1;
}

int to_error(PyObject *queue, PyObject *exception, weir_error **out) {
  weir_value *detail = NULL;
  unsigned int domain;
  long long code;
  const char *message;
  PyObject *told = PyObject_CallFunctionObjArgs(describe_factory, exception, NULL);
  if (!told) return -1;
  int failed = !PyArg_ParseTuple(told, "ILs", &domain, &code, &message) ||
               to_value(queue, exception, &detail) < 0;
  if (!failed && weir_error_new_with(NULL, domain, code, message, NULL, detail, out) != WEIR_OK) {
    PyErr_NoMemory();
    failed = 1;
  }
  weir_value_unref(detail);
  Py_DECREF(told);
  return failed ? -1 : 0;
}

static int to_list_item(PyObject *queue, PyObject *list, Py_ssize_t i, weir_value **value,
                        weir_error **error) {
  PyObject *item = PyList_GET_ITEM(list, i);
  if (Py_TYPE(list) == &KeysType) return to_bytes_value(item, value);
  if (PyExceptionInstance_Check(item)) return to_error(queue, item, error);
  return to_value(queue, item, value);
}

static int to_list_value(PyObject *queue, PyObject *list, weir_value **out) {
  size_t count = (size_t)PyList_GET_SIZE(list);
  weir_value **values = PyMem_Calloc(count + 1, sizeof *values);
  weir_error **errors = PyMem_Calloc(count + 1, sizeof *errors);
  int failed = !values || !errors;
  if (failed) PyErr_NoMemory();
  for (size_t i = 0; !failed && i < count; i++) {
    failed = to_list_item(queue, list, (Py_ssize_t)i, &values[i], &errors[i]) < 0;
  }
  if (!failed && weir_value_new_list(NULL, values, errors, count, out) != WEIR_OK) {
    PyErr_NoMemory();
    failed = 1;
  }
  for (size_t i = 0; i < count; i++) {
    if (values) weir_value_unref(values[i]);
    if (errors) weir_error_unref(errors[i]);
  }
  PyMem_Free(values);
  PyMem_Free(errors);
  return failed ? -1 : 0;
}

int to_value(PyObject *queue, PyObject *object, weir_value **out) {
  *out = NULL;
  if (object == Py_None) return 0;
  if (Py_TYPE(object) == &KeysType || Py_TYPE(object) == &ManyType)
    return to_list_value(queue, object, out);
  if (!queue || !is_instance(queue, &QueueType, "queue")) return -1;
  *out = new_host_value((QueueObject *)queue, object);
  return *out ? 0 : -1;
}

static PyObject *from_list(const weir_value *value) {
  Py_ssize_t count = (Py_ssize_t)weir_value_count(value);
  PyObject *list = PyList_New(count);
  for (Py_ssize_t i = 0; list && i < count; i++) {
    const weir_error *error = weir_value_item_error(value, (size_t)i);
    PyObject *item =
        error ? from_error(error, NULL) : from_value(weir_value_item(value, (size_t)i));
    if (!item) Py_CLEAR(list);
    if (list) PyList_SET_ITEM(list, i, item);
  }
  return list;
}

PyObject *from_value(const weir_value *value) {
  switch (weir_value_kind(value)) {
    case WEIR_VALUE_HOST: {
      PyObject *object = unboxed((PyObject *)(uintptr_t)weir_value_host_id(value));
      Py_INCREF(object);
      return object;
    }
    case WEIR_VALUE_BYTES:
      return PyBytes_FromStringAndSize(weir_value_data(value), (Py_ssize_t)weir_value_size(value));
    case WEIR_VALUE_LIST:
      return from_list(value);
    case WEIR_VALUE_POINTER:
      return PyLong_FromVoidPtr(weir_value_pointer(value));
    default:
      Py_RETURN_NONE;
  }
}

PyObject *from_rejection(const weir_rejection *r) {
  char sentence[512];
  if (!r) Py_RETURN_NONE;
  weir_rejection_describe(r, sentence, sizeof sentence);
  return PyObject_CallFunction(
      rejection_factory, "iIIsLLLLLLKKKsdLLLI", r->status, r->policy, r->reason, sentence,
      (long long)r->retry_after_ns, (long long)r->retry_after_ms, (long long)r->requested,
      (long long)r->available, (long long)r->limit, (long long)r->queued,
      (unsigned long long)r->calls, (unsigned long long)r->failures,
      (unsigned long long)r->slow_calls, r->name, r->threshold, (long long)r->interval_ns,
      (long long)r->waited_ns, (long long)r->remaining_ns, r->cause);
}

static PyObject *statuses_of(const weir_outcome *outcome) {
  uint32_t count =
      outcome->attempts < WEIR_OUTCOME_STATUSES ? outcome->attempts : WEIR_OUTCOME_STATUSES;
  PyObject *tuple = PyTuple_New(count);
  for (uint32_t i = 0; tuple && i < count; i++) {
    PyObject *number = PyLong_FromLong(outcome->statuses[i]);
    if (!number) Py_CLEAR(tuple);
    if (tuple) PyTuple_SET_ITEM(tuple, i, number);
  }
  return tuple;
}

static PyObject *cause_of(const weir_error *error) {
  const weir_error *cause = weir_error_cause(error);
  return cause ? from_error(cause, NULL) : from_value(NULL);
}

/* (channel, status, attempts, stop_reason, cancel_reason, final, elapsed, retry_after_ms, statuses,
 * rejection, value, text, message, cause), or None. */
PyObject *from_outcome(const weir_outcome *o) {
  char text[512];
  if (!o) Py_RETURN_NONE;
  weir_outcome_describe(o, text, sizeof text);
  PyObject *parts[] = {statuses_of(o), from_rejection(o->rejection), from_value(o->value),
                       cause_of(o->error)};
  for (int i = 0; i < 4; i++) {
    if (parts[i]) continue;
    for (int j = 0; j < 4; j++) Py_XDECREF(parts[j]);
    return NULL;
  }
  return Py_BuildValue("(IiIIIIdLNNNssN)", o->channel, o->status, o->attempts, o->stop_reason,
                       o->cancel_reason, o->final, (double)o->elapsed_ns / 1e9,
                       (long long)o->retry_after_ms, parts[0], parts[1], parts[2], text,
                       weir_error_message(o->error), parts[3]);
}

/* The list [(index, exception), ...] of an aggregate. */
static PyObject *aggregated(const weir_error *error) {
  size_t count = weir_error_count(error);
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < count; i++) {
    size_t index = 0;
    const weir_error *inner = weir_error_at(error, i, &index);
    PyObject *exception = from_error(inner, NULL);
    PyObject *pair = exception ? Py_BuildValue("(nN)", (Py_ssize_t)index, exception) : NULL;
    if (!pair || PyList_Append(list, pair) < 0) Py_CLEAR(list);
    Py_XDECREF(pair);
  }
  return list;
}

/* error_factory(status, message, domain, code, detail, cause, errors, outcome) */
static PyObject *make_exception(weir_status status, const weir_error *error,
                                const weir_outcome *outcome) {
  const weir_error *cause = weir_error_cause(error);
  const char *message = error ? weir_error_message(error) : "";
  PyObject *detail = from_value(weir_error_detail(error));
  PyObject *because = NULL, *errors = NULL, *told = NULL;
  if (detail) because = cause ? from_error(cause, NULL) : from_value(NULL);
  if (because) errors = aggregated(error);
  if (errors) told = from_outcome(outcome);
  if (!told) {
    Py_XDECREF(detail);
    Py_XDECREF(because);
    Py_XDECREF(errors);
    return NULL;
  }
  return PyObject_CallFunction(
      error_factory, "isILNNNN", status, *message ? message : weir_status_message(status),
      weir_error_domain(error), (long long)weir_error_code(error), detail, because, errors, told);
}

PyObject *from_error(const weir_error *error, const weir_outcome *outcome) {
  return make_exception(outcome ? outcome->status : weir_error_status(error), error, outcome);
}

PyObject *raise_status(weir_status status, weir_error *error) {
  if (status == WEIR_ENOMEM) {
    PyErr_NoMemory();
  } else {
    PyObject *exception = make_exception(status, error, NULL);
    if (exception) PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_XDECREF(exception);
  }
  weir_error_unref(error);
  return NULL;
}

PyObject *raise_invalid(const char *format, ...) {
  weir_error *error = NULL;
  va_list arguments;
  va_start(arguments, format);
  PyObject *text = PyUnicode_FromFormatV(format, arguments);
  va_end(arguments);
  const char *message = text ? PyUnicode_AsUTF8(text) : NULL;
  if (message) {
    weir_error_new_with(NULL, WEIR_DOMAIN_WEIR, WEIR_EINVAL, message, NULL, NULL, &error);
    raise_status(WEIR_EINVAL, error);
  }
  Py_XDECREF(text);
  return NULL;
}

PyObject *raise_rejection(weir_status status, const weir_rejection *rejection) {
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  if (rejection->status == 0) return raise_status(status, NULL);
  outcome.channel = WEIR_CHANNEL_ERROR;
  outcome.status = status;
  outcome.rejection = rejection;
  outcome.retry_after_ms = rejection->retry_after_ms;
  PyObject *exception = make_exception(status, NULL, &outcome);
  if (exception) PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
  Py_XDECREF(exception);
  return NULL;
}

PyObject *none_or_raise(weir_status status) {
  if (status != WEIR_OK) return raise_status(status, NULL);
  Py_RETURN_NONE;
}

int add_values(PyObject *module) {
  KeysType.tp_base = ManyType.tp_base = &PyList_Type;
  KeysType.tp_flags = ManyType.tp_flags = Py_TPFLAGS_DEFAULT;
  if (PyType_Ready(&KeysType) < 0 || PyType_Ready(&ManyType) < 0) return -1;
  Py_INCREF(&KeysType);
  if (PyModule_AddObject(module, "Keys", (PyObject *)&KeysType) < 0) return -1;
  Py_INCREF(&ManyType);
  return PyModule_AddObject(module, "Many", (PyObject *)&ManyType);
}
