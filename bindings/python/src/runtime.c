/* SPDX-License-Identifier: MIT */
/*
 * The runtime: making one, its clock and its end, its statistics, metrics and flight recorder,
 * policies by name, and the capsule by which another extension of this process gets it.
 *
 * What may wait (closing) or take long (metrics) lets other Python threads go on meanwhile.
 */
#include "weirpy.h"

#include <sys/eventfd.h>
#include <unistd.h>

static const char *const drivers[] = {"thread", "uv", "manual", NULL};
static const char *const log_levels[] = {"off", "error", "warning", "info", "debug", NULL};

#define AT(member) offsetof(weir_runtime_options, member)
static const Field runtime_fields[] = {{"driver", FIELD_CHOICE, AT(driver), drivers},
                                       {"seed", FIELD_U64, AT(seed), NULL},
                                       {"max_in_flight", FIELD_I64, AT(max_in_flight), NULL},
                                       {"close_grace", FIELD_MS, AT(close_grace_ms), NULL},
                                       {"name", FIELD_TEXT, AT(name), NULL},
                                       {"recorder_entries", FIELD_U32, AT(recorder_entries), NULL},
                                       {"log_level", FIELD_CHOICE, AT(log_level), log_levels},
                                       {"metrics", FIELD_U32, AT(metrics), NULL},
                                       {NULL, FIELD_U32, 0, NULL}};
#undef AT

#define AT(member) offsetof(weir_runtime_stats, member)
static const Column stats_columns[] = {{"runs_accepted", FIELD_U64, AT(runs_accepted), NULL},
                                       {"runs_settled", FIELD_U64, AT(runs_settled), NULL},
                                       {"attempts_started", FIELD_U64, AT(attempts_started), NULL},
                                       {"live_calls", FIELD_U64, AT(live_calls), NULL},
                                       {"orphans", FIELD_U64, AT(orphans), NULL},
                                       {"timers", FIELD_U64, AT(timers), NULL},
                                       {"turns", FIELD_U64, AT(turns), NULL},
                                       {NULL, FIELD_U32, 0, NULL}};
#undef AT
static PyTypeObject *stats_type;

/* On any thread, without the interpreter. */
static void wake(void *data) {
  uint64_t one = 1;
  ssize_t written = write((int)(intptr_t)data, &one, sizeof one);
  (void)written; /* full means that it is awake already */
}

static void close_wake(void *data) { close((int)(intptr_t)data); }

static int runtime_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_error *error = NULL;
  Scratch scratch;
  if (!PyArg_ParseTuple(args, "") || RUNTIME(self)) return -1;
  ((RuntimeObject *)self)->wake_fd = -1;
  int filled = fill_options(&options, runtime_fields, kwargs, "runtime", NULL, &scratch);
  release_scratch(&scratch);
  if (filled < 0) return -1;
  if (options.driver == WEIR_DRIVER_MANUAL) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
      PyErr_SetFromErrno(PyExc_OSError);
      return -1;
    }
    ((RuntimeObject *)self)->wake_fd = fd;
    options.wakeup = wake;
    options.wakeup_data = (void *)(intptr_t)fd;
    options.wakeup_free_data = close_wake;
  }
  weir_status status = weir_runtime_new(&options, &RUNTIME(self), &error);
  if (status != WEIR_OK) {
    RUNTIME(self) = NULL;
    raise_status(status, error);
    return -1;
  }
  ((RuntimeObject *)self)->driver = options.driver;
  return 0;
}

static void runtime_dealloc(PyObject *self) {
  if (((RuntimeObject *)self)->weak) PyObject_ClearWeakRefs(self);
  if (RUNTIME(self)) {
    weir_runtime_close(RUNTIME(self)); /* queues in the graveyard may hold it still */
    if (((RuntimeObject *)self)->driver == WEIR_DRIVER_MANUAL)
      weir_testing_run_until_idle(RUNTIME(self));
    weir_runtime_unref(RUNTIME(self));
  }
  Py_TYPE(self)->tp_free(self);
}

static PyObject *runtime_close(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_runtime_close(RUNTIME(self)));
}

/* close_wait(seconds or None) -> whether all had ended by then */
static PyObject *runtime_close_wait(PyObject *self, PyObject *timeout) {
  int64_t timeout_ms;
  weir_status status;
  if (to_duration_ms("timeout", timeout, &timeout_ms) < 0) return NULL;
  PyThreadState *thread = PyEval_SaveThread();
  status = weir_runtime_close_wait(RUNTIME(self), timeout_ms);
  PyEval_RestoreThread(thread);
  if (status == WEIR_ETIMEDOUT) Py_RETURN_FALSE;
  if (status != WEIR_OK) return raise_status(status, NULL);
  Py_RETURN_TRUE;
}

