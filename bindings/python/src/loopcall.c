/* SPDX-License-Identifier: MIT */
/*
 * A call of an event loop: the hot path of asyncio, in C. It begins its attempts as tasks in a copy
 * of its caller's context, and settles a future.
 */
#include "weirpy.h"

typedef struct {
  CallObject call;
  PyObject *future, *function, *args, *kwargs, *owner, *context;
} LoopCallObject;

static PyObject *name_set_result, *name_begin;

/* LoopCall(future, function, args, kwargs or None, owner) */
static int loop_call_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  LoopCallObject *call = (LoopCallObject *)self;
  PyObject *members[5];
  if (call->future || !PyArg_UnpackTuple(args, "LoopCall", 5, 5, &members[0], &members[1],
                                         &members[2], &members[3], &members[4])) {
    return -1;
  }
  if (!(call->context = PyContext_CopyCurrent())) return -1;
  for (int i = 0; i < 5; i++) Py_INCREF(members[i]);
  call->future = members[0];
  call->function = members[1];
  call->args = members[2];
  call->kwargs = members[3];
  call->owner = members[4];
  return 0;
}

static int loop_call_traverse(PyObject *self, visitproc visit, void *arg) {
  LoopCallObject *call = (LoopCallObject *)self;
  Py_VISIT(call->future);
  Py_VISIT(call->function);
  Py_VISIT(call->args);
  Py_VISIT(call->kwargs);
  Py_VISIT(call->owner);
  Py_VISIT(call->context);
  return 0;
}

static int loop_call_clear(PyObject *self) {
  LoopCallObject *call = (LoopCallObject *)self;
  Py_CLEAR(call->future);
  Py_CLEAR(call->function);
  Py_CLEAR(call->args);
  Py_CLEAR(call->kwargs);
  Py_CLEAR(call->owner);
  Py_CLEAR(call->context);
  return 0;
}

static void loop_call_dealloc(PyObject *self) {
  PyObject_GC_UnTrack(self);
  loop_call_clear(self);
  weir_call_unref(((CallObject *)self)->call);
  Py_TYPE(self)->tp_free(self);
}

/* The attempt as a task, made inside of the call's context, of which the task takes a copy. */
static PyObject *make_task(LoopCallObject *call, QueueObject *queue, PyObject *token) {
  PyObject *attempt =
      new_attempt((PyObject *)queue, token, call->function, call->args, call->kwargs, call->owner);
  if (!attempt || PyContext_Enter(call->context) < 0) {
    Py_XDECREF(attempt);
    return NULL;
  }
  PyObject *task = PyObject_CallFunctionObjArgs(queue->create_task, attempt, NULL);
  Py_DECREF(attempt);
  if (PyContext_Exit(call->context) < 0) Py_CLEAR(task);
  return task;
}

/* start(queue, token, number) */
static PyObject *loop_call_start(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  LoopCallObject *call = (LoopCallObject *)self;
  QueueObject *queue = (QueueObject *)args[0];
  if (count != 3 || !PyObject_TypeCheck(args[0], &QueueType)) {
    PyErr_SetString(PyExc_TypeError, "start(queue, token, number)");
    return NULL;
  }
  if (!queue->create_task ||
      queue->create_task == Py_None) { /* its loop is gone, or it is of threads */
    PyObject *bridge = PyObject_GetAttrString(args[0], "bridge");
    PyObject *begun = bridge ? PyObject_CallMethodObjArgs(
                                   bridge, name_begin, args[0], args[1], args[2], call->function,
                                   call->args, call->kwargs, call->owner, call->context, NULL)
                             : NULL;
    Py_XDECREF(bridge);
    return begun;
  }
  PyObject *task = make_task(call, queue, args[1]);
  int kept = task ? PyDict_SetItem(queue->attempts, args[1], task) : -1;
  Py_XDECREF(task);
  if (kept < 0) return NULL;
  Py_RETURN_NONE;
}

/* resolve(value): a future that was cancelled, or whose loop is closed, is left as it is. */
static PyObject *loop_call_resolve(PyObject *self, PyObject *value) {
  PyObject *done =
      PyObject_CallMethodObjArgs(((LoopCallObject *)self)->future, name_set_result, value, NULL);
  if (!done) PyErr_Clear();
  Py_XDECREF(done);
  Py_RETURN_NONE;
}

static PyMethodDef loop_call_methods[] = {
    {"start", (PyCFunction)(void (*)(void))loop_call_start, METH_FASTCALL, NULL},
    {"resolve", loop_call_resolve, METH_O, NULL},
    {NULL, NULL, 0, NULL}};

#define MEMBER(name) \
  { #name, T_OBJECT, offsetof(LoopCallObject, name), 0, NULL }
static PyMemberDef loop_call_members[] = {MEMBER(future),       MEMBER(function), MEMBER(args),
                                          MEMBER(kwargs),       MEMBER(owner),    MEMBER(context),
                                          {NULL, 0, 0, 0, NULL}};

static PyTypeObject LoopCallType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.LoopCall",
    .tp_basicsize = sizeof(LoopCallObject),
    .tp_dealloc = loop_call_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = loop_call_traverse,
    .tp_clear = loop_call_clear,
    .tp_methods = loop_call_methods,
    .tp_members = loop_call_members,
    .tp_init = loop_call_init,
    .tp_new = PyType_GenericNew};

int add_loop_call(PyObject *module) {
  name_set_result = PyUnicode_InternFromString("set_result");
  name_begin = PyUnicode_InternFromString("begin");
  LoopCallType.tp_base = &CallType;
  if (!name_set_result || !name_begin || PyType_Ready(&LoopCallType) < 0) return -1;
  Py_INCREF(&LoopCallType);
  return PyModule_AddObject(module, "LoopCall", (PyObject *)&LoopCallType);
}
