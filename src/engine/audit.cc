// SPDX-License-Identifier: MIT
//
// Who is in flight, and what each waits for.

#include <algorithm>
#include <cstring>

#include "base/text.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"

namespace weir {

class Audit {
 public:
  Audit(weir_audit_entry *entries, size_t entry_size, size_t capacity)
      : target_(reinterpret_cast<unsigned char *>(entries)),
        entry_size_(entry_size),
        capacity_(capacity) {}

  void add_calls(weir_runtime &runtime) {
    for (weir_call *call = runtime.live_.front(); call != nullptr;
         call = runtime.live_.next(call)) {
      weir_audit_entry entry = begin(WEIR_AUDIT_CALL, *call, call->begun_ns_, runtime.now());
      describe(*call, entry.waits_for, sizeof(entry.waits_for));
      add(entry);
    }
  }

  void add_orphans(weir_runtime &runtime) {
    for (Attempt *attempt = runtime.orphans_.front(); attempt != nullptr;
         attempt = runtime.orphans_.next(attempt)) {
      weir_audit_entry entry =
          begin(WEIR_AUDIT_ORPHAN, *attempt->run, attempt->told_at_ns, runtime.now());
      copy_name(entry.waits_for, "operation: completion after it was told to stop");
      add(entry);
    }
  }

  size_t count() const { return count_; }

 private:
  static weir_audit_entry begin(uint32_t kind, const weir_call &call, int64_t since_ns,
                                int64_t now_ns) {
    weir_audit_entry entry = {};
    entry.kind = kind;
    entry.attempts = call.attempts();
    entry.age_ns = now_ns - since_ns;
    copy_name(entry.name, call.request().name);
    return entry;
  }

  // The innermost active layer that has something to say knows what the run waits for. `buffer` is
  // empty.
  static void describe(const weir_call &call, char *buffer, size_t size) {
    for (uint32_t i = call.active_; i-- > 0;) {
      const LayerType &type = call.layer_type(i);
      if (type.describe == nullptr) continue;
      type.describe(call, call.layer(i), buffer, size);
      if (buffer[0] != '\0') return;
    }
    TextWriter(buffer, size).print("%s", call.active_ == 0 ? "its settle function" : "");
  }

  void add(const weir_audit_entry &entry) {
    if (count_++ >= capacity_) return;
    size_t known = std::min(entry_size_, sizeof(entry));
    std::memcpy(target_, &entry, known);
    std::memset(target_ + known, 0, entry_size_ - known);
    target_ += entry_size_;
  }

  unsigned char *target_;
  size_t entry_size_;
  size_t capacity_;
  size_t count_ = 0;
};

}  // namespace weir

weir_status weir_runtime::audit(weir_audit_entry *entries, size_t entry_size, size_t capacity,
                                size_t &count) {
  count = 0;
  if (forked()) return WEIR_EFORKED;
  if (owned_.load(std::memory_order_acquire) && !on_thread()) return WEIR_ETHREAD;
  weir::Audit audit(entries, entry_size, capacity);
  audit.add_calls(*this);
  audit.add_orphans(*this);
  count = audit.count();
  return WEIR_OK;
}

weir_status weir_runtime_audit(weir_runtime *runtime, weir_audit_entry *entries, size_t entry_size,
                               size_t capacity, size_t *count) {
  if (runtime == nullptr || count == nullptr || (entries == nullptr && capacity > 0)) {
    return WEIR_EINVAL;
  }
  if (entry_size < sizeof(uint64_t)) return WEIR_EABI;
  return runtime->audit(entries, entry_size, capacity, *count);
}
