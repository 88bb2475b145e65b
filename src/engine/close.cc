// SPDX-License-Identifier: MIT
//
// How a runtime ends; the table is in runtime.hh. The close task does one piece of it a step, so
// that stopping ten thousand runs does not hold up a loop.

#include <cstdio>

#include "base/time.hh"
#include "engine/completions.hh"
#include "engine/runtime.hh"

using weir::Life;
using weir::Lock;

void weir_runtime::unref() {
  if (outside_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (forked()) return;  // in the child nothing is to be touched
  close();
  driver_->type->abandoned(*driver_);
  release_shell();
}

void weir_runtime::close() {
  if (forked()) return;
  Life open = Life::open;
  if (!life_.compare_exchange_strong(open, Life::closing, std::memory_order_seq_cst)) return;
  post_close_task();
  driver_->type->closing(*driver_);
}

void weir_runtime::post_close_task() {
  if (!close_posted_.exchange(true, std::memory_order_acq_rel)) post(close_task_);
}

void weir_runtime::close_task_run(weir_runtime &runtime, weir::Task &) {
  runtime.close_posted_.store(false, std::memory_order_release);
  runtime.close_step();
}

void weir_runtime::close_step() {
  if (life() == Life::grace) {
    if (started_out_ == 0) finish_close();
    return;
  }
  if (life() != Life::closing) return;
  if (weir_call *run = live_.front()) {
    run->stop(WEIR_ECLOSED, WEIR_CANCEL_SHUTDOWN);  // posts this task again
    return;
  }
  // A thread may be between the look at life_ and its post; runs may wait in the ready queue.
  bool entering = entering_.load(std::memory_order_seq_cst) != 0;
  uint64_t accepted =
      accepted_.load(std::memory_order_relaxed) + accepted_remote_.load(std::memory_order_acquire);
  if (entering || accepted != settled_.load(std::memory_order_relaxed)) {
    post_close_task();
  } else {
    all_settled();
  }
}

// Everything has settled: tell, then wait for orphans, but not longer than the grace.
void weir_runtime::all_settled() {
  life_.store(Life::grace, std::memory_order_seq_cst);
  while (weir::CloseHook *hook = close_hooks_.pop_front()) hook->run(*hook);
  registry_.close();
  if (recorder_ != nullptr) recorder_->close();
  {
    Lock lock(queues_mutex_);
    for (weir_completions *queue = queues_.front(); queue != nullptr; queue = queues_.next(queue)) {
      queue->runtime_closed();
    }
  }
  if (on_closed_) on_closed_(started_out_);
  on_closed_.finish();
  user_ran();
  if (started_out_ == 0 || close_grace_ns_ == 0) {
    finish_close();
  } else {
    wheel_.arm(grace_timer_, weir::deadline_after(now_to_arm(0), close_grace_ns_));
  }
}

void weir_runtime::give_no_grace() {
  close_grace_ns_ = 0;
  if (life() == Life::grace) finish_close();
}

void weir_runtime::grace_over(weir_runtime &runtime, weir::Timer &) { runtime.finish_close(); }

void weir_runtime::finish_close() {
  if (finishing_) return;
  finishing_ = true;
  wheel_.disarm(grace_timer_);
  if (started_out_ > 0) {
    char message[96];
    std::snprintf(message, sizeof(message), "closed with %llu attempts never completed",
                  static_cast<unsigned long long>(started_out_));
    log(WEIR_LOG_WARNING, nullptr, message);
  }
  {
    Lock lock(wake_mutex_);
    driver_stopping_ = true;
  }
  driver_->type->stop(*driver_);
}

void weir_runtime::driver_gone() {
  shell_.fetch_add(started_out_, std::memory_order_relaxed);
  pool_.close(shell_);
  on_event_.finish();
  draining_.store(true, std::memory_order_relaxed);
  owned_.store(false, std::memory_order_release);
  life_.store(Life::dead, std::memory_order_seq_cst);
  uint64_t released = 1 + drain_held();
  {
    Lock lock(settle_mutex_);
    settle_condition_.wake_all();
  }
  release_shell(released);
}

weir_status weir_runtime::close_wait(int64_t timeout_ms) {
  if (driver_->type->join == nullptr) return WEIR_ENOTSUP;
  if (forked()) return WEIR_EFORKED;
  if (on_thread()) return WEIR_ETHREAD;
  close();
  int64_t until = weir::deadline_after(weir::monotonic_now(), weir::ms_to_ns(timeout_ms));
  {
    Lock lock(settle_mutex_);
    bool in_time = true;
    while (in_time && life() != Life::dead) {
      in_time = settle_condition_.wait_until(settle_mutex_, until);
    }
  }
  if (life() != Life::dead) return WEIR_ETIMEDOUT;
  driver_->type->join(*driver_);
  return WEIR_OK;
}
