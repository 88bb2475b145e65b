// SPDX-License-Identifier: MIT
//
// The engine's unit of work: an intrusive node with the function that does it. What wants to run
// embeds a Task, so queueing allocates nothing and cannot fail. A task is in one queue at most.

#pragma once

#include <atomic>
#include <cstdint>

struct weir_runtime;

namespace weir {

// Order in which the inbox is taken.
enum class Lane : uint8_t { cancel = 0, completion = 1, run = 2 };
inline constexpr int lane_count = 3;

struct Task {
  using RunFn = void (*)(weir_runtime &runtime, Task &task);

  explicit Task(RunFn function, Lane where = Lane::run) : run(function), lane(where) {}

  Task *next = nullptr;
  RunFn run;
  Lane lane;
};

// First in, first out. The engine's thread only.
class TaskQueue {
 public:
  bool empty() const { return head_ == nullptr; }

  void push(Task *task) {
    task->next = nullptr;
    *tail_ = task;
    tail_ = &task->next;
  }

  Task *pop() {
    Task *task = head_;
    if (task == nullptr) return nullptr;
    head_ = task->next;
    if (head_ == nullptr) tail_ = &head_;
    return task;
  }

 private:
  Task *head_ = nullptr;
  Task **tail_ = &head_;
};

// What other threads hand to the engine: a Treiber stack (Treiber, "Systems Programming: Coping
// with Parallelism", 1986) that is only ever taken whole, so it has no ABA problem.
class Inbox {
 public:
  // Any thread. True on the edge from empty: the driver has to be woken.
  bool push(Task *task) {
    Task *head = head_.load(std::memory_order_relaxed);
    do {
      task->next = head;
    } while (!head_.compare_exchange_weak(head, task, std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
    return head == nullptr;
  }

  // Ordered with the pushes and with the runtime's life: who pushed and found it alive is seen here
  // by who ended it.
  bool empty() const { return head_.load(std::memory_order_seq_cst) == nullptr; }

  // Moves everything behind `ready`, by lane, in the order pushed within each. The engine's thread.
  void take(TaskQueue &ready) {
    if (empty()) return;
    Task *reversed = nullptr;
    for (Task *task = head_.exchange(nullptr, std::memory_order_seq_cst); task != nullptr;) {
      Task *next = task->next;
      task->next = reversed;
      reversed = task;
      task = next;
    }
    TaskQueue lanes[lane_count];
    while (reversed != nullptr) {
      Task *next = reversed->next;
      lanes[static_cast<int>(reversed->lane)].push(reversed);
      reversed = next;
    }
    for (TaskQueue &lane : lanes) {
      while (Task *task = lane.pop()) ready.push(task);
    }
  }

 private:
  std::atomic<Task *> head_{nullptr};
};

}  // namespace weir
