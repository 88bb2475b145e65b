/* SPDX-License-Identifier: MIT */
/*
 * The circuit breaker. acquire() and report() are the hot path: one crossing each, no allocation
 * but the permit's number, and the interpreter's lock is kept, because deciding never waits.
 *
 * Why an extension module: acquire + report take 88 ns here and 537 ns by cffi in API mode, where a
 * bare call takes 36 and 83; a run's whole trip 2.3 and 4.4 us (bench/kinds.py, CPython 3.11, a
 * busy machine).
 */
#include "weirpy.h"

static const char *const modes[] = {"consecutive", "count_window", "time_window", NULL};
static const char *const states[] = {"closed",        "open",         "half_open", "forced_open",
                                     "forced_closed", "metrics_only", NULL};

#define AT(member) offsetof(weir_breaker_options, member)
static const Field breaker_fields[] = {
    {"mode", FIELD_CHOICE, AT(mode), modes},
    {"failure_threshold", FIELD_U32, AT(failure_threshold), NULL},
    {"window_size", FIELD_U32, AT(window_size), NULL},
    {"window", FIELD_MS, AT(window_ms), NULL},
    {"failure_rate", FIELD_F64, AT(failure_rate), NULL},
    {"min_calls", FIELD_U32, AT(min_calls), NULL},
    {"half_open_max_calls", FIELD_U32, AT(half_open_max_calls), NULL},
    {"half_open_success_threshold", FIELD_U32, AT(half_open_success_threshold), NULL},
    {"half_open_failures", FIELD_U32, AT(half_open_failures), NULL},
    {"slow_call", FIELD_MS, AT(slow_call_ms), NULL},
    {"slow_call_rate", FIELD_F64, AT(slow_call_rate), NULL},
    {"reset_timeout", FIELD_MS, AT(reset_timeout_ms), NULL},
    {"reset_multiplier", FIELD_F64, AT(reset_multiplier), NULL},
    {"max_reset_timeout", FIELD_MS, AT(max_reset_timeout_ms), NULL},
    {"trial_timeout", FIELD_MS, AT(trial_timeout_ms), NULL},
    {"ramp_up", FIELD_MS, AT(ramp_up_ms), NULL},
    {"failures", FIELD_RANGES, AT(failures), NULL},
    {"_user", FIELD_U64, AT(user), NULL},
    {"name", FIELD_TEXT, AT(name), NULL},
    {NULL, FIELD_U32, 0, NULL}};
#undef AT

#define AT(member) offsetof(weir_breaker_stats, member)
static const Column stats_columns[] = {{"state", FIELD_CHOICE, AT(state), states},
                                       {"calls", FIELD_U64, AT(calls), NULL},
                                       {"failures", FIELD_U64, AT(failures), NULL},
                                       {"slow_calls", FIELD_U64, AT(slow_calls), NULL},
                                       {"failure_rate", FIELD_F64, AT(failure_rate), NULL},
                                       {"slow_call_rate", FIELD_F64, AT(slow_call_rate), NULL},
                                       {"succeeded", FIELD_U64, AT(succeeded), NULL},
                                       {"failed", FIELD_U64, AT(failed), NULL},
                                       {"slow", FIELD_U64, AT(slow), NULL},
                                       {"ignored", FIELD_U64, AT(ignored), NULL},
                                       {"stale", FIELD_U64, AT(stale), NULL},
                                       {"rejected", FIELD_U64, AT(rejected), NULL},
                                       {"times_opened", FIELD_U64, AT(times_opened), NULL},
                                       {"open_remaining", FIELD_MS, AT(open_remaining_ns), NULL},
                                       {"missed_events", FIELD_U64, AT(missed_events), NULL},
                                       {NULL, FIELD_U32, 0, NULL}};
#undef AT
static PyTypeObject *stats_type;

static weir_status create(weir_runtime *runtime, const void *options, void **out,
                          weir_error **error) {
  return weir_breaker_new(runtime, options, (weir_breaker **)out, error);
}

static weir_status change(void *breaker, const void *options, weir_error **error) {
  return weir_breaker_set_options(breaker, options, error);
}

