/* SPDX-License-Identifier: MIT */
/*
 * What all handles have in common: a reference to the library's object that goes with the Python
 * object, the runtime it belongs to, constructors type(runtime, queue, **options), set_options(),
 * and for policies their names, labels and place in the registry.
 */
#include "weirpy.h"

#define KINDS_MAX 32
static HandleKind kinds[KINDS_MAX];
static int kind_count;

static void (*unref_of(PyTypeObject *type))(void *) {
  for (; type; type = type->tp_base) {
    for (int i = 0; i < kind_count; i++) {
      if (kinds[i].type == type) return kinds[i].unref;
    }
  }
  return NULL;
}

static int handle_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(((HandleObject *)self)->runtime);
  Py_VISIT(((HandleObject *)self)->keep);
  return 0;
}

static int handle_clear(PyObject *self) {
  Py_CLEAR(((HandleObject *)self)->keep);
  return 0;
}

void dealloc_handle(PyObject *self) {
  HandleObject *handle = (HandleObject *)self;
  void (*unref)(void *) = unref_of(Py_TYPE(self));
  PyObject_GC_UnTrack(self);
  if (handle->weak) PyObject_ClearWeakRefs(self);
  if (handle->handle && unref) unref(handle->handle);
  Py_CLEAR(handle->keep);
  Py_CLEAR(handle->runtime);
  Py_TYPE(self)->tp_free(self);
}

static PyMemberDef handle_members[] = {
    {"_runtime", T_OBJECT, offsetof(HandleObject, runtime), READONLY, NULL}, {NULL, 0, 0, 0, NULL}};

PyTypeObject HandleType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Handle",
    .tp_basicsize = sizeof(HandleObject),
    .tp_dealloc = dealloc_handle,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = handle_traverse,
    .tp_clear = handle_clear,
    .tp_members = handle_members,
    .tp_weaklistoffset = offsetof(HandleObject, weak),
};

int add_handle_type(PyObject *module, PyTypeObject *type, PyTypeObject *base, const char *name,
                    void (*unref)(void *)) {
  type->tp_base = base;
  if (!type->tp_basicsize) type->tp_basicsize = sizeof(HandleObject);
  type->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
  if (!type->tp_dealloc) type->tp_dealloc = dealloc_handle;
  type->tp_traverse = handle_traverse;
  type->tp_clear = handle_clear;
  if (type->tp_init && !type->tp_new) type->tp_new = PyType_GenericNew;
  if (unref) {
    if (kind_count == KINDS_MAX) return -1;
    kinds[kind_count++] = (HandleKind){type, unref};
  }
  if (PyType_Ready(type) < 0) return -1;
  Py_INCREF(type);
  if (PyModule_AddObject(module, name, (PyObject *)type) < 0) {
    Py_DECREF(type);
    return -1;
  }
  return 0;
}

PyObject *wrap_handle(PyTypeObject *type, void *handle, PyObject *runtime, PyObject *keep) {
  PyObject *object = handle ? type->tp_alloc(type, 0) : NULL;
  if (!object) {
    void (*unref)(void *) = unref_of(type);
    if (handle && unref) unref(handle);
    return NULL;
  }
  HANDLE(object) = handle;
  Py_XINCREF(runtime);
  ((HandleObject *)object)->runtime = runtime;
  Py_XINCREF(keep);
  ((HandleObject *)object)->keep = keep;
  return object;
}

int is_instance(PyObject *object, PyTypeObject *type, const char *what) {
  if (!PyObject_TypeCheck(object, type)) {
    PyErr_Format(PyExc_TypeError, "%s must be a %s, not %R", what, type->tp_name, object);
    return 0;
  }
  if (PyType_IsSubtype(type, &HandleType) && !HANDLE(object)) {
    PyErr_Format(PyExc_ValueError, "%s was never initialised", what);
    return 0;
  }
  return 1;
}

