/* SPDX-License-Identifier: MIT */
/*
 * A completion queue, the runs that settle into it and the attempts that begin in it.
 *
 * drain() takes records in batches and calls the objects they are about: a site's start(queue,
 * token, number, input) and ask(...), an attempt's cancel(message), a call's resolve(value) or
 * reject(exception), a listener's event(...) and item(...). These run no user code: they make tasks
 * and set results. So a drain is short, and what it calls does not raise; if it does, the error is
 * reported as unraisable, an attempt fails with it, and the next record has its turn.
 *
 * One thread at a time drains a queue; runs and completions may come from any.
 */
#include "weirpy.h"

#include <poll.h>

enum { BATCH = 256, BATCHES = 16 };

static PyObject *name_start, *name_ask, *name_cancel, *name_resolve, *name_reject, *name_event,
    *name_item, *name_settle, *name_told, *name_recorded;
static Mail *graveyard;

/* --- host values and leaves ------------------------------------------------------------------- */

weir_value *new_host_value(QueueObject *queue, PyObject *object) {
  weir_value *value = NULL;
  weir_status status = weir_value_new_host(queue->mail->queue, (uint64_t)(uintptr_t)object, &value);
  if (status != WEIR_OK) {
    raise_status(status, NULL);
    return NULL;
  }
  Py_INCREF(object);
  queue->mail->out++;
  return value;
}

/* Leaf 0, whose attempts are begun by their inputs. */
weir_operation *queue_leaf(QueueObject *queue) {
  weir_error *error = NULL;
  if (!queue->leaf) {
    weir_status status = weir_operation_new_queued(queue->mail->queue, 0, &queue->leaf, &error);
    if (status != WEIR_OK) raise_status(status, error);
  }
  return queue->leaf;
}

/* --- records ---------------------------------------------------------------------------------- */

static PyObject *call_method(PyObject *object, PyObject *name, PyObject *const *arguments,
                             size_t count) {
  PyObject *stack[8] = {object};
  for (size_t i = 0; i < count; i++) {
    stack[i + 1] = arguments[i];
    if (!arguments[i]) return NULL;
  }
  return PyObject_VectorcallMethod(name, stack, count + 1, NULL);
}

/* Fails an attempt that never began, with what is raised, if something is. */
static void refuse_attempt(QueueObject *queue, weir_token token, PyObject *about) {
  weir_runtime *runtime = RUNTIME(queue->runtime);
  if (PyErr_Occurred()) PyErr_WriteUnraisable(about);
  weir_fail(runtime, token, WEIR_DOMAIN_WEIR, WEIR_ECLOSED, "nothing begins this attempt any more");
}

/* Leaf 0 is begun by its input: input.start(queue, token, number). Other leaves are begun by what
 * the queue's `sites` name: site.start(queue, token, number, input). */
static PyObject *begin_attempt(QueueObject *queue, const weir_record *record, PyObject *name,
                               PyObject *input) {
  PyObject *token = PyLong_FromUnsignedLongLong(record->object);
  PyObject *number = PyLong_FromLong(record->number), *site = input, *result = NULL;
  if (record->user != 0) {
    PyObject *user = PyLong_FromUnsignedLongLong(record->user);
    site = user ? PyDict_GetItemWithError(queue->sites, user) : NULL;
    Py_XDECREF(user);
  }
  if (site && site != Py_None) {
    Py_INCREF(site);
    PyObject *arguments[] = {(PyObject *)queue, token, number, input};
    result = call_method(site, name, arguments, site == input ? 3 : 4);
    Py_DECREF(site);
  }
  Py_XDECREF(token);
  Py_XDECREF(number);
  return result;
}

static void deliver_start(QueueObject *queue, const weir_record *record, PyObject *name) {
  weir_value *value = (weir_value *)(uintptr_t)record->detail;
  PyObject *input = from_value(value);
  PyObject *result = input ? begin_attempt(queue, record, name, input) : NULL;
  if (!result) refuse_attempt(queue, record->object, input);
  Py_XDECREF(result);
  Py_XDECREF(input);
  weir_value_unref(value);
}

