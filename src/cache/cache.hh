// SPDX-License-Identifier: MIT
//
// The cache: its shards, what users' functions say about entries, and its one task and one timer
// on the runtime's thread.
//
// A write goes through three stages. Before any lock: the weight and the lifetime (users' functions
// are asked), the entry's memory. Under the shard's policy lock: everything that has to be one
// (shard.hh). After all locks (finish()): freeing, and posting what the engine's thread has to do.
//
// The timer is armed for the first sweep of all shards. Who puts an entry in that expires earlier
// posts the arming task.
//
// Invariants:
// - `armed_ns_` is never_ns from before the engine looks at the shards until after: so a writer who
//   reads it under a policy lock either was seen there or sees that he has to post.
// - A posted task keeps the cache alive, by an inside reference when it was posted on the engine's
//   thread, by an outside one otherwise. The timer does not: at the end, if it was ever armed, the
//   cache is brought to the engine's thread, empty, to be disarmed and freed.
// - `spare_` is a block without an entry: what the end of a load has freed, for that of the next.
// - What has left and is to be told of is in `telling_`, or in a shard and `tell_task_` is posted.

#pragma once

#include <weir/cache.h>

#include <atomic>

#include "cache/shard.hh"
#include "cache/shared_run.hh"
#include "engine/runtime.hh"
#include "engine/task.hh"

namespace weir {

// A task of a cache, queued once at most.
struct CacheTask : Task {
  CacheTask(weir_cache &owner, RunFn function) : Task(function, Lane::completion), cache(owner) {}
  weir_cache &cache;
  std::atomic<bool> posted{false};
  bool entered = false;
};

}  // namespace weir

// As an operation it is a get whose runs bring their loader along (RunRequest::inner).
struct weir_cache : weir_operation {
  weir_cache(weir_runtime *cache_runtime, weir::CacheRules &&cache_rules);
  ~weir_cache();

  // False without memory.
  bool init(const char *cache_name);

  weir::Key key(const void *data, size_t size) const {
    return {data, static_cast<uint32_t>(size), weir::hash_bytes(data, size, seed_)};
  }
  const weir::CacheRules &rules() const { return rules_; }

  // ---- the decide door ----

  // A reference to the value in `value`, or with `buffer` a copy of its bytes. `now_ns` nullable:
  // then the clock is read as far as it is needed.
  weir_status lookup(const weir::Key &key, const int64_t *now_ns, weir_value **value);
  struct Copy {
    void *buffer;
    size_t capacity;
    size_t *size;
  };
  weir_status lookup_copy(const weir::Key &key, const int64_t *now_ns, const Copy &copy);

  weir_status put(weir::Write &write);
  weir_status touch(const weir::Key &key, int64_t ttl_ms, int64_t now_ns);
  weir_status invalidate(const weir::Key &key);
  weir_status clear();
  // From `cursor` (0: the beginning) on, at most `capacity` entries; moves the cursor, to 0 at the
  // end.
  weir_status scan(uint64_t &cursor, weir_cache_entry *entries, size_t entry_size, size_t capacity,
                   size_t &count);
  void fill_stats(weir_cache_stats &stats);

  // ---- for gets; the engine's thread ----

  // Looks for a value, a remembered failure and a load. Counts a hit or a miss; asks the expire
  // function as a lookup does.
  weir::Finding find_for_get(const weir::Key &key);
  // A value that may serve where loading failed, a reference; false if there is none.
  bool find_stale(const weir::Key &key, int64_t now_ns, weir_value *&value);
  // Marks `key` as being loaded by `load` and returns `load`; or the load that is there already.
  // The key's bytes must stay until one of the three below; they are Load's. A put, invalidate or
  // clear of the key ends the mark: then it is superseded, and another load may begin.
  weir::LoadNode *begin_load(weir::LoadNode &load, const weir::Key &key);
  // The load brought `value` (borrowed, nullable): stored, unless it is superseded (then
  // WEIR_ESUPERSEDED) or cannot be stored (as weir_cache_put). The mark is gone in any case.
  weir_status finish_load(weir::LoadNode &load, weir_value *value, int64_t now_ns);
  // The load failed with `error` (borrowed): remembered for negative_ttl_ms if the cache does that
  // and the key has no value.
  void fail_load(weir::LoadNode &load, weir_error *error, int64_t now_ns);
  // The load ended without a result.
  void abandon_load(weir::LoadNode &load);
  // The timeout of loads.
  weir::SharedPolicy *load_policy() const { return load_policy_; }
  // For stats.
  void count_stale_hits(uint64_t count) { bump(stale_hits_, count); }
  void count_load() { bump(loads_, 1); }
  void uncount_load() { bump(loads_, ~uint64_t{0}); }
  void count_load_end(int64_t elapsed_ns, bool failed) {
    bump(load_time_ns_, elapsed_ns < 0 ? 0 : static_cast<uint64_t>(elapsed_ns));
    if (failed) bump(load_failures_, 1);
  }

