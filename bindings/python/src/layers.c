/* SPDX-License-Identifier: MIT */
/*
 * Hedge, fallback and chaos.
 *
 * A fallback's operation is one of a queue's leaves, so a fallback with a function is made once for
 * each queue that runs come from (../weir/policies.py).
 */
#include "weirpy.h"

#define AT(member) offsetof(weir_hedge_options, member)
static const Field hedge_fields[] = {{"max_hedges", FIELD_U32, AT(max_hedges), NULL},
                                     {"delay", FIELD_MS, AT(delay_ms), NULL},
                                     {"quantile", FIELD_F64, AT(quantile), NULL},
                                     {"budget", FIELD_BUDGET, AT(budget), NULL},
                                     {"failures", FIELD_RANGES, AT(failures), NULL},
                                     {"name", FIELD_TEXT, AT(name), NULL},
                                     {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_hedge_stats, member)
static const Column hedge_columns[] = {
    {"started", FIELD_U64, AT(started), NULL},
    {"hedged", FIELD_U64, AT(hedged), NULL},
    {"won_by_hedge", FIELD_U64, AT(won_by_hedge), NULL},
    {"refused_by_budget", FIELD_U64, AT(refused_by_budget), NULL},
    {"delay", FIELD_MS, AT(delay_ns), NULL},
    {"samples", FIELD_U64, AT(samples), NULL},
    {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_fallback_options, member)
static const Field fallback_fields[] = {{"has_value", FIELD_U32, AT(has_value), NULL},
                                        {"value", FIELD_VALUE, AT(value), NULL},
                                        {"operation", FIELD_OPERATION, AT(operation), NULL},
                                        {"failures", FIELD_RANGES, AT(failures), NULL},
                                        {"name", FIELD_TEXT, AT(name), NULL},
                                        {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_fallback_stats, member)
static const Column fallback_columns[] = {{"started", FIELD_U64, AT(started), NULL},
                                          {"fell_back", FIELD_U64, AT(fell_back), NULL},
                                          {"failed", FIELD_U64, AT(failed), NULL},
                                          {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_chaos_options, member)
static const Field chaos_fields[] = {{"enabled", FIELD_U32, AT(enabled), NULL},
                                     {"seed", FIELD_U64, AT(seed), NULL},
                                     {"failure_rate", FIELD_F64, AT(failure_rate), NULL},
                                     {"outcome_rate", FIELD_F64, AT(outcome_rate), NULL},
                                     {"hang_rate", FIELD_F64, AT(hang_rate), NULL},
                                     {"latency_rate", FIELD_F64, AT(latency_rate), NULL},
                                     {"latency_min", FIELD_MS, AT(latency_min_ms), NULL},
                                     {"latency_max", FIELD_MS, AT(latency_max_ms), NULL},
                                     {"failure", FIELD_ERROR, AT(failure), NULL},
                                     {"value", FIELD_VALUE, AT(value), NULL},
                                     {"name", FIELD_TEXT, AT(name), NULL},
                                     {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_chaos_stats, member)
static const Column chaos_columns[] = {{"enabled", FIELD_U32, AT(enabled), NULL},
                                       {"drawn", FIELD_U64, AT(drawn), NULL},
                                       {"delayed", FIELD_U64, AT(delayed), NULL},
                                       {"failed", FIELD_U64, AT(failed), NULL},
                                       {"outcomes", FIELD_U64, AT(outcomes), NULL},
                                       {"hung", FIELD_U64, AT(hung), NULL},
                                       {NULL, FIELD_U32, 0, NULL}};
#undef AT
static PyTypeObject *hedge_stats_type, *fallback_stats_type, *chaos_stats_type;

#define KEYWORDS(function) (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS

/* --- hedge ------------------------------------------------------------------------------------ */

static weir_status hedge_create(weir_runtime *runtime, const void *options, void **out,
                                weir_error **error) {
  return weir_hedge_new(runtime, options, (weir_hedge **)out, error);
}

static weir_status hedge_change(void *hedge, const void *options, weir_error **error) {
  return weir_hedge_set_options(hedge, options, error);
}

static int hedge_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  return init_handle(self, args, kwargs, hedge_fields, &options, hedge_create, "hedge");
}

static PyObject *hedge_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  return set_options(self, kwargs, hedge_fields, &options, hedge_change, "hedge");
}

static PyObject *hedge_stats(PyObject *self, PyObject *unused) {
  weir_hedge_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_hedge_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(hedge_stats_type, hedge_columns, &stats)
                           : raise_status(status, NULL);
}

static PyMethodDef hedge_methods[] = {
    {"stats", hedge_stats, METH_NOARGS, "Runs, copies and who won."},
    {"_set_options", KEYWORDS(hedge_set_options), NULL},
    {NULL, NULL, 0, NULL}};

static PyTypeObject HedgeType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Hedge",
                                 .tp_init = hedge_init, .tp_methods = hedge_methods};

/* --- fallback --------------------------------------------------------------------------------- */

static weir_status fallback_create(weir_runtime *runtime, const void *options, void **out,
                                   weir_error **error) {
  return weir_fallback_new(runtime, options, (weir_fallback **)out, error);
}

static weir_status fallback_change(void *fallback, const void *options, weir_error **error) {
  return weir_fallback_set_options(fallback, options, error);
}

static int fallback_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  return init_handle(self, args, kwargs, fallback_fields, &options, fallback_create, "fallback");
}

static PyObject *fallback_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  return set_options(self, kwargs, fallback_fields, &options, fallback_change, "fallback");
}