static void deliver_cancel(QueueObject *queue, const weir_record *record) {
  static const char *const reasons[] = {"stopped", "cancelled",  "deadline", "timed out",
                                        "lost",    "superseded", "shutdown"};
  PyObject *token = PyLong_FromUnsignedLongLong(record->object);
  PyObject *attempt = token ? PyDict_GetItemWithError(queue->attempts, token) : NULL;
  PyObject *result = NULL;
  if (attempt) {
    Py_INCREF(attempt);
    PyObject *message =
        PyUnicode_FromFormat("weir: %s", reasons[record->number < 7 ? record->number : 0]);
    result = call_method(attempt, name_cancel, (PyObject *[]){message}, 1);
    Py_XDECREF(message);
    if (!result) PyErr_WriteUnraisable(attempt);
    Py_DECREF(attempt);
  }
  Py_XDECREF(result);
  Py_XDECREF(token);
}

/* The exception of a call that did not settle with a value. */
static PyObject *settled_exception(CallObject *call, const weir_record *record) {
  const weir_outcome *outcome = call->call ? weir_call_outcome(call->call) : NULL;
  const weir_error *error = outcome ? outcome->error : NULL;
  if (!outcome && record->channel == WEIR_CHANNEL_ERROR)
    error = (weir_error *)(uintptr_t)record->object;
  return from_error(error, outcome);
}

static void release_result(const weir_record *record) {
  if (record->channel == WEIR_CHANNEL_VALUE) {
    weir_value_unref((weir_value *)(uintptr_t)record->object);
  } else {
    weir_error_unref((weir_error *)(uintptr_t)record->object);
  }
}

static PyObject *settle_whole(CallObject *call, PyObject *told, int fine) {
  PyObject *outcome = from_outcome(weir_call_outcome(call->call));
  PyObject *arguments[] = {outcome, fine ? Py_None : told};
  PyObject *result = call_method((PyObject *)call, name_settle, arguments, 2);
  Py_XDECREF(outcome);
  return result;
}

static void deliver_settled(const weir_record *record) {
  CallObject *call = (CallObject *)(uintptr_t)record->user;
  int fine = record->channel == WEIR_CHANNEL_VALUE;
  PyObject *told =
      fine ? from_value((weir_value *)(uintptr_t)record->object) : settled_exception(call, record);
  PyObject *result = NULL;
  if (told && call->whole) result = settle_whole(call, told, fine);
  if (!call->whole)
    result = call_method((PyObject *)call, fine ? name_resolve : name_reject, &told, 1);
  if (!result) PyErr_WriteUnraisable((PyObject *)call);
  Py_XDECREF(result);
  Py_XDECREF(told);
  release_result(record);
  weir_call_unref(call->call);
  call->call = NULL;
  Py_DECREF(call);
}

static void tell_listener(QueueObject *queue, uint64_t user, PyObject *name, PyObject *told) {
  PyObject *key = PyLong_FromUnsignedLongLong(user);
  PyObject *listener = key ? PyDict_GetItemWithError(queue->listeners, key) : NULL;
  if (listener && told) {
    Py_INCREF(listener);
    PyObject *result = call_method(listener, name, &told, 1);
    if (!result) PyErr_WriteUnraisable(listener);
    Py_XDECREF(result);
    Py_DECREF(listener);
  } else if (PyErr_Occurred()) {
    PyErr_WriteUnraisable((PyObject *)queue);
  }
  Py_XDECREF(key);
  Py_XDECREF(told);
}

/* event((sequence, missed, reason, from, to)) */
static void deliver_event(QueueObject *queue, const weir_record *record) {
  tell_listener(queue, record->user, name_event,
                Py_BuildValue("(KKiii)", (unsigned long long)record->object,
                              (unsigned long long)record->detail, record->status,
                              record->number / 256, record->number % 256));
}

/* item((index, whether it is a value, value or exception, attempts)) */
static void deliver_item(QueueObject *queue, const weir_record *record) {
  int fine = record->channel == WEIR_CHANNEL_VALUE;
  PyObject *told = fine ? from_value((weir_value *)(uintptr_t)record->object)
                        : from_error((weir_error *)(uintptr_t)record->object, NULL);
  release_result(record);
  PyObject *tuple = told ? Py_BuildValue("(KNNi)", (unsigned long long)record->detail,
                                         PyBool_FromLong(fine), told, record->number)
                         : NULL;
  tell_listener(queue, record->user, name_item, tuple);
}

