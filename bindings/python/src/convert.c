/* SPDX-License-Identifier: MIT */
/*
 * Between Python's numbers and weir's structs: durations, options by table, statistics by table,
 * keys.
 *
 * A duration is a number of seconds or a timedelta and becomes milliseconds, rounded up, so that no
 * delay gets shorter; what a multiplication of floats adds by itself (0.1 * 3) is not rounded up. A
 * negative one never becomes -1, which means "for ever": the library refuses it by its own rule.
 */
#include "weirpy.h"

#include <datetime.h>
#include <math.h>

static int as_seconds(PyObject *object, double *seconds) {
  if (PyDelta_Check(object)) {
    *seconds = PyDateTime_DELTA_GET_DAYS(object) * 86400.0 + PyDateTime_DELTA_GET_SECONDS(object) +
               PyDateTime_DELTA_GET_MICROSECONDS(object) / 1e6;
    return 0;
  }
  *seconds = PyFloat_AsDouble(object);
  if (*seconds == -1.0 && PyErr_Occurred()) return -1;
  if (isnan(*seconds)) {
    PyErr_SetString(PyExc_ValueError, "a duration must be a number of seconds (got nan)");
    return -1;
  }
  return 0;
}

static int64_t scaled(double seconds, double scale) {
  double number = seconds * scale;
  double whole = seconds < 0 ? floor(number) : ceil(number - fabs(number) * 1e-12 - 1e-6);
  if (whole >= 9.2e18) return INT64_MAX;
  if (whole <= -9.2e18) return INT64_MIN;
  return whole == -1.0 ? -2 : (int64_t)whole;
}

static int to_units(PyObject *object, double scale, int64_t *units) {
  double seconds;
  *units = -1;
  if (object == Py_None) return 0;
  if (as_seconds(object, &seconds) < 0) return -1;
  if (isinf(seconds) && seconds > 0) return 0;
  *units = scaled(seconds, scale);
  return 0;
}

int to_ms(PyObject *seconds, int64_t *ms) { return to_units(seconds, 1e3, ms); }
int to_ns(PyObject *seconds, int64_t *ns) { return to_units(seconds, 1e9, ns); }

static int refuse_negative(const char *name, PyObject *seconds, int64_t units) {
  if (units >= -1) return 0;
  raise_invalid("%s must be at least 0, or None (got %R)", name, seconds);
  return -1;
}

int to_duration_ms(const char *name, PyObject *seconds, int64_t *ms) {
  return to_ms(seconds, ms) < 0 ? -1 : refuse_negative(name, seconds, *ms);
}

int to_duration_ns(const char *name, PyObject *seconds, int64_t *ns) {
  return to_ns(seconds, ns) < 0 ? -1 : refuse_negative(name, seconds, *ns);
}

PyObject *from_ns(int64_t ns) {
  if (ns < 0 || ns == INT64_MAX) Py_RETURN_NONE;
  return PyFloat_FromDouble((double)ns / 1e9);
}

/* --- options ---------------------------------------------------------------------------------- */

