/* SPDX-License-Identifier: MIT */
/*
 * The limiter: rates, concurrency, keys. The decide functions never wait, so they keep the
 * interpreter's lock; waiting one's turn is a run's (../weir/policies.py).
 */
#include "weirpy.h"

static const char *const algorithms[] = {"token_bucket", "fixed_window", "sliding_window", NULL};
static const char *const orders[] = {"fifo", "priority", NULL};
static const char *const overflows[] = {"deny", "evict", NULL};
static const char *const adaptives[] = {"off", "aimd", "gradient", NULL};

#define AT(member) offsetof(weir_limiter_options, member)
static const Field limiter_fields[] = {
    {"algorithm", FIELD_CHOICE, AT(algorithm), algorithms},
    {"permits", FIELD_I64, AT(permits), NULL},
    {"interval", FIELD_MS, AT(interval_ms), NULL},
    {"burst", FIELD_I64, AT(burst), NULL},
    {"max_concurrent", FIELD_I64, AT(max_concurrent), NULL},
    {"max_queue", FIELD_I64, AT(max_queue), NULL},
    {"queue_timeout", FIELD_MS, AT(queue_timeout_ms), NULL},
    {"queue_order", FIELD_CHOICE, AT(queue_order), orders},
    {"key_overflow", FIELD_CHOICE, AT(key_overflow), overflows},
    {"max_keys", FIELD_I64, AT(max_keys), NULL},
    {"adaptive", FIELD_CHOICE, AT(adaptive), adaptives},
    {"early_release", FIELD_U32, AT(early_release), NULL},
    {"adaptive_min", FIELD_I64, AT(adaptive_min), NULL},
    {"adaptive_max", FIELD_I64, AT(adaptive_max), NULL},
    {"adaptive_latency", FIELD_MS, AT(adaptive_latency_ms), NULL},
    {"adaptive_backoff", FIELD_F64, AT(adaptive_backoff), NULL},
    {"adaptive_tolerance", FIELD_F64, AT(adaptive_tolerance), NULL},
    {"failures", FIELD_RANGES, AT(failures), NULL},
    {"name", FIELD_TEXT, AT(name), NULL},
    {NULL, FIELD_U32, 0, NULL}};
#undef AT

#define AT(member) offsetof(weir_limiter_stats, member)
static const Column stats_columns[] = {{"paused", FIELD_U32, AT(paused), NULL},
                                       {"available", FIELD_I64, AT(available), NULL},
                                       {"concurrent", FIELD_I64, AT(concurrent), NULL},
                                       {"limit", FIELD_I64, AT(limit), NULL},
                                       {"queued", FIELD_U64, AT(queued), NULL},
                                       {"granted", FIELD_U64, AT(granted), NULL},
                                       {"refused", FIELD_U64, AT(refused), NULL},
                                       {"timed_out", FIELD_U64, AT(timed_out), NULL},
                                       {"keys", FIELD_U64, AT(keys), NULL},
                                       {NULL, FIELD_U32, 0, NULL}};
#undef AT
static PyTypeObject *stats_type;

static weir_status create(weir_runtime *runtime, const void *options, void **out,
                          weir_error **error) {
  return weir_limiter_new(runtime, options, (weir_limiter **)out, error);
}

static weir_status change(void *limiter, const void *options, weir_error **error) {
  return weir_limiter_set_options(limiter, options, error);
}

static int limiter_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  return init_handle(self, args, kwargs, limiter_fields, &options, create, "limiter");
}

static PyObject *limiter_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  return set_options(self, kwargs, limiter_fields, &options, change, "limiter");
}

