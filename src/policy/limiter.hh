// SPDX-License-Identifier: MIT
//
// The limiter. Decide: the gate word and the bucket word, both lock-free; whatever they cannot hold
// (windows, several rates, keys of those) under the mutex. Run: a layer that asks the same core and
// queues what is denied.
//
// THE GATE is one word: how many permits are held (concurrency), a count of changes, five flags.
//   bucket    the rate is bucket_'s word
//   exact     there are rates, and they are under the mutex; or there are keys
//   counted   there is a concurrency limit
//   waiting   runs wait: nobody else is let through (of a keyed limiter: where the same key waits)
//   paused
// With `bucket` alone, acquiring is one load here and one compare-and-swap there.
//
// Invariants:
// - Held permits and `waiting` share a word: a release that comes after `waiting` was set sees it
//   and wakes the engine; one that came before is seen by the waiter, which looks again after
//   setting it. What else may let waiters through (refund, resume, options) reads the gate by a
//   read-modify-write after its change, and so is ordered against it alike.
// - Queues and waiters are the engine's thread's. Others read the index of waiting keys, and only
//   under the mutex.
// - Which way in is right, and whether permits are counted, changes in one step together with the
//   count of changes: at no moment does the gate say less than before or after. A limit is stored
//   before; so whoever took it from an earlier gate swaps in vain, and looks again.
// - Rates are granted before anybody else can see, all or none: under the mutex, or by one swap.
// - No user code runs under the mutex.

#pragma once

#include <weir/limiter.h>

#include <atomic>

#include "base/mutex.hh"
#include "engine/policy.hh"
#include "policy/limiter_adaptive.hh"
#include "policy/limiter_bucket.hh"
#include "policy/limiter_entries.hh"
#include "policy/limiter_keys.hh"
#include "policy/limiter_queue.hh"
#include "policy/limiter_set.hh"

namespace weir {

// What options say, checked, in nanoseconds.
struct LimiterSettings {
  bool rated = false;
  RateOptions rate;
  int64_t max_concurrent = -1;
  uint64_t max_queue = 0;  // UINT64_MAX: unlimited
  int64_t queue_timeout_ns = never_ns;
  bool by_priority = false;
  bool evict = false;
  bool early_release = false;
  uint64_t max_keys = 0;
  AdaptiveOptions adaptive;
};

// Why not; for a rejection.
struct LimiterDenial {
  // It can never pass, or nobody can know when.
  bool is_hopeless() const {
    return reason == WEIR_REJECTION_WEIGHT || reason == WEIR_REJECTION_KEYS;
  }

  weir_status status = WEIR_ELIMITED;
  uint32_t reason = WEIR_REJECTION_NONE;
  int64_t wait_ns = -1;  // -1: nobody can know
  int64_t available = 0;
  int64_t limit = 0;
  int64_t interval_ns = 0;
  int64_t waited_ns = 0;
  int64_t remaining_ns = 0;
};

// Reads and checks; what was set stays as it was where the status is not WEIR_OK.
weir_status read_limiter_options(const weir_limiter_options &options, LimiterSettings &settings,
                                 Heap *heap, weir_error **error);
weir_status read_rate_options(uint32_t algorithm, int64_t permits, int64_t interval_ms,
                              int64_t burst, RateOptions &rate, Heap *heap, weir_error **error);
weir_limiter_options default_limiter_options();

struct WakeLimiterTask : Task {
  using Task::Task;
  weir_limiter *limiter = nullptr;
};

extern const LayerType limiter_layer;

}  // namespace weir

struct weir_limiter : weir_policy {
 public:
  explicit weir_limiter(weir_runtime *runtime);
  ~weir_limiter();

  // ---- creation and change; any thread ----

  // False without memory.
  bool init(const weir::LimiterSettings &settings, const char *name, int64_t now_ns);
  bool set_classifier(weir::Callback<weir_classify_fn> classify, const weir_error_range *ranges,
                      uint64_t range_count);
  // Of checked settings; says in `error` what cannot change.
  weir_status change(const weir::LimiterSettings &settings, weir_error **error);
  weir_status add_rate(const weir::RateOptions &rate, int64_t now_ns, weir_error **error);
  void pause();
  void resume();

  // ---- decide; any thread ----

  bool keyed() const { return max_keys_ > 0; }
  // Whether grants hold permits. Of a keyed limiter that never changes.
  bool holds_permits() const { return (gate_.load(std::memory_order_relaxed) & counted) != 0; }
  uint64_t hash_key(const void *key, size_t size) const;
  // Fetches what deciding for this key will look at, if that is known already.
  void prefetch_key(uint64_t hash) const {
    if (const weir::KeyTable *table = key_table_.load(std::memory_order_acquire)) {
      table->prefetch(hash);
    }
  }