RuntimeObject *as_runtime(PyObject *object) {
  if (!is_instance(object, &RuntimeType, "runtime")) return NULL;
  if (!RUNTIME(object)) {
    PyErr_SetString(PyExc_ValueError, "the runtime was never initialised");
    return NULL;
  }
  return (RuntimeObject *)object;
}

int init_handle(PyObject *self, PyObject *args, PyObject *kwargs, const Field *fields,
                void *options, NewFn create, const char *subject) {
  PyObject *runtime, *queue = NULL;
  weir_error *error = NULL;
  Scratch scratch;
  if (!PyArg_ParseTuple(args, "O|O", &runtime, &queue) || !as_runtime(runtime)) return -1;
  if (HANDLE(self)) {
    PyErr_Format(PyExc_RuntimeError, "this %s is initialised already", subject);
    return -1;
  }
  weir_status status = WEIR_EINVAL;
  int filled = fill_options(options, fields, kwargs, subject, queue, &scratch);
  if (filled == 0) status = create(RUNTIME(runtime), options, &HANDLE(self), &error);
  release_scratch(&scratch);
  if (filled < 0) return -1;
  if (status != WEIR_OK) {
    HANDLE(self) = NULL;
    raise_status(status, error);
    return -1;
  }
  Py_INCREF(runtime);
  ((HandleObject *)self)->runtime = runtime;
  return 0;
}

PyObject *set_options(PyObject *self, PyObject *kwargs, const Field *fields, void *options,
                      SetFn change, const char *subject) {
  weir_error *error = NULL;
  weir_status status = WEIR_EINVAL;
  Scratch scratch;
  PyObject *queue =
      kwargs ? PyDict_GetItemString(kwargs, "_queue") : NULL; /* for values; borrowed */
  Py_XINCREF(queue);
  if (queue) PyDict_DelItemString(kwargs, "_queue");
  int filled = fill_options(options, fields, kwargs, subject, queue, &scratch);
  if (filled == 0) status = change(HANDLE(self), options, &error);
  release_scratch(&scratch);
  Py_XDECREF(queue);
  if (filled < 0) return NULL;
  if (status != WEIR_OK) return raise_status(status, error);
  Py_RETURN_NONE;
}

/* --- policies --------------------------------------------------------------------------------- */

static PyObject *policy_label(PyObject *self, PyObject *args) {
  const char *key, *value;
  weir_error *error = NULL;
  if (!PyArg_ParseTuple(args, "ss", &key, &value)) return NULL;
  weir_status status = weir_policy_set_label(HANDLE(self), key, value, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  Py_RETURN_NONE;
}

static PyObject *policy_register(PyObject *self, PyObject *unused) {
  weir_error *error = NULL;
  (void)unused;
  weir_status status = weir_policy_register(HANDLE(self), &error);
  if (status != WEIR_OK) return raise_status(status, error);
  Py_RETURN_NONE;
}

static PyObject *policy_unregister(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_policy_unregister(HANDLE(self)));
}

static PyObject *policy_name(PyObject *self, void *unused) {
  (void)unused;
  return PyUnicode_DecodeUTF8(weir_policy_name(HANDLE(self)),
                              (Py_ssize_t)strlen(weir_policy_name(HANDLE(self))), "replace");
}

static PyObject *policy_kind(PyObject *self, void *unused) {
  (void)unused;
  return PyLong_FromUnsignedLong(weir_policy_kind(HANDLE(self)));
}

static PyObject *policy_runtime(PyObject *self, void *unused) {
  PyObject *runtime = ((HandleObject *)self)->runtime;
  (void)unused;
  if (!runtime) Py_RETURN_NONE;
  Py_INCREF(runtime);
  return runtime;
}