/* Breaker(runtime, queue, **options): with `_user`, state changes are EVENT records of the queue.
 * */
static int breaker_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  PyObject *queue = PyTuple_GET_SIZE(args) > 1 ? PyTuple_GET_ITEM(args, 1) : NULL;
  int listens = kwargs && PyDict_GetItemString(kwargs, "_user") != NULL;
  if (listens && (!queue || !is_instance(queue, &QueueType, "queue"))) return -1;
  if (listens) options.queue = ((QueueObject *)queue)->mail->queue;
  return init_handle(self, args, kwargs, breaker_fields, &options, create, "breaker");
}

static PyObject *breaker_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  return set_options(self, kwargs, breaker_fields, &options, change, "breaker");
}

/* The hot path costs no conversion while the state stays: a closed breaker's permits are all equal,
 * so the object of the last one is given out again, and known by its address when it comes back. */
typedef struct {
  HandleObject handle;
  weir_permit permit;
  PyObject *object; /* of `permit`; NULL before the first */
} BreakerObject;

static PyObject *new_permit_object(BreakerObject *breaker, weir_permit permit) {
  PyObject *object = PyLong_FromUnsignedLongLong(permit);
  if (!object) return NULL;
  breaker->permit = permit;
  Py_INCREF(object);
  Py_XSETREF(breaker->object, object);
  return object;
}

static inline PyObject *permit_object(PyObject *self, weir_permit permit) {
  BreakerObject *breaker = (BreakerObject *)self;
  if (permit != breaker->permit || !breaker->object) return new_permit_object(breaker, permit);
  Py_INCREF(breaker->object);
  return breaker->object;
}

static void breaker_dealloc(PyObject *self) {
  Py_CLEAR(((BreakerObject *)self)->object);
  dealloc_handle(self);
}

static PyObject *breaker_acquire(PyObject *self, PyObject *unused) {
  weir_permit permit;
  weir_rejection rejection;
  (void)unused;
  rejection.size = sizeof rejection; /* a refusal fills the rest */
  weir_status status = weir_breaker_acquire(HANDLE(self), &permit, &rejection);
  if (status == WEIR_OK) return permit_object(self, permit);
  return status == WEIR_EOPEN ? raise_rejection(status, &rejection) : raise_status(status, NULL);
}

static PyObject *breaker_try_acquire(PyObject *self, PyObject *unused) {
  weir_permit permit;
  (void)unused;
  weir_status status = weir_breaker_acquire(HANDLE(self), &permit, NULL);
  if (status == WEIR_OK) return permit_object(self, permit);
  if (status != WEIR_EOPEN) return raise_status(status, NULL);
  Py_RETURN_NONE;
}

static PyObject *reported(weir_status status) {
  if (status == WEIR_OK) Py_RETURN_TRUE;
  if (status == WEIR_ESTALE || status == WEIR_EEXPIRED) Py_RETURN_FALSE;
  return raise_status(status, NULL);
}

/* Any arguments: report(permit, class, elapsed). */
static PyObject *report_any(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  long class_ = WEIR_CLASS_SUCCESS;
  int64_t elapsed_ns = 0;
  if (count < 1 || count > 3) {
    PyErr_SetString(PyExc_TypeError, "report(permit, class_=SUCCESS, elapsed=0.0)");
    return NULL;
  }
  weir_permit permit = PyLong_AsUnsignedLongLong(args[0]);
  if (permit == (weir_permit)-1 && PyErr_Occurred()) return NULL;
  if (count > 1) {
    class_ = PyLong_AsLong(args[1]);
    if (class_ == -1 && PyErr_Occurred()) return NULL;
    if (class_ < 0 || class_ > WEIR_CLASS_ABANDON) class_ = WEIR_CLASS_NONE; /* not legal here */
  }
  if (count > 2 && to_duration_ns("elapsed", args[2], &elapsed_ns) < 0) return NULL;
  return reported(weir_breaker_report(HANDLE(self), permit, (uint32_t)class_, elapsed_ns));
}