  // The hot path first: one token bucket and nothing else.
  weir_status try_acquire(uint32_t permits, int64_t now_ns, weir_permit &permit,
                          weir::LimiterDenial *denial) {
    permit = 0;
    if (gate_.load(std::memory_order_acquire) >> flags_shift == bucket_alone && permits > 0) {
      weir::Take taken = bucket_.take(permits, now_ns);
      if (taken == weir::Take::granted) return WEIR_OK;
      if (taken == weir::Take::limited && denial == nullptr) return WEIR_ELIMITED;
    }
    return decide(permits, now_ns, keyed() ? hash_key(nullptr, 0) : 0, permit, denial);
  }
  weir_status try_acquire_key(uint32_t permits, int64_t now_ns, uint64_t hash, weir_permit &permit,
                              weir::LimiterDenial *denial) {
    permit = 0;
    weir::KeyTable *table = key_table_.load(std::memory_order_acquire);
    bool free_way = (gate_.load(std::memory_order_acquire) & (paused | waiting)) == 0;
    if (table != nullptr && free_way && permits > 0) {
      weir::Take taken = table->take(hash, permits, now_ns);
      if (taken == weir::Take::granted) return WEIR_OK;
      if (taken == weir::Take::limited && denial == nullptr) return WEIR_ELIMITED;
    }
    return decide(permits, now_ns, hash, permit, denial);
  }

  weir_status acquire_some(uint64_t count, int64_t now_ns, uint64_t &granted,
                           weir::LimiterDenial *denial);
  weir_status reserve(uint32_t permits, int64_t now_ns, int64_t &wait_ns, weir_permit &reservation);
  weir_status cancel_reservation(uint32_t permits, weir_permit reservation, int64_t now_ns);
  weir_status release(weir_permit permit, uint64_t hash);
  void note(weir_permit permit, uint32_t class_, int64_t elapsed_ns);
  weir_status refund(uint32_t permits, int64_t now_ns);
  weir_status drain(int64_t now_ns, int64_t &drained);
  int64_t available(int64_t now_ns);
  void fill_stats(weir_limiter_stats &stats, int64_t now_ns);
  weir_rejection rejection(uint32_t permits, const weir::LimiterDenial &denial) const;

  // ---- run; the engine's thread (limiter_layer.cc) ----

  weir::Next enter(weir_call &run, weir::LimiterState &state);
  weir::Next timer(weir_call &run, weir::LimiterState &state);
  weir::Next wake(weir_call &run, weir::LimiterState &state);
  weir::Next result(weir_call &run, weir::LimiterState &state);
  void stop(weir_call &run, weir::LimiterState &state);
  bool is_paused() const { return (gate_.load(std::memory_order_relaxed) & paused) != 0; }

 private:
  class Exact;

  static constexpr int flags_shift = 59;
  static constexpr uint64_t bucket = uint64_t{1} << 59;
  static constexpr uint64_t exact = uint64_t{1} << 60;
  static constexpr uint64_t counted = uint64_t{1} << 61;
  static constexpr uint64_t waiting = uint64_t{1} << 62;
  static constexpr uint64_t paused = uint64_t{1} << 63;
  static constexpr uint64_t one_change = uint64_t{1} << 32;
  static constexpr uint64_t held_mask = one_change - 1;
  static constexpr uint64_t changes_mask = bucket - one_change;
  static constexpr uint64_t bucket_alone = bucket >> flags_shift;

  static uint64_t held_in(uint64_t gate) { return gate & held_mask; }

  // Deciding (limiter.cc).
  weir_status decide(uint32_t permits, int64_t now_ns, uint64_t hash, weir_permit &permit,
                     weir::LimiterDenial *denial);
  weir_status admit(uint32_t permits, int64_t now_ns, uint64_t hash, weir_permit &permit,
                    weir::LimiterDenial *denial);
  weir_status admit_by_word(uint32_t permits, int64_t now_ns, weir_permit &permit,
                            weir::LimiterDenial *denial);
  weir_status admit_exactly(uint32_t permits, int64_t now_ns, weir_permit &permit,
                            weir::LimiterDenial *denial);
  weir_status admit_key(uint32_t permits, int64_t now_ns, uint64_t hash, weir_permit &permit,
                        weir::LimiterDenial *denial);
  weir_status admit_entry(uint32_t permits, int64_t now_ns, uint64_t hash, weir_permit &permit,
                          weir::LimiterDenial *denial);
  weir_status deny_waiters(uint32_t permits, int64_t now_ns, uint64_t hash,
                           weir::LimiterDenial *denial);
  weir_status deny_held(weir::LimiterDenial *denial) const;
  weir_status deny_bucket(uint32_t permits, int64_t now_ns, weir::LimiterDenial *denial);
  weir_status deny_full(int64_t wait_ns, weir::LimiterDenial *denial) const;
  bool hold(uint32_t permits, weir_permit &permit);
  bool unhold(weir_permit permit);
  void unhold_unused(weir_permit &permit);
  weir_status release_entry(weir_permit permit, uint64_t hash);
  weir_status unhold_entry(weir_permit permit, uint64_t hash, bool &wanted);
  uint64_t evictions() const {
    const weir::KeyTable *table = table_.load(std::memory_order_acquire);
    return entries_.evicted() + (table == nullptr ? 0 : table->evicted());
  }
  int64_t wait_for(int64_t permits, int64_t now_ns, uint64_t hash);
  void refund_rate(uint32_t permits, int64_t now_ns);
  bool has_waiters(uint64_t hash);
  void taken_exactly(int64_t now_ns);