static int to_i64(PyObject *object, int64_t *number) {
  *number = -1;
  if (object == Py_None) return 0;
  *number = PyLong_AsLongLong(object);
  return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

static int to_u32(PyObject *object, uint32_t *number) {
  unsigned long long wide = PyLong_AsUnsignedLongLong(object);
  if (wide == (unsigned long long)-1 && PyErr_Occurred()) return -1;
  if (wide > UINT32_MAX) {
    PyErr_SetString(PyExc_OverflowError, "the number does not fit into 32 bits");
    return -1;
  }
  *number = (uint32_t)wide;
  return 0;
}

static int to_choice(PyObject *object, const Field *field, const char *subject, uint32_t *number) {
  const char *text = PyUnicode_Check(object) ? PyUnicode_AsUTF8(object) : NULL;
  for (uint32_t i = 0; text && field->choices[i]; i++) {
    if (strcmp(text, field->choices[i]) == 0) {
      *number = i;
      return 0;
    }
  }
  if (PyErr_Occurred()) return -1;
  PyObject *names = PyList_New(0);
  for (uint32_t i = 0; names && field->choices[i]; i++) {
    PyObject *name = PyUnicode_FromString(field->choices[i]);
    if (!name || PyList_Append(names, name) < 0) Py_CLEAR(names);
    Py_XDECREF(name);
  }
  if (names)
    PyErr_Format(PyExc_ValueError, "%s.%s must be one of %R (got %R)", subject, field->name, names,
                 object);
  Py_XDECREF(names);
  return -1;
}

static int to_range(PyObject *item, weir_error_range *range) {
  long long low, high;
  unsigned int domain;
  if (!PyTuple_Check(item)) {
    PyErr_SetString(PyExc_TypeError, "a range is (domain, code_min, code_max)");
    return -1;
  }
  if (!PyArg_ParseTuple(item, "ILL;a range is (domain, code_min, code_max)", &domain, &low, &high))
    return -1;
  *range = (weir_error_range){domain, 0, low, high};
  return 0;
}

static int to_ranges(PyObject *object, char *at, Scratch *scratch) {
  if (object == Py_None) return 0;
  PyObject *list = PySequence_Fast(object, "failures is a list of (domain, code_min, code_max)");
  if (!list) return -1;
  size_t count = (size_t)PySequence_Fast_GET_SIZE(list);
  weir_error_range *ranges = PyMem_Calloc(count ? count : 1, sizeof *ranges);
  if (!ranges || scratch->array_count == FIELDS_MAX) {
    PyMem_Free(ranges);
    Py_DECREF(list);
    PyErr_NoMemory();
    return -1;
  }
  scratch->arrays[scratch->array_count++] = ranges;
  for (size_t i = 0; i < count; i++) {
    if (to_range(PySequence_Fast_GET_ITEM(list, i), &ranges[i]) < 0) {
      Py_DECREF(list);
      return -1;
    }
  }
  Py_DECREF(list);
  *(const weir_error_range **)at = ranges;
  *(uint64_t *)(at + sizeof(void *)) = count;
  return 0;
}

static int to_handle(PyObject *object, PyTypeObject *type, const char *name, void **out) {
  if (object == Py_None) return 0;
  if (!is_instance(object, type, name)) return -1;
  *out = HANDLE(object);
  return 0;
}

static int take_value(PyObject *object, PyObject *queue, weir_value **out, Scratch *scratch) {
  if (scratch->value_count == FIELDS_MAX || to_value(queue, object, out) < 0) return -1;
  scratch->values[scratch->value_count++] = *out;
  return 0;
}

static int take_error(PyObject *object, PyObject *queue, weir_error **out, Scratch *scratch) {
  if (object == Py_None) return 0;
  if (!PyExceptionInstance_Check(object)) {
    PyErr_SetString(PyExc_TypeError, "an exception is wanted");
    return -1;
  }
  if (scratch->error_count == FIELDS_MAX || to_error(queue, object, out) < 0) return -1;
  scratch->errors[scratch->error_count++] = *out;
  return 0;
}

static int fill_field(char *at, const Field *field, PyObject *object, const char *subject,
                      PyObject *queue, Scratch *scratch) {
  switch (field->kind) {
    case FIELD_U32:
      return to_u32(object, (uint32_t *)at);
    case FIELD_U64:
      *(uint64_t *)at = PyLong_AsUnsignedLongLong(object);
      return PyErr_Occurred() ? -1 : 0;
    case FIELD_I64:
      return to_i64(object, (int64_t *)at);
    case FIELD_MS:
      return to_ms(object, (int64_t *)at);
    case FIELD_F64:
      *(double *)at = object == Py_None ? -1.0 : PyFloat_AsDouble(object);
      return PyErr_Occurred() ? -1 : 0;
    case FIELD_TEXT:
      *(const char **)at = object == Py_None ? NULL : PyUnicode_AsUTF8(object);
      return PyErr_Occurred() ? -1 : 0;
    case FIELD_CHOICE:
      return to_choice(object, field, subject, (uint32_t *)at);
    case FIELD_POLICY:
      return to_handle(object, &PolicyType, field->name, (void **)at);
    case FIELD_OPERATION:
      return to_handle(object, &OperationType, field->name, (void **)at);
    case FIELD_BUDGET:
      return to_handle(object, &BudgetType, field->name, (void **)at);
    case FIELD_SCOPE:
      return to_handle(object, &ScopeType, field->name, (void **)at);
    case FIELD_VALUE:
      return take_value(object, queue, (weir_value **)at, scratch);
    case FIELD_ERROR:
      return take_error(object, queue, (weir_error **)at, scratch);
    case FIELD_RANGES:
      return to_ranges(object, at, scratch);
  }
  return -1;
}

static const Field *find_field(const Field *fields, const char *name) {
  for (; fields->name; fields++) {
    if (strcmp(fields->name, name) == 0) return fields;
  }
  return NULL;
}

int fill_options(void *options, const Field *fields, PyObject *kwargs, const char *subject,
                 PyObject *queue, Scratch *scratch) {
  PyObject *name, *object;
  Py_ssize_t position = 0;
  *scratch = (Scratch){{NULL}, {NULL}, {NULL}, 0, 0, 0};
  while (kwargs && PyDict_Next(kwargs, &position, &name, &object)) {
    const char *text = PyUnicode_AsUTF8(name);
    const Field *field = text ? find_field(fields, text) : NULL;
    if (!field) {
      if (text) PyErr_Format(PyExc_TypeError, "%s has no option %R", subject, name);
      return -1;
    }
    if (fill_field((char *)options + field->offset, field, object, subject, queue, scratch) < 0) {
      int is_nan = field->kind == FIELD_MS && PyErr_ExceptionMatches(PyExc_ValueError);
      if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError, "%s.%s cannot be %R", subject, text, object);
      } else if (is_nan || PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Format(PyExc_ValueError, "%s.%s cannot be %R", subject, text, object);
      }
      return -1;
    }
  }
  return 0;
}

