/* SPDX-License-Identifier: MIT */
/*
 * An attempt as a coroutine: what an asyncio task drives. It calls the user's function inside of
 * the task, awaits what that gives if it can be awaited, and completes the attempt's token with the
 * result, whatever way it ends: by a value, an exception, a cancel before its first step, or by
 * being dropped.
 *
 *   state    event            next     what happens
 *   NEW      send             RUNNING  the function is called
 *   NEW      throw, drop      DONE     the token fails
 *   RUNNING  inner yields     RUNNING  the yield goes on to the task
 *   RUNNING  inner ends       DONE     the token completes or fails
 *   RUNNING  drop, close      DONE     the inner coroutine is closed, the token fails
 *
 * `owner` judges what is no plain success: owner.judge is None or a method of (queue, token,
 * value), and owner.fail(queue, token, exception) completes with a failure. What is no Exception (a
 * task's cancellation, KeyboardInterrupt) goes on to the task after that.
 */
#include "weirpy.h"

typedef enum { ATTEMPT_NEW, ATTEMPT_RUNNING, ATTEMPT_DONE } AttemptState;

typedef struct {
  PyObject ob_base;
  PyObject *queue, *token, *function, *args, *kwargs, *owner;
  PyObject *inner; /* the coroutine or iterator that is awaited */
  AttemptState state;
  PyObject *weak;
} AttemptObject;

static PyObject *name_judge, *name_fail, *name_send, *name_throw, *name_close;

/* --- how it ends ------------------------------------------------------------------------------ */

static int complete_value(AttemptObject *attempt, PyObject *value) {
  PyObject *judge = PyObject_GetAttr(attempt->owner, name_judge), *done = NULL;
  attempt->state = ATTEMPT_DONE;
  if (judge == Py_None) {
    int kept = queue_complete_later(attempt->queue, attempt->token, value);
    Py_DECREF(judge);
    return kept;
  }
  if (judge) {
    done = PyObject_CallFunctionObjArgs(judge, attempt->queue, attempt->token, value, NULL);
  }
  Py_XDECREF(judge);
  Py_XDECREF(done);
  return done ? 0 : -1;
}

/* The exception that is raised, normalized, with its traceback; a new reference. */
static PyObject *take_raised(void) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback) PyException_SetTraceback(value, traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  return value;
}

static void complete_failure(AttemptObject *attempt, PyObject *exception) {
  attempt->state = ATTEMPT_DONE;
  PyObject *done = PyObject_CallMethodObjArgs(attempt->owner, name_fail, attempt->queue,
                                              attempt->token, exception, NULL);
  if (!done) PyErr_WriteUnraisable((PyObject *)attempt);
  Py_XDECREF(done);
}

/* The function raised: 0 if that is told and over, -1 if the task has to see it, too. */
static int ended_raising(AttemptObject *attempt) {
  PyObject *exception = take_raised();
  Py_CLEAR(attempt->inner);
  complete_failure(attempt, exception);
  int ordinary = PyObject_IsInstance(exception, PyExc_Exception);
  if (!ordinary) PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
  Py_DECREF(exception);
  return ordinary ? 0 : -1;
}

static int ended_with(AttemptObject *attempt, PyObject *value) {
  Py_CLEAR(attempt->inner);
  int result = complete_value(attempt, value);
  Py_DECREF(value);
  /* Judging raised: that is the attempt's failure. */
  if (result < 0) return ended_raising(attempt);
  return 0;
}

static void fail_dropped(AttemptObject *attempt) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyObject *exception =
      PyObject_CallFunction(PyExc_GeneratorExit, "s", "the attempt's task was dropped");
  if (exception) complete_failure(attempt, exception);
  Py_XDECREF(exception);
  PyErr_Restore(type, value, traceback);
}

/* --- steps ------------------------------------------------------------------------------------ */

typedef enum { STEP_YIELD, STEP_RETURN, STEP_RAISE } Step;

