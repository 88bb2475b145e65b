// SPDX-License-Identifier: MIT
//
// Attempts and the table of their tokens. A slot is reserved with a run, started, and free again
// when the user has completed it and nothing speaks of it any more. A token is {index, generation}:
// the generation goes up each time a slot is freed, so an old token finds nothing.
//
//   phase       from → to, and who
//   free        → started        engine: the start function is about to run
//   started     → completing     any thread: a completing call (it alone writes the result)
//               → cancelling     engine: told to stop, on_cancel is running
//   cancelling  → orphan         engine: on_cancel returned
//               → cancelled_done the engine's thread: completed from inside on_cancel
//   orphan      → completing     any thread
//   completing  → free           engine: the completion task
//   cancelled_done → free        engine: after on_cancel returned
//
// One compare-and-swap decides each race. A completing call on another thread that meets
// `cancelling` waits for on_cancel to return: on_cancel must not begin after it came back.
// Slots live in chunks that double in size and never move, so a token is looked up without a lock.
// Who shows an attempt to its host (weir_attempt_get) counts as a reader before he looks whether it
// is completed; the completing call changes the phase before the engine looks for readers, and it
// waits for them to leave. So what is shown is there, in Dekker's way, and nobody else pays for it.

#pragma once

#include <weir/operation.h>

#include <atomic>

#include "base/heap.hh"
#include "base/list.hh"
#include "base/mutex.hh"
#include "engine/completions.hh"
#include "engine/outcome.hh"
#include "engine/task.hh"

struct weir_call;

namespace weir {

// A permit that is held until the work started under it has really ended. The layer that acquired
// it holds one count, every attempt started beneath it and every obligation further in another; the
// last to let go releases, then lets go of the obligation further out. The engine's thread.
struct Obligation {
  using ReleaseFn = void (*)(Handle &policy, weir_permit permit, uint64_t detail);

  ReleaseFn release;
  Handle *policy;  // entered while this lives
  weir_permit permit;
  uint64_t detail;  // the policy's own
  Obligation *outer;
  uint32_t count;
};

enum class AttemptPhase : uint32_t {
  free,
  started,
  cancelling,
  orphan,
  completing,
  cancelled_done,
};

// The task that brings an attempt's completion to the engine.
Task::RunFn attempt_task_function();

struct AttemptTask : Task {
  explicit AttemptTask(struct Attempt *completed)
      : Task(attempt_task_function(), Lane::completion), attempt(completed) {}
  struct Attempt *attempt;
};

struct AttemptRecord : Record {
  AttemptRecord(DrainedFn function, struct Attempt *told)
      : Record(function, Tell::only_given_up), attempt(told) {}
  struct Attempt *attempt;
};

struct Attempt : ListNode<Attempt> {
  explicit Attempt(uint32_t slot_index)
      : state(uint64_t{1} << 32),
        index(slot_index),
        task(this),
        start_record(start_drained, this),
        cancel_record(nullptr, this) {}

  weir_token token() const { return (state.load(std::memory_order_relaxed) >> 32) << 32 | index; }

  // Forgets the run; for the next one.
  void clear() {
    run = nullptr;
    detached = false;
    obligation = nullptr;
    queue = nullptr;
    on_cancel = nullptr;
    data = nullptr;
    free_data = nullptr;
  }

  // The queue ended with the START in it: the attempt fails as closed.
  static void start_drained(Record &record, bool kept);

  // Fills what the attempt of a queued operation is shown, while it is there. Any thread.
  weir_status show(weir_token token, weir_attempt &shown, weir_outcome *failed_before);
  // The same is over: nobody can find it any more. The engine's thread.
  void end_show(Heap *heap);

  std::atomic<uint64_t> state;  // generation << 32 | phase
  uint32_t index;
  std::atomic<uint32_t> readers{0};  // calls of weir_attempt_get(); see there
  Attempt *next_free = nullptr;
  AttemptTask task;  // the completion, on its way to the engine

  // The engine's thread, while not free.
  weir_call *run = nullptr;
  uint32_t leaf = 0;       // the layer that started it
  bool detached = false;   // the run went on without it
  int64_t told_at_ns = 0;  // when it became an orphan
  Obligation *obligation = nullptr;
  weir_completions *queue = nullptr;  // of a queued operation; one outside reference
  weir_cancel_fn on_cancel = nullptr;
  void *data = nullptr;
  weir_free_fn free_data = nullptr;

  // Of a queued operation, while `queue` is there: what it was started with.
  uint32_t number = 0;
  int64_t deadline_ns = 0;
  KeptOutcome *failed = nullptr;

  // Written by the completing call, read by the completion task.
  Result result;

  AttemptRecord start_record;
  AttemptRecord cancel_record;
};

class AttemptTable {
 public:
  explicit AttemptTable(Heap *heap) : heap_(heap) {}
  AttemptTable(const AttemptTable &) = delete;
  AttemptTable &operator=(const AttemptTable &) = delete;
  ~AttemptTable();

  // A free slot, reserved; NULL without memory. `local`: called on the engine's thread.
  Attempt *reserve(bool local) {
    if (!local) return reserve_shared();
    if (local_free_ == nullptr) refill();
    Attempt *attempt = local_free_;
    if (attempt == nullptr) return nullptr;
    local_free_ = attempt->next_free;
    --local_count_;
    return attempt;
  }
  // Gives a reserved slot back that was never started, or one that is over.
  void release(Attempt *attempt, bool local);

  // free → started: the token is valid from here on.
  static void start(Attempt &attempt);
  // The attempt that `token` names, if there ever was one at its index; else NULL. Any thread.
  Attempt *find(weir_token token) const;
  // After completion: the token is void from here on.
  static void retire_token(Attempt &attempt);

 private:
  static constexpr int first_chunk_bits = 6;
  static constexpr uint64_t first_chunk = uint64_t{1} << first_chunk_bits;
  static constexpr uint32_t chunk_count = 25;  // 2^31 - 64 slots

  Attempt *slot(uint32_t index) const;
  Attempt *fresh();
  Attempt *pop_shared();
  Attempt *reserve_shared();
  void release_shared(Attempt *attempt);
  void refill();
  void spill();
  bool grow();

  Heap *heap_;
  Attempt *local_free_ = nullptr;
  uint32_t local_count_ = 0;
  Mutex mutex_;
  Attempt *shared_free_ = nullptr;
  uint32_t chunks_used_ = 0;
  uint32_t capacity_ = 0;
  std::atomic<uint32_t> handed_out_{0};  // slots below this were made
  std::atomic<Attempt *> chunks_[chunk_count] = {};
};

}  // namespace weir
