// SPDX-License-Identifier: MIT
#include "engine/runtime.hh"

#include <sched.h>

#include <algorithm>
#include <cstring>

#include "base/time.hh"
#include "engine/completions.hh"
#include "engine/scope.hh"

using weir::Life;
using weir::Lock;

[[gnu::cold]] weir_runtime::weir_runtime(weir::RuntimeSetup &&setup)
    : heap_(setup.heap),
      driver_(setup.driver),
      name_(setup.name),
      random_(setup.seed),
      log_(static_cast<weir::Callback<weir_log_fn> &&>(setup.log)),
      log_level_(setup.log_level),
      on_event_(static_cast<weir::Callback<weir_event_fn> &&>(setup.on_event)),
      on_closed_(static_cast<weir::Callback<weir_closed_fn> &&>(setup.on_closed)),
      observed_((on_event_ ? uint32_t{by_listener} : 0) |
                (setup.recorder != nullptr ? uint32_t{by_recorder} : 0) |
                (setup.metrics ? uint32_t{by_metrics} : 0)),
      recorder_(setup.recorder),
      meters_(setup.heap, setup.metrics),
      max_in_flight_(setup.max_in_flight),
      close_grace_ns_(setup.close_grace_ns),
      now_(driver_->now()),
      attempts_(setup.heap),
      pool_(setup.heap),
      registry_(setup.heap),
      close_task_(close_task_run),
      trim_task_(trim_task_run),
      grace_timer_(grace_over) {
  driver_->runtime = this;
  wheel_.begin(now_);
}

// ---- posting ----

void weir_runtime::post(weir::Task &task) {
  if (on_thread()) {
    post_here(task);
    return;
  }
  if (forked()) return;  // there is no engine here, and its locks may be held for ever
  enter();
  uint64_t released = 0;
  bool edge = inbox_.push(&task);
  if (life_.load(std::memory_order_seq_cst) == Life::dead) {
    released = drain_dead();
  } else if (edge) {
    wake_driver();
  }
  leave();
  // Without `released` this may be gone by now.
  if (released != 0) release_shell(released);
}

void weir_runtime::wake_driver() {
  Lock lock(wake_mutex_);
  if (!driver_stopping_) driver_->wakeup();
}

// After the end there are no turns: whoever posted does what was posted, one thread at a time, and
// what others post meanwhile. No lock is held: user code may wait for another thread that posts.
// What that releases of the shell is returned: to be released once this thread is out of here.
uint64_t weir_runtime::drain_dead() {
  return draining_.exchange(true, std::memory_order_seq_cst) ? 0 : drain_held();
}

// With draining_ taken. Who found it taken has pushed before, so the last look sees that.
[[gnu::cold]] uint64_t weir_runtime::drain_held() {
  uint64_t released = 0;
  do {
    become_owner();
    in_turn_ = true;
    do {
      inbox_.take(ready_);
      while (weir::Task *task = ready_.pop()) task->run(*this, *task);
    } while (!inbox_.empty());
    in_turn_ = false;
    owned_.store(false, std::memory_order_release);
    released += deferred_releases_;
    deferred_releases_ = 0;
    draining_.store(false, std::memory_order_seq_cst);
  } while (!inbox_.empty() && !draining_.exchange(true, std::memory_order_seq_cst));
  return released;
}

// ---- turns ----

void weir_runtime::become_owner() {
  owner_.store(weir::this_thread(), std::memory_order_relaxed);
  owned_.store(true, std::memory_order_release);
}

[[gnu::cold]] bool weir_runtime::claim_thread() {
  if (on_thread()) return true;
  if (owned_.load(std::memory_order_acquire) || driver_->type->join != nullptr) return false;
  become_owner();
  return true;
}

bool weir_runtime::turn(uint64_t *steps) {
  if (!on_thread()) become_owner();
  in_turn_ = true;
  // Before the clock is read: waits of what was handed in must not count from before that.
  inbox_.take(ready_);
  now_ = std::max(now_, driver_->now());
  stale_ = false;
  // Timers get their share of the steps, however fast the ready queue fills itself.
  uint32_t left = turn_steps / 2;
  run_ready(left);
  left += turn_steps / 2;
  fire_timers(left);
  in_turn_ = false;
  turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  update_keep_alive();
  if (steps != nullptr) *steps += turn_steps - left;
  return has_work();
}

void weir_runtime::run_ready(uint32_t &steps) {
  while (steps > 0) {
    weir::Task *task = ready_.pop();
    if (task == nullptr) return;
    --steps;
    task->run(*this, *task);
  }
}

void weir_runtime::fire_timers(uint32_t &steps) {
  uint32_t moves = turn_moves;
  while (steps > 0) {
    weir::Timer *timer = wheel_.pop_due(now_, moves);
    if (timer == nullptr) return;
    --steps;
    timer->fire(*this, *timer);
    run_ready(steps);
  }
}

