/* SPDX-License-Identifier: MIT */
/*
 * weir._weir: the module. Made once in the main interpreter; others are refused, since the types
 * and the graveyard are the process's.
 */
#include "weirpy.h"

static PyObject *status_name(PyObject *module, PyObject *status) {
  long number = PyLong_AsLong(status);
  (void)module;
  if (number == -1 && PyErr_Occurred()) return NULL;
  return PyUnicode_FromString(weir_status_name((weir_status)number));
}

static PyObject *version(PyObject *module, PyObject *unused) {
  (void)module;
  (void)unused;
  return PyUnicode_FromString(weir_version_string());
}

static PyMethodDef functions[] = {{"status_name", status_name, METH_O, NULL},
                                  {"version", version, METH_NOARGS, NULL},
                                  {"set_factories", set_factories, METH_VARARGS, NULL},
                                  {NULL, NULL, 0, NULL}};

static int module_exec(PyObject *module) {
  static int made;
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
    PyErr_SetString(PyExc_ImportError,
                    "weir works in the main interpreter only, not in subinterpreters");
    return -1;
  }
  if (made) {
    PyErr_SetString(PyExc_ImportError, "weir._weir cannot be loaded twice in one process");
    return -1;
  }
  made = 1;
  return import_conversions() < 0 || add_values(module) < 0 || add_runtime(module) < 0 ||
                 add_handles(module) < 0 || add_queue(module) < 0 || add_coroutine(module) < 0 ||
                 add_loop_call(module) < 0 || add_listen(module) < 0 || add_breaker(module) < 0 ||
                 add_limiter(module) < 0 || add_retry(module) < 0 || add_layers(module) < 0 ||
                 add_cache(module) < 0 || add_pacing(module) < 0 || add_flow(module) < 0 ||
                 add_scope(module) < 0
             ? -1
             : 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL}};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "weir._weir",
                                 .m_methods = functions, .m_slots = slots};

PyMODINIT_FUNC PyInit__weir(void) { return PyModuleDef_Init(&definition); }
