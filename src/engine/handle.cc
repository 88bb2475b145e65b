// SPDX-License-Identifier: MIT
#include "engine/handle.hh"

#include "engine/runtime.hh"

namespace weir {

Handle::Handle(weir_runtime *runtime, EndFn end)
    : DropTask(drop, Lane::completion), runtime_(runtime), end_(end) {
  runtime_->retain_shell();
}

Handle::~Handle() {
  heap()->free_text(name_);
  if (meters() != nullptr) runtime_->meters().free_meters(meters());
}

Heap *Handle::heap() const { return runtime_->heap(); }

void Handle::unref() {
  if (outside_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (runtime_->forked()) return;  // in the child nothing is to be touched
  if (ending_.exchange(true, std::memory_order_acq_rel)) return;
  if (inside_.load(std::memory_order_acquire) == 0) {
    end();
  } else {
    runtime_->post(static_cast<DropTask &>(*this));
  }
}

// Whoever takes the last outside reference from here on may take the end upon himself: he finds it
// entered, and posts again.
void Handle::drop(weir_runtime &, Task &task) {
  Handle *handle = static_cast<Handle *>(&static_cast<DropTask &>(task));
  handle->enter();
  handle->ending_.exchange(false, std::memory_order_acq_rel);
  handle->dropped_ = handle->outside_.load(std::memory_order_acquire) == 0 &&
                     !handle->ending_.exchange(true, std::memory_order_acq_rel);
  handle->leave();
}

// A listener's reference, on the engine's thread. If the drop task is queued, that will see it.
void Handle::revive() {
  if (!dropped_) return;
  dropped_ = false;
  ending_.store(false, std::memory_order_release);
}

bool Handle::ref_if_held() {
  uint32_t count = outside_.load(std::memory_order_relaxed);
  while (count != 0) {
    if (outside_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

bool Handle::set_name(const char *name) {
  bool ok = true;
  name_ = heap()->copy_text(name, ok);
  return ok;
}

weir_status usable(const Handle *handle) {
  if (handle == nullptr) return WEIR_EINVAL;
  return handle->runtime()->forked() ? WEIR_EFORKED : WEIR_OK;
}

[[gnu::cold]] Heap *heap_of(const Handle *handle) {
  return handle == nullptr ? Heap::standard() : handle->heap();
}

[[gnu::cold]] void Handle::end() {
  weir_runtime *runtime = runtime_;
  runtime->meters().remove(*this);
  end_(this);
  runtime->release_shell();
}

}  // namespace weir
