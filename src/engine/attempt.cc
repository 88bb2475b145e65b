// SPDX-License-Identifier: MIT
#include "engine/attempt.hh"

#include <bit>

#include "engine/run.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

namespace weir {
namespace {

constexpr uint64_t state_of(uint32_t generation, AttemptPhase phase) {
  return static_cast<uint64_t>(generation) << 32 | static_cast<uint32_t>(phase);
}

constexpr uint32_t last_generation = UINT32_MAX;

// How many slots move between the engine's list and the shared one at a time.
constexpr uint32_t batch = 64;

// More free slots than this on the engine's list go half to the shared one.
constexpr uint32_t local_limit = 4096;

}  // namespace

void AttemptTable::start(Attempt &attempt) {
  auto generation = static_cast<uint32_t>(attempt.state.load(std::memory_order_relaxed) >> 32);
  attempt.state.store(state_of(generation, AttemptPhase::started), std::memory_order_release);
}

[[gnu::cold]] AttemptTable::~AttemptTable() {
  for (uint32_t i = 0; i < handed_out_.load(std::memory_order_relaxed); ++i) slot(i)->~Attempt();
  for (uint32_t chunk = 0; chunk < chunks_used_; ++chunk) {
    heap_->free(chunks_[chunk].load(std::memory_order_relaxed),
                sizeof(Attempt) * (first_chunk << chunk));
  }
}

Attempt *AttemptTable::slot(uint32_t index) const {
  // Chunk k holds 64·2^k slots, so index + 64 has its highest bit at k + 6.
  uint64_t shifted = uint64_t{index} + first_chunk;
  int chunk = 63 - std::countl_zero(shifted) - first_chunk_bits;
  return chunks_[chunk].load(std::memory_order_acquire) + (shifted - (first_chunk << chunk));
}

Attempt *AttemptTable::find(weir_token token) const {
  auto index = static_cast<uint32_t>(token);
  if (index >= handed_out_.load(std::memory_order_acquire)) return nullptr;
  return slot(index);
}

[[gnu::noinline]] Attempt *AttemptTable::reserve_shared() {
  Lock lock(mutex_);
  Attempt *attempt = pop_shared();
  return attempt != nullptr ? attempt : fresh();
}

// A batch for the engine's list, or as much of it as there is memory for.
[[gnu::cold]] void AttemptTable::refill() {
  Lock lock(mutex_);
  for (uint32_t i = 0; i < batch; ++i) {
    Attempt *attempt = pop_shared();
    if (attempt == nullptr && (i == 0 || handed_out_.load(std::memory_order_relaxed) < capacity_)) {
      attempt = fresh();
    }
    if (attempt == nullptr) return;
    attempt->next_free = local_free_;
    local_free_ = attempt;
    ++local_count_;
  }
}

Attempt *AttemptTable::pop_shared() {
  Attempt *attempt = shared_free_;
  if (attempt != nullptr) shared_free_ = attempt->next_free;
  return attempt;
}

// A slot that was never used. Under the mutex.
[[gnu::cold]] Attempt *AttemptTable::fresh() {
  uint32_t index = handed_out_.load(std::memory_order_relaxed);
  if (index == capacity_ && !grow()) return nullptr;
  auto *attempt = new (slot(index)) Attempt(index);
  handed_out_.store(index + 1, std::memory_order_release);
  return attempt;
}

bool AttemptTable::grow() {
  if (chunks_used_ == chunk_count) return false;
  uint64_t slots = first_chunk << chunks_used_;
  void *memory = heap_->allocate(sizeof(Attempt) * slots);
  if (memory == nullptr) return false;
  chunks_[chunks_used_++].store(static_cast<Attempt *>(memory), std::memory_order_release);
  capacity_ += static_cast<uint32_t>(slots);
  return true;
}

void AttemptTable::retire_token(Attempt &attempt) {
  auto generation = static_cast<uint32_t>(attempt.state.load(std::memory_order_relaxed) >> 32);
  attempt.state.store(state_of(generation + 1, AttemptPhase::free), std::memory_order_release);
}

[[gnu::noinline]] void AttemptTable::release_shared(Attempt *attempt) {
  Lock lock(mutex_);
  attempt->next_free = shared_free_;
  shared_free_ = attempt;
}

void AttemptTable::release(Attempt *attempt, bool local) {
  // A generation must never come again, so a slot that has used them all stays unused.
  if (attempt->state.load(std::memory_order_relaxed) >> 32 == last_generation) return;
  if (!local) {
    release_shared(attempt);
    return;
  }
  attempt->next_free = local_free_;
  local_free_ = attempt;
  if (++local_count_ > local_limit) spill();
}

[[gnu::cold]] void AttemptTable::spill() {
  Lock lock(mutex_);
  for (uint32_t i = 0; i < local_limit / 2; ++i, --local_count_) {
    Attempt *spilled = local_free_;
    local_free_ = spilled->next_free;
    spilled->next_free = shared_free_;
    shared_free_ = spilled;
  }
}

}  // namespace weir

