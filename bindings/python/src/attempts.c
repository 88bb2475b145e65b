/* SPDX-License-Identifier: MIT */
/*
 * Runs and attempts: submitting a run whose settlement comes back as a record, and completing what
 * began. A run holds its Call object from weir_run() until its SETTLED record was drained.
 */
#include "weirpy.h"

/* --- calls ------------------------------------------------------------------------------------ */

static void call_dealloc(PyObject *self) {
  weir_call_unref(((CallObject *)self)->call);
  Py_TYPE(self)->tp_free(self);
}

/* cancel() -> whether the call had not settled yet */
static PyObject *call_cancel(PyObject *self, PyObject *unused) {
  weir_call *call = ((CallObject *)self)->call;
  (void)unused;
  if (((CallObject *)self)->waits) ((CallObject *)self)->dropped = 1;
  if (!call) return PyBool_FromLong(((CallObject *)self)->waits);
  weir_status status = weir_call_cancel(call);
  if (status != WEIR_OK && status != WEIR_ESTALE) return raise_status(status, NULL);
  return PyBool_FromLong(status == WEIR_OK);
}

static PyObject *call_running(PyObject *self, void *unused) {
  (void)unused;
  return PyBool_FromLong(((CallObject *)self)->call || ((CallObject *)self)->waits);
}

static PyMethodDef call_methods[] = {{"stop", call_cancel, METH_NOARGS, NULL},
                                     {NULL, NULL, 0, NULL}};
static PyGetSetDef call_getset[] = {{"running", call_running, NULL, NULL, NULL},
                                    {NULL, NULL, NULL, NULL, NULL}};

static PyMemberDef call_members[] = {{"whole", T_BOOL, offsetof(CallObject, whole), 0, NULL},
                                     {NULL, 0, 0, 0, NULL}};

PyTypeObject CallType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Call",
                         .tp_basicsize = sizeof(CallObject),
                         .tp_dealloc = call_dealloc,
                         .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                         .tp_methods = call_methods,
                         .tp_members = call_members,
                         .tp_getset = call_getset,
                         .tp_new = PyType_GenericNew};

/* --- runs ------------------------------------------------------------------------------------- */

enum {
  RUN_CALL,
  RUN_OPERATION,
  RUN_POLICY,
  RUN_INPUT,
  RUN_DEADLINE,
  RUN_KEY,
  RUN_NAME,
  RUN_PERMITS,
  RUN_PRIORITY,
  RUN_SCOPE,
  RUN_CONTEXT,
  RUN_COUNT
};

static int as_u32(PyObject *object, uint32_t *number) {
  if (object == Py_None) return 0;
  unsigned long wide = PyLong_AsUnsignedLong(object);
  if (wide == (unsigned long)-1 && PyErr_Occurred()) return -1;
  *number = wide > UINT32_MAX ? UINT32_MAX : (uint32_t)wide;
  return 0;
}

/* The options that only some runs have. */
static int fill_rare(weir_run_options *options, PyObject *const *args, Py_ssize_t count, Key *key) {
  if (count > RUN_DEADLINE && to_ms(args[RUN_DEADLINE], &options->deadline_ms) < 0) return -1;
  if (count > RUN_KEY && to_key(args[RUN_KEY], key) < 0) return -1;
  options->key = key->data;
  options->key_size = key->size;
  if (count > RUN_NAME && args[RUN_NAME] != Py_None &&
      !(options->name = PyUnicode_AsUTF8(args[RUN_NAME])))
    return -1;
  if (count > RUN_PERMITS && as_u32(args[RUN_PERMITS], &options->permits) < 0) return -1;
  if (count > RUN_PRIORITY && as_u32(args[RUN_PRIORITY], &options->priority) < 0) return -1;
  if (count > RUN_SCOPE && args[RUN_SCOPE] != Py_None) {
    if (!is_instance(args[RUN_SCOPE], &ScopeType, "scope")) return -1;
    options->scope = HANDLE(args[RUN_SCOPE]);
  }
  if (count > RUN_CONTEXT) {
    options->context = (void *)(uintptr_t)PyLong_AsUnsignedLongLong(args[RUN_CONTEXT]);
    if (PyErr_Occurred()) return -1;
  }
  return 0;
}

static PyObject *start_run(QueueObject *queue, CallObject *call, weir_operation *operation,
                           const weir_run_options *options) {
  weir_error *error = NULL;
  Py_INCREF(call);
  weir_status status = weir_run(operation, options, NULL, NULL, NULL, &call->call, &error);
  if (status != WEIR_OK) {
    call->call = NULL;
    Py_DECREF(call);
    return raise_status(status, error);
  }
  queue->mail->out++;
  Py_RETURN_NONE;
}

/* run(call, operation, policy, input, deadline, key, name, permits, priority, scope, context): all
 * but the call may be None or left out; without an operation it is the queue's own, whose attempts
 * the input begins. */