/* What an iterator's end means: its StopIteration's value. */
static Step returned(PyObject **out) {
  *out = NULL;
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_StopIteration)) return STEP_RAISE;
  if (!PyErr_Occurred()) {
    Py_INCREF(Py_None);
    *out = Py_None;
    return STEP_RETURN;
  }
  PyObject *stop = take_raised();
  *out = ((PyStopIterationObject *)stop)->value;
  Py_INCREF(*out);
  Py_DECREF(stop);
  return STEP_RETURN;
}

static Step send_inner(AttemptObject *attempt, PyObject *value, PyObject **out) {
#if PY_VERSION_HEX >= 0x030A0000
  switch (PyIter_Send(attempt->inner, value, out)) {
    case PYGEN_NEXT:
      return STEP_YIELD;
    case PYGEN_RETURN:
      return STEP_RETURN;
    default:
      return STEP_RAISE;
  }
#else
  if (value == Py_None && PyIter_Check(attempt->inner)) {
    *out = Py_TYPE(attempt->inner)->tp_iternext(attempt->inner);
  } else {
    *out = PyObject_CallMethodObjArgs(attempt->inner, name_send, value, NULL);
  }
  return *out ? STEP_YIELD : returned(out);
#endif
}

/* What the function gave: a value, or what it awaits becomes `inner`. */
static Step call_function(AttemptObject *attempt, PyObject **out) {
  *out = PyObject_Call(attempt->function, attempt->args, attempt->kwargs);
  if (!*out) return STEP_RAISE;
  if (PyCoro_CheckExact(*out)) {
    attempt->inner = *out;
    return STEP_YIELD;
  }
  PyAsyncMethods *async = Py_TYPE(*out)->tp_as_async;
  if (!async || !async->am_await) return STEP_RETURN;
  attempt->inner = async->am_await(*out);
  Py_DECREF(*out);
  return attempt->inner ? STEP_YIELD : STEP_RAISE;
}

/* The result of one step for the task: STEP_YIELD with what it waits for, or the end. */
static Step settle_step(AttemptObject *attempt, Step step, PyObject **out) {
  if (step == STEP_YIELD) return STEP_YIELD;
  int told = step == STEP_RETURN ? ended_with(attempt, *out) : ended_raising(attempt);
  *out = NULL;
  return told < 0 ? STEP_RAISE : STEP_RETURN;
}

static Step step_with(AttemptObject *attempt, PyObject *value, PyObject **out) {
  if (attempt->state == ATTEMPT_DONE) {
    PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited attempt");
    return STEP_RAISE;
  }
  if (attempt->state == ATTEMPT_NEW) {
    attempt->state = ATTEMPT_RUNNING;
    Step step = call_function(attempt, out);
    if (step != STEP_YIELD) return settle_step(attempt, step, out);
    value = Py_None;
  }
  return settle_step(attempt, send_inner(attempt, value, out), out);
}

static PyObject *to_iterator_protocol(Step step, PyObject *out) {
  if (step == STEP_YIELD) return out;
  if (step == STEP_RETURN) PyErr_SetNone(PyExc_StopIteration);
  return NULL;
}

static PyObject *attempt_send(PyObject *self, PyObject *value) {
  PyObject *out = NULL;
  Step step = step_with((AttemptObject *)self, value, &out);
  return to_iterator_protocol(step, out);
}

static PyObject *attempt_next(PyObject *self) { return attempt_send(self, Py_None); }

#if PY_VERSION_HEX >= 0x030A0000
static PySendResult attempt_am_send(PyObject *self, PyObject *value, PyObject **out) {
  *out = NULL;
  switch (step_with((AttemptObject *)self, value, out)) {
    case STEP_YIELD:
      return PYGEN_NEXT;
    case STEP_RETURN:
      Py_INCREF(Py_None);
      *out = Py_None;
      return PYGEN_RETURN;
    default:
      return PYGEN_ERROR;
  }
}
#endif

