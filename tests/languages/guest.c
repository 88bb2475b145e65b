// SPDX-License-Identifier: MIT
//
// A Python extension in C that knows nothing of the Python binding: it is handed a capsule with a
// runtime in it, and finds by their names the policies that others have registered there.

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <weir/weir.h>

// The runtime that the capsule lends, and in `policy` a reference to the policy named `name`.
static weir_runtime *open_guest(PyObject *capsule, const char *name, weir_policy **policy) {
  weir_runtime *runtime = PyCapsule_GetPointer(capsule, "weir.runtime");
  if (runtime == NULL) return NULL;
  weir_error *error = NULL;
  if (weir_policy_find(runtime, name, policy, &error) == WEIR_OK) return runtime;
  PyErr_SetString(PyExc_LookupError, weir_error_message(error));
  weir_error_unref(error);
  return NULL;
}

static PyObject *is_open(PyObject *module, PyObject *arguments) {
  (void)module;
  PyObject *capsule = NULL;
  const char *name = NULL;
  weir_policy *policy = NULL;
  if (!PyArg_ParseTuple(arguments, "Os", &capsule, &name)) return NULL;
  if (open_guest(capsule, name, &policy) == NULL) return NULL;
  uint32_t state = weir_breaker_state(weir_policy_breaker(policy));
  weir_policy_unref(policy);
  return PyBool_FromLong(state == WEIR_BREAKER_OPEN);
}

// Acquires and reports a failure `count` times; returns how many were let in.
static PyObject *fail(PyObject *module, PyObject *arguments) {
  (void)module;
  PyObject *capsule = NULL;
  const char *name = NULL;
  unsigned count = 0;
  unsigned admitted = 0;
  weir_policy *policy = NULL;
  if (!PyArg_ParseTuple(arguments, "OsI", &capsule, &name, &count)) return NULL;
  if (open_guest(capsule, name, &policy) == NULL) return NULL;
  weir_breaker *breaker = weir_policy_breaker(policy);
  for (unsigned i = 0; i < count; ++i) {
    weir_permit permit = 0;
    if (weir_breaker_acquire(breaker, &permit, NULL) != WEIR_OK) continue;
    ++admitted;
    weir_breaker_report(breaker, permit, WEIR_CLASS_FAILURE, 0);
  }
  weir_policy_unref(policy);
  return PyLong_FromUnsignedLong(admitted);
}

// Takes permits until one is refused; returns how many it got. Without the interpreter's lock.
static PyObject *take_all(PyObject *module, PyObject *arguments) {
  (void)module;
  PyObject *capsule = NULL;
  const char *name = NULL;
  unsigned long taken = 0;
  weir_policy *policy = NULL;
  if (!PyArg_ParseTuple(arguments, "Os", &capsule, &name)) return NULL;
  if (open_guest(capsule, name, &policy) == NULL) return NULL;
  weir_permit permit = 0;
  PyThreadState *state = PyEval_SaveThread();
  while (weir_limiter_try_acquire(weir_policy_limiter(policy), 1, &permit, NULL) == WEIR_OK) {
    ++taken;
  }
  PyEval_RestoreThread(state);
  weir_policy_unref(policy);
  return PyLong_FromUnsignedLong(taken);
}

static PyMethodDef methods[] = {
    {"is_open", is_open, METH_VARARGS, "is_open(capsule, name) -> bool"},
    {"fail", fail, METH_VARARGS, "fail(capsule, name, count) -> int"},
    {"take_all", take_all, METH_VARARGS, "take_all(capsule, name) -> int"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "guest_c", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_guest_c(void) { return PyModule_Create(&definition); }
