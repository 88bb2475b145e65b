/* SPDX-License-Identifier: MIT */
/*
 * Retry with its decide door, the budget, and the timeout.
 */
#include "weirpy.h"

static const char *const backoffs[] = {"constant",     "linear",          "exponential",
                                       "decorrelated", "decorrelated_v2", NULL};
static const char *const jitters[] = {"none", "full", "equal", "proportional", "symmetric", NULL};
static const char *const stops[] = {"",        "attempts", "elapsed",    "budget",   "no_time",
                                    "refused", "final",    "classified", "no_memory"};

#define AT(member) offsetof(weir_retry_options, member)
static const Field retry_fields[] = {{"backoff", FIELD_CHOICE, AT(backoff), backoffs},
                                     {"max_attempts", FIELD_I64, AT(max_attempts), NULL},
                                     {"base_delay", FIELD_MS, AT(base_delay_ms), NULL},
                                     {"max_delay", FIELD_MS, AT(max_delay_ms), NULL},
                                     {"min_delay", FIELD_MS, AT(min_delay_ms), NULL},
                                     {"multiplier", FIELD_F64, AT(multiplier), NULL},
                                     {"jitter_factor", FIELD_F64, AT(jitter_factor), NULL},
                                     {"jitter", FIELD_CHOICE, AT(jitter), jitters},
                                     {"retry_refusals", FIELD_U32, AT(retry_refusals), NULL},
                                     {"max_elapsed", FIELD_MS, AT(max_elapsed_ms), NULL},
                                     {"attempt_timeout", FIELD_MS, AT(attempt_timeout_ms), NULL},
                                     {"budget", FIELD_BUDGET, AT(budget), NULL},
                                     {"failures", FIELD_RANGES, AT(failures), NULL},
                                     {"name", FIELD_TEXT, AT(name), NULL},
                                     {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_retry_stats, member)
static const Column retry_columns[] = {
    {"calls", FIELD_U64, AT(calls), NULL},
    {"retries", FIELD_U64, AT(retries), NULL},
    {"succeeded_first", FIELD_U64, AT(succeeded_first), NULL},
    {"succeeded_later", FIELD_U64, AT(succeeded_later), NULL},
    {"gave_up", FIELD_U64, AT(gave_up), NULL},
    {"refused_by_budget", FIELD_U64, AT(refused_by_budget), NULL},
    {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_budget_options, member)
static const Field budget_fields[] = {{"ratio", FIELD_F64, AT(ratio), NULL},
                                      {"min_per_second", FIELD_F64, AT(min_per_second), NULL},
                                      {"window", FIELD_MS, AT(window_ms), NULL},
                                      {"name", FIELD_TEXT, AT(name), NULL},
                                      {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_budget_stats, member)
static const Column budget_columns[] = {{"deposits", FIELD_U64, AT(deposits), NULL},
                                        {"withdrawn", FIELD_U64, AT(withdrawn), NULL},
                                        {"refused", FIELD_U64, AT(refused), NULL},
                                        {"available", FIELD_I64, AT(available), NULL},
                                        {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_timeout_options, member)
static const Field timeout_fields[] = {{"timeout", FIELD_MS, AT(timeout_ms), NULL},
                                       {"message", FIELD_TEXT, AT(message), NULL},
                                       {"name", FIELD_TEXT, AT(name), NULL},
                                       {NULL, FIELD_U32, 0, NULL}};
#undef AT
#define AT(member) offsetof(weir_timeout_stats, member)
static const Column timeout_columns[] = {{"started", FIELD_U64, AT(started), NULL},
                                         {"timed_out", FIELD_U64, AT(timed_out), NULL},
                                         {NULL, FIELD_U32, 0, NULL}};
#undef AT
static PyTypeObject *retry_stats_type, *budget_stats_type, *timeout_stats_type;

/* --- retry ------------------------------------------------------------------------------------ */

typedef struct {
  weir_retry_options options;
  Ear ear;
} RetryArguments;

/* With the listener of retries, of which the library takes a new one each time. */
static weir_status with_listener(const RetryArguments *arguments, weir_retry_options *options) {
  *options = arguments->options;
  if (!arguments->ear.queue) return WEIR_OK;
  options->on_retry = tell_retry;
  options->on_retry_free_data = free_ear;
  options->on_retry_data = new_ear(&arguments->ear);
  return options->on_retry_data ? WEIR_OK : WEIR_ENOMEM;
}

static weir_status retry_create(weir_runtime *runtime, const void *arguments, void **out,
                                weir_error **error) {
  weir_retry_options options;
  weir_status status = with_listener(arguments, &options);
  return status == WEIR_OK ? weir_retry_new(runtime, &options, (weir_retry **)out, error) : status;
}

static weir_status retry_change(void *retry, const void *arguments, weir_error **error) {
  weir_retry_options options;
  weir_status status = with_listener(arguments, &options);
  return status == WEIR_OK ? weir_retry_set_options(retry, &options, error) : status;
}

/* With `_ear`, retries are told. */
static int retry_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  RetryArguments arguments = {WEIR_RETRY_OPTIONS_INIT, {NULL, 0}};
  if (take_ear(kwargs, &arguments.ear) < 0) return -1;
  return init_handle(self, args, kwargs, retry_fields, &arguments, retry_create, "retry");
}

static PyObject *retry_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  RetryArguments arguments = {WEIR_RETRY_OPTIONS_INIT, {NULL, 0}};
  if (!PyArg_ParseTuple(args, "") || take_ear(kwargs, &arguments.ear) < 0) return NULL;
  return set_options(self, kwargs, retry_fields, &arguments, retry_change, "retry");
}

static PyObject *retry_stats(PyObject *self, PyObject *unused) {
  weir_retry_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_retry_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(retry_stats_type, retry_columns, &stats)
                           : raise_status(status, NULL);
}

/* One logical call of the decide door. */
typedef struct {
  PyObject ob_base;
  weir_retry_state state;
  PyObject *retry;
} TriesObject;

static void tries_dealloc(PyObject *self) {
  Py_XDECREF(((TriesObject *)self)->retry);
  Py_TYPE(self)->tp_free(self);
}

/* next(class, asked_delay=None) -> (seconds to wait, '') or (None, why not) */
static PyObject *tries_next(PyObject *self, PyObject *args) {
  TriesObject *tries = (TriesObject *)self;
  unsigned int class_;
  PyObject *asked = Py_None;
  int64_t asked_ms, delay_ns = 0;
  uint32_t reason = 0;
  if (!PyArg_ParseTuple(args, "I|O", &class_, &asked) || to_ms(asked, &asked_ms) < 0) return NULL;
  weir_status status =
      weir_retry_next(HANDLE(tries->retry), &tries->state, class_, asked_ms, &delay_ns, &reason);
  if (status == WEIR_OK) return Py_BuildValue("(ds)", (double)delay_ns / 1e9, "");
  if (status != WEIR_ESTOP) return raise_status(status, NULL);
  return Py_BuildValue("(Os)", Py_None, reason < 9 ? stops[reason] : "");
}

static PyMethodDef tries_methods[] = {{"next", tries_next, METH_VARARGS,
                                       "next(class_, asked_delay=None): a try ended; (seconds to "
                                       "wait, '') or (None, the reason to stop)."},
                                      {NULL, NULL, 0, NULL}};

static PyTypeObject TriesType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Tries",
                                 .tp_basicsize = sizeof(TriesObject), .tp_dealloc = tries_dealloc,
                                 .tp_flags = Py_TPFLAGS_DEFAULT, .tp_methods = tries_methods};

static PyObject *retry_begin(PyObject *self, PyObject *unused) {
  TriesObject *tries = PyObject_New(TriesObject, &TriesType);
  (void)unused;
  if (!tries) return NULL;
  Py_INCREF(self);
  tries->retry = self;
  weir_status status = weir_retry_begin(HANDLE(self), &tries->state);
  if (status == WEIR_OK) return (PyObject *)tries;
  Py_DECREF(tries);
  return raise_status(status, NULL);
}

#define KEYWORDS(function) (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS
static PyMethodDef retry_methods[] = {
    {"begin", retry_begin, METH_NOARGS,
     "One logical call of the decide door, whose next() says whether to go on."},
    {"stats", retry_stats, METH_NOARGS, "Calls, retries and how they ended."},
    {"_set_options", KEYWORDS(retry_set_options), NULL},
    {NULL, NULL, 0, NULL}};

static PyTypeObject RetryType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Retry",
                                 .tp_init = retry_init, .tp_methods = retry_methods};

