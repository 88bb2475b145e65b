/* SPDX-License-Identifier: MIT */
/*
 * The cache's decide door, and its gets as operations.
 *
 * Weights and lifetimes of single entries are asked on threads that have no interpreter, so they
 * are told beforehand: such a value travels in a Box, which is never written to after it was made
 * and whose numbers the deciders read. Boxes are taken off wherever a value comes out (values.c).
 */
#include "weirpy.h"

typedef struct {
  PyObject ob_base;
  PyObject *object;
  int64_t weight;
  int64_t ttl_ms; /* WEIR_EXPIRE_KEEP: the cache's own */
} BoxObject;

static int box_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  BoxObject *box = (BoxObject *)self;
  PyObject *object, *ttl;
  long long weight;
  (void)kwargs;
  if (box->object || !PyArg_ParseTuple(args, "OLO", &object, &weight, &ttl)) return -1;
  box->weight = weight;
  box->ttl_ms = WEIR_EXPIRE_KEEP;
  if (ttl != Py_Ellipsis && to_ms(ttl, &box->ttl_ms) < 0) return -1;
  /* Over before it began; below 0 the library has words for other things. */
  if (ttl != Py_Ellipsis && ttl != Py_None && box->ttl_ms < 0) box->ttl_ms = 0;
  Py_INCREF(object);
  box->object = object;
  return 0;
}

static int box_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(((BoxObject *)self)->object);
  return 0;
}

static void box_dealloc(PyObject *self) {
  PyObject_GC_UnTrack(self);
  Py_CLEAR(((BoxObject *)self)->object);
  Py_TYPE(self)->tp_free(self);
}

static PyTypeObject BoxType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Box",
                               .tp_basicsize = sizeof(BoxObject),
                               .tp_dealloc = box_dealloc,
                               .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                               .tp_traverse = box_traverse,
                               .tp_init = box_init,
                               .tp_new = PyType_GenericNew};

PyObject *unboxed(PyObject *object) {
  return Py_TYPE(object) == &BoxType ? ((BoxObject *)object)->object : object;
}

static const BoxObject *box_of(const weir_value *value) {
  if (weir_value_kind(value) != WEIR_VALUE_HOST) return NULL;
  const BoxObject *box = (const BoxObject *)(uintptr_t)weir_value_host_id(value);
  return Py_TYPE(box) == &BoxType ? box : NULL;
}

/* Deciders, on any thread: they read what is never written. */
static int64_t weigh_box(void *data, const void *key, size_t key_size, const weir_value *value) {
  const BoxObject *box = box_of(value);
  (void)data;
  (void)key;
  (void)key_size;
  return box ? box->weight : 1;
}

static int64_t expire_box(void *data, const weir_expiry *expiry) {
  const BoxObject *box = expiry->moment == WEIR_EXPIRE_READ ? NULL : box_of(expiry->value);
  (void)data;
  return box ? box->ttl_ms : WEIR_EXPIRE_KEEP;
}

/* --- options and statistics ------------------------------------------------------------------- */

static const char *const evictions[] = {"adaptive", "s3_fifo", "lru", NULL};