static PyMethodDef policy_methods[] = {
    {"set_label", policy_label, METH_VARARGS, "set_label(key, value): a label on all its metrics."},
    {"register", policy_register, METH_NOARGS,
     "Registers the policy with its runtime under its name."},
    {"unregister", policy_unregister, METH_NOARGS,
     "Takes the policy out of the runtime's registry."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef policy_getset[] = {
    {"name", policy_name, NULL, "The name from its options, '' if it has none.", NULL},
    {"_kind", policy_kind, NULL, NULL, NULL},
    {"runtime", policy_runtime, NULL, "The runtime it belongs to.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

PyTypeObject PolicyType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Policy",
                           .tp_weaklistoffset = offsetof(HandleObject, weak),
                           .tp_methods = policy_methods, .tp_getset = policy_getset};

/* --- pipelines -------------------------------------------------------------------------------- */

/* Pipeline(runtime, policies, name) */
static int pipeline_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  PyObject *runtime, *list, *fast;
  const char *name;
  weir_policy *policies[WEIR_PIPELINE_MAX + 1];
  weir_error *error = NULL;
  (void)kwargs;
  if (!PyArg_ParseTuple(args, "OOz", &runtime, &list, &name) || !as_runtime(runtime)) return -1;
  if (!(fast = PySequence_Fast(list, "a pipeline takes policies"))) return -1;
  Py_ssize_t count = PySequence_Fast_GET_SIZE(fast);
  Py_ssize_t held = count <= WEIR_PIPELINE_MAX ? count : WEIR_PIPELINE_MAX + 1;
  for (Py_ssize_t i = 0; i < held; i++) {
    if (!is_instance(PySequence_Fast_GET_ITEM(fast, i), &PolicyType, "a pipeline's part")) {
      Py_DECREF(fast);
      return -1;
    }
    policies[i] = HANDLE(PySequence_Fast_GET_ITEM(fast, i));
  }
  weir_status status = WEIR_EINVAL;
  if (!HANDLE(self)) {
    status = weir_pipeline_new(RUNTIME(runtime), policies, (size_t)held, name,
                               (weir_pipeline **)&HANDLE(self), &error);
  }
  Py_DECREF(fast);
  if (status != WEIR_OK) {
    raise_status(status, error);
    return -1;
  }
  Py_INCREF(runtime);
  ((HandleObject *)self)->runtime = runtime;
  return 0;
}

static PyTypeObject PipelineType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Pipeline",
                                    .tp_init = pipeline_init};

/* --- operations ------------------------------------------------------------------------------- */

static PyObject *operation_label(PyObject *self, PyObject *args) {
  const char *key, *value;
  weir_error *error = NULL;
  if (!PyArg_ParseTuple(args, "ss", &key, &value)) return NULL;
  weir_status status = weir_operation_set_label(HANDLE(self), key, value, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  Py_RETURN_NONE;
}

/* wrap(policy) -> Operation */
static PyObject *operation_wrap(PyObject *self, PyObject *policy) {
  weir_operation *wrapped = NULL;
  weir_error *error = NULL;
  if (!is_instance(policy, &PolicyType, "policy")) return NULL;
  weir_status status = weir_policy_wrap(HANDLE(policy), HANDLE(self), &wrapped, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  return wrap_handle(&OperationType, wrapped, ((HandleObject *)self)->runtime,
                     ((HandleObject *)self)->keep);
}

static PyMethodDef operation_methods[] = {{"set_label", operation_label, METH_VARARGS, NULL},
                                          {"wrap", operation_wrap, METH_O, NULL},
                                          {NULL, NULL, 0, NULL}};

PyTypeObject OperationType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Operation",
                              .tp_weaklistoffset = offsetof(HandleObject, weak),
                              .tp_methods = operation_methods};

static void unref_policy(void *handle) { weir_policy_unref(handle); }
static void unref_operation(void *handle) { weir_operation_unref(handle); }

int add_handles(PyObject *module) {
  if (PyType_Ready(&HandleType) < 0) return -1;
  if (add_handle_type(module, &PolicyType, &HandleType, "Policy", unref_policy) < 0) return -1;
  if (add_handle_type(module, &OperationType, &HandleType, "Operation", unref_operation) < 0)
    return -1;
  return add_handle_type(module, &PipelineType, &PolicyType, "Pipeline", NULL);
}
