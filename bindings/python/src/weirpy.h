/* SPDX-License-Identifier: MIT */
#ifndef WEIRPY_H
#define WEIRPY_H

/*
 * The extension module weir._weir: what crosses between Python and the C library, and nothing else.
 * The package around it (../weir) holds the manners: asyncio, threads, decorators, exceptions.
 *
 * What must stay true:
 *   - weir's own thread never touches a Python object and never waits for the interpreter's lock:
 *     everything that runs there comes back as a record of a completion queue, which a thread of
 *     Python's drains.
 *   - A Python object that weir holds is a host value whose number is the object's address, with
 *   one
 *     reference; the record RELEASED gives that reference back. So nothing looks anything up, and
 *     what is released on any thread is freed by one that may.
 *   - The object that a run settles into (Call) has a reference of its own from weir_run() until
 *   its
 *     SETTLED record was drained, of which there is exactly one.
 *   - A queue that is given up while objects are out there goes to the graveyard (queue.c), which
 *   is
 *     drained until they have come back.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <weir/testing.h>
#include <weir/weir.h>

/* --- conversions (convert.c) ------------------------------------------------------------------ */

/* Which Python values an option takes, and what is stored for them. */
typedef enum {
  FIELD_U32,       /* int or bool */
  FIELD_U64,       /* int */
  FIELD_I64,       /* int; None: -1, unlimited */
  FIELD_MS,        /* seconds or timedelta, rounded up to milliseconds; None: -1, for ever or off */
  FIELD_F64,       /* float; None: -1, off */
  FIELD_TEXT,      /* str; None: NULL */
  FIELD_CHOICE,    /* str, one of `choices` */
  FIELD_POLICY,    /* a policy; None: NULL */
  FIELD_OPERATION, /* likewise an operation, a budget, a scope */
  FIELD_BUDGET,
  FIELD_SCOPE,
  FIELD_VALUE, /* any object, as a host value; the struct owns a reference until released */
  FIELD_ERROR, /* an exception, as an error with that object as detail; likewise */
  FIELD_RANGES /* list of (domain, code_min, code_max); the count is the next field */
} FieldKind;

typedef struct {
  const char *name;
  FieldKind kind;
  size_t offset;
  const char *const *choices; /* of FIELD_CHOICE: NULL-terminated, in the order of the numbers */
} Field;

#define FIELDS_MAX 8
/* What filling an options struct took and has to be given back after the call that reads it. */
typedef struct {
  weir_value *values[FIELDS_MAX];
  weir_error *errors[FIELDS_MAX];
  void *arrays[FIELDS_MAX];
  int value_count, error_count, array_count;
} Scratch;

/* Fills `options` from keyword arguments; -1 with an exception. `queue` makes host values. */
int fill_options(void *options, const Field *fields, PyObject *kwargs, const char *subject,
                 PyObject *queue, Scratch *scratch);
void release_scratch(Scratch *scratch);

/* Seconds (number, timedelta or None) to milliseconds, rounded up; nanoseconds likewise. */
int to_ms(PyObject *seconds, int64_t *ms);
int to_ns(PyObject *seconds, int64_t *ns);
/* The same of what must not be negative; `name` is what it is called, for the exception. */
int to_duration_ms(const char *name, PyObject *seconds, int64_t *ms);
int to_duration_ns(const char *name, PyObject *seconds, int64_t *ns);
PyObject *from_ns(int64_t ns); /* float seconds; None for INT64_MAX and below 0 */

typedef struct {
  const char *name;
  FieldKind kind; /* U32, U64, I64, F64, or MS for nanoseconds shown as seconds */
  size_t offset;
  const char *const *choices;
} Column;

/* A named tuple type for a stats struct, and one filled from it. */
PyTypeObject *new_record_type(const char *name, const char *doc, const Column *columns);
PyObject *to_record(PyTypeObject *type, const Column *columns, const void *stats);

/* Bytes of a key: bytes-like as they are, str as UTF-8. `view` is to be released if it was filled.
 * */