#define AT(member) offsetof(weir_cache_options, member)
static const Field cache_fields[] = {{"eviction", FIELD_CHOICE, AT(eviction), evictions},
                                     {"max_entries", FIELD_I64, AT(max_entries), NULL},
                                     {"max_weight", FIELD_I64, AT(max_weight), NULL},
                                     {"ttl", FIELD_MS, AT(ttl_ms), NULL},
                                     {"idle", FIELD_MS, AT(idle_ms), NULL},
                                     {"load_timeout", FIELD_MS, AT(load_timeout_ms), NULL},
                                     {"refresh", FIELD_MS, AT(refresh_ms), NULL},
                                     {"stale_if_error", FIELD_MS, AT(stale_if_error_ms), NULL},
                                     {"negative_ttl", FIELD_MS, AT(negative_ttl_ms), NULL},
                                     {"shards", FIELD_U32, AT(shards), NULL},
                                     {"name", FIELD_TEXT, AT(name), NULL},
                                     {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_cache_stats, member)
static const Column stats_columns[] = {{"hits", FIELD_U64, AT(hits), NULL},
                                       {"misses", FIELD_U64, AT(misses), NULL},
                                       {"stale_hits", FIELD_U64, AT(stale_hits), NULL},
                                       {"puts", FIELD_U64, AT(puts), NULL},
                                       {"loads", FIELD_U64, AT(loads), NULL},
                                       {"load_failures", FIELD_U64, AT(load_failures), NULL},
                                       {"load_time", FIELD_MS, AT(load_time_ns), NULL},
                                       {"refused", FIELD_U64, AT(refused), NULL},
                                       {"expired", FIELD_U64, AT(expired), NULL},
                                       {"evicted", FIELD_U64, AT(evicted), NULL},
                                       {"replaced", FIELD_U64, AT(replaced), NULL},
                                       {"invalidated", FIELD_U64, AT(invalidated), NULL},
                                       {"cleared", FIELD_U64, AT(cleared), NULL},
                                       {"entries", FIELD_U64, AT(entries), NULL},
                                       {"weight", FIELD_U64, AT(weight), NULL},
                                       {"loading", FIELD_U64, AT(loading), NULL},
                                       {NULL, FIELD_U32, 0, NULL}};
#undef AT
static PyTypeObject *stats_type;

typedef struct {
  weir_cache_options options;
  Ear ear;
} CacheArguments;

static weir_status create(weir_runtime *runtime, const void *given, void **out,
                          weir_error **error) {
  const CacheArguments *arguments = given;
  weir_cache_options options = arguments->options;
  if (arguments->ear.queue) {
    options.on_evict = tell_eviction;
    options.evict_free_data = free_ear;
    if (!(options.evict_data = new_ear(&arguments->ear))) return WEIR_ENOMEM;
  }
  return weir_cache_new(runtime, &options, (weir_cache **)out, error);
}

/* Cache(runtime, boxes, **options): `boxes` is a pair of bools, for weights and for lifetimes; with
 * `_ear`, evictions are told. */
static int cache_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  CacheArguments arguments = {WEIR_CACHE_OPTIONS_INIT, {NULL, 0}};
  PyObject *runtime;
  int weights, lifetimes;
  if (!PyArg_ParseTuple(args, "O(pp)", &runtime, &weights, &lifetimes)) return -1;
  if (weights) arguments.options.weigh = weigh_box;
  if (lifetimes) arguments.options.expire = expire_box;
  PyObject *first = PyTuple_Pack(1, runtime);
  int result = -1;
  if (first && take_ear(kwargs, &arguments.ear) == 0)
    result = init_handle(self, first, kwargs, cache_fields, &arguments, create, "cache");
  Py_XDECREF(first);
  return result;
}

/* --- the decide door -------------------------------------------------------------------------- */

static PyObject *arity(const char *text) {
  PyErr_SetString(PyExc_TypeError, text);
  return NULL;
}

enum { LONGEST_KEY = (1 << 24) - 1 }; /* see weir/cache.h */

/* No key is the empty key for weir, and a mistake for a cache. */
static int to_entry_key(PyObject *object, Key *key) {
  if (object == Py_None) {
    PyErr_SetString(PyExc_TypeError, "a key must be str or bytes (got None)");
    return -1;
  }
  if (to_key(object, key) < 0) return -1;
  if (key->size <= LONGEST_KEY) return 0;
  raise_invalid("a key of a cache must be at most %d bytes (got %zu)", LONGEST_KEY, key->size);
  release_key(key);
  return -1;
}

/* _check_key(key): raises what is wrong with it */
static PyObject *cache_check_key(PyObject *self, PyObject *object) {
  Key key;
  (void)self;
  if (to_entry_key(object, &key) < 0) return NULL;
  release_key(&key);
  Py_RETURN_NONE;
}

/* lookup(key, default=None) */
static PyObject *cache_lookup(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  weir_value *value = NULL;
  Key key;
  if (count < 1 || count > 2) return arity("lookup(key, default=None)");
  if (to_entry_key(args[0], &key) < 0) return NULL;
  weir_status status = weir_cache_lookup(HANDLE(self), key.data, key.size, &value);
  release_key(&key);
  if (status == WEIR_ENOTFOUND) {
    PyObject *missing = count > 1 ? args[1] : Py_None;
    Py_INCREF(missing);
    return missing;
  }
  if (status != WEIR_OK) return raise_status(status, NULL);
  PyObject *object = from_value(value);
  weir_value_unref(value);
  return object;
}