static PyObject *runtime_now_ns(PyObject *self, PyObject *unused) {
  (void)unused;
  return PyLong_FromLongLong(weir_runtime_now(RUNTIME(self)));
}

static PyObject *runtime_process(PyObject *self, PyObject *now) {
  int64_t now_ns = PyLong_AsLongLong(now);
  if (now_ns == -1 && PyErr_Occurred()) return NULL;
  return PyLong_FromUnsignedLongLong(weir_runtime_process(RUNTIME(self), now_ns));
}

static PyObject *runtime_next_deadline(PyObject *self, PyObject *unused) {
  (void)unused;
  return PyLong_FromLongLong(weir_runtime_next_deadline(RUNTIME(self)));
}

static PyObject *runtime_run_until_idle(PyObject *self, PyObject *unused) {
  uint64_t count;
  (void)unused;
  if (((RuntimeObject *)self)->wake_fd >= 0) {
    ssize_t cleared = read(((RuntimeObject *)self)->wake_fd, &count, sizeof count);
    (void)cleared;
  }
  return PyLong_FromUnsignedLongLong(weir_testing_run_until_idle(RUNTIME(self)));
}

static PyObject *runtime_stats(PyObject *self, PyObject *unused) {
  weir_runtime_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_runtime_get_stats(RUNTIME(self), &stats);
  return status == WEIR_OK ? to_record(stats_type, stats_columns, &stats)
                           : raise_status(status, NULL);
}

static PyObject *audit_list(const weir_audit_entry *entries, size_t count) {
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (size_t i = 0; list && i < count; i++) {
    const weir_audit_entry *entry = &entries[i];
    PyObject *item =
        Py_BuildValue("(sIdss)", entry->kind == WEIR_AUDIT_CALL ? "call" : "orphan",
                      entry->attempts, (double)entry->age_ns / 1e9, entry->name, entry->waits_for);
    if (!item) Py_CLEAR(list);
    if (list) PyList_SET_ITEM(list, (Py_ssize_t)i, item);
  }
  return list;
}

static PyObject *runtime_audit(PyObject *self, PyObject *unused) {
  size_t count = 0;
  (void)unused;
  weir_status status = weir_runtime_audit(RUNTIME(self), NULL, sizeof(weir_audit_entry), 0, &count);
  if (status != WEIR_OK) return raise_status(status, NULL);
  weir_audit_entry *entries = PyMem_Calloc(count ? count : 1, sizeof *entries);
  if (!entries) return PyErr_NoMemory();
  size_t room = count;
  status = weir_runtime_audit(RUNTIME(self), entries, sizeof *entries, room, &count);
  PyObject *list = status == WEIR_OK ? audit_list(entries, count < room ? count : room)
                                     : raise_status(status, NULL);
  PyMem_Free(entries);
  return list;
}

typedef weir_status (*TextFn)(weir_runtime *, char *, size_t, size_t *);

/* What a function writes whose text may grow between asking how long it is and reading it. */
static PyObject *text_of(weir_runtime *runtime, TextFn write) {
  size_t needed = 0;
  weir_status status = write(runtime, NULL, 0, &needed);
  for (int tries = 0; tries < 16 && (status == WEIR_OK || status == WEIR_EFULL); tries++) {
    size_t size = needed + needed / 4 + 64;
    char *buffer = PyMem_RawMalloc(size);
    if (!buffer) return PyErr_NoMemory();
    PyThreadState *thread = PyEval_SaveThread();
    status = write(runtime, buffer, size, &needed);
    PyEval_RestoreThread(thread);
    PyObject *text = status == WEIR_OK
                         ? PyUnicode_DecodeUTF8(buffer, (Py_ssize_t)strlen(buffer), "replace")
                         : NULL;
    PyMem_RawFree(buffer);
    if (text || PyErr_Occurred()) return text;
  }
  return raise_status(status, NULL);
}

static PyObject *runtime_metrics(PyObject *self, PyObject *unused) {
  (void)unused;
  return text_of(RUNTIME(self), weir_runtime_metrics);
}

static PyObject *runtime_metrics_text(PyObject *self, PyObject *unused) {
  (void)unused;
  return text_of(RUNTIME(self), weir_runtime_metrics_text);
}

static PyObject *runtime_recorder(PyObject *self, PyObject *unused) {
  (void)unused;
  return text_of(RUNTIME(self), weir_recorder_dump);
}

static PyObject *runtime_trim(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_runtime_trim(RUNTIME(self)));
}

