/* SPDX-License-Identifier: MIT */
/* The engine on drivers with real threads and real loops: how they begin and how they end. */

#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

/* A runtime of its own for a test, on an allocator that counts. */
struct own {
  struct memory memory;
  weir_runtime *runtime;
  uint32_t closed; /* how often on_closed came */
  uint64_t orphans;
  int threads_at_close;
};

static int thread_count(void) {
  int count = 0;
  DIR *directory = opendir("/proc/self/task");
  if (directory == NULL) return -1;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] != '.') count++;
  }
  closedir(directory);
  return count;
}

static void on_closed(void *data, uint64_t orphans) {
  struct own *own = data;
  own->closed++;
  own->orphans = orphans;
  own->threads_at_close = thread_count();
}

static void open_own(struct own *own, uint32_t driver, struct uv_loop_s *loop, int64_t grace_ms) {
  memset(own, 0, sizeof *own);
  memory_begin(&own->memory);
  weir_allocator allocator = memory_allocator(&own->memory);
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = driver;
  options.loop = loop;
  options.allocator = &allocator;
  options.close_grace_ms = grace_ms;
  options.on_closed = on_closed;
  options.closed_data = own;
  assert_int_equal(weir_runtime_new(&options, &own->runtime, NULL), WEIR_OK);
}

static void check_own(struct own *own) {
  assert_int_equal(own->closed, 1);
  assert_true(own->memory.live_bytes == 0);
  assert_int_equal(own->memory.released, 1);
  assert_true(own->memory.wrong_sizes == 0);
}

/* ---- operations ------------------------------------------------------------------------------ */

/* Starts an attempt and remembers its token. */
struct held {
  _Atomic(weir_token) token;
  weir_runtime *runtime;
  sem_t *started; /* nullable; raised when there is one */
};

static void hold_token(void *data, weir_attempt *attempt) {
  struct held *held = data;
  held->runtime = attempt->runtime;
  held->token = attempt->token;
  if (held->started != NULL) sem_post(held->started);
}