/* put(queue, key, value, ttl=...): Ellipsis stands for the cache's own */
static PyObject *cache_put(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  weir_value *value;
  int64_t ttl_ms = 0;
  Key key;
  if (count != 4) return arity("put(queue, key, value, ttl)");
  if (args[3] != Py_Ellipsis && to_duration_ms("ttl", args[3], &ttl_ms) < 0) return NULL;
  if (to_value(args[0], args[2], &value) < 0) return NULL;
  if (to_entry_key(args[1], &key) < 0) {
    weir_value_unref(value);
    return NULL;
  }
  weir_status status = args[3] == Py_Ellipsis
                           ? weir_cache_put(HANDLE(self), key.data, key.size, value)
                           : weir_cache_put_for(HANDLE(self), key.data, key.size, value, ttl_ms);
  release_key(&key);
  weir_value_unref(value);
  return none_or_raise(status);
}

/* put_if_absent(queue, key, value) -> (whether it was put, what is there) */
static PyObject *cache_put_if_absent(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  weir_value *value, *existing = NULL;
  Key key;
  if (count != 3) return arity("put_if_absent(queue, key, value)");
  if (to_value(args[0], args[2], &value) < 0) return NULL;
  if (to_entry_key(args[1], &key) < 0) {
    weir_value_unref(value);
    return NULL;
  }
  weir_status status = weir_cache_put_if_absent(HANDLE(self), key.data, key.size, value, &existing);
  release_key(&key);
  PyObject *there = status == WEIR_EEXISTS ? from_value(existing) : from_value(value);
  weir_value_unref(value);
  weir_value_unref(existing);
  if (status == WEIR_OK || status == WEIR_EEXISTS)
    return Py_BuildValue("(iN)", status == WEIR_OK, there);
  Py_XDECREF(there);
  return raise_status(status, NULL);
}

static PyObject *found_or_raise(weir_status status) {
  if (status == WEIR_ENOTFOUND) Py_RETURN_FALSE;
  if (status != WEIR_OK) return raise_status(status, NULL);
  Py_RETURN_TRUE;
}

/* touch(key, ttl) -> whether it was there */
static PyObject *cache_touch(PyObject *self, PyObject *args) {
  PyObject *object, *ttl;
  int64_t ttl_ms;
  Key key;
  if (!PyArg_ParseTuple(args, "OO", &object, &ttl)) return NULL;
  if (to_duration_ms("ttl", ttl, &ttl_ms) < 0 || to_entry_key(object, &key) < 0) return NULL;
  weir_status status = weir_cache_touch(HANDLE(self), key.data, key.size, ttl_ms);
  release_key(&key);
  return found_or_raise(status);
}

static PyObject *cache_invalidate(PyObject *self, PyObject *object) {
  Key key;
  if (to_entry_key(object, &key) < 0) return NULL;
  weir_status status = weir_cache_invalidate(HANDLE(self), key.data, key.size);
  release_key(&key);
  return found_or_raise(status);
}

static PyObject *cache_clear(PyObject *self, PyObject *unused) {
  weir_status status;
  (void)unused;
  PyThreadState *thread = PyEval_SaveThread();
  status = weir_cache_clear(HANDLE(self));
  PyEval_RestoreThread(thread);
  return none_or_raise(status);
}

static PyObject *entry_tuple(const weir_cache_entry *entry) {
  PyObject *value = from_value(entry->value);
  PyObject *key = value ? PyBytes_FromStringAndSize(weir_value_data(entry->key),
                                                    (Py_ssize_t)weir_value_size(entry->key))
                        : NULL;
  if (!key) {
    Py_XDECREF(value);
    return NULL;
  }
  return Py_BuildValue("(NNNK)", key, value, from_ns(entry->remaining_ns),
                       (unsigned long long)entry->weight);
}