/* throw(exception), or as before 3.12 throw(type, value, traceback) */
static PyObject *attempt_throw(PyObject *self, PyObject *args) {
  AttemptObject *attempt = (AttemptObject *)self;
  PyObject *type, *value = NULL, *traceback = NULL, *out = NULL;
  if (!PyArg_ParseTuple(args, "O|OO", &type, &value, &traceback)) return NULL;
  if (attempt->state == ATTEMPT_RUNNING && attempt->inner) {
    PyObject *throw = PyObject_GetAttr(attempt->inner, name_throw);
    if (throw) out = PyObject_Call(throw, args, NULL);
    Py_XDECREF(throw);
    Step step = out ? STEP_YIELD : returned(&out);
    return to_iterator_protocol(settle_step(attempt, step, &out), out);
  }
  if (PyExceptionInstance_Check(type)) {
    PyErr_SetObject((PyObject *)Py_TYPE(type), type);
  } else {
    PyErr_SetObject(type, value == Py_None ? NULL : value);
  }
  if (attempt->state == ATTEMPT_DONE) return NULL;
  return to_iterator_protocol(settle_step(attempt, STEP_RAISE, &out), out);
}

static PyObject *attempt_close(PyObject *self, PyObject *unused) {
  AttemptObject *attempt = (AttemptObject *)self;
  PyObject *closed = NULL;
  if (attempt->state == ATTEMPT_DONE) Py_RETURN_NONE;
  if (attempt->inner) {
    closed = PyObject_CallMethodNoArgs(attempt->inner, name_close);
    Py_CLEAR(attempt->inner);
  }
  if (attempt->state != ATTEMPT_DONE) fail_dropped(attempt);
  if (PyErr_Occurred()) return NULL;
  Py_XDECREF(closed);
  Py_RETURN_NONE;
}

/* --- the type --------------------------------------------------------------------------------- */

static void fill_attempt(AttemptObject *attempt, PyObject *const members[6]) {
  for (int i = 0; i < 6; i++) Py_XINCREF(members[i]);
  attempt->queue = members[0];
  attempt->token = members[1];
  attempt->function = members[2];
  attempt->args = members[3];
  attempt->kwargs = members[4] == Py_None ? NULL : members[4];
  attempt->owner = members[5];
  if (members[4] == Py_None) Py_DECREF(Py_None);
}

/* Attempt(queue, token, function, args, kwargs, owner): made whole or not at all. */
static PyObject *attempt_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  PyObject *members[6];
  (void)kwargs;
  if (!PyArg_ParseTuple(args, "O!OOO!OO", &QueueType, &members[0], &members[1], &members[2],
                        &PyTuple_Type, &members[3], &members[4], &members[5])) {
    return NULL;
  }
  PyObject *attempt = type->tp_alloc(type, 0);
  if (attempt) fill_attempt((AttemptObject *)attempt, members);
  return attempt;
}

static int attempt_traverse(PyObject *self, visitproc visit, void *arg) {
  AttemptObject *attempt = (AttemptObject *)self;
  Py_VISIT(attempt->queue);
  Py_VISIT(attempt->token);
  Py_VISIT(attempt->function);
  Py_VISIT(attempt->args);
  Py_VISIT(attempt->kwargs);
  Py_VISIT(attempt->owner);
  Py_VISIT(attempt->inner);
  return 0;
}

/* Cycles are broken at the inner coroutine; the rest is needed to complete the token. */
static int attempt_clear(PyObject *self) {
  Py_CLEAR(((AttemptObject *)self)->inner);
  return 0;
}

static void attempt_finalize(PyObject *self) {
  AttemptObject *attempt = (AttemptObject *)self;
  if (attempt->state != ATTEMPT_DONE && attempt->owner) fail_dropped(attempt);
}

static void attempt_dealloc(PyObject *self) {
  AttemptObject *attempt = (AttemptObject *)self;
  if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
  PyObject_GC_UnTrack(self);
  if (attempt->weak) PyObject_ClearWeakRefs(self);
  Py_CLEAR(attempt->inner);
  Py_CLEAR(attempt->queue);
  Py_CLEAR(attempt->token);
  Py_CLEAR(attempt->function);
  Py_CLEAR(attempt->args);
  Py_CLEAR(attempt->kwargs);
  Py_CLEAR(attempt->owner);
  Py_TYPE(self)->tp_free(self);
}