static PyObject *fallback_stats(PyObject *self, PyObject *unused) {
  weir_fallback_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_fallback_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(fallback_stats_type, fallback_columns, &stats)
                           : raise_status(status, NULL);
}

static PyMethodDef fallback_methods[] = {{"_stats", fallback_stats, METH_NOARGS, NULL},
                                         {"_set_options", KEYWORDS(fallback_set_options), NULL},
                                         {NULL, NULL, 0, NULL}};

static PyTypeObject FallbackType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Fallback",
                                    .tp_init = fallback_init, .tp_methods = fallback_methods};

/* --- chaos ------------------------------------------------------------------------------------ */

enum { PHASES_MAX = 256 };

/* [(from, until, what, rate), ...] in seconds, with what as WEIR_CHAOS_*. */
static int fill_phases(weir_chaos_options *options, weir_chaos_phase *phases, PyObject *list) {
  PyObject *fast = PySequence_Fast(list, "phases is a list");
  if (!fast) return -1;
  Py_ssize_t count = PySequence_Fast_GET_SIZE(fast);
  if (count > PHASES_MAX) {
    PyErr_Format(PyExc_ValueError, "chaos.phases: at most %d", PHASES_MAX);
    count = 0;
  }
  for (Py_ssize_t i = 0; i < count && !PyErr_Occurred(); i++) {
    PyObject *from, *until;
    weir_chaos_phase *phase = &phases[i];
    *phase = (weir_chaos_phase){0, 0, 0, 0, 0};
    if (PyArg_ParseTuple(PySequence_Fast_GET_ITEM(fast, i), "OOId", &from, &until, &phase->what,
                         &phase->rate) &&
        to_ms(from, &phase->from_ms) == 0) {
      to_ms(until, &phase->until_ms);
    }
  }
  Py_DECREF(fast);
  options->phases = phases;
  options->phases_count = (uint64_t)count;
  return PyErr_Occurred() ? -1 : 0;
}

/* Takes `phases` out of the keyword arguments, which the table does not know. */
static int chaos_phases(weir_chaos_options *options, weir_chaos_phase *phases, PyObject *kwargs) {
  PyObject *list = kwargs ? PyDict_GetItemString(kwargs, "phases") : NULL;
  if (!list) return 0;
  int filled = list == Py_None ? 0 : fill_phases(options, phases, list);
  return PyDict_DelItemString(kwargs, "phases") < 0 ? -1 : filled;
}

static weir_status chaos_create(weir_runtime *runtime, const void *options, void **out,
                                weir_error **error) {
  return weir_chaos_new(runtime, options, (weir_chaos **)out, error);
}

static weir_status chaos_change(void *chaos, const void *options, weir_error **error) {
  return weir_chaos_set_options(chaos, options, error);
}

static int chaos_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_chaos_options options = WEIR_CHAOS_OPTIONS_INIT;
  weir_chaos_phase phases[PHASES_MAX];
  if (chaos_phases(&options, phases, kwargs) < 0) return -1;
  return init_handle(self, args, kwargs, chaos_fields, &options, chaos_create, "chaos");
}

static PyObject *chaos_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_chaos_options options = WEIR_CHAOS_OPTIONS_INIT;
  weir_chaos_phase phases[PHASES_MAX];
  if (!PyArg_ParseTuple(args, "") || chaos_phases(&options, phases, kwargs) < 0) return NULL;
  return set_options(self, kwargs, chaos_fields, &options, chaos_change, "chaos");
}

static PyObject *chaos_enable(PyObject *self, PyObject *enabled) {
  int on = PyObject_IsTrue(enabled);
  return on < 0 ? NULL : none_or_raise(weir_chaos_enable(HANDLE(self), (uint32_t)on));
}

static PyObject *chaos_stats(PyObject *self, PyObject *unused) {
  weir_chaos_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_chaos_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(chaos_stats_type, chaos_columns, &stats)
                           : raise_status(status, NULL);
}

static PyMethodDef chaos_methods[] = {
    {"enable", chaos_enable, METH_O, "enable(on): switches it on or off, live."},
    {"stats", chaos_stats, METH_NOARGS, "What was injected."},
    {"_set_options", KEYWORDS(chaos_set_options), NULL},
    {NULL, NULL, 0, NULL}};

static PyTypeObject ChaosType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Chaos",
                                 .tp_init = chaos_init, .tp_methods = chaos_methods};

int add_layers(PyObject *module) {
  hedge_stats_type = new_record_type("weir.HedgeStats", "What a hedge has counted.", hedge_columns);
  fallback_stats_type =
      new_record_type("weir.FallbackStats", "What a fallback has counted.", fallback_columns);
  chaos_stats_type = new_record_type("weir.ChaosStats", "What chaos has injected.", chaos_columns);
  if (!hedge_stats_type || !fallback_stats_type || !chaos_stats_type) return -1;
  if (PyModule_AddObject(module, "HedgeStats", (PyObject *)hedge_stats_type) < 0 ||
      PyModule_AddObject(module, "FallbackStats", (PyObject *)fallback_stats_type) < 0 ||
      PyModule_AddObject(module, "ChaosStats", (PyObject *)chaos_stats_type) < 0) {
    return -1;
  }
  if (add_handle_type(module, &HedgeType, &PolicyType, "Hedge", NULL) < 0) return -1;
  if (add_handle_type(module, &FallbackType, &PolicyType, "Fallback", NULL) < 0) return -1;
  return add_handle_type(module, &ChaosType, &PolicyType, "Chaos", NULL);
}