void release_scratch(Scratch *scratch) {
  weir_values_unref(scratch->values, (size_t)scratch->value_count);
  for (int i = 0; i < scratch->error_count; i++) weir_error_unref(scratch->errors[i]);
  for (int i = 0; i < scratch->array_count; i++) PyMem_Free(scratch->arrays[i]);
}

/* --- statistics ------------------------------------------------------------------------------- */

PyTypeObject *new_record_type(const char *name, const char *doc, const Column *columns) {
  PyStructSequence_Field fields[32];
  int count = 0;
  for (; columns[count].name; count++)
    fields[count] = (PyStructSequence_Field){columns[count].name, NULL};
  fields[count] = (PyStructSequence_Field){NULL, NULL};
  PyStructSequence_Desc description = {name, doc, fields, count};
  return PyStructSequence_NewType(&description);
}

static PyObject *cell(const Column *column, const char *at) {
  switch (column->kind) {
    case FIELD_U32:
      return PyLong_FromUnsignedLong(*(const uint32_t *)at);
    case FIELD_U64:
      return PyLong_FromUnsignedLongLong(*(const uint64_t *)at);
    case FIELD_I64:
      return PyLong_FromLongLong(*(const int64_t *)at);
    case FIELD_F64:
      return PyFloat_FromDouble(*(const double *)at);
    case FIELD_MS:
      return from_ns(*(const int64_t *)at);
    case FIELD_CHOICE:
      return PyUnicode_FromString(column->choices[*(const uint32_t *)at]);
    case FIELD_TEXT:
      return PyUnicode_DecodeUTF8(at, (Py_ssize_t)strlen(at), "replace");
    default:
      Py_RETURN_NONE;
  }
}

PyObject *to_record(PyTypeObject *type, const Column *columns, const void *stats) {
  PyObject *record = PyStructSequence_New(type);
  for (int i = 0; record && columns[i].name; i++) {
    PyObject *item = cell(&columns[i], (const char *)stats + columns[i].offset);
    if (!item) Py_CLEAR(record);
    if (record) PyStructSequence_SetItem(record, i, item);
  }
  return record;
}

/* --- keys ------------------------------------------------------------------------------------- */

int to_key(PyObject *object, Key *key) {
  *key = (Key){.data = NULL, .size = 0, .held = 0};
  if (object == Py_None) return 0;
  if (PyUnicode_Check(object)) {
    Py_ssize_t size;
    key->data = PyUnicode_AsUTF8AndSize(object, &size);
    key->size = (size_t)size;
    return key->data ? 0 : -1;
  }
  if (PyBytes_Check(object)) {
    key->data = PyBytes_AS_STRING(object);
    key->size = (size_t)PyBytes_GET_SIZE(object);
    return 0;
  }
  if (!PyObject_CheckBuffer(object)) {
    PyErr_Format(PyExc_TypeError, "a key must be str or bytes (got %R)", object);
    return -1;
  }
  if (PyObject_GetBuffer(object, &key->view, PyBUF_SIMPLE) < 0) return -1;
  key->held = 1;
  key->data = key->view.buf;
  key->size = (size_t)key->view.len;
  return 0;
}

void release_key(Key *key) {
  if (key->held) PyBuffer_Release(&key->view);
}

int import_conversions(void) {
  PyDateTime_IMPORT;
  return PyDateTimeAPI ? 0 : -1;
}