static void complete_inline(void *data, weir_attempt *attempt) {
  (void)data;
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static weir_operation *operation_of(weir_runtime *runtime, weir_start_fn start, void *data) {
  weir_operation *operation = NULL;
  assert_int_equal(weir_operation_new(runtime, start, data, NULL, &operation, NULL), WEIR_OK);
  return operation;
}

/* ---- the thread driver ----------------------------------------------------------------------- */

static void unused_runtime_starts_no_thread_and_ends_inside_close(struct fixture *fx) {
  (void)fx;
  struct own own;
  int before = thread_count();
  open_own(&own, WEIR_DRIVER_THREAD, NULL, 5000);
  /* when nothing ever ran */
  weir_operation *operation = operation_of(own.runtime, complete_inline, NULL);
  weir_operation_unref(operation);
  weir_runtime_unref(own.runtime);
  /* then it ended at once, and nobody had to be started for it */
  check_own(&own);
  assert_int_equal(own.threads_at_close, before);
}

/* Counts the threads it was started on, and those of them that have ended: a thread's value of a
 * key is given back as it ends. (The kernel lists it for a moment longer than it can be joined.) */
struct ending_threads {
  pthread_key_t key;
  atomic_int begun;
  atomic_int ended;
};

static void note_thread_end(void *data) { ((struct ending_threads *)data)->ended++; }

static void mark_thread(void *data, weir_attempt *attempt) {
  struct ending_threads *threads = data;
  if (pthread_getspecific(threads->key) == NULL) threads->begun++;
  pthread_setspecific(threads->key, threads);
  weir_complete(attempt->runtime, attempt->token, NULL);
}

static void close_wait_leaves_no_thread(struct fixture *fx) {
  (void)fx;
  struct own own;
  struct ending_threads threads = {0};
  assert_int_equal(pthread_key_create(&threads.key, note_thread_end), 0);
  for (int i = 0; i < 20; i++) {
    open_own(&own, WEIR_DRIVER_THREAD, NULL, 5000);
    weir_operation *operation = operation_of(own.runtime, mark_thread, &threads);
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    assert_int_equal(weir_run_wait(operation, NULL, 10000, &outcome, NULL), WEIR_OK);
    weir_outcome_release(&outcome);
    weir_operation_unref(operation);
    assert_int_equal(weir_runtime_close_wait(own.runtime, WEIR_FOREVER), WEIR_OK);
    assert_int_equal(threads.begun, i + 1);
    assert_int_equal(threads.ended, i + 1);
    weir_runtime_unref(own.runtime);
    check_own(&own);
  }
  pthread_key_delete(threads.key);
}

static void run_without_a_descriptor_for_the_loop_fails_and_later_works(struct fixture *fx) {
  (void)fx;
  struct own own;
  struct rlimit before;
  open_own(&own, WEIR_DRIVER_THREAD, NULL, 5000);
  weir_operation *operation = operation_of(own.runtime, complete_inline, NULL);
  /* given a process without a free descriptor */
  int next = open("/dev/null", O_RDONLY);
  close(next);
  getrlimit(RLIMIT_NOFILE, &before);
  struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  unsigned freed = 0;
  weir_error *error = NULL;
  weir_call *call = NULL;
  weir_status status = weir_run(operation, NULL, NULL, &freed, count_free, &call, &error);
  setrlimit(RLIMIT_NOFILE, &before);
  assert_int_equal(status, WEIR_ENOTSUP);
  assert_int_equal(freed, 1);
  assert_null(call);
  assert_message(error, "gives the runtime no thread");
  /* when there is one again, then the thread starts */
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  assert_int_equal(weir_run_wait(operation, NULL, 10000, &outcome, NULL), WEIR_OK);
  weir_outcome_release(&outcome);
  weir_operation_unref(operation);
  assert_int_equal(weir_runtime_close_wait(own.runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(own.runtime);
  check_own(&own);
}

/* ---- an attached loop ------------------------------------------------------------------------ */

struct late {
  struct own *own;
  struct held held;
  weir_status status;
  int done;
};

/* Runs in every round of the loop, after weir's timer and before closing handles are finished. */
static void complete_once_closed(uv_check_t *check) {
  struct late *late = check->data;
  if (late->own->closed == 0 || late->done) return;
  late->done = 1;
  late->status = weir_complete(late->held.runtime, late->held.token, NULL);
  uv_close((uv_handle_t *)check, NULL);
}

static void orphan_that_ends_while_the_handles_close_is_taken(struct fixture *fx) {
  (void)fx;
  struct own own;
  uv_loop_t loop;
  uv_check_t check;
  struct late late = {.own = &own};
  assert_int_equal(uv_loop_init(&loop), 0);
  open_own(&own, WEIR_DRIVER_UV, &loop, 0);
  weir_operation *operation = operation_of(own.runtime, hold_token, &late.held);
  assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  weir_operation_unref(operation);
  while (late.held.token == 0) uv_run(&loop, UV_RUN_NOWAIT);
  /* given an attempt that goes on beyond the grace, which is none */
  uv_check_init(&loop, &check);
  check.data = &late;
  uv_check_start(&check, complete_once_closed);
  weir_runtime_unref(own.runtime);
  /* when it completes on the loop's thread, in the round in which weir gives its handles back */
  uv_run(&loop, UV_RUN_DEFAULT);
  /* then everything is freed, and the loop has nothing of weir */
  assert_int_equal(late.done, 1);
  assert_int_equal(late.status, WEIR_OK);
  assert_int_equal(own.orphans, 1);
  assert_int_equal(uv_run(&loop, UV_RUN_NOWAIT), 0);
  assert_int_equal(uv_loop_close(&loop), 0);
  check_own(&own);
}

static void C20_token_kept_past_the_loop_completes_on_another_thread(struct fixture *fx) {
  (void)fx;
  struct own own;
  uv_loop_t loop;
  struct held held = {0};
  assert_int_equal(uv_loop_init(&loop), 0);
  open_own(&own, WEIR_DRIVER_UV, &loop, 0);
  weir_operation *operation = operation_of(own.runtime, hold_token, &held);
  assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  weir_operation_unref(operation);
  while (held.token == 0) uv_run(&loop, UV_RUN_NOWAIT);
  weir_runtime_unref(own.runtime);
  uv_run(&loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&loop), 0);
  assert_int_equal(own.closed, 1);
  assert_int_equal(own.memory.released, 0); /* the shell is still there */
  assert_int_equal(weir_complete(held.runtime, held.token, NULL), WEIR_OK);
  check_own(&own);
}

struct late_pair {
  struct own own;
  _Atomic(weir_token) tokens[2];
  weir_runtime *runtime;
  unsigned starts; /* on the runtime's thread */
  sem_t started;
  sem_t other_is_back;
  int other_came;
};

static void *complete_the_other(void *data) {
  struct late_pair *pair = data;
  weir_complete(pair->runtime, pair->tokens[1], NULL);
  sem_post(&pair->other_is_back);
  return NULL;
}

/* Within ten seconds. */
static int is_raised_soon(sem_t *semaphore) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 10;
  return sem_timedwait(semaphore, &until) == 0;
}

/* The first attempt's data waits, as it is freed, for the other's completing call. */
static void wait_for_the_other(void *data) {
  struct late_pair *pair = data;
  pthread_t thread;
  pthread_create(&thread, NULL, complete_the_other, pair);
  pair->other_came = is_raised_soon(&pair->other_is_back);
  pthread_detach(thread);
}

static void start_pair(void *data, weir_attempt *attempt) {
  struct late_pair *pair = data;
  unsigned place = pair->starts++;
  pair->runtime = attempt->runtime;
  if (place > 1) return;
  pair->tokens[place] = attempt->token;
  if (place == 0) {
    attempt->data = pair;
    attempt->free_data = wait_for_the_other;
  }
  sem_post(&pair->started);
}

static void completing_after_the_end_holds_up_nobody_else(struct fixture *fx) {
  (void)fx;
  static struct late_pair pair; /* the other thread may be the last to let go */
  memset(&pair, 0, sizeof pair);
  sem_init(&pair.started, 0, 0);
  sem_init(&pair.other_is_back, 0, 0);
  open_own(&pair.own, WEIR_DRIVER_THREAD, NULL, 0);
  weir_operation *operation = operation_of(pair.own.runtime, start_pair, &pair);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, NULL, NULL), WEIR_OK);
  }
  for (int i = 0; i < 2; i++) sem_wait(&pair.started);
  weir_operation_unref(operation);
  assert_int_equal(weir_runtime_close_wait(pair.own.runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(pair.own.runtime);
  /* given a runtime that is gone but for two attempts, when one ends and its data waits for the
   * other, on another thread, then that one gets through */
  assert_int_equal(weir_complete(pair.runtime, pair.tokens[0], NULL), WEIR_OK);
  assert_true(pair.other_came);
  check_own(&pair.own);
}

/* ---- completing while on_cancel runs --------------------------------------------------------- */

struct meeting {
  weir_runtime *runtime;
  weir_token token;
  pthread_t thread;
  atomic_long other; /* the completing thread, as the kernel numbers it */
  int waited;
  weir_status status;
};

static void *complete_meanwhile(void *data) {
  struct meeting *meeting = data;
  meeting->other = syscall(SYS_gettid);
  meeting->status = weir_complete(meeting->runtime, meeting->token, NULL);
  return NULL;
}

/* Whether the kernel shows the thread as asleep, which it is when it waits for us. */
static int is_asleep(long thread) {
  char path[64];
  char line[128] = "";
  snprintf(path, sizeof path, "/proc/self/task/%ld/stat", thread);
  FILE *stat = fopen(path, "r");
  if (stat == NULL) return 0;
  if (fgets(line, sizeof line, stat) == NULL) line[0] = '\0';
  fclose(stat);
  const char *name_end = strrchr(line, ')');
  return name_end != NULL && strncmp(name_end, ") S", 3) == 0;
}

static void meet_in_cancel(void *data, uint32_t reason) {
  struct meeting *meeting = data;
  (void)reason;
  if (pthread_create(&meeting->thread, NULL, complete_meanwhile, meeting) != 0) abort();
  while (meeting->other == 0 || !is_asleep(meeting->other)) sched_yield();
  meeting->waited = 1;
}

static void start_meeting(void *data, weir_attempt *attempt) {
  struct meeting *meeting = data;
  meeting->runtime = attempt->runtime;
  meeting->token = attempt->token;
  attempt->on_cancel = meet_in_cancel;
  attempt->data = meeting;
}

static void completing_call_that_waits_for_on_cancel_is_woken(struct fixture *fx) {
  static struct meeting meeting;
  weir_call *call = NULL;
  memset(&meeting, 0, sizeof meeting);
  weir_operation *operation = operation_of(fx->runtime, start_meeting, &meeting);
  assert_int_equal(weir_run(operation, NULL, NULL, NULL, NULL, &call, NULL), WEIR_OK);
  weir_operation_unref(operation);
  run_until_idle(fx);
  assert_int_equal(weir_call_cancel(call), WEIR_OK);
  run_until_idle(fx);
  assert_int_equal(meeting.waited, 1);
  pthread_join(meeting.thread, NULL); /* or this hangs */
  assert_int_equal(meeting.status, WEIR_OK);
  weir_call_unref(call);
  run_until_idle(fx);
}

/* ---- fork ------------------------------------------------------------------------------------ */

enum { CHILD_FINE = 0, CHILD_HUNG = 99 };

/* Does `check` in a child, which fails if it takes longer than ten seconds. */
static int in_child(int (*check)(void *data), void *data) {
  pid_t child = fork();
  if (child == 0) {
    signal(SIGALRM, SIG_DFL);
    alarm(10);
    _exit(check(data));
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : CHILD_HUNG;
}

struct forked {
  weir_runtime *runtime;
  weir_operation *operation;
  weir_call *call;
  weir_completions *queue;
};

static int use_in_child(void *data) {
  struct forked *forked = data;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_record record;
  size_t count = 0;
  if (weir_run(forked->operation, NULL, NULL, NULL, NULL, NULL, NULL) != WEIR_EFORKED) return 1;
  if (weir_call_wait(forked->call, 100) != WEIR_EFORKED) return 2;
  if (weir_run_wait(forked->operation, NULL, 100, &outcome, NULL) != WEIR_EFORKED) return 3;
  if (weir_completions_wait(forked->queue, &record, sizeof record, 1, WEIR_FOREVER, &count) !=
      WEIR_EFORKED) {
    return 4;
  }
  weir_call_unref(forked->call);
  weir_completions_unref(forked->queue);
  weir_operation_unref(forked->operation);
  weir_runtime_unref(forked->runtime);
  return CHILD_FINE;
}

static void fork_leaves_a_runtime_that_says_so(struct fixture *fx, uint32_t driver) {
  (void)fx;
  struct own own;
  sem_t started;
  struct held held = {.started = &started};
  struct forked forked = {0};
  sem_init(&started, 0, 0);
  open_own(&own, driver, NULL, 0);
  forked.runtime = own.runtime;
  forked.operation = operation_of(own.runtime, hold_token, &held);
  assert_int_equal(weir_completions_new(own.runtime, NULL, &forked.queue, NULL), WEIR_OK);
  assert_int_equal(weir_run(forked.operation, NULL, NULL, NULL, NULL, &forked.call, NULL), WEIR_OK);
  if (driver == WEIR_DRIVER_MANUAL) weir_runtime_process(own.runtime, 1);
  sem_wait(&started);
  assert_int_equal(in_child(use_in_child, &forked), CHILD_FINE);
  assert_int_equal(weir_complete(own.runtime, held.token, NULL), WEIR_OK);
  weir_call_unref(forked.call);
  weir_completions_unref(forked.queue);
  weir_operation_unref(forked.operation);
  weir_status waited = weir_runtime_close_wait(own.runtime, WEIR_FOREVER);
  assert_int_equal(waited, driver == WEIR_DRIVER_MANUAL ? WEIR_ENOTSUP : WEIR_OK);
  weir_runtime_unref(own.runtime);
  sem_destroy(&started);
  check_own(&own);
}

static void fork_of_a_process_with_a_thread_driver(struct fixture *fx) {
  fork_leaves_a_runtime_that_says_so(fx, WEIR_DRIVER_THREAD);
}

static void fork_on_the_thread_that_processes(struct fixture *fx) {
  fork_leaves_a_runtime_that_says_so(fx, WEIR_DRIVER_MANUAL);
}

TEST_MAIN("engine_drivers", TEST(unused_runtime_starts_no_thread_and_ends_inside_close),
          TEST(close_wait_leaves_no_thread),
          TEST(run_without_a_descriptor_for_the_loop_fails_and_later_works),
          TEST(orphan_that_ends_while_the_handles_close_is_taken),
          TEST(C20_token_kept_past_the_loop_completes_on_another_thread),
          TEST(completing_after_the_end_holds_up_nobody_else),
          TEST(completing_call_that_waits_for_on_cancel_is_woken),
          TEST(fork_of_a_process_with_a_thread_driver), TEST(fork_on_the_thread_that_processes))