  // Setting up (limiter_options.cc).
  bool configure_keys(int64_t now_ns);
  void configure_gate(bool counts);
  weir_status check_change(const weir::LimiterSettings &settings, weir_error **error);
  void apply(const weir::LimiterSettings &settings);
  weir_status add_exactly(const weir::RateOptions &rate, int64_t now_ns, weir_error **error);
  int64_t change_rate(const weir::RateOptions &rate);
  int64_t heaviest() const;
  void make_errors();

  // Waiting (limiter_waiting.cc, limiter_layer.cc).
  weir::WaitQueue *queue_of(uint64_t hash);
  void join(weir::LimiterState &state);
  void leave(weir::LimiterState &state);
  void serve(uint64_t hash);
  bool serve_first(weir::LimiterState &state, int64_t now_ns);
  void send(weir::LimiterState &state, weir::LimiterPhase phase);
  weir::Next wait(weir_call &run, weir::LimiterState &state, weir::LimiterDenial &denial);
  weir::Next start_inside(weir_call &run, weir::LimiterState &state);
  void complete(const weir::LimiterState &state, weir::LimiterDenial &denial);
  weir::Next refuse(weir_call &run, const weir::LimiterState &state, weir::LimiterDenial &denial);
  void tell_waiting(uint32_t kind, int64_t waited_ns);
  weir::Next refuse_late(weir_call &run, weir::LimiterState &state);
  void give_back(weir_permit permit, uint64_t hash);
  void stop_running(weir_call &run, weir::LimiterState &state);
  bool too_late(weir_call &run, const weir::LimiterState &state, int64_t &wait_ns);
  int64_t first_wait(uint64_t hash);
  void drop_obligation(weir_call &run, weir::LimiterState &state);
  void serve_kicked();
  void wake_all();
  void post_wake();
  void emit_evictions();
  static void run_wake(weir_runtime &runtime, weir::Task &task);
  static void end_obligation(weir::Handle &policy, weir_permit permit, uint64_t detail);

  // What deciding reads, side by side.
  std::atomic<uint64_t> gate_{0};
  weir::Bucket bucket_;
  std::atomic<int64_t> bucket_permits_{0};  // the bucket's rule's
  std::atomic<int64_t> bucket_interval_ns_{0};
  std::atomic<int64_t> limit_{-1};             // of concurrency, as it stands; counted only
  std::atomic<int64_t> heaviest_{0};           // what one call may ask at most
  std::atomic<int64_t> closed_ns_{INT64_MIN};  // exact: before this nothing passes
  std::atomic<weir::KeyTable *> key_table_{nullptr};
  std::atomic<uint32_t> generation_{0};  // of the adaptive limit

  // Under the mutex.
  weir::Mutex mutex_;
  weir::RateSet rates_;
  bool bucketed_ = false;
  alignas(16) std::byte states_[weir::states_size_max];
  weir::AdaptiveLimit adaptive_;
  weir::KeyEntries entries_;
  weir::KeyQueues key_queues_;
  // Lives on when entries_ take its place: others may be reading it.
  std::atomic<weir::KeyTable *> table_{nullptr};

  // Never changed after creation.
  bool rated_ = false;
  bool by_priority_ = false;
  bool asks_user_ = false;  // there is a classify function
  uint32_t adaptive_kind_ = 0;
  uint64_t max_keys_ = 0;
  uint64_t seed_;
  weir::Classifier classifier_;
  weir_error *limited_error_ = nullptr;
  weir_error *full_error_ = nullptr;

  // Options that the engine's thread reads.
  std::atomic<uint64_t> max_queue_{0};
  std::atomic<int64_t> queue_timeout_ns_{weir::never_ns};
  std::atomic<bool> early_release_{false};
  std::atomic<bool> evict_{false};

  // Written by the engine's thread.
  weir::WaitQueue queue_;
  std::atomic<uint64_t> queued_{0};
  std::atomic<int64_t> queued_permits_{0};  // not keyed
  std::atomic<uint64_t> granted_{0};
  std::atomic<uint64_t> refused_{0};
  std::atomic<uint64_t> timed_out_{0};
  uint64_t evictions_told_ = 0;

  // From other threads to the engine.
  std::atomic<bool> wake_posted_{false};
  std::atomic<bool> wake_all_keys_{false};
  weir::WakeLimiterTask wake_task_;
};