using weir::Attempt;
using weir::AttemptPhase;

namespace {

AttemptPhase phase_of(uint64_t state) { return static_cast<AttemptPhase>(state & UINT32_MAX); }

bool move_phase(Attempt &attempt, uint64_t &state, AttemptPhase to) {
  uint64_t next = (state >> 32) << 32 | static_cast<uint32_t>(to);
  return attempt.state.compare_exchange_strong(state, next, std::memory_order_seq_cst,
                                               std::memory_order_acquire);
}

}  // namespace

// Brings a completion to the engine. An attempt that completes inside its own start function is
// looked at as soon as that returns.
inline void weir_runtime::deliver(Attempt &attempt) {
  if (on_thread() && starting_ == &attempt) {
    started_inline_ = true;
    return;
  }
  post(attempt.task);
}

weir_status weir_runtime::complete(weir_token token, weir::Result &&result) {
  if (forked()) return WEIR_EFORKED;
  Attempt *attempt = attempts_.find(token);
  if (attempt == nullptr) return WEIR_ESTALE;
  uint64_t state = attempt->state.load(std::memory_order_acquire);
  while (state >> 32 == token >> 32) {
    AttemptPhase phase = phase_of(state);
    if (phase == AttemptPhase::started || phase == AttemptPhase::orphan) {
      if (!move_phase(*attempt, state, AttemptPhase::completing)) continue;
      attempt->result = static_cast<weir::Result &&>(result);
      deliver(*attempt);
      return WEIR_OK;
    }
    if (phase != AttemptPhase::cancelling) return WEIR_ESTALE;
    if (complete_cancelling(*attempt, state)) return WEIR_OK;
  }
  return WEIR_ESTALE;
}

// From inside on_cancel: true. Otherwise after it; `state` is what it left.
[[gnu::cold]] bool weir_runtime::complete_cancelling(Attempt &attempt, uint64_t &state) {
  if (on_thread()) {
    move_phase(attempt, state, AttemptPhase::cancelled_done);
    return true;
  }
  wait_for_cancel(attempt, state);
  state = attempt.state.load(std::memory_order_acquire);
  return false;
}

// Until on_cancel has returned on the engine's thread.
[[gnu::cold]] void weir_runtime::wait_for_cancel(Attempt &attempt, uint64_t state) {
  weir::Lock lock(settle_mutex_);
  cancel_waiters_.fetch_add(1, std::memory_order_seq_cst);
  while (attempt.state.load(std::memory_order_seq_cst) == state) {
    settle_condition_.wait(settle_mutex_);
  }
  cancel_waiters_.fetch_sub(1, std::memory_order_relaxed);
}

void weir_runtime::attempt_completed(weir_runtime &runtime, weir::Task &task) {
  Attempt &attempt = *static_cast<weir::AttemptTask &>(task).attempt;
  if (attempt.detached) {
    attempt.result.clear();
    runtime.attempt_over(attempt);
    return;
  }
  attempt.run->signal(attempt.leaf, weir::Signal::wake);
}

weir::Task::RunFn weir::attempt_task_function() { return weir_runtime::attempt_completed; }