static PyObject *runtime_label(PyObject *self, PyObject *args) {
  const char *key, *value;
  weir_error *error = NULL;
  if (!PyArg_ParseTuple(args, "ss", &key, &value)) return NULL;
  weir_status status = weir_runtime_set_label(RUNTIME(self), key, value, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  Py_RETURN_NONE;
}

/* _find(name, {kind: type}) -> policy */
static PyObject *runtime_find(PyObject *self, PyObject *args) {
  const char *name;
  PyObject *types;
  weir_policy *policy = NULL;
  weir_error *error = NULL;
  if (!PyArg_ParseTuple(args, "sO!", &name, &PyDict_Type, &types)) return NULL;
  weir_status status = weir_policy_find(RUNTIME(self), name, &policy, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  PyObject *kind = PyLong_FromUnsignedLong(weir_policy_kind(policy));
  PyObject *type = kind ? PyDict_GetItemWithError(types, kind) : NULL;
  Py_XDECREF(kind);
  if (!type || !PyType_Check(type) || !PyType_IsSubtype((PyTypeObject *)type, &PolicyType)) {
    type = (PyObject *)&PolicyType;
  }
  return wrap_handle((PyTypeObject *)type, policy, self, NULL);
}

static void release_capsule(PyObject *capsule) {
  weir_runtime_unref(PyCapsule_GetPointer(capsule, "weir.runtime"));
}

static PyObject *runtime_capsule(PyObject *self, PyObject *unused) {
  (void)unused;
  PyObject *capsule = PyCapsule_New(RUNTIME(self), "weir.runtime", release_capsule);
  if (capsule) weir_runtime_ref(RUNTIME(self));
  return capsule;
}

static PyObject *runtime_closed(PyObject *self, void *unused) {
  (void)unused;
  return PyBool_FromLong(weir_runtime_state(RUNTIME(self)) != WEIR_OK);
}

static PyObject *runtime_manual(PyObject *self, void *unused) {
  (void)unused;
  return PyBool_FromLong(((RuntimeObject *)self)->driver == WEIR_DRIVER_MANUAL);
}

static PyObject *runtime_wake_fd(PyObject *self, void *unused) {
  (void)unused;
  return PyLong_FromLong(((RuntimeObject *)self)->wake_fd);
}

static PyMethodDef runtime_methods[] = {
    {"_close", runtime_close, METH_NOARGS, NULL},
    {"_close_wait", runtime_close_wait, METH_O, NULL},
    {"now_ns", runtime_now_ns, METH_NOARGS, "The runtime's monotonic time in nanoseconds."},
    {"_process", runtime_process, METH_O, NULL},
    {"_next_deadline", runtime_next_deadline, METH_NOARGS, NULL},
    {"_run_until_idle", runtime_run_until_idle, METH_NOARGS, NULL},
    {"stats", runtime_stats, METH_NOARGS, "What the runtime has counted."},
    {"_audit", runtime_audit, METH_NOARGS, NULL},
    {"metrics", runtime_metrics, METH_NOARGS, "All metrics as OpenMetrics text."},
    {"metrics_text", runtime_metrics_text, METH_NOARGS, "All metrics in the text format 0.0.4."},
    {"recorder", runtime_recorder, METH_NOARGS, "The last decisions as text, oldest first."},
    {"trim", runtime_trim, METH_NOARGS, "Gives pooled memory back."},
    {"set_label", runtime_label, METH_VARARGS, "set_label(key, value): a label on all metrics."},
    {"_find", runtime_find, METH_VARARGS, NULL},
    {"capsule", runtime_capsule, METH_NOARGS,
     "A capsule named 'weir.runtime' with the weir_runtime pointer, for other extensions of this "
     "process.\n\n"
     "The capsule owns a reference for as long as it lives; the pointer is lent. Who keeps the "
     "pointer\n"
     "takes a reference of its own with weir_runtime_ref() and gives it back with "
     "weir_runtime_unref().\n"
     "Both must have been linked with the same libweir."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef runtime_getset[] = {
    {"closed", runtime_closed, NULL, "Whether the runtime is closing or closed.", NULL},
    {"_manual", runtime_manual, NULL, NULL, NULL},
    {"_wake_fd", runtime_wake_fd, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}};

PyTypeObject RuntimeType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Runtime",
                            .tp_basicsize = sizeof(RuntimeObject),
                            .tp_dealloc = runtime_dealloc,
                            .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                            .tp_weaklistoffset = offsetof(RuntimeObject, weak),
                            .tp_methods = runtime_methods,
                            .tp_getset = runtime_getset,
                            .tp_init = runtime_init,
                            .tp_new = PyType_GenericNew};

int add_runtime(PyObject *module) {
  stats_type = new_record_type("weir.RuntimeStats", "What a runtime has counted.", stats_columns);
  if (!stats_type || PyType_Ready(&RuntimeType) < 0) return -1;
  Py_INCREF(&RuntimeType);
  if (PyModule_AddObject(module, "Runtime", (PyObject *)&RuntimeType) < 0) return -1;
  return PyModule_AddObject(module, "RuntimeStats", (PyObject *)stats_type);
}
