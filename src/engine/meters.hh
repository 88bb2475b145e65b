// SPDX-License-Identifier: MIT
//
// What makes a handle measurable: its place in the runtime's lists, its labels, its histograms.
// How that becomes text is in metrics.cc.
//
// Invariants:
// - A handle is listed once it is wholly made (publish() at the end of its creation, or the first
//   run that passes it) and until its end begins. Lists, labels and the order in them are under the
//   book's mutex; nothing that a run does takes it, but for that first run.
// - The mutex may be held while a policy's own mutex is taken, never the other way round.
// - A Meters, once made, stays with its handle. Its histograms are written by the engine's thread.

#pragma once

#include <atomic>
#include <cstdint>

#include "base/heap.hh"
#include "base/list.hh"
#include "base/mutex.hh"

struct weir_error;
struct weir_runtime;

namespace weir {

class Handle;

// Kinds of handles, in the order of their text; sources are in metrics.cc.
enum class Metered : uint8_t {
  operation,
  breaker,
  limiter,
  retry,
  timeout,
  hedge,
  fallback,
  chaos,
  budget,
  cache,
  flight,
  pacer,
  pool,
};
inline constexpr size_t metered_kinds = static_cast<size_t>(Metered::pool) + 1;

struct Listed {};  // tags the list

struct Label {
  Label *next;  // sorted by key
  uint32_t size;
  uint32_t key_size;
  // key="value", escaped, terminated
  char *text() { return reinterpret_cast<char *>(this + 1); }
  const char *text() const { return reinterpret_cast<const char *>(this + 1); }
};

class Histogram {
 public:
  static constexpr int bounds = 16;
  static const int64_t upper_ns[bounds];  // inclusive; beyond the last: +Inf

  void note(int64_t time_ns);
  uint64_t count(int bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  int64_t sum_ns() const { return sum_ns_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> counts_[bounds + 1] = {};
  std::atomic<int64_t> sum_ns_{0};
};

enum class Measure : uint8_t { latency, waiting };

struct Meters {
  Label *labels = nullptr;
  Histogram *histograms = nullptr;  // one for each Measure; NULL: not measured
};

class MeterBook {
 public:
  using HandleList = List<Handle, Listed>;

  MeterBook(Heap *heap, bool measures) : heap_(heap), measures_(measures) {}
  MeterBook(const MeterBook &) = delete;
  MeterBook &operator=(const MeterBook &) = delete;
  ~MeterBook() { free_labels(labels_); }

  // As publish().
  bool add(Handle &handle, Metered kind);
  void remove(Handle &handle);
  // `handle` NULL: of the runtime.
  int32_t set_label(Handle *handle, const char *key, const char *value, weir_error **error);
  void free_meters(Meters *meters);

  // For the writer, under the mutex.
  Mutex &mutex() { return mutex_; }
  HandleList &list(Metered kind) { return lists_[static_cast<size_t>(kind)]; }
  const Label *labels() const { return labels_; }

 private:
  void free_labels(Label *labels);
  bool give_meters(Handle &handle);
  Label *make_label(const char *key, const char *value, size_t key_size);

  Heap *heap_;
  bool measures_;  // with histograms
  Mutex mutex_;
  HandleList lists_[metered_kinds];
  Label *labels_ = nullptr;
};

// At the end of a handle's creation: from here on it is in the metrics. False without memory.
bool publish(Handle &handle, Metered kind);

// A run waited so long at what belongs to `handle`. The engine's thread.
void note_time(const Handle &handle, Measure measure, int64_t time_ns);

// weir_X_set_label; NULL handles included.
int32_t set_label(Handle *handle, const char *key, const char *value, weir_error **error);

}  // namespace weir