static PyObject *itself(PyObject *self) {
  Py_INCREF(self);
  return self;
}

static PyObject *attempt_awaited(PyObject *self, void *unused) {
  PyObject *inner = ((AttemptObject *)self)->inner;
  if (!inner) inner = Py_None;
  Py_INCREF(inner);
  return inner;
}

static PyObject *attempt_running(PyObject *self, void *unused) {
  return PyBool_FromLong(((AttemptObject *)self)->state == ATTEMPT_RUNNING);
}

static PyObject *attempt_name(PyObject *self, void *unused) {
  PyObject *name = PyObject_GetAttrString(((AttemptObject *)self)->function, "__qualname__");
  if (name) return name;
  PyErr_Clear();
  return PyUnicode_FromString("weir attempt");
}

static PyMethodDef attempt_methods[] = {{"send", attempt_send, METH_O, NULL},
                                        {"throw", attempt_throw, METH_VARARGS, NULL},
                                        {"close", attempt_close, METH_NOARGS, NULL},
                                        {NULL, NULL, 0, NULL}};
static PyGetSetDef attempt_getset[] = {{"cr_await", attempt_awaited, NULL, NULL, NULL},
                                       {"cr_running", attempt_running, NULL, NULL, NULL},
                                       {"__name__", attempt_name, NULL, NULL, NULL},
                                       {"__qualname__", attempt_name, NULL, NULL, NULL},
                                       {NULL, NULL, NULL, NULL, NULL}};
static PyMemberDef attempt_members[] = {
    {"queue", T_OBJECT, offsetof(AttemptObject, queue), READONLY, NULL},

    {"token", T_OBJECT, offsetof(AttemptObject, token), READONLY, NULL},
    {"owner", T_OBJECT, offsetof(AttemptObject, owner), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};
static PyAsyncMethods attempt_async = {
    .am_await = itself,
#if PY_VERSION_HEX >= 0x030A0000
    .am_send = attempt_am_send,
#endif
};

static PyTypeObject AttemptType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Attempt",
                                   .tp_basicsize = sizeof(AttemptObject),
                                   .tp_dealloc = attempt_dealloc,
                                   .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                   .tp_traverse = attempt_traverse,
                                   .tp_clear = attempt_clear,
                                   .tp_finalize = attempt_finalize,
                                   .tp_weaklistoffset = offsetof(AttemptObject, weak),
                                   .tp_as_async = &attempt_async,
                                   .tp_iter = itself,
                                   .tp_iternext = attempt_next,
                                   .tp_methods = attempt_methods,
                                   .tp_members = attempt_members,
                                   .tp_getset = attempt_getset,
                                   .tp_new = attempt_new};

PyObject *new_attempt(PyObject *queue, PyObject *token, PyObject *function, PyObject *args,
                      PyObject *kwargs, PyObject *owner) {
  PyObject *attempt = AttemptType.tp_alloc(&AttemptType, 0);
  if (attempt)
    fill_attempt((AttemptObject *)attempt,
                 (PyObject *[]){queue, token, function, args, kwargs, owner});
  return attempt;
}

int add_coroutine(PyObject *module) {
  name_judge = PyUnicode_InternFromString("judge");
  name_fail = PyUnicode_InternFromString("fail");
  name_send = PyUnicode_InternFromString("send");
  name_throw = PyUnicode_InternFromString("throw");
  name_close = PyUnicode_InternFromString("close");
  if (!name_judge || !name_fail || !name_send || !name_throw || !name_close ||
      PyType_Ready(&AttemptType) < 0)
    return -1;
  Py_INCREF(&AttemptType);
  return PyModule_AddObject(module, "Attempt", (PyObject *)&AttemptType);
}