typedef struct {
  const void *data;
  size_t size;
  Py_buffer view;
  int held;
} Key;
int to_key(PyObject *object, Key *key); /* None: NULL with 0 */
void release_key(Key *key);

int import_conversions(void);

/* --- handles (handle.c) ----------------------------------------------------------------------- */

typedef struct {
  PyObject ob_base;
  weir_runtime *handle;
  uint32_t driver;
  int wake_fd; /* of a manual runtime: readable when it has new work; else -1 */
  PyObject *weak;
} RuntimeObject;

typedef struct {
  PyObject ob_base;
  void *handle; /* weir_breaker *, weir_operation * ...: what the type says */
  PyObject *runtime;
  PyObject *keep; /* what must live as long: the queue of an operation, ... */
  PyObject *weak;
} HandleObject;

extern PyTypeObject RuntimeType, HandleType, PolicyType, QueueType, CallType;
extern PyTypeObject OperationType, BudgetType, ScopeType;
/* Lists that travel as lists of the library's: Keys as bytes, Many as values and, of exceptions,
 * errors. */
extern PyTypeObject KeysType, ManyType;

/* Every type of handles says how its handle is given back. */
typedef struct {
  PyTypeObject *type;
  void (*unref)(void *handle);
} HandleKind;

#define HANDLE(object)  (((HandleObject *)(object))->handle)
#define RUNTIME(object) (((RuntimeObject *)(object))->handle)

/* Makes a Python object of `type` around `handle`, whose reference it takes (also on failure). */
PyObject *wrap_handle(PyTypeObject *type, void *handle, PyObject *runtime, PyObject *keep);
/* The runtime argument of a constructor, or NULL with TypeError. */
RuntimeObject *as_runtime(PyObject *object);
int is_instance(PyObject *object, PyTypeObject *type, const char *what);

typedef weir_status (*NewFn)(weir_runtime *, const void *, void **, weir_error **);
typedef weir_status (*SetFn)(void *, const void *, weir_error **);
/* The bodies of all constructors type(runtime, **options) and of set_options(**options). */
int init_handle(PyObject *self, PyObject *args, PyObject *kwargs, const Field *fields,
                void *options, NewFn create, const char *subject);
PyObject *set_options(PyObject *self, PyObject *kwargs, const Field *fields, void *options,
                      SetFn change, const char *subject);
/* `type` may have a size and a tp_dealloc of its own, which ends with dealloc_handle(). */
int add_handle_type(PyObject *module, PyTypeObject *type, PyTypeObject *base, const char *name,
                    void (*unref)(void *));
void dealloc_handle(PyObject *self);

/* --- values and errors (values.c) ------------------------------------------------------------- */

/* A new value with one reference: NULL for None. -1 with an exception. */
int to_value(PyObject *queue, PyObject *object, weir_value **out);
/* An error of the user's with the exception as detail; -1 with an exception raised. */
int to_error(PyObject *queue, PyObject *exception, weir_error **out);
/* A new reference to what the value holds; None for NULL. */
PyObject *from_value(const weir_value *value);
/* A new reference to the exception that tells of `error`; `outcome` is nullable. */
PyObject *from_error(const weir_error *error, const weir_outcome *outcome);
PyObject *from_outcome(const weir_outcome *outcome);
PyObject *from_rejection(const weir_rejection *rejection);
/* Raises what `status` and `error` (nullable, taken) say. Returns NULL. */
PyObject *raise_status(weir_status status, weir_error *error);
/* Raises Invalid with this text, formatted as by PyUnicode_FromFormat(). Returns NULL. */
PyObject *raise_invalid(const char *format, ...);
PyObject *raise_rejection(weir_status status, const weir_rejection *rejection);
/* None, or NULL with an exception. */
PyObject *none_or_raise(weir_status status);
/* What a Box (cache.c) holds, or the object itself; borrowed. */
PyObject *unboxed(PyObject *object);
PyObject *set_factories(PyObject *module, PyObject *args);

/* --- queues (queue.c) ------------------------------------------------------------------------- */

