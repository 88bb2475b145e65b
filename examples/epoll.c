/* SPDX-License-Identifier: MIT */
/*
 * Drives a runtime from the program's own epoll loop, without libuv: an eventfd says that there is
 * new work, a timerfd that a timer is due. The loop serves the program's descriptors beside these.
 * A retried, timed-out job runs on it; a thread of the program's completes its attempts.
 */

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <weir/weir.h>

/* ---- the loop ---- */

struct loop {
  int epoll;
  int work;  /* eventfd */
  int timer; /* timerfd */
  weir_runtime *runtime;
  int stopped;
};

static int64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Any thread; must not call weir. */
static void on_wakeup(void *data) {
  struct loop *loop = data;
  uint64_t one = 1;
  (void)!write(loop->work, &one, sizeof one);
}

static int watch(struct loop *loop, int descriptor) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
  return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static int open_loop(struct loop *loop) {
  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  loop->work = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  loop->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  return loop->epoll < 0 || watch(loop, loop->work) != 0 || watch(loop, loop->timer) != 0 ? -1 : 0;
}

static void close_loop(struct loop *loop) {
  close(loop->timer);
  close(loop->work);
  close(loop->epoll);
}

/* Absolute, so that nothing is lost between reading the clock and setting the timer. */
static void set_timer(struct loop *loop, int64_t deadline_ns) {
  struct itimerspec when = {{0, 0}, {0, 0}}; /* INT64_MAX: disarmed */
  if (deadline_ns != INT64_MAX) {
    when.it_value.tv_sec = (time_t)(deadline_ns / 1000000000);
    when.it_value.tv_nsec = (long)(deadline_ns % 1000000000);
  }
  timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Clear the descriptor first: what comes after that raises it again. */
static void run_loop(struct loop *loop) {
  while (!loop->stopped) {
    struct epoll_event events[8];
    int count = epoll_wait(loop->epoll, events, 8, -1);
    for (int i = 0; i < count; i++) {
      uint64_t ticks = 0;
      (void)!read(events[i].data.fd, &ticks, sizeof ticks);
    }
    weir_runtime_process(loop->runtime, clock_ns());
    set_timer(loop, weir_runtime_next_deadline(loop->runtime));
  }
}

/* ---- the job: threads answer; the first too late, the second with an error ---- */

enum { ATTEMPTS = 3 };

struct worker {
  pthread_t thread;
  weir_runtime *runtime;
  weir_token token;
  uint32_t number; /* 0: none was started */
};

static void *work(void *data) {
  struct worker *worker = data;
  nanosleep(&(struct timespec){.tv_nsec = worker->number == 1 ? 80000000 : 5000000}, NULL);
  if (worker->number < ATTEMPTS) {
    weir_fail(worker->runtime, worker->token, WEIR_DOMAIN_USER, 7, "not yet");
  } else {
    weir_complete_bytes(worker->runtime, worker->token, "done", 4);
  }
  return NULL;
}

static void start(void *data, weir_attempt *attempt) {
  struct worker *worker = (struct worker *)data + (attempt->number - 1);
  *worker = (struct worker){
      .runtime = attempt->runtime, .token = attempt->token, .number = attempt->number};
  if (pthread_create(&worker->thread, NULL, work, worker) == 0) return;
  worker->number = 0;
  weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, 8, "no thread");
}

struct job {
  struct loop loop;
  struct worker workers[ATTEMPTS];
  weir_status status;
};

static void on_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct job *job = data;
  char line[256];
  (void)call;
  weir_outcome_describe(outcome, line, sizeof line);
  printf("%s\n", line);
  job->status = outcome->status;
  job->loop.stopped = 1;
}

/* Retry, 30 ms for each try. */
static weir_status run_job(struct job *job, weir_error **error) {
  weir_runtime *runtime = job->loop.runtime;
  weir_operation *operation = NULL;
  weir_retry *retry = NULL;
  weir_retry_options options = WEIR_RETRY_OPTIONS_INIT;
  options.max_attempts = ATTEMPTS;
  options.base_delay_ms = 10;
  options.attempt_timeout_ms = 30;
  weir_status status = weir_operation_new(runtime, start, job->workers, NULL, &operation, error);
  if (status == WEIR_OK) status = weir_retry_new(runtime, &options, &retry, error);
  if (status == WEIR_OK) {
    weir_run_options run = WEIR_RUN_OPTIONS_INIT;
    run.policy = weir_retry_policy(retry);
    status = weir_run(operation, &run, on_settled, job, NULL, NULL, error);
  }
  weir_retry_unref(retry); /* the run keeps what it needs */
  weir_operation_unref(operation);
  return status;
}

int main(void) {
  struct job job = {.status = WEIR_EINVAL};
  weir_error *error = NULL;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_MANUAL;
  options.wakeup = on_wakeup;
  options.wakeup_data = &job.loop;
  if (open_loop(&job.loop) != 0) {
    perror("epoll");
    return 1;
  }
  if (weir_runtime_new(&options, &job.loop.runtime, &error) != WEIR_OK ||
      run_job(&job, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  run_loop(&job.loop);
  for (int i = 0; i < ATTEMPTS; i++) {
    if (job.workers[i].number != 0) pthread_join(job.workers[i].thread, NULL);
  }
  weir_runtime_unref(job.loop.runtime); /* settles what is left, here nothing */
  close_loop(&job.loop);
  return job.status == WEIR_OK ? 0 : 1;
}