bool weir_runtime::has_work() const {
  return !ready_.empty() || !inbox_.empty() || wheel_.next_deadline() <= now_;
}

int64_t weir_runtime::next_deadline() const {
  return !ready_.empty() || !inbox_.empty() ? now_ : wheel_.next_deadline();
}

void weir_runtime::update_keep_alive() {
  bool alive = !live_.empty() || started_out_ > 0 || expected_ > 0 || !ready_.empty() ||
               (life() != Life::open && life() != Life::dead);
  if (alive == kept_alive_) return;
  kept_alive_ = alive;
  driver_->type->keep_alive(*driver_, alive);
}

void weir_runtime::expect(int64_t change) {
  expected_ += change;
  if (!in_turn_) update_keep_alive();
}

void weir_runtime::timer_armed() {
  if (!in_turn_) driver_->type->schedule(*driver_);
}

int64_t weir_runtime::now_to_arm(int64_t delay_ns) {
  constexpr int64_t coarse_from = 64 * weir::ns_per_ms;
  if (!stale_) return now_;
  if (delay_ns > coarse_from) return driver_->type->coarse_ceiling(*driver_);
  now_ = std::max(now_, driver_->now());
  stale_ = false;
  return now_;
}

// ---- runs ----

[[gnu::noinline]] weir_status weir_runtime::admit_counted(bool local) {
  if (!local) {
    weir_status status = driver_->type->ensure(*driver_);
    if (status != WEIR_OK) return status;
  }
  if (max_in_flight_ == WEIR_UNLIMITED) return WEIR_OK;
  if (in_flight_.fetch_add(1, std::memory_order_relaxed) < max_in_flight_) return WEIR_OK;
  unadmit();
  return WEIR_EFULL;
}

[[gnu::noinline]] void weir_runtime::accept_remote(weir::Task &task) {
  accepted_remote_.fetch_add(1, std::memory_order_relaxed);
  post(task);
}

// ---- telling ----

void weir_runtime::emit(weir_event event) {
  event.size = sizeof(event);
  event.at_ns = now_;
  if (recorder_ != nullptr) recorder_->note(event);
  if (!on_event_) return;
  on_event_(&event);
  user_ran();
}

[[gnu::cold]] void weir_runtime::log_line(int32_t level, const char *subject,
                                          const char *message) const {
  if (level > log_level_ || level <= WEIR_LOG_OFF) return;
  if (subject == nullptr) subject = name();
  if (message == nullptr) message = "";
  if (recorder_ != nullptr && !forked()) recorder_->note_line(clock(), level, subject, message);
  if (log_) log_(level, subject, message);
}

[[gnu::cold]] void weir_runtime::log(int32_t level, const char *subject,
                                     const char *message) const {
  if (level > log_level_) return;
  weir_scope *scope = on_thread() && running_ != nullptr ? running_->request().scope : nullptr;
  if (scope == nullptr) {
    log_line(level, subject, message);
    return;
  }
  char path[weir::scope_path_size];
  scope->write_path(path, sizeof(path), subject);
  log_line(level, path, message);
}

[[gnu::cold]] void weir_runtime::add_queue(weir_completions &queue) {
  Lock lock(queues_mutex_);
  queues_.push_back(&queue);
  if (life() >= Life::grace) queue.runtime_closed();  // the others were told, or are about to be
}

[[gnu::cold]] void weir_runtime::remove_queue(weir_completions &queue) {
  Lock lock(queues_mutex_);
  using Node = weir::ListNode<weir_completions, weir::OfRuntime>;
  if (static_cast<Node &>(queue).linked()) queues_.remove(&queue);
}

// ---- memory ----

[[gnu::cold]] void weir_runtime::trim() {
  if (on_thread()) {
    pool_.trim();
    return;
  }
  if (forked()) return;
  if (trim_posted_.exchange(true, std::memory_order_acq_rel)) return;
  retain_shell();
  post(trim_task_);
}

void weir_runtime::trim_task_run(weir_runtime &runtime, weir::Task &) {
  runtime.trim_posted_.store(false, std::memory_order_release);
  runtime.pool_.trim();
  runtime.release_shell();
}

[[gnu::cold]] void weir_runtime::release_shell(uint64_t count) {
  if (life() == Life::dead && on_thread()) {
    deferred_releases_ += count;
    return;
  }
  if (shell_.fetch_sub(count, std::memory_order_acq_rel) == count) destroy();
}

// Nothing refers to the runtime any more, but a thread may still be on its way out of post().
[[gnu::cold]] void weir_runtime::destroy() {
  while (entering_.load(std::memory_order_acquire) != 0) sched_yield();
  weir::Driver *driver = driver_;
  weir::Heap *heap = heap_;
  char *name = name_;
  if (recorder_ != nullptr) recorder_->destroy();
  this->~weir_runtime();
  heap->free(this, sizeof(weir_runtime));
  heap->free_text(name);
  driver->type->destroy(*driver);
  heap->release();
}
