// SPDX-License-Identifier: MIT
//
// What all handles but the runtime and the call have in common: two counts and an end.
//
// OUTSIDE references are an atomic count: users', and other handles' (a pipeline's of its
// policies). INSIDE references are runs': a plain number that only the engine's thread changes,
// because a run must not pay two atomic operations for each handle it passes. An inside reference
// may only be added while an outside one is held.
//
// - When the last outside reference goes and nothing is inside, the handle ends at once, on that
//   thread. The number read is then exact: the engine adds only under an outside reference, and its
//   last `leave` is the last thing it does with the handle.
// - If something is inside (or was, a moment ago), the handle is sent to the engine's thread, which
//   ends it now or at the last `leave`. That is done by whoever sets `ending_`.
// - A listener may take an outside reference of what only inside ones hold any more. Whoever comes
//   to end it then finds that and does not.
// - Each handle keeps the runtime's shell alive.

#pragma once

#include <atomic>
#include <cstdint>

#include "base/heap.hh"
#include "base/list.hh"
#include "engine/meters.hh"
#include "engine/task.hh"

namespace weir {

// What brings a dropped handle to the engine's thread; and in the hole behind a task's last field
// what fits there, since there may be very many handles.
struct DropTask : Task {
  using Task::Task;

  std::atomic<bool> ending_{false};  // somebody ends it, or this is queued
  bool dropped_ = false;  // the engine's thread, which ends it at the last leave(); ending_ is set
  std::atomic<bool> listed_{false};  // in the book of meters
  std::atomic<uint32_t> outside_{1};
};

class Handle : private DropTask, public ListNode<Handle, Listed> {
 public:
  // Destroys and frees the whole object; releasing the shell is done by Handle.
  using EndFn = void (*)(Handle *handle);

  Handle(weir_runtime *runtime, EndFn end);
  Handle(const Handle &) = delete;
  Handle &operator=(const Handle &) = delete;

  void ref() {
    if (outside_.fetch_add(1, std::memory_order_relaxed) == 0) revive();
  }
  // False if no outside reference is left.
  bool ref_if_held();
  void unref();

  // Inside references; the engine's thread only.
  void enter() { inside_.store(inside() + 1, std::memory_order_relaxed); }
  void leave() {
    // `dropped_` is read first: once inside_ is 0 another thread may end the handle, unless it was
    // dropped, and then this is the end.
    bool last = inside() == 1 && dropped_;
    inside_.store(inside() - 1, std::memory_order_release);
    if (last) end();
  }

  weir_runtime *runtime() const { return runtime_; }
  Heap *heap() const;
  const char *name() const { return name_ == nullptr ? "" : name_; }

  // Labels and histograms; see engine/meters.hh.
  Meters *meters() const { return meters_.load(std::memory_order_acquire); }
  // False if there are some already.
  bool take_meters(Meters *meters) {
    Meters *none = nullptr;
    return meters_.compare_exchange_strong(none, meters, std::memory_order_acq_rel);
  }
  bool is_listed() const { return listed_.load(std::memory_order_acquire); }
  // Under the book's mutex. False if it is already.
  bool set_listed() { return !listed_.exchange(true, std::memory_order_acq_rel); }

  // Copies `name` (nullable); false without memory. Once, at creation.
  bool set_name(const char *name);

 protected:
  ~Handle();

 private:
  uint32_t inside() const { return inside_.load(std::memory_order_relaxed); }
  static void drop(weir_runtime &runtime, Task &task);
  void revive();
  void end();

  weir_runtime *runtime_;
  EndFn end_;
  char *name_ = nullptr;
  std::atomic<Meters *> meters_{nullptr};
  std::atomic<uint32_t> inside_{0};
};

// For functions that might take a mutex, which in a forked child may be held for ever: WEIR_EINVAL
// for NULL, WEIR_EFORKED there, else WEIR_OK.
weir_status usable(const Handle *handle);

// The heap of what `handle` (nullable) belongs to.
Heap *heap_of(const Handle *handle);

// Makes a T in its runtime's heap; NULL without memory. end_handle<T> frees it again.
template <typename T, typename... Args>
T *make_handle(Heap *heap, Args &&...args) {
  return heap->make<T>(std::forward<Args>(args)...);
}

// The EndFn of a T that was made by make_handle.
template <typename T>
void end_handle(Handle *handle) {
  T *object = static_cast<T *>(handle);
  object->heap()->destroy(object);
}

template <typename T>
T *ref_handle(T *handle) {
  if (handle != nullptr) handle->ref();
  return handle;
}

template <typename T>
void unref_handle(T *handle) {
  if (handle != nullptr) handle->unref();
}

}  // namespace weir