/* told((...)): see listen.c */
static void deliver_message(QueueObject *queue, const weir_record *record) {
  uint64_t user = 0;
  PyObject *told = take_message(record->object, &user);
  tell_listener(queue, user, name_told, told);
}

static void deliver(QueueObject *queue, const weir_record *record) {
  switch (record->kind) {
    case WEIR_RECORD_START:
      deliver_start(queue, record, name_start);
      break;
    case WEIR_RECORD_ASK:
      deliver_start(queue, record, name_ask);
      break;
    case WEIR_RECORD_CANCEL:
      deliver_cancel(queue, record);
      break;
    case WEIR_RECORD_SETTLED:
      queue->mail->out--;
      deliver_settled(record);
      break;
    case WEIR_RECORD_RELEASED:
      if (IS_MESSAGE(record->object)) {
        deliver_message(queue, record);
        break;
      }
      queue->mail->out--;
      Py_DECREF((PyObject *)(uintptr_t)record->object);
      break;
    case WEIR_RECORD_EVENT:
      deliver_event(queue, record);
      break;
    case WEIR_RECORD_ITEM:
      deliver_item(queue, record);
      break;
    case WEIR_RECORD_RECORDED:
      Py_INCREF(Py_None);
      tell_listener(queue, record->user, name_recorded, Py_None);
      break;
    case WEIR_RECORD_CLOSED:
      queue->closed = 1;
      break;
    default:
      break;
  }
}

/* drain() -> how many records there were; at most BATCH x BATCHES, the rest wakes the reader again
 * */
static PyObject *queue_drain(PyObject *self, PyObject *unused) {
  QueueObject *queue = (QueueObject *)self;
  weir_record records[BATCH];
  size_t total = 0, count = BATCH;
  (void)unused;
  for (int round = 0; round < BATCHES && count == BATCH; round++) {
    count = weir_completions_drain(queue->mail->queue, records, sizeof *records, BATCH);
    for (size_t i = 0; i < count; i++) deliver(queue, &records[i]);
    total += count;
  }
  return PyLong_FromSize_t(total);
}

/* --- the graveyard ---------------------------------------------------------------------------- */

static void bury_record(Mail *mail, const weir_record *record) {
  CallObject *call = (CallObject *)(uintptr_t)record->user;
  switch (record->kind) {
    case WEIR_RECORD_START:
    case WEIR_RECORD_ASK:
      weir_fail(mail->runtime, record->object, WEIR_DOMAIN_WEIR, WEIR_ECLOSED, "its queue is gone");
      weir_value_unref((weir_value *)(uintptr_t)record->detail);
      break;
    case WEIR_RECORD_SETTLED:
      mail->out--;
      release_result(record);
      weir_call_unref(call->call);
      call->call = NULL;
      Py_DECREF(call);
      break;
    case WEIR_RECORD_RELEASED:
      if (IS_MESSAGE(record->object)) {
        drop_message(record->object);
        break;
      }
      mail->out--;
      Py_DECREF((PyObject *)(uintptr_t)record->object);
      break;
    default:
      break;
  }
}

static void bury_mail(Mail *mail) {
  weir_record records[BATCH];
  size_t count = BATCH;
  while (count == BATCH) {
    count = weir_completions_drain(mail->queue, records, sizeof *records, BATCH);
    for (size_t i = 0; i < count; i++) bury_record(mail, &records[i]);
  }
}

/* Takes back what came back to queues that are no more; returns how much is still out. */
static PyObject *bury(PyObject *module, PyObject *unused) {
  long long out = 0;
  Mail *mails = graveyard;
  (void)module;
  (void)unused;
  graveyard = NULL;
  while (mails) {
    Mail *mail = mails;
    mails = mail->next;
    bury_mail(mail);
    out += mail->out;
    if (mail->out == 0) {
      weir_completions_unref(mail->queue);
      weir_runtime_unref(mail->runtime);
      PyMem_Free(mail);
    } else {
      mail->next = graveyard;
      graveyard = mail;
    }
  }
  return PyLong_FromLongLong(out);
}

/* --- the type --------------------------------------------------------------------------------- */