/* add_limit(permits, interval, burst, algorithm) */
static PyObject *limiter_add_limit(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_limiter_options o = WEIR_LIMITER_OPTIONS_INIT;
  weir_error *error = NULL;
  Scratch scratch;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  int filled = fill_options(&o, limiter_fields, kwargs, "limiter", NULL, &scratch);
  release_scratch(&scratch);
  if (filled < 0) return NULL;
  weir_status status =
      weir_limiter_add_limit(HANDLE(self), o.algorithm, o.permits, o.interval_ms, o.burst, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  Py_RETURN_NONE;
}

/* The arguments (permits=1, key=None) that the decide functions share. */
static int asked_for(PyObject *const *args, Py_ssize_t count, uint32_t *permits, Key *key) {
  *permits = 1;
  *key = (Key){.held = 0};
  if (count > 2) {
    PyErr_SetString(PyExc_TypeError, "at most (permits=1, key=None)");
    return -1;
  }
  if (count > 0) {
    unsigned long number = PyLong_AsUnsignedLong(args[0]);
    if (number == (unsigned long)-1 && PyErr_Occurred()) return -1;
    *permits = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
  }
  return count > 1 ? to_key(args[1], key) : 0;
}

static weir_status decide(PyObject *self, uint32_t permits, const Key *key, weir_permit *permit,
                          weir_rejection *rejection) {
  if (!key->data) return weir_limiter_try_acquire(HANDLE(self), permits, permit, rejection);
  return weir_limiter_try_acquire_key(HANDLE(self), key->data, key->size, permits, permit,
                                      rejection);
}

static PyObject *limiter_try_acquire(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  uint32_t permits;
  weir_permit permit;
  Key key;
  if (asked_for(args, count, &permits, &key) < 0) return NULL;
  weir_status status = decide(self, permits, &key, &permit, NULL);
  release_key(&key);
  if (status == WEIR_OK) return PyLong_FromUnsignedLongLong(permit);
  if (status != WEIR_ELIMITED) return raise_status(status, NULL);
  Py_RETURN_NONE;
}

static PyObject *limiter_acquire_nowait(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  uint32_t permits;
  weir_permit permit;
  weir_rejection rejection;
  Key key;
  if (asked_for(args, count, &permits, &key) < 0) return NULL;
  rejection.size = sizeof rejection; /* a refusal fills the rest */
  weir_status status = decide(self, permits, &key, &permit, &rejection);
  release_key(&key);
  if (status == WEIR_OK) return PyLong_FromUnsignedLongLong(permit);
  return status == WEIR_ELIMITED ? raise_rejection(status, &rejection) : raise_status(status, NULL);
}

/* acquire_many(n) -> how many of n single permits were granted */
static PyObject *limiter_acquire_many(PyObject *self, PyObject *count) {
  size_t granted = 0, wanted = PyLong_AsSize_t(count);
  if (wanted == (size_t)-1 && PyErr_Occurred()) return NULL;
  weir_status status = weir_limiter_acquire_n(HANDLE(self), wanted, &granted, NULL);
  if (status != WEIR_OK && status != WEIR_ELIMITED) return raise_status(status, NULL);
  return PyLong_FromSize_t(granted);
}

/* reserve(permits=1) -> (seconds to wait, reservation) */
static PyObject *limiter_reserve(PyObject *self, PyObject *args) {
  unsigned int permits = 1;
  int64_t wait_ns;
  weir_permit reservation;
  if (!PyArg_ParseTuple(args, "|I", &permits)) return NULL;
  weir_status status = weir_limiter_reserve(HANDLE(self), permits, &wait_ns, &reservation);
  if (status != WEIR_OK) return raise_status(status, NULL);
  return Py_BuildValue("(dK)", (double)wait_ns / 1e9, (unsigned long long)reservation);
}

static PyObject *limiter_cancel_reservation(PyObject *self, PyObject *args) {
  unsigned int permits;
  unsigned long long reservation;
  if (!PyArg_ParseTuple(args, "KI", &reservation, &permits)) return NULL;
  weir_status status = weir_limiter_cancel_reservation(HANDLE(self), permits, reservation);
  if (status == WEIR_ESTALE) Py_RETURN_FALSE;
  if (status != WEIR_OK) return raise_status(status, NULL);
  Py_RETURN_TRUE;
}

/* release(permit, key=None) */
static PyObject *limiter_release(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  Key key = {.held = 0};
  if (count < 1 || count > 2) {
    PyErr_SetString(PyExc_TypeError, "release(permit, key=None)");
    return NULL;
  }
  weir_permit permit = PyLong_AsUnsignedLongLong(args[0]);
  if (permit == (weir_permit)-1 && PyErr_Occurred()) return NULL;
  if (count > 1 && to_key(args[1], &key) < 0) return NULL;
  weir_status status = key.data ? weir_limiter_release_key(HANDLE(self), key.data, key.size, permit)
                                : weir_limiter_release(HANDLE(self), permit);
  release_key(&key);
  return none_or_raise(status);
}

/* release_with(permit, class, elapsed) */
static PyObject *limiter_release_with(PyObject *self, PyObject *args) {
  unsigned long long permit;
  unsigned int class_;
  PyObject *elapsed;
  int64_t elapsed_ns;
  if (!PyArg_ParseTuple(args, "KIO", &permit, &class_, &elapsed) ||
      to_duration_ns("elapsed", elapsed, &elapsed_ns) < 0)
    return NULL;
  return none_or_raise(weir_limiter_release_with(HANDLE(self), permit, class_, elapsed_ns));
}

static PyObject *limiter_refund(PyObject *self, PyObject *args) {
  unsigned int permits = 1;
  if (!PyArg_ParseTuple(args, "|I", &permits)) return NULL;
  return none_or_raise(weir_limiter_refund(HANDLE(self), permits));
}

static PyObject *limiter_available(PyObject *self, void *unused) {
  (void)unused;
  return PyLong_FromLongLong(weir_limiter_available(HANDLE(self)));
}

static PyObject *limiter_drain(PyObject *self, PyObject *unused) {
  int64_t drained = 0;
  (void)unused;
  weir_status status = weir_limiter_drain(HANDLE(self), &drained);
  return status == WEIR_OK ? PyLong_FromLongLong(drained) : raise_status(status, NULL);
}

static PyObject *limiter_pause(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_limiter_pause(HANDLE(self)));
}