/* scan(cursor) -> (cursor, [(key, value, seconds left or None, weight), ...]) */
static PyObject *cache_scan(PyObject *self, PyObject *from) {
  weir_cache_entry entries[128];
  size_t count = 0;
  uint64_t cursor = PyLong_AsUnsignedLongLong(from);
  if (PyErr_Occurred()) return NULL;
  weir_status status =
      weir_cache_scan(HANDLE(self), &cursor, entries, sizeof *entries, 128, &count);
  if (status != WEIR_OK) return raise_status(status, NULL);
  PyObject *list = PyList_New(0);
  for (size_t i = 0; i < count; i++) {
    PyObject *tuple = list ? entry_tuple(&entries[i]) : NULL;
    if (list && (!tuple || PyList_Append(list, tuple) < 0)) Py_CLEAR(list);
    Py_XDECREF(tuple);
    weir_value_unref(entries[i].key);
    weir_value_unref(entries[i].value);
  }
  return list ? Py_BuildValue("(KN)", (unsigned long long)cursor, list) : NULL;
}

static PyObject *cache_stats(PyObject *self, PyObject *unused) {
  weir_cache_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_cache_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(stats_type, stats_columns, &stats)
                           : raise_status(status, NULL);
}

static PyObject *cache_label(PyObject *self, PyObject *args) {
  const char *key, *value;
  weir_error *error = NULL;
  if (!PyArg_ParseTuple(args, "ss", &key, &value)) return NULL;
  weir_status status = weir_cache_set_label(HANDLE(self), key, value, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  Py_RETURN_NONE;
}

/* --- the run door ----------------------------------------------------------------------------- */

static PyObject *cache_operation(PyObject *self, PyObject *loader) {
  weir_operation *operation = NULL;
  weir_error *error = NULL;
  if (!is_instance(loader, &OperationType, "loader")) return NULL;
  weir_status status = weir_cache_operation(HANDLE(self), HANDLE(loader), &operation, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  return wrap_handle(&OperationType, operation, ((HandleObject *)self)->runtime, loader);
}

static PyObject *cache_operation_many(PyObject *self, PyObject *loader) {
  weir_operation *operation = NULL;
  weir_error *error = NULL;
  if (!is_instance(loader, &OperationType, "loader")) return NULL;
  weir_status status = weir_cache_operation_many(HANDLE(self), HANDLE(loader), &operation, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  return wrap_handle(&OperationType, operation, ((HandleObject *)self)->runtime, loader);
}

#define FAST(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL
static PyMethodDef cache_methods[] = {
    {"lookup", FAST(cache_lookup),
     "lookup(key, default=None): the value if it is there. Never loads, never waits."},
    {"_put", FAST(cache_put), NULL},
    {"_put_if_absent", FAST(cache_put_if_absent), NULL},
    {"touch", cache_touch, METH_VARARGS,
     "touch(key, ttl): so long from now; False if it is not there."},
    {"invalidate", cache_invalidate, METH_O,
     "invalidate(key): removes it; False if it was not there."},
    {"clear", cache_clear, METH_NOARGS, "Removes everything."},
    {"_check_key", cache_check_key, METH_O, NULL},
    {"_scan", cache_scan, METH_O, NULL},
    {"stats", cache_stats, METH_NOARGS, "Hits, misses, loads and what is there."},
    {"set_label", cache_label, METH_VARARGS, "set_label(key, value): a label on its metrics."},
    {"_operation", cache_operation, METH_O, NULL},
    {"_operation_many", cache_operation_many, METH_O, NULL},
    {NULL, NULL, 0, NULL}};

static PyTypeObject CacheType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Cache",
                                 .tp_weaklistoffset = offsetof(HandleObject, weak),
                                 .tp_init = cache_init, .tp_methods = cache_methods};

static void unref_cache(void *handle) { weir_cache_unref(handle); }

int add_cache(PyObject *module) {
  stats_type = new_record_type("weir.CacheStats", "What a cache has counted.", stats_columns);
  if (!stats_type || PyModule_AddObject(module, "CacheStats", (PyObject *)stats_type) < 0)
    return -1;
  if (PyType_Ready(&BoxType) < 0) return -1;
  Py_INCREF(&BoxType);
  if (PyModule_AddObject(module, "Box", (PyObject *)&BoxType) < 0) return -1;
  return add_handle_type(module, &CacheType, &HandleType, "Cache", unref_cache);
}