/* Outlives its Python object while weir holds host objects or runs of it. */
typedef struct Mail {
  weir_completions *queue;
  weir_runtime *runtime;
  int64_t out; /* host values and runs that have not come back */
  struct Mail *next;
} Mail;

/* A run (its arguments) or a completion that waits for the end of the loop's turn. */
typedef struct Later {
  PyObject *args;
  weir_token token;
  weir_value *value;
} Later;

typedef struct {
  PyObject ob_base;
  Mail *mail;
  PyObject *runtime;
  PyObject *attempts;  /* dict: token -> what has cancel(message) */
  PyObject *listeners; /* dict: user -> what hears EVENT and ITEM records */
  PyObject *sites;     /* dict: leaf -> what begins its attempts; leaf 0 is begun by its input */
  weir_operation *leaf;
  char closed; /* its runtime has closed */
  /* With a `schedule` (a loop's call_soon), what the loop's callbacks submit and complete is kept
   * and handed over in one go by flush(): one wake-up of weir's thread instead of one for each. */
  PyObject *schedule;
  PyObject *create_task; /* the loop's; None where attempts are no tasks */
  struct Later *later;
  size_t later_count, later_room;
  PyObject *weak;
} QueueObject;

typedef struct {
  PyObject ob_base;
  weir_call *call; /* NULL before the run and after its settlement */
  char waits;      /* for flush() */
  char dropped;    /* stopped while it waited */
  char whole;      /* is told the whole outcome: settle(outcome, exception or None) */
} CallObject;

weir_value *new_host_value(QueueObject *queue, PyObject *object); /* NULL with an exception */
weir_operation *queue_leaf(QueueObject *queue);                   /* borrowed; NULL likewise */

/* Methods of queues (attempts.c). */
PyObject *queue_run(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *queue_complete(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *queue_fail(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *queue_attempt(PyObject *self, PyObject *token);
PyObject *queue_submit(PyObject *self, PyObject *args);
PyObject *queue_flush(PyObject *self, PyObject *unused);
/* An attempt of coroutine.c; NULL with an exception. */
PyObject *new_attempt(PyObject *queue, PyObject *token, PyObject *function, PyObject *args,
                      PyObject *kwargs, PyObject *owner);
int queue_complete_later(PyObject *self, PyObject *token, PyObject *value);

/* --- listeners (listen.c) --------------------------------------------------------------------- */

/* Whom a listener tells: the queue's listener of that number. */
typedef struct {
  weir_completions *queue;
  uint64_t user;
} Ear;
/* Takes the option `_ear`, a pair (queue, number), out of `kwargs`: a borrowed queue, or NULL. */
int take_ear(PyObject *kwargs, Ear *ear);
/* One for the library, which gives it to free_ear() whatever its call returns; NULL: no memory. */
Ear *new_ear(const Ear *ear);
void free_ear(void *ear);
void tell_eviction(void *ear, weir_cache *cache, const weir_eviction *eviction);
void tell_retry(void *ear, uint32_t attempt, int64_t delay_ns, const weir_outcome *outcome);
/* Whether a RELEASED record's number is a message of these, and not an object. */
#define IS_MESSAGE(object) (((object)&1) != 0)
PyObject *take_message(uint64_t object, uint64_t *user); /* what it says; NULL with an exception */
void drop_message(uint64_t object);

/* A new object for a scope that is lent (scope.c). */
PyObject *wrap_scope(weir_scope *scope, PyObject *runtime);

int add_values(PyObject *module);
int add_runtime(PyObject *module);
int add_handles(PyObject *module);
int add_queue(PyObject *module);
int add_coroutine(PyObject *module);
int add_loop_call(PyObject *module);
int add_listen(PyObject *module);
int add_breaker(PyObject *module);
int add_limiter(PyObject *module);
int add_retry(PyObject *module);
int add_layers(PyObject *module);
int add_cache(PyObject *module);
int add_pacing(PyObject *module);
int add_flow(PyObject *module);
int add_scope(PyObject *module);

#endif