PyObject *queue_run(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  QueueObject *queue = (QueueObject *)self;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  Key key = {.held = 0};
  if (count <= RUN_INPUT || count > RUN_COUNT || !PyObject_TypeCheck(args[RUN_CALL], &CallType)) {
    PyErr_SetString(PyExc_TypeError, "run(call, operation, policy, input, ...)");
    return NULL;
  }
  CallObject *call = (CallObject *)args[RUN_CALL];
  if (call->call) {
    PyErr_SetString(PyExc_RuntimeError, "this call is running already");
    return NULL;
  }
  PyObject *operation = args[RUN_OPERATION], *policy = args[RUN_POLICY];
  if (policy != Py_None && !is_instance(policy, &PolicyType, "policy")) return NULL;
  if (operation != Py_None && !is_instance(operation, &OperationType, "operation")) return NULL;
  weir_operation *what = operation == Py_None ? queue_leaf(queue) : HANDLE(operation);
  if (!what || to_value(self, args[RUN_INPUT], &options.input) < 0) return NULL;
  options.policy = policy == Py_None ? NULL : HANDLE(policy);
  options.queue = queue->mail->queue;
  options.user = (uint64_t)(uintptr_t)call;
  PyObject *result = NULL;
  if (fill_rare(&options, args, count, &key) == 0) result = start_run(queue, call, what, &options);
  release_key(&key);
  weir_value_unref(options.input);
  return result;
}

static int take_token(QueueObject *queue, PyObject *object, weir_token *token) {
  *token = PyLong_AsUnsignedLongLong(object);
  if (*token == (weir_token)-1 && PyErr_Occurred()) return -1;
  if (PyDict_GET_SIZE(queue->attempts) && PyDict_DelItem(queue->attempts, object) < 0)
    PyErr_Clear();
  return 0;
}

/* --- what waits for the end of the loop's turn ------------------------------------------------ */

static Later *new_later(QueueObject *queue) {
  if (queue->later_count == queue->later_room) {
    size_t room = queue->later_room ? queue->later_room * 2 : 64;
    Later *later = PyMem_Realloc(queue->later, room * sizeof *later);
    if (!later) {
      PyErr_NoMemory();
      return NULL;
    }
    queue->later = later;
    queue->later_room = room;
  }
  if (queue->later_count == 0) {
    PyObject *flush = PyObject_GetAttrString((PyObject *)queue, "flush");
    PyObject *handle = flush ? PyObject_CallFunctionObjArgs(queue->schedule, flush, NULL) : NULL;
    Py_XDECREF(flush);
    if (!handle) return NULL;
    Py_DECREF(handle);
  }
  return &queue->later[queue->later_count];
}

/* submit(...): as run(), at once or with the next flush(), which tells the call if that fails. */
PyObject *queue_submit(PyObject *self, PyObject *args) {
  QueueObject *queue = (QueueObject *)self;
  if (!queue->schedule || queue->schedule == Py_None || queue->closed) {
    return queue_run(self, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args));
  }
  if (PyTuple_GET_SIZE(args) < 1 || !PyObject_TypeCheck(PyTuple_GET_ITEM(args, 0), &CallType)) {
    PyErr_SetString(PyExc_TypeError, "submit(call, ...)");
    return NULL;
  }
  Later *later = new_later(queue);
  if (!later) return NULL;
  Py_INCREF(args);
  *later = (Later){args, 0, NULL};
  ((CallObject *)PyTuple_GET_ITEM(args, 0))->waits = 1;
  queue->later_count++;
  Py_RETURN_NONE;
}

/* Completes the token with a success, at once or with the next flush(). */
int queue_complete_later(PyObject *self, PyObject *object, PyObject *value) {
  QueueObject *queue = (QueueObject *)self;
  weir_token token;
  weir_value *held;
  if (!queue->schedule || queue->schedule == Py_None) {
    PyObject *done = queue_complete(self, (PyObject *[]){object, value}, 2);
    Py_XDECREF(done);
    return done ? 0 : -1;
  }
  if (take_token(queue, object, &token) < 0 || to_value(self, value, &held) < 0) return -1;
  Later *later = new_later(queue);
  if (!later) {
    weir_value_unref(held);
    return -1;
  }
  *later = (Later){NULL, token, held};
  queue->later_count++;
  return 0;
}

static void flush_run(PyObject *self, PyObject *args) {
  CallObject *call = (CallObject *)PyTuple_GET_ITEM(args, 0);
  call->waits = 0;
  if (call->dropped) return;
  PyObject *done = queue_run(self, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args));
  if (!done) {
    PyObject *type, *exception, *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    done = PyObject_CallMethod((PyObject *)call, "reject", "O", exception);
    if (!done) PyErr_WriteUnraisable((PyObject *)call);
    Py_XDECREF(type);
    Py_XDECREF(exception);
    Py_XDECREF(traceback);
  }
  Py_XDECREF(done);
}

