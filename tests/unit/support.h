/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_SUPPORT_H
#define WEIR_TESTS_SUPPORT_H

/*
 * What the unit tests stand on. A test is a function of a fixture:
 *
 *   static void R16_refusal_on_the_first_try_returns_itself(struct fixture *fx) {
 *     struct script *fetch = scripted(fx, "f503 f503 v7");
 *     struct run *run = begin(fx, fetch->operation, NULL);
 *     advance_ms(fx, 10);
 *     assert_int_equal(settled(run)->status, WEIR_OK);
 *   }
 *   TEST_MAIN("retry", TEST(R16_refusal_on_the_first_try_returns_itself))
 *
 * The fixture holds a manual runtime with seed 1 on an allocator that counts. When the body has
 * returned, what is still out is completed, the runtime closes, and the test fails unless every
 * accepted run settled exactly once, every slot and operation was freed exactly once and no byte is
 * left. So a test gives back what it made itself (handles, values, errors) and nothing else: what
 * begin() and scripted() made is the fixture's.
 *
 * Each program runs its tests again under `--oom`, with the nth allocation failing (once, and for
 * good), n rising until a run finishes untouched. Then a failing assertion only ends the body, the
 * handles it held are given back for it (support_track.c), and the checks at the end stay strict. A
 * body must therefore assert what a function returned before it uses what the function made, and
 * its callbacks must stand a failing call.
 *
 * cmocka's assertions jump: never use one in a callback or off the main thread; record, and assert
 * in the body.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include <weir/testing.h>
#include <weir/weir.h>

#define MS          INT64_C(1000000)
#define SECOND      (1000 * MS)
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- memory ---------------------------------------------------------------------------------- */

/* Which allocation fails, counted as `allocations` below; 0: none. */
struct failing {
  uint64_t at;
  int for_good;      /* and all after it */
  uint64_t injected; /* failures so far */
};

/* An allocator that counts, checks sizes, fills fresh and freed bytes, and fails on demand. */
struct memory {
  pthread_mutex_t mutex;
  struct memory_block *blocks; /* live ones */
  uint64_t live_bytes;
  uint64_t live_blocks;
  uint64_t peak_bytes;
  uint64_t allocations;  /* asked for, ever */
  struct failing wanted; /* by the test */
  struct failing forced; /* by --oom */
  uint64_t wrong_sizes;  /* freed with another size than asked for */
  uint64_t overruns;     /* freed after something was written beside them */
  uint64_t handed_out;   /* allocators made by memory_allocator() */
  uint64_t released;     /* how often weir said it is done with one */
  pthread_cond_t on_release;
  int ignore_releases;
};

void memory_begin(struct memory *memory);
/* The allocator to put into one runtime's options; each must be released once. */
weir_allocator memory_allocator(struct memory *memory);
/* Waits until weir is done with `count` of them, at most half a minute: for runtimes that end on a
 * thread of their own. The caller asserts what came. */
void memory_await_releases(struct memory *memory, uint64_t count);
/* For tests that hand allocators to calls that must not take them: no such account is kept. */
void memory_ignore_releases(struct memory *memory);
/* From now on the nth allocation (1: the next) fails; n = 0: none. */
void memory_fail(struct memory *memory, uint64_t n, int for_good);
/* Frees what is live, whoever holds it: only after a failed test. */
void memory_drop(struct memory *memory);

/* ---- fixture --------------------------------------------------------------------------------- */

/* How a run ended, copied inside the settle listener. */
struct settlement {
  uint32_t channel; /* WEIR_CHANNEL_* */
  weir_status status;
  uint32_t class_;
  uint32_t attempts;
  uint32_t stop_reason;
  uint32_t cancel_reason;
  uint32_t final;
  int64_t elapsed_ns;
  int64_t retry_after_ms;
  int64_t at_ns;  /* the runtime's time of the settlement */
  uint64_t order; /* 1 for the fixture's first settlement, and so on */
  weir_status statuses[WEIR_OUTCOME_STATUSES];
  int has_rejection;
  weir_rejection rejection;
  uint32_t value_kind; /* WEIR_VALUE_* */
  size_t value_size;
  int64_t value;  /* of an 8-byte value: the number; -1 of others */
  char bytes[64]; /* the value's first bytes */
  void *pointer;
  int has_error;
  weir_status error_status;
  uint32_t domain;
  int64_t code;
  char message[192];
};