static Mail *new_mail(PyObject *runtime) {
  weir_completions_options options = WEIR_COMPLETIONS_OPTIONS_INIT;
  weir_error *error = NULL;
  Mail *mail = PyMem_Calloc(1, sizeof *mail);
  if (!mail) return (Mail *)PyErr_NoMemory();
  options.with_fd = 1;
  options.name = "python";
  weir_status status = weir_completions_new(RUNTIME(runtime), &options, &mail->queue, &error);
  if (status != WEIR_OK) {
    PyMem_Free(mail);
    return (Mail *)raise_status(status, error);
  }
  mail->runtime = weir_runtime_ref(RUNTIME(runtime));
  return mail;
}

/* Made whole or not at all: its methods need not ask whether it was initialised. */
static PyObject *queue_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  PyObject *runtime;
  (void)kwargs;
  if (!PyArg_ParseTuple(args, "O", &runtime) || !as_runtime(runtime)) return NULL;
  QueueObject *queue = (QueueObject *)type->tp_alloc(type, 0);
  if (!queue) return NULL;
  Py_INCREF(runtime);
  queue->runtime = runtime;
  if (!(queue->attempts = PyDict_New()) || !(queue->listeners = PyDict_New()) ||
      !(queue->sites = PyDict_New()) || !(queue->mail = new_mail(runtime))) {
    Py_CLEAR(queue);
  }
  return (PyObject *)queue;
}

static int queue_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  (void)self;
  (void)args;
  (void)kwargs;
  return 0;
}

static int queue_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(((QueueObject *)self)->attempts);
  Py_VISIT(((QueueObject *)self)->listeners);
  Py_VISIT(((QueueObject *)self)->sites);
  Py_VISIT(((QueueObject *)self)->schedule);
  Py_VISIT(((QueueObject *)self)->create_task);
  Py_VISIT(((QueueObject *)self)->runtime);
  return 0;
}

static int queue_clear(PyObject *self) {
  Py_CLEAR(((QueueObject *)self)->attempts);
  Py_CLEAR(((QueueObject *)self)->listeners);
  Py_CLEAR(((QueueObject *)self)->sites);
  Py_CLEAR(((QueueObject *)self)->schedule);
  Py_CLEAR(((QueueObject *)self)->create_task);
  return 0;
}

static void queue_dealloc(PyObject *self) {
  QueueObject *queue = (QueueObject *)self;
  PyObject_GC_UnTrack(self);
  if (queue->weak) PyObject_ClearWeakRefs(self);
  Py_XDECREF(queue_flush(self, NULL));
  PyErr_Clear();
  PyMem_Free(queue->later);
  Py_CLEAR(queue->schedule);
  Py_CLEAR(queue->create_task);
  weir_operation_unref(queue->leaf);
  if (queue->mail) {
    queue->mail->next = graveyard;
    graveyard = queue->mail;
    Py_XDECREF(bury(NULL, NULL));
  }
  Py_CLEAR(queue->attempts);
  Py_CLEAR(queue->listeners);
  Py_CLEAR(queue->sites);
  Py_CLEAR(queue->runtime);
  Py_TYPE(self)->tp_free(self);
}

/* wait(seconds or None) -> whether records wait. Signals are handled. */
static PyObject *queue_wait(PyObject *self, PyObject *timeout) {
  struct pollfd descriptor = {weir_completions_fd(((QueueObject *)self)->mail->queue), POLLIN, 0};
  int64_t timeout_ms;
  int ready;
  if (to_ms(timeout, &timeout_ms) < 0) return NULL;
  if (timeout_ms > INT32_MAX) timeout_ms = INT32_MAX;
  do {
    PyThreadState *thread = PyEval_SaveThread();
    ready = poll(&descriptor, 1, (int)timeout_ms);
    PyEval_RestoreThread(thread);
    if (PyErr_CheckSignals() < 0) return NULL;
  } while (ready < 0 && timeout_ms < 0);
  return PyBool_FromLong(ready > 0);
}

