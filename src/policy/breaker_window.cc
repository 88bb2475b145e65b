// SPDX-License-Identifier: MIT
#include "policy/breaker_window.hh"

#include <cstring>

#include "base/time.hh"

namespace weir {
namespace {

constexpr uint32_t calls_per_word = 32;
constexpr uint64_t failed_bit = 1;
constexpr uint64_t slow_bit = 2;

// The end of the slice that holds `now_ns`; slices begin at multiples of their length.
int64_t end_of_slice(int64_t now_ns, int64_t slice_ns) {
  int64_t into = now_ns % slice_ns;
  if (into < 0) into += slice_ns;
  return saturating_add(now_ns, slice_ns - into);
}

}  // namespace

size_t CallWindow::block_size(uint32_t capacity, int64_t slice_ns) {
  size_t body = slice_ns != 0 ? slices * sizeof(CallCounts)
                              : (capacity + calls_per_word - 1) / calls_per_word * sizeof(uint64_t);
  return sizeof(CallWindow) + body;
}

CallWindow *CallWindow::create(Heap *heap, uint32_t capacity, int64_t slice_ns) {
  size_t size = block_size(capacity, slice_ns);
  void *memory = heap->allocate(size);
  if (memory == nullptr) return nullptr;
  std::memset(memory, 0, size);
  return new (memory) CallWindow(capacity, slice_ns);
}

CallWindow *CallWindow::of_calls(Heap *heap, uint32_t calls) { return create(heap, calls, 0); }

CallWindow *CallWindow::of_time(Heap *heap, int64_t slice_ns) { return create(heap, 0, slice_ns); }

void CallWindow::free(Heap *heap) { heap->free(this, block_size(capacity_, slice_ns_)); }

void CallWindow::clear() {
  totals_ = {};
  if (timed()) std::memset(static_cast<void *>(slice_array()), 0, slices * sizeof(CallCounts));
  // Of a count window the bits may stay: totals_.calls says how many of them mean something.
}

void CallWindow::advance(int64_t now_ns) {
  if (timed() && now_ns >= slice_end_ns_) drop_slices(now_ns);
}

void CallWindow::add_to_slice(bool failed, bool slow, int64_t now_ns) {
  advance(now_ns);
  totals_.add(failed, slow);
  slice_array()[position_].add(failed, slow);
}

void CallWindow::drop_slices(int64_t now_ns) {
  int64_t end_ns = end_of_slice(now_ns, slice_ns_);
  int64_t passed = saturating_sub(end_ns, slice_end_ns_) / slice_ns_;
  slice_end_ns_ = end_ns;
  if (passed >= slices) {
    clear();
    return;
  }
  for (; passed > 0; --passed) {
    position_ = (position_ + 1) % slices;
    totals_.subtract(slice_array()[position_]);
    slice_array()[position_] = {};
  }
}

void CallWindow::replace_oldest(bool failed, bool slow) {
  uint64_t &word = outcome_bits()[position_ / calls_per_word];
  uint32_t shift = position_ % calls_per_word * 2;
  if (totals_.calls == capacity_) {
    uint64_t old = word >> shift;
    totals_.subtract({1, old & failed_bit, (old & slow_bit) / slow_bit});
  }
  totals_.add(failed, slow);
  word &= ~((failed_bit | slow_bit) << shift);
  word |= ((failed ? failed_bit : 0) | (slow ? slow_bit : 0)) << shift;
  position_ = position_ + 1 == capacity_ ? 0 : position_ + 1;
}

}  // namespace weir