/* --- budget ----------------------------------------------------------------------------------- */

static weir_status budget_create(weir_runtime *runtime, const void *options, void **out,
                                 weir_error **error) {
  return weir_budget_new(runtime, options, (weir_budget **)out, error);
}

static weir_status budget_change(void *budget, const void *options, weir_error **error) {
  return weir_budget_set_options(budget, options, error);
}

static int budget_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
  return init_handle(self, args, kwargs, budget_fields, &options, budget_create, "budget");
}

static PyObject *budget_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_budget_options options = WEIR_BUDGET_OPTIONS_INIT;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  return set_options(self, kwargs, budget_fields, &options, budget_change, "budget");
}

static PyObject *budget_deposit(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_budget_deposit(HANDLE(self)));
}

static PyObject *budget_try_withdraw(PyObject *self, PyObject *unused) {
  (void)unused;
  weir_status status = weir_budget_withdraw(HANDLE(self));
  if (status == WEIR_ELIMITED) Py_RETURN_FALSE;
  if (status != WEIR_OK) return raise_status(status, NULL);
  Py_RETURN_TRUE;
}

static PyObject *budget_withdraw(PyObject *self, PyObject *unused) {
  weir_rejection rejection = WEIR_REJECTION_INIT;
  (void)unused;
  weir_status status = weir_budget_try_withdraw(HANDLE(self), &rejection);
  return status == WEIR_ELIMITED ? raise_rejection(status, &rejection) : none_or_raise(status);
}