static PyObject *queue_leaf_object(PyObject *self, PyObject *user) {
  QueueObject *queue = (QueueObject *)self;
  weir_operation *leaf = NULL;
  weir_error *error = NULL;
  uint64_t number = PyLong_AsUnsignedLongLong(user);
  if (PyErr_Occurred()) return NULL;
  weir_status status = weir_operation_new_queued(queue->mail->queue, number, &leaf, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  return wrap_handle(&OperationType, leaf, queue->runtime, self);
}

static PyObject *queue_asked(PyObject *self, PyObject *user) {
  QueueObject *queue = (QueueObject *)self;
  weir_operation *asked = NULL;
  weir_error *error = NULL;
  uint64_t number = PyLong_AsUnsignedLongLong(user);
  if (PyErr_Occurred()) return NULL;
  weir_status status = weir_operation_new_asked(queue->mail->queue, number, &asked, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  return wrap_handle(&OperationType, asked, queue->runtime, self);
}

static PyObject *queue_fd(PyObject *self, void *unused) {
  (void)unused;
  return PyLong_FromLong(weir_completions_fd(((QueueObject *)self)->mail->queue));
}

static PyObject *queue_out(PyObject *self, void *unused) {
  (void)unused;
  return PyLong_FromLongLong(((QueueObject *)self)->mail->out);
}

static PyMethodDef queue_methods[] = {
    {"drain", queue_drain, METH_NOARGS, NULL},
    {"wait", queue_wait, METH_O, NULL},
    {"leaf", queue_leaf_object, METH_O, NULL},
    {"asked", queue_asked, METH_O, NULL},
    {"submit", queue_submit, METH_VARARGS, NULL},
    {"flush", queue_flush, METH_NOARGS, NULL},
    {"run", (PyCFunction)(void (*)(void))queue_run, METH_FASTCALL, NULL},
    {"complete", (PyCFunction)(void (*)(void))queue_complete, METH_FASTCALL, NULL},
    {"fail", (PyCFunction)(void (*)(void))queue_fail, METH_FASTCALL, NULL},
    {"attempt", queue_attempt, METH_O, NULL},
    {NULL, NULL, 0, NULL}};

static PyMemberDef queue_members[] = {
    {"attempts", T_OBJECT, offsetof(QueueObject, attempts), READONLY, NULL},
    {"listeners", T_OBJECT, offsetof(QueueObject, listeners), READONLY, NULL},
    {"sites", T_OBJECT, offsetof(QueueObject, sites), READONLY, NULL},
    {"schedule", T_OBJECT, offsetof(QueueObject, schedule), 0, NULL},
    {"create_task", T_OBJECT, offsetof(QueueObject, create_task), 0, NULL},
    {"closed", T_BOOL, offsetof(QueueObject, closed), READONLY, NULL},
    {"runtime", T_OBJECT, offsetof(QueueObject, runtime), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};
static PyGetSetDef queue_getset[] = {{"fd", queue_fd, NULL, NULL, NULL},
                                     {"out", queue_out, NULL, NULL, NULL},
                                     {NULL, NULL, NULL, NULL, NULL}};

PyTypeObject QueueType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Queue",
                          .tp_basicsize = sizeof(QueueObject),
                          .tp_dealloc = queue_dealloc,
                          .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                          .tp_traverse = queue_traverse,
                          .tp_clear = queue_clear,
                          .tp_weaklistoffset = offsetof(QueueObject, weak),
                          .tp_methods = queue_methods,
                          .tp_members = queue_members,
                          .tp_getset = queue_getset,
                          .tp_init = queue_init,
                          .tp_new = queue_new};

static PyMethodDef functions[] = {
    {"bury", bury, METH_NOARGS,
     "Takes back what came back to queues that are no more; how much is out."},
    {NULL, NULL, 0, NULL}};

static int intern_names(void) {
  return (name_start = PyUnicode_InternFromString("start")) &&
         (name_ask = PyUnicode_InternFromString("ask")) &&
         (name_cancel = PyUnicode_InternFromString("cancel")) &&
         (name_resolve = PyUnicode_InternFromString("resolve")) &&
         (name_reject = PyUnicode_InternFromString("reject")) &&
         (name_event = PyUnicode_InternFromString("event")) &&
         (name_item = PyUnicode_InternFromString("item")) &&
         (name_settle = PyUnicode_InternFromString("settle")) &&
         (name_told = PyUnicode_InternFromString("told")) &&
         (name_recorded = PyUnicode_InternFromString("recorded"));
}

int add_queue(PyObject *module) {
  if (!intern_names() || PyType_Ready(&QueueType) < 0 || PyType_Ready(&CallType) < 0) return -1;
  Py_INCREF(&QueueType);
  Py_INCREF(&CallType);
  if (PyModule_AddObject(module, "Queue", (PyObject *)&QueueType) < 0) return -1;
  if (PyModule_AddObject(module, "Call", (PyObject *)&CallType) < 0) return -1;
  return PyModule_AddFunctions(module, functions);
}