 private:
  weir::Shard &shard_of(uint64_t hash) { return shards_[hash >> shard_shift_ >> 1]; }
  static void bump(std::atomic<uint64_t> &counter, uint64_t by) {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  weir::LookTime look_time(const int64_t *now_ns, bool exact) const;
  template <typename Take>
  weir_status look(const weir::Key &key, const int64_t *now_ns, weir::Finding *absent, Take take);
  weir_status lookup_asking(const weir::Key &key, const int64_t *now_ns, weir_value **value);
  int64_t ask_expire(const weir::Key &key, weir_value *value, uint32_t moment,
                     int64_t remaining_ns) const;
  weir_status read(const weir::Key &key, const int64_t *now_ns, weir::Reading &reading,
                   weir::Finding *absent);
  void ask_read(const weir::Key &key, const weir::Reading &read);
  bool refreshes() const { return rules_.shape.written_at != 0; }
  void find_asking(const weir::Key &key, weir::Finding &finding, int64_t &written_ns);
  void find_refresh(const weir::Key &key, weir::Finding &finding, int64_t written_ns);
  void forget_old(weir::Finding &finding);
  weir_status weigh(const weir::Write &write, uint32_t &weight) const;
  weir_status refuse(const weir::Write &write, weir_status status);
  void ask_lifetime(weir::Write &write);
  weir_status writable() const;
  weir_status store(weir::Write &write);
  weir::Entry *make_entry(const weir::Write &write);
  void keep_spare(weir::Aftermath &after);

  // After all locks.
  void finish(weir::Aftermath &after);
  void empty();
  void post(weir::CacheTask &task);
  static bool begin_task(weir::CacheTask &task);
  void end_task(bool entered);
  void arm();
  void tell_next();
  void emit_evictions();
  static void run_arm(weir_runtime &runtime, weir::Task &task);
  static void run_tell(weir_runtime &runtime, weir::Task &task);
  static void run_end(weir_runtime &runtime, weir::Task &task);
  static void sweep(weir_runtime &runtime, weir::Timer &timer);
  static void end(weir::Handle *handle);

  struct SweepTimer : weir::Timer {
    explicit SweepTimer(weir_cache &owner) : Timer(sweep), cache(owner) {}
    weir_cache &cache;
  };

  // What lookups read; never changed after creation.
  weir::CacheRules rules_;
  uint64_t seed_;
  weir::Shard *shards_ = nullptr;
  int shard_shift_ = 63;
  uint64_t heaviest_ = UINT64_MAX;  // that an entry may be
  uint32_t shard_count_ = 0;
  void *memory_ = nullptr;
  size_t memory_size_ = 0;

  std::atomic<int64_t> armed_ns_{weir::never_ns};
  std::atomic<bool> timed_{false};  // the timer was armed once
  weir::CacheTask arm_task_;
  weir::CacheTask tell_task_;
  weir::CacheTask end_task_;

  // The engine's thread; counters may be read by others.
  weir::SharedPolicy *load_policy_ = nullptr;
  SweepTimer timer_;
  void *spare_ = nullptr;
  uint32_t spare_key_size_ = 0;
  weir::Entry *telling_ = nullptr;
  uint32_t telling_of_ = 0;  // that shard; they take turns
  uint64_t evictions_told_ = 0;
  std::atomic<uint64_t> stale_hits_{0};
  std::atomic<uint64_t> loads_{0};
  std::atomic<uint64_t> load_failures_{0};
  std::atomic<uint64_t> load_time_ns_{0};
};

template <typename Take>
weir_status weir_cache::look(const weir::Key &key, const int64_t *now_ns, weir::Finding *absent,
                             Take take) {
  weir::Shard &shard = shard_of(key.hash);
  auto hopeless = [this] { return runtime()->forked(); };
  weir::Look result = weir::Look::unsure;
  for (bool exact = false; result == weir::Look::unsure; exact = true) {
    auto time = [this, now_ns, exact] { return look_time(now_ns, exact); };
    result = shard.look(key, time, hopeless, absent, take);
  }
  if (result == weir::Look::hit) return WEIR_OK;
  return result == weir::Look::stuck ? WEIR_EFORKED : WEIR_ENOTFOUND;
}

namespace weir {

// The leaf of runs of a cache, which gets the run's key.
extern const LayerType cache_layer;

}  // namespace weir