static PyObject *budget_refund(PyObject *self, PyObject *unused) {
  (void)unused;
  return none_or_raise(weir_budget_refund(HANDLE(self)));
}

static PyObject *budget_label(PyObject *self, PyObject *args) {
  const char *key, *value;
  weir_error *error = NULL;
  if (!PyArg_ParseTuple(args, "ss", &key, &value)) return NULL;
  weir_status status = weir_budget_set_label(HANDLE(self), key, value, &error);
  if (status != WEIR_OK) return raise_status(status, error);
  Py_RETURN_NONE;
}

static PyObject *budget_stats(PyObject *self, PyObject *unused) {
  weir_budget_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_budget_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(budget_stats_type, budget_columns, &stats)
                           : raise_status(status, NULL);
}

static PyMethodDef budget_methods[] = {
    {"deposit", budget_deposit, METH_NOARGS, "Counts an outermost first attempt."},
    {"withdraw", budget_withdraw, METH_NOARGS, "Takes one retry; raises Limited if there is none."},
    {"try_withdraw", budget_try_withdraw, METH_NOARGS, "Takes one retry; False if there is none."},
    {"refund", budget_refund, METH_NOARGS, "Gives back a withdrawn retry that never started."},
    {"set_label", budget_label, METH_VARARGS, "set_label(key, value): a label on its metrics."},
    {"stats", budget_stats, METH_NOARGS, "What the window holds."},
    {"_set_options", KEYWORDS(budget_set_options), NULL},
    {NULL, NULL, 0, NULL}};

PyTypeObject BudgetType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Budget",
                           .tp_init = budget_init, .tp_methods = budget_methods};

/* --- timeout ---------------------------------------------------------------------------------- */

static weir_status timeout_create(weir_runtime *runtime, const void *options, void **out,
                                  weir_error **error) {
  return weir_timeout_new(runtime, options, (weir_timeout **)out, error);
}

static weir_status timeout_change(void *timeout, const void *options, weir_error **error) {
  return weir_timeout_set_options(timeout, options, error);
}

static int timeout_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  return init_handle(self, args, kwargs, timeout_fields, &options, timeout_create, "timeout");
}

static PyObject *timeout_set_options(PyObject *self, PyObject *args, PyObject *kwargs) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  return set_options(self, kwargs, timeout_fields, &options, timeout_change, "timeout");
}

static PyObject *timeout_stats(PyObject *self, PyObject *unused) {
  weir_timeout_stats stats = {.size = sizeof stats};
  (void)unused;
  weir_status status = weir_timeout_get_stats(HANDLE(self), &stats);
  return status == WEIR_OK ? to_record(timeout_stats_type, timeout_columns, &stats)
                           : raise_status(status, NULL);
}

static PyMethodDef timeout_methods[] = {
    {"stats", timeout_stats, METH_NOARGS, "Runs that came by, and were cut off."},
    {"_set_options", KEYWORDS(timeout_set_options), NULL},
    {NULL, NULL, 0, NULL}};

static PyTypeObject TimeoutType = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "weir._weir.Timeout",
                                   .tp_init = timeout_init, .tp_methods = timeout_methods};

static void unref_budget(void *handle) { weir_budget_unref(handle); }

int add_retry(PyObject *module) {
  retry_stats_type = new_record_type("weir.RetryStats", "What a retry has counted.", retry_columns);
  budget_stats_type =
      new_record_type("weir.BudgetStats", "What a budget's window holds.", budget_columns);
  timeout_stats_type =
      new_record_type("weir.TimeoutStats", "What a timeout has counted.", timeout_columns);
  if (!retry_stats_type || !budget_stats_type || !timeout_stats_type ||
      PyType_Ready(&TriesType) < 0)
    return -1;
  if (PyModule_AddObject(module, "RetryStats", (PyObject *)retry_stats_type) < 0 ||
      PyModule_AddObject(module, "BudgetStats", (PyObject *)budget_stats_type) < 0 ||
      PyModule_AddObject(module, "TimeoutStats", (PyObject *)timeout_stats_type) < 0) {
    return -1;
  }
  if (add_handle_type(module, &RetryType, &PolicyType, "Retry", NULL) < 0) return -1;
  if (add_handle_type(module, &TimeoutType, &PolicyType, "Timeout", NULL) < 0) return -1;
  return add_handle_type(module, &BudgetType, &HandleType, "Budget", unref_budget);
}