/* One run that begin() asked for. */
struct run {
  struct fixture *fixture;
  struct run *next;
  size_t number;      /* from 0, in the order of begin() */
  weir_status status; /* what weir_run() returned */
  weir_call *call;    /* one reference, the fixture's; NULL if refused */
  uint32_t settled;   /* how often */
  uint32_t freed;     /* how often the run's free_data ran */
  struct settlement result;
  void *user;
  void (*on_settled)(struct run *run); /* nullable; called at the end of the listener */
};

struct fixture {
  weir_runtime *runtime; /* a test that gives it back itself sets this to NULL */
  struct memory memory;
  struct run *runs; /* newest first */
  size_t run_count;
  uint64_t accepted; /* runs begun here that weir_run() took */
  uint64_t settled;  /* settlements of these */
  struct script *scripts;
  const struct test *test;
  char problem[256]; /* the first thing found wrong; empty if none */
  void *user;
};

/* Gives the runtime back and makes another: manual, on the fixture's allocator, with seed 1 if it
 * is 0, and otherwise as `options` says. */
void remake_runtime(struct fixture *fx, const weir_runtime_options *options);

/* Notes what is wrong if `condition` does not hold; the test fails when its body has returned. For
 * callbacks and other threads. */
void expect(struct fixture *fx, int condition, const char *what);

int64_t now_ns(struct fixture *fx);
/* As weir_testing_advance() and run_until_idle, and completes scripted steps that are due ("v1+20")
 * at their time, after the timers of that time. */
void advance_ms(struct fixture *fx, int64_t ms);
void advance_ns(struct fixture *fx, int64_t ns);
void run_until_idle(struct fixture *fx);

/* ---- runs ------------------------------------------------------------------------------------ */

/* Starts a run that records how it settles; asserts that it is accepted. */
struct run *begin(struct fixture *fx, weir_operation *operation, const weir_run_options *options);
/* The same under a policy. */
struct run *begin_under(struct fixture *fx, weir_policy *policy, weir_operation *operation);
/* The same without asserting: see run->status. */
struct run *try_begin(struct fixture *fx, weir_operation *operation,
                      const weir_run_options *options, weir_error **error);
/* For functions beside weir_run() that begin runs: make the run, give them record_settle, the run,
 * free_recorded and &run->call, and tell asked() what they returned. */
struct run *new_run(struct fixture *fx);
void free_recorded(void *run);
struct run *asked(struct run *run, weir_status status);
/* Asserts that it settled exactly once and returns how. */
const struct settlement *settled(const struct run *run);
/* Asserts that it has not settled. */
void assert_pending(const struct run *run);

/* A settle listener for tests that call weir_run() themselves; `data` is a zeroed struct run with
 * `fixture` set. */
void record_settle(void *data, weir_call *call, const weir_outcome *outcome);
/* Copies what an outcome says. */
void copy_outcome(struct settlement *result, const weir_outcome *outcome);

/* ---- scripted operations --------------------------------------------------------------------- */

/*
 * An operation whose attempts follow a script, one word each; the last word repeats for ever.
 *
 *   v7        succeeds inside start with the number 7 (8 bytes)
 *   n         succeeds inside start with no value
 *   f503      fails inside start: WEIR_DOMAIN_HTTP, code 503, message "scripted"
 *   F503      the same, as a final failure
 *   c503/1    completes with value 503 and class 1 (WEIR_CLASS_*)
 *   hang      stays out, deaf to cancel, until finish() or the end of the test
 *   yield     stays out; told to stop, it fails at once with WEIR_DOMAIN_USER, code 0
 *
 * The first five take further marks: `f503@250` asks to be tried again after 250 ms; `v7+20`
 * completes 20 ms after its start (deaf to cancel), while advance_ms() moves the clock.
 */
