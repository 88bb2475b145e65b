/* SPDX-License-Identifier: MIT */
/*
 * What happens on weir's own thread and is told to Python: evictions, retries, and what the flight
 * recorder keeps.
 *
 * A listener of the library's runs without the interpreter, so it writes down what it is told and
 * posts that to a queue: as a host value that is given back at once, whose number is the message's
 * address and one. Objects lie at even addresses, so the reader of RELEASED records knows which is
 * which (queue.c). What is posted after its queue was read for the last time is lost, with nothing
 * in it that Python could miss.
 */
#include "weirpy.h"

#include <stdlib.h>

typedef struct {
  uint64_t user;
  int is_eviction;
  uint32_t number; /* an eviction's cause, or which attempt has failed */
  int64_t amount;  /* an eviction's weight, or the delay in nanoseconds */
  weir_value *value;
  weir_error *error;
  size_t key_size;
  char key[];
} Message;

static Message *new_message(const Ear *ear, size_t key_size) {
  Message *message = calloc(1, sizeof *message + key_size);
  if (!message) return NULL;
  message->user = ear->user;
  message->key_size = key_size;
  return message;
}

static void free_message(Message *message) {
  weir_value_unref(message->value);
  weir_error_unref(message->error);
  free(message);
}

static void post(const Ear *ear, Message *message) {
  weir_value *value = NULL;
  if (weir_value_new_host(ear->queue, (uint64_t)(uintptr_t)message | 1, &value) == WEIR_OK) {
    weir_value_unref(value);
  } else {
    free_message(message);
  }
}

/* --- the library's listeners, on its thread --------------------------------------------------- */

void tell_eviction(void *data, weir_cache *cache, const weir_eviction *eviction) {
  Message *message = new_message(data, eviction->key_size);
  (void)cache;
  if (!message) return;
  message->is_eviction = 1;
  message->number = eviction->cause;
  message->amount = (int64_t)eviction->weight;
  if (eviction->value) message->value = weir_value_ref(eviction->value);
  if (eviction->key_size) memcpy(message->key, eviction->key, eviction->key_size);
  post(data, message);
}

void tell_retry(void *data, uint32_t attempt, int64_t delay_ns, const weir_outcome *outcome) {
  Message *message = new_message(data, 0);
  if (!message) return;
  message->number = attempt;
  message->amount = delay_ns;
  if (outcome->value) message->value = weir_value_ref(outcome->value);
  if (outcome->error) message->error = weir_error_ref(outcome->error);
  post(data, message);
}

int take_ear(PyObject *kwargs, Ear *ear) {
  PyObject *pair = kwargs ? PyDict_GetItemString(kwargs, "_ear") : NULL, *queue;
  unsigned long long user;
  *ear = (Ear){NULL, 0};
  if (!pair) return 0;
  if (!PyArg_ParseTuple(pair, "O!K", &QueueType, &queue, &user)) return -1;
  *ear = (Ear){((QueueObject *)queue)->mail->queue, user};
  return PyDict_DelItemString(kwargs, "_ear"); /* the listener's policy holds the queue */
}

Ear *new_ear(const Ear *ear) {
  Ear *made = malloc(sizeof *made);
  if (made) *made = (Ear){weir_completions_ref(ear->queue), ear->user};
  return made;
}

void free_ear(void *ear) {
  weir_completions_unref(((Ear *)ear)->queue);
  free(ear);
}

/* --- in Python -------------------------------------------------------------------------------- */

static Message *message_of(uint64_t object) {
  return (Message *)(uintptr_t)(object & ~(uint64_t)1);
}

void drop_message(uint64_t object) { free_message(message_of(object)); }

/* (key, value, cause, weight) of an eviction, (attempt, delay in seconds, exception, value) of a
 * retry */
PyObject *take_message(uint64_t object, uint64_t *user) {
  Message *message = message_of(object);
  PyObject *value = from_value(message->value), *error = NULL, *told = NULL;
  *user = message->user;
  if (value && message->is_eviction) {
    told = Py_BuildValue("(y#NIL)", message->key, (Py_ssize_t)message->key_size, value,
                         message->number, (long long)message->amount);
  } else if (value) {
    error = message->error ? from_error(message->error, NULL) : from_value(NULL);
    if (!error) Py_DECREF(value);
    if (error)
      told = Py_BuildValue("(IdNN)", message->number, (double)message->amount / 1e9, error, value);
  }
  free_message(message);
  return told;
}

/* --- the flight recorder ---------------------------------------------------------------------- */

/* (number, time, kind, policy, name, status, reason, from, to, count, delay or None, calls,
 * failures, slow calls, text) */
static PyObject *entry_of(const weir_recorded *entry) {
  return Py_BuildValue(
      "(KdIIsiIIIKNKKKs)", (unsigned long long)entry->number, (double)entry->at_ns / 1e9,
      entry->kind, entry->policy, entry->name, entry->status, entry->reason, entry->from, entry->to,
      (unsigned long long)entry->count, from_ns(entry->delay_ns), (unsigned long long)entry->calls,
      (unsigned long long)entry->failures, (unsigned long long)entry->slow_calls, entry->text);
}

enum { ENTRIES = 32 };

/* recorder_read(runtime, cursor) -> (cursor, [entry, ...]); no entry: there is nothing new */
static PyObject *recorder_read(PyObject *module, PyObject *args) {
  weir_recorded entries[ENTRIES];
  PyObject *runtime;
  unsigned long long from;
  size_t count = 0;
  (void)module;
  if (!PyArg_ParseTuple(args, "OK", &runtime, &from) || !as_runtime(runtime)) return NULL;
  uint64_t cursor = from;
  weir_status status =
      weir_recorder_read(RUNTIME(runtime), &cursor, entries, sizeof *entries, ENTRIES, &count);
  if (status != WEIR_OK) return raise_status(status, NULL);
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (size_t i = 0; list && i < count; i++) {
    PyObject *entry = entry_of(&entries[i]);
    if (!entry) Py_CLEAR(list);
    if (list) PyList_SET_ITEM(list, (Py_ssize_t)i, entry);
  }
  return list ? Py_BuildValue("(KN)", (unsigned long long)cursor, list) : NULL;
}

/* recorder_notify(runtime, queue, user): listener `user` of the queue has recorded(None) called */
static PyObject *recorder_notify(PyObject *module, PyObject *args) {
  PyObject *runtime, *queue;
  unsigned long long user;
  (void)module;
  if (!PyArg_ParseTuple(args, "OO!K", &runtime, &QueueType, &queue, &user)) return NULL;
  if (!as_runtime(runtime)) return NULL;
  return none_or_raise(
      weir_recorder_notify(RUNTIME(runtime), ((QueueObject *)queue)->mail->queue, user));
}

/* log(runtime, level, subject or None, message) */
static PyObject *log_line(PyObject *module, PyObject *args) {
  PyObject *runtime;
  const char *subject, *message;
  int level;
  (void)module;
  if (!PyArg_ParseTuple(args, "Oizs", &runtime, &level, &subject, &message)) return NULL;
  if (!as_runtime(runtime)) return NULL;
  weir_log(RUNTIME(runtime), level, subject, message);
  Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"recorder_read", recorder_read, METH_VARARGS, NULL},
                                  {"recorder_notify", recorder_notify, METH_VARARGS, NULL},
                                  {"log", log_line, METH_VARARGS, NULL},
                                  {NULL, NULL, 0, NULL}};

int add_listen(PyObject *module) { return PyModule_AddFunctions(module, functions); }