/* report(permit, class=success, elapsed=0.0) -> whether it was recorded */
static PyObject *breaker_report(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  BreakerObject *breaker = (BreakerObject *)self;
  if (count != 1 || args[0] != breaker->object) return report_any(self, args, count);
  return reported(weir_breaker_report(HANDLE(self), breaker->permit, WEIR_CLASS_SUCCESS, 0));
}

/* What calls of this kind cost with nothing behind them, for the bench: the same conventions, an
 * integer out, an integer in and a bool out, made and read by the interpreter's own functions. */
static PyObject *bare_acquire(PyObject *self, PyObject *unused) {
  (void)unused;
  return PyLong_FromUnsignedLongLong(HANDLE(self) != NULL);
}

static PyObject *bare_report(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  if (count != 1) return report_any(self, args, count);
  weir_permit permit = PyLong_AsUnsignedLongLong(args[0]);
  if (permit == (weir_permit)-1 && PyErr_Occurred()) return NULL;
  if (!HANDLE(self)) Py_RETURN_FALSE;
  Py_RETURN_TRUE;
}

enum { MANY = 1024 };

/* acquire_many(n) -> list of at most n permits */
static PyObject *breaker_acquire_many(PyObject *self, PyObject *count) {
  weir_permit permits[MANY];
  size_t granted = 0, wanted = PyLong_AsSize_t(count);
  if (wanted == (size_t)-1 && PyErr_Occurred()) return NULL;
  if (wanted > MANY) wanted = MANY;
  weir_status status = weir_breaker_acquire_n(HANDLE(self), wanted, permits, &granted, NULL);
  if (status != WEIR_OK && status != WEIR_EOPEN) return raise_status(status, NULL);
  PyObject *list = PyList_New((Py_ssize_t)granted);
  for (size_t i = 0; list && i < granted; i++) {
    PyObject *permit = permit_object(self, permits[i]);
    if (!permit) Py_CLEAR(list);
    if (list) PyList_SET_ITEM(list, (Py_ssize_t)i, permit);
  }
  return list;
}

/* report_many(permits, class) -> how many were recorded */
static PyObject *breaker_report_many(PyObject *self, PyObject *args) {
  PyObject *permits;
  unsigned int class_ = WEIR_CLASS_SUCCESS;
  weir_breaker_report_entry entries[MANY];
  size_t recorded = 0;
  if (!PyArg_ParseTuple(args, "O|I", &permits, &class_)) return NULL;
  PyObject *list = PySequence_Fast(permits, "permits is a list");
  if (!list) return NULL;
  size_t size = (size_t)PySequence_Fast_GET_SIZE(list);
  for (size_t from = 0; from < size; from += MANY) {
    size_t count = size - from < MANY ? size - from : MANY;
    for (size_t i = 0; i < count; i++) {
      weir_permit permit =
          PyLong_AsUnsignedLongLong(PySequence_Fast_GET_ITEM(list, (Py_ssize_t)(from + i)));
      entries[i] = (weir_breaker_report_entry){permit, 0, class_, WEIR_OK};
    }
    if (PyErr_Occurred()) break;
    weir_breaker_report_many(HANDLE(self), entries, count);
    for (size_t i = 0; i < count; i++) recorded += entries[i].result == WEIR_OK;
  }
  Py_DECREF(list);
  return PyErr_Occurred() ? NULL : PyLong_FromSize_t(recorded);
}

static PyObject *breaker_state(PyObject *self, void *unused) {
  (void)unused;
  return PyUnicode_FromString(states[weir_breaker_state(HANDLE(self))]);
}

static PyObject *breaker_isolate(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_breaker_isolate(HANDLE(self)));
}

static PyObject *breaker_release(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_breaker_release(HANDLE(self)));
}

static PyObject *breaker_reset(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_breaker_reset(HANDLE(self)));
}

static PyObject *breaker_force(PyObject *self, PyObject *state) {
  const char *text = PyUnicode_Check(state) ? PyUnicode_AsUTF8(state) : NULL;
  for (uint32_t i = 0; text && states[i]; i++) {
    if (strcmp(text, states[i]) == 0) return none_or_raise(weir_breaker_force(HANDLE(self), i));
  }
  return PyErr_Format(PyExc_ValueError,
                      "breaker.state must be closed, forced_open, forced_closed or metrics_only "
                      "(got %R)",
                      state);
}