[[gnu::cold]] void weir_runtime::attempt_orphaned(Attempt &attempt) {
  attempt.detached = true;
  attempt.told_at_ns = now_;
  orphans_.push_back(&attempt);
  orphan_count_.store(orphan_count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (max_in_flight_ != WEIR_UNLIMITED) in_flight_.fetch_add(1, std::memory_order_relaxed);
}

[[gnu::cold]] void weir_runtime::cancel_attempt(Attempt &attempt, uint32_t reason) {
  if (attempt.queue != nullptr && attempt.queue->revoke(attempt.start_record)) {
    // The host never heard of it, so nobody else can complete it.
    weir::unref_value(reinterpret_cast<weir_value *>(
        static_cast<uintptr_t>(attempt.start_record.content.detail)));
    attempt_over(attempt);
    return;
  }
  uint64_t state = attempt.state.load(std::memory_order_acquire);
  attempt_orphaned(attempt);
  AttemptPhase told =
      attempt.on_cancel == nullptr ? AttemptPhase::orphan : AttemptPhase::cancelling;
  if (phase_of(state) != AttemptPhase::started || !move_phase(attempt, state, told)) {
    return;  // its completion is on the way
  }
  if (attempt.queue != nullptr) {
    attempt.cancel_record.content.number = static_cast<uint16_t>(reason);
    attempt.queue->post(attempt.cancel_record);
  }
  if (told == AttemptPhase::orphan) return;
  attempt.on_cancel(attempt.data, reason);
  user_ran();
  state = (state >> 32) << 32 | static_cast<uint32_t>(AttemptPhase::cancelling);
  bool done = !move_phase(attempt, state, AttemptPhase::orphan);
  if (cancel_waiters_.load(std::memory_order_seq_cst) != 0) {
    weir::Lock lock(settle_mutex_);
    settle_condition_.wake_all();
  }
  if (done) attempt_over(attempt);
}

// The attempt is completed and nothing of it is on its way: everything it holds goes, the slot is
// free again.
void weir_runtime::attempt_over(Attempt &attempt) {
  if (attempt.linked() || attempt.queue != nullptr || attempt.obligation != nullptr ||
      attempt.free_data != nullptr) {
    give_back(attempt);
    return;
  }
  weir_call *run = attempt.run;
  attempt_ended(attempt);
  run->unhold();
  if (life() != weir::Life::open) attempt_over_closing();
}

inline void weir_runtime::attempt_ended(Attempt &attempt) {
  attempt.clear();
  weir::AttemptTable::retire_token(attempt);
  attempts_.release(&attempt, true);
  --started_out_;
}

[[gnu::cold]] void weir_runtime::attempt_over_closing() {
  if (life() == weir::Life::dead) {
    release_shell();
  } else {
    post_close_task();
  }
}

// The same of one that holds more than its run.
[[gnu::noinline]] void weir_runtime::give_back(Attempt &attempt) {
  if (attempt.linked()) {
    orphans_.remove(&attempt);
    orphan_count_.store(orphan_count_.load(std::memory_order_relaxed) - 1,
                        std::memory_order_relaxed);
    if (max_in_flight_ != WEIR_UNLIMITED) in_flight_.fetch_sub(1, std::memory_order_relaxed);
  }
  weir_free_fn free_data = attempt.free_data;
  void *data = attempt.data;
  weir_completions *queue = attempt.queue;
  weir::Obligation *obligation = attempt.obligation;
  weir_call *run = attempt.run;
  if (queue != nullptr) {
    queue->revoke(attempt.cancel_record);
    attempt.end_show(heap());
  }
  attempt_ended(attempt);
  if (obligation != nullptr) drop_obligation(obligation);
  if (free_data != nullptr) {
    free_data(data);
    user_ran();
  }
  if (queue != nullptr) queue->unref();
  run->unhold();
  if (life() != weir::Life::open) attempt_over_closing();
}

weir::Obligation *weir_runtime::new_obligation(weir::Obligation::ReleaseFn release,
                                               weir::Handle &policy, weir_permit permit,
                                               uint64_t detail, weir::Obligation *outer) {
  void *memory = pool_.take(weir::BlockPool::block_size(sizeof(weir::Obligation)), true);
  if (memory == nullptr) return nullptr;
  policy.enter();
  if (outer != nullptr) ++outer->count;
  return new (memory) weir::Obligation{release, &policy, permit, detail, outer, 1};
}

[[gnu::noinline]] void weir_runtime::drop_obligation(weir::Obligation *obligation) {
  while (obligation != nullptr && --obligation->count == 0) {
    weir::Obligation *outer = obligation->outer;
    weir::Handle *policy = obligation->policy;
    obligation->release(*policy, obligation->permit, obligation->detail);
    if (pool_.give(obligation, weir::BlockPool::block_size(sizeof(weir::Obligation)), true)) {
      release_shell();
    }
    policy->leave();
    obligation = outer;
  }
}