static PyObject *limiter_resume(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_limiter_resume(HANDLE(self)));
}

static PyObject *limiter_stats(PyObject *self, PyObject *unused) {
  weir_limiter_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_limiter_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(stats_type, stats_columns, &stats)
                           : raise_status(status, NULL);
}

#define FAST(function)     (PyCFunction)(void (*)(void)) function, METH_FASTCALL
#define KEYWORDS(function) (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS
static PyMethodDef limiter_methods[] = {
    {"try_acquire", FAST(limiter_try_acquire),
     "try_acquire(permits=1, key=None): the permit (0 if there is no concurrency limit), or None. "
     "Never waits."},
    {"acquire_nowait", FAST(limiter_acquire_nowait), "As try_acquire(), but raises Limited."},
    {"acquire_many", limiter_acquire_many, METH_O,
     "acquire_many(n): how many of n single permits it granted."},
    {"reserve", limiter_reserve, METH_VARARGS,
     "reserve(permits=1): takes them in advance; (seconds to wait, reservation)."},
    {"cancel_reservation", limiter_cancel_reservation, METH_VARARGS,
     "cancel_reservation(reservation, permits)"},
    {"release", FAST(limiter_release),
     "release(permit, key=None): gives a concurrency permit back."},
    {"release_with", limiter_release_with, METH_VARARGS,
     "release_with(permit, class_, elapsed), for adaptive limits."},
    {"refund", limiter_refund, METH_VARARGS, "refund(permits=1): gives permits of the rate back."},
    {"drain", limiter_drain, METH_NOARGS, "Takes all that each rate has now; how many there were."},
    {"pause", limiter_pause, METH_NOARGS, "Nothing passes until resume()."},
    {"resume", limiter_resume, METH_NOARGS, "Undoes pause()."},
    {"stats", limiter_stats, METH_NOARGS, "What is used, waits and was refused."},
    {"_add_limit", KEYWORDS(limiter_add_limit), NULL},
    {"_set_options", KEYWORDS(limiter_set_options), NULL},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef limiter_getset[] = {
    {"available", limiter_available, NULL, "Permits that try_acquire() could have now.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyTypeObject LimiterType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Limiter",
                                   .tp_init = limiter_init, .tp_methods = limiter_methods,
                                   .tp_getset = limiter_getset};

int add_limiter(PyObject *module) {
  stats_type = new_record_type("weir.LimiterStats", "What a limiter has counted.", stats_columns);
  if (!stats_type || PyModule_AddObject(module, "LimiterStats", (PyObject *)stats_type) < 0)
    return -1;
  return add_handle_type(module, &LimiterType, &PolicyType, "Limiter", NULL);
}
