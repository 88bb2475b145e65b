/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "glue.h"

/*
 * How Go's scheduler runs the engine. A goroutine takes its turns
 * (weirgo_turn); between two it sleeps, and has to be woken by whoever brings
 * work. Goroutines do that in Go, after their call (so calls that bring work
 * set `rousing` around it). All others, such as the breaker of another
 * goroutine that tells of a change, write to a descriptor that Go polls.
 *
 * Nothing is lost: who brings work stores it, then looks at `awake`; a turn
 * that is about to say that the goroutine may sleep clears `awake`, then looks
 * for work. Both with a full fence in between.
 */

struct weirgo_waker {
  atomic_uint references;
  atomic_uint awake;
  int descriptor;
};

static __thread int rousing;

weirgo_waker *weirgo_waker_new(void) {
  weirgo_waker *waker = calloc(1, sizeof(*waker));
  if (waker == NULL) return NULL;
  atomic_init(&waker->references, 1);
  waker->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (waker->descriptor == -1) {
    free(waker);
    return NULL;
  }
  return waker;
}

void weirgo_waker_unref(weirgo_waker *waker) {
  if (atomic_fetch_sub(&waker->references, 1) != 1) return;
  close(waker->descriptor);
  free(waker);
}

int weirgo_waker_descriptor(const weirgo_waker *waker) {
  return fcntl(waker->descriptor, F_DUPFD_CLOEXEC, 0);
}

static void free_waker(void *data) { weirgo_waker_unref(data); }

static void wake(void *data) {
  weirgo_waker *waker = data;
  if (rousing) return;
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load(&waker->awake)) return;
  uint64_t one = 1;
  ssize_t written = write(waker->descriptor, &one, sizeof(one));
  (void)written; /* full: it is readable already */
}

void weirgo_waker_install(weirgo_waker *waker, weir_runtime_options *options) {
  atomic_fetch_add(&waker->references, 1);
  options->driver = WEIR_DRIVER_HOST;
  options->wakeup = wake;
  options->wakeup_data = waker;
  options->wakeup_free_data = free_waker;
}

int weirgo_rouse(int on) {
  int before = rousing;
  rousing = on;
  return before;
}

static void begin_runs(weir_operation *operation, weir_completions *queue, weirgo_begin *runs,
                       uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    weir_call *call = NULL;
    weir_error *error = NULL;
    runs[i].status = weirgo_run_plain(operation, queue, (weir_policy *)runs[i].policy,
                                      runs[i].deadline_ms, runs[i].user, &call, &error);
    runs[i].call = (uintptr_t)call;
    runs[i].error = (uintptr_t)error;
  }
}

/* Nanoseconds until the next turn is needed; 0: now, -1: nothing waits for time. */
static int64_t until_next(weir_runtime *runtime) {
  int64_t next = weir_runtime_next_deadline(runtime);
  if (next == INT64_MAX) return -1;
  int64_t now = weir_runtime_now(runtime);
  return next > now ? next - now : 0;
}

void weirgo_turn(weirgo_waker *waker, weir_runtime *runtime, weir_operation *operation,
                 weir_completions *queue, weirgo_begin *runs, const weirgo_end *ends,
                 const uintptr_t *calls, weirgo_record *records, weirgo_counts *counts) {
  int before = weirgo_rouse(1);
  atomic_store(&waker->awake, 1);
  begin_runs(operation, queue, runs, counts->runs);
  for (uint32_t i = 0; i < counts->ends; ++i) {
    weirgo_complete_number(runtime, ends[i].token, ends[i].number, ends[i].class_, 0, WEIR_OFF);
  }
  weirgo_give_back(calls, counts->calls);
  counts->records = 0;
  for (int turns = 0; turns < 16; ++turns) {
    uint32_t got = 0;
    weir_runtime_process(runtime, 0);
    weirgo_drain(queue, records + counts->records, counts->capacity - counts->records, &got);
    counts->records += got;
    counts->wait_ns = until_next(runtime);
    if (counts->records == counts->capacity) {
      counts->wait_ns = 0;
      break;
    }
    if (counts->wait_ns != 0) {
      atomic_store(&waker->awake, 0);
      atomic_thread_fence(memory_order_seq_cst);
      counts->wait_ns = until_next(runtime);
      if (counts->wait_ns != 0) break;
      atomic_store(&waker->awake, 1);
    }
  }
  weirgo_rouse(before);
}

void weirgo_cancel(weir_call *call) {
  int before = weirgo_rouse(1);
  weir_call_cancel(call);
  weirgo_rouse(before);
}

int weirgo_ended(weir_runtime *runtime) { return weir_runtime_close_wait(runtime, 0) == WEIR_OK; }