static PyObject *breaker_stats(PyObject *self, PyObject *unused) {
  weir_breaker_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_breaker_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(stats_type, stats_columns, &stats)
                           : raise_status(status, NULL);
}

static PyObject *breaker_snapshot(PyObject *self, PyObject *unused) {
  char buffer[WEIR_BREAKER_SNAPSHOT_SIZE];
  size_t size = sizeof buffer;
  (void)unused;
  weir_status status = weir_breaker_snapshot(HANDLE(self), buffer, &size);
  return status == WEIR_OK ? PyBytes_FromStringAndSize(buffer, (Py_ssize_t)size)
                           : raise_status(status, NULL);
}

/* restore(snapshot, elapsed) */
static PyObject *breaker_restore(PyObject *self, PyObject *args) {
  const char *bytes;
  Py_ssize_t size;
  PyObject *elapsed;
  int64_t elapsed_ms;
  if (!PyArg_ParseTuple(args, "y#O", &bytes, &size, &elapsed) ||
      to_duration_ms("elapsed", elapsed, &elapsed_ms) < 0)
    return NULL;
  return none_or_raise(weir_breaker_restore(HANDLE(self), bytes, (size_t)size, elapsed_ms));
}

static PyMethodDef breaker_methods[] = {
    {"acquire", breaker_acquire, METH_NOARGS,
     "Asks to make a call: the permit to report. Raises BreakerOpen. Never waits."},
    {"try_acquire", breaker_try_acquire, METH_NOARGS,
     "As acquire(), but None if the breaker refuses."},
    {"report", (PyCFunction)(void (*)(void))breaker_report, METH_FASTCALL,
     "report(permit, class_=SUCCESS, elapsed=0.0): how the call ended. False if the permit is "
     "stale."},
    {"acquire_many", breaker_acquire_many, METH_O,
     "acquire_many(n): a list of at most n (1024) permits."},
    {"report_many", breaker_report_many, METH_VARARGS,
     "report_many(permits, class_=SUCCESS): how many counted."},
    {"isolate", breaker_isolate, METH_NOARGS, "Forces it open until as many release() came."},
    {"release", breaker_release, METH_NOARGS, "Undoes one isolate()."},
    {"reset", breaker_reset, METH_NOARGS, "Closed, with counts as new."},
    {"force", breaker_force, METH_O,
     "force(state): forced_open, forced_closed, metrics_only, or closed to end it."},
    {"stats", breaker_stats, METH_NOARGS, "State and counts."},
    {"snapshot", breaker_snapshot, METH_NOARGS, "The state as bytes, for another process."},
    {"restore", breaker_restore, METH_VARARGS,
     "restore(snapshot, elapsed): takes a state over, so old."},
    {"_bare_acquire", bare_acquire, METH_NOARGS, NULL},
    {"_bare_report", (PyCFunction)(void (*)(void))bare_report, METH_FASTCALL, NULL},
    {"_set_options", (PyCFunction)(void (*)(void))breaker_set_options, METH_VARARGS | METH_KEYWORDS,
     NULL},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef breaker_getset[] = {
    {"state", breaker_state, NULL, "closed, open, half_open, forced_open ...", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyTypeObject BreakerType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Breaker",
                                   .tp_basicsize = sizeof(BreakerObject),
                                   .tp_dealloc = breaker_dealloc,
                                   .tp_init = breaker_init,
                                   .tp_methods = breaker_methods,
                                   .tp_getset = breaker_getset};

int add_breaker(PyObject *module) {
  stats_type = new_record_type("weir.BreakerStats", "A breaker's state and counts.", stats_columns);
  if (!stats_type || PyModule_AddObject(module, "BreakerStats", (PyObject *)stats_type) < 0)
    return -1;
  return add_handle_type(module, &BreakerType, &PolicyType, "Breaker", NULL);
}