enum { SCRIPT_ATTEMPTS = 128 };

struct script_attempt {
  struct script *script;
  weir_token token;
  uint32_t number; /* as start was told */
  int64_t at_ns;
  int64_t remaining_ns;
  int64_t input; /* of an 8-byte input: the number; -1 of others */
  void *context;
  size_t step;      /* which word it follows */
  int64_t due_ns;   /* completes then; 0: not by time */
  uint32_t cancels; /* how often on_cancel came */
  uint32_t cancel_reason;
  uint32_t slot_freed;         /* how often the slot's free_data ran */
  int completed;               /* a completing call was made */
  weir_status complete_status; /* what it returned */
};

struct script {
  struct fixture *fixture;
  struct script *next;
  weir_operation *operation; /* one reference, the fixture's; may be given back and set to NULL */
  char words[32][16];
  size_t count;
  uint32_t started;
  uint32_t cancelled;
  uint32_t slots_freed;
  uint32_t freed;       /* how often the operation's free_data ran */
  uint32_t running;     /* started and not completed */
  uint32_t max_running; /* the most at once */
  /* The attempts in the order of their starts, up to SCRIPT_ATTEMPTS; of later ones only the counts
   * above are kept, and their script must not leave them out. */
  struct script_attempt attempts[SCRIPT_ATTEMPTS];
  void (*on_start)(struct script *script, const weir_attempt *attempt); /* nullable */
  void *user;
};

/* Asserts that it could be made. */
struct script *scripted(struct fixture *fx, const char *words);
/* Completes attempt `index` (in the order of starts) as `word` says; returns the status. */
weir_status finish(struct script *script, size_t index, const char *word);
/* Completes all that hang, without a value. Returns how many. */
size_t finish_all(struct script *script);

/* ---- small things ---------------------------------------------------------------------------- */

/* A free function: adds one to the unsigned that `counter` points to. */
void count_free(void *counter);
/* A bytes value holding a number; asserts. */
weir_value *number_value(struct fixture *fx, int64_t number);
/* The number in an 8-byte value; -1 of others. */
int64_t value_number(const weir_value *value);
/* Asserts that `error` has a message that contains `part`; gives `error` back. */
void assert_message(weir_error *error, const char *part);

/* For callbacks that give weir a reference by other means than a call, such as a pull's item. */
void handed_over(const void *handle);

/* ---- programs -------------------------------------------------------------------------------- */

enum {
  TEST_PLAIN = 0,
  TEST_NOT_UNDER_OOM = 1 /* too long to repeat, or its memory is not the fixture's */
};

struct test {
  const char *name;
  void (*body)(struct fixture *fx);
  uint32_t flags;
};

#define TEST(name) \
  { #name, name, TEST_PLAIN }
/* For a test that would take too long again and again. */
#define LONG_TEST(name) \
  { #name, name, TEST_NOT_UNDER_OOM }

#define TEST_MAIN(group, ...)                                       \
  int main(int argc, char **argv) {                                 \
    static const struct test tests[] = {__VA_ARGS__};               \
    return test_program(group, tests, COUNT_OF(tests), argc, argv); \
  }

/* PROGRAM            all tests
 * PROGRAM NAME...    those whose names begin so
 * PROGRAM --oom [NAME...]              with failing allocations
 * PROGRAM --oom-at N[+] NAME           with the Nth failing, once, or (+) for good; asserts loudly
 */
int test_program(const char *group, const struct test *tests, size_t count, int argc, char **argv);

/* Whether allocations are made to fail: then what goes wrong is no news. */
int under_oom(void);

/* Says why and leaves the test as skipped. Body only. */
void skip_because(const char *why);

#endif
