// SPDX-License-Identifier: MIT
//
// The thread driver: a uv loop on a thread named "weir", started when first needed, signals
// blocked.
//
//   idle     → running   ensure() or a wake-up: the loop is made, the thread started
//   idle     → unneeded  closing: nothing ever ran, the closing thread takes the last turns itself
//   running  → ended     the engine stopped, all handles are closed: the thread's last act is to
//                        tell the engine, after which it touches nothing of weir
//
// `state` changes under `mutex` only. The thread is joined by close_wait or, if nobody waits,
// detached or joined by whoever frees the driver.

#include <pthread.h>
#include <signal.h>

#include "base/mutex.hh"
#include "base/time.hh"
#include "driver/uv.hh"

namespace weir {
namespace {

enum class ThreadState { idle, running, unneeded };

struct ThreadDriver : UvDriver {
  explicit ThreadDriver(Heap *driver_heap);

  int32_t start();
  // Waits for a start that is going on.
  bool running();

  Mutex mutex;
  std::atomic<ThreadState> state{ThreadState::idle};
  bool stopped = false;  // unneeded: the engine asked to stop
  bool joined = false;
  pthread_t thread{};
  uv_loop_t own_loop;
};

ThreadDriver &thread_self(Driver &driver) { return static_cast<ThreadDriver &>(driver); }

void *thread_main(void *argument) {
  auto *driver = static_cast<ThreadDriver *>(argument);
  pthread_setname_np(pthread_self(), "weir");
  uv_run(&driver->own_loop, UV_RUN_DEFAULT);
  uv_loop_close(&driver->own_loop);
  driver->runtime->driver_gone();
  return nullptr;
}

// Starts the thread with all signals blocked: they are the host's business.
int start_thread(ThreadDriver &driver) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&driver.thread, nullptr, thread_main, &driver);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return failed;
}

// No thread came: the handles are closed by a loop that runs just for that.
void undo_open(ThreadDriver &driver) {
  driver.close_handles();
  uv_run(&driver.own_loop, UV_RUN_DEFAULT);
  uv_loop_close(&driver.own_loop);
  driver.closing = false;
}

int32_t start_idle(ThreadDriver &driver) {
  if (uv_loop_init(&driver.own_loop) != 0) return WEIR_ENOTSUP;
  if (driver.open(&driver.own_loop) != 0) {
    uv_loop_close(&driver.own_loop);
    return WEIR_ENOTSUP;
  }
  if (start_thread(driver) != 0) {
    undo_open(driver);
    return WEIR_ENOTSUP;
  }
  driver.state.store(ThreadState::running, std::memory_order_release);
  return WEIR_OK;
}

int32_t thread_ensure(Driver &driver) {
  if (driver.runtime->forked()) return WEIR_EFORKED;
  if (thread_self(driver).state.load(std::memory_order_acquire) == ThreadState::running)
    return WEIR_OK;
  return thread_self(driver).start();
}

// Closing needs no thread: if none runs by then, the closing thread takes the last turns.
void thread_wakeup(Driver &driver) {
  bool open = driver.runtime->life() == Life::open;
  bool runs = open ? thread_ensure(driver) == WEIR_OK : thread_self(driver).running();
  if (runs) uv_wakeup(driver);
}

void thread_schedule(Driver &driver) {
  if (thread_self(driver).state.load(std::memory_order_acquire) == ThreadState::running)
    uv_schedule(driver);
}

void thread_stop(Driver &driver) {
  if (thread_self(driver).state.load(std::memory_order_acquire) == ThreadState::running) {
    uv_stop_driver(driver);
  } else {
    thread_self(driver).stopped = true;
  }
}

void thread_keep_alive(Driver &, bool) {}

void thread_closing(Driver &driver) {
  ThreadDriver &thread = thread_self(driver);
  {
    Lock lock(thread.mutex);
    if (thread.state.load(std::memory_order_relaxed) == ThreadState::running) return;
    thread.state.store(ThreadState::unneeded, std::memory_order_release);
  }
  while (!thread.stopped) driver.runtime->turn();
  driver.runtime->driver_gone();
}

void thread_abandoned(Driver &) {}

void thread_join(Driver &driver) {
  ThreadDriver &thread = thread_self(driver);
  Lock lock(thread.mutex);
  if (thread.state.load(std::memory_order_relaxed) != ThreadState::running || thread.joined) return;
  pthread_join(thread.thread, nullptr);
  thread.joined = true;
}

void thread_destroy(Driver &driver) {
  ThreadDriver &thread = thread_self(driver);
  if (thread.state.load(std::memory_order_acquire) == ThreadState::running && !thread.joined) {
    if (thread.thread == pthread_self()) {
      pthread_detach(thread.thread);
    } else {
      pthread_join(thread.thread, nullptr);
    }
  }
  Heap *heap = thread.heap;
  heap->destroy(&thread);
}

void handles_closed(UvDriver &) {}  // the loop ends by itself

constexpr DriverType thread_driver_type = {
    uv_clock,        uv_coarse_ceiling, uv_coarse_floor, thread_wakeup,     thread_ensure,
    thread_schedule, thread_stop,       thread_destroy,  thread_keep_alive, uv_submit,
    thread_closing,  thread_abandoned,  thread_join};

ThreadDriver::ThreadDriver(Heap *driver_heap) : UvDriver(&thread_driver_type, driver_heap, true) {
  closed = handles_closed;
}

int32_t ThreadDriver::start() {
  Lock lock(mutex);
  switch (state.load(std::memory_order_relaxed)) {
    case ThreadState::idle:
      return start_idle(*this);
    case ThreadState::running:
      return WEIR_OK;
    case ThreadState::unneeded:
      return WEIR_ECLOSED;
  }
  return WEIR_ECLOSED;
}

bool ThreadDriver::running() {
  Lock lock(mutex);
  return state.load(std::memory_order_relaxed) == ThreadState::running;
}

}  // namespace

Driver *make_thread_driver(Heap *heap) { return heap->make<ThreadDriver>(heap); }

}  // namespace weir