/* flush(): hands over what waits. */
PyObject *queue_flush(PyObject *self, PyObject *unused) {
  QueueObject *queue = (QueueObject *)self;
  Later *later = queue->later;
  size_t count = queue->later_count, room = queue->later_room;
  (void)unused;
  queue->later = NULL;
  queue->later_count = queue->later_room = 0;
  for (size_t i = 0; i < count; i++) {
    if (later[i].args) {
      flush_run(self, later[i].args);
      Py_DECREF(later[i].args);
    } else {
      weir_complete(RUNTIME(queue->runtime), later[i].token, later[i].value);
    }
  }
  if (queue->later || count > 4096) {
    PyMem_Free(later); /* something was submitted meanwhile, or this was a great many */
  } else {
    queue->later = later;
    queue->later_room = room;
  }
  Py_RETURN_NONE;
}

/* --- attempts --------------------------------------------------------------------------------- */

static PyObject *completed(weir_status status) {
  if (status == WEIR_OK) Py_RETURN_TRUE;
  if (status == WEIR_ESTALE) Py_RETURN_FALSE;
  return raise_status(status, NULL);
}

/* complete(token, value, class=0) -> whether the attempt was still wanted or known */
PyObject *queue_complete(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  QueueObject *queue = (QueueObject *)self;
  weir_token token;
  weir_value *value;
  weir_completion completion = WEIR_COMPLETION_INIT;
  if (count < 2 || take_token(queue, args[0], &token) < 0) return NULL;
  if (count > 2) {
    completion.class_ = (uint32_t)PyLong_AsUnsignedLong(args[2]);
    if (PyErr_Occurred()) return NULL;
  }
  if (to_value(self, args[1], &value) < 0) return NULL;
  weir_runtime *runtime = RUNTIME(queue->runtime);
  if (completion.class_ == 0) return completed(weir_complete(runtime, token, value));
  return completed(weir_complete_with(runtime, token, value, NULL, &completion));
}

/* fail(token, exception, domain, code, message, class, final, retry_after) */
PyObject *queue_fail(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  QueueObject *queue = (QueueObject *)self;
  weir_token token;
  weir_value *detail;
  weir_error *error = NULL;
  weir_completion completion = WEIR_COMPLETION_INIT;
  if (count != 8 || take_token(queue, args[0], &token) < 0) return NULL;
  unsigned long domain = PyLong_AsUnsignedLong(args[2]);
  long long code = PyLong_AsLongLong(args[3]);
  const char *message = PyUnicode_AsUTF8(args[4]);
  completion.class_ = (uint32_t)PyLong_AsUnsignedLong(args[5]);
  completion.final = (uint32_t)PyObject_IsTrue(args[6]);
  if (PyErr_Occurred() || to_ms(args[7], &completion.retry_after_ms) < 0) return NULL;
  if (to_value(self, args[1], &detail) < 0) return NULL;
  weir_runtime *runtime = RUNTIME(queue->runtime);
  weir_status status =
      weir_error_new_with(runtime, (uint32_t)domain, code, message, NULL, detail, &error);
  weir_value_unref(detail);
  if (status != WEIR_OK) return raise_status(status, NULL);
  return completed(weir_complete_with(runtime, token, NULL, error, &completion));
}

/* attempt(token) -> (number, index, seconds left or None, key or None, what failed or None,
 * context, scope or None), or None once it was completed */
PyObject *queue_attempt(PyObject *self, PyObject *object) {
  QueueObject *queue = (QueueObject *)self;
  weir_attempt attempt = {.size = sizeof attempt};
  weir_outcome failed = WEIR_OUTCOME_INIT;
  weir_token token = PyLong_AsUnsignedLongLong(object);
  if (token == (weir_token)-1 && PyErr_Occurred()) return NULL;
  weir_status status = weir_attempt_get(RUNTIME(queue->runtime), token, &attempt, &failed);
  if (status == WEIR_ESTALE) Py_RETURN_NONE;
  if (status != WEIR_OK) return raise_status(status, NULL);
  PyObject *before =
      attempt.failed ? from_error(attempt.failed->error, attempt.failed) : from_value(NULL);
  PyObject *scope = attempt.scope ? wrap_scope(attempt.scope, queue->runtime) : from_value(NULL);
  if (!before || !scope) {
    Py_XDECREF(before);
    Py_XDECREF(scope);
    return NULL;
  }
  return Py_BuildValue("(IKNy#NKN)", attempt.number, (unsigned long long)attempt.index,
                       from_ns(attempt.remaining_ns), attempt.key, (Py_ssize_t)attempt.key_size,
                       before, (unsigned long long)(uintptr_t)attempt.context, scope);
}
