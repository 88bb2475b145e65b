// SPDX-License-Identifier: MIT
//
// The cache's life and what it does on the runtime's thread. Its decide door is in cache_decide.cc.
// What is marked cold is rare or short beside what it does, and compiled for size.
#include "cache/cache.hh"

#include "engine/value.hh"

namespace weir {

// Entries looked at in one turn.
constexpr uint32_t cache_sweep_budget = 1000;

}  // namespace weir

using weir::Aftermath;
using weir::CacheTask;
using weir::Entry;
using weir::Shard;

[[gnu::cold]] weir_cache::weir_cache(weir_runtime *cache_runtime, weir::CacheRules &&cache_rules)
    : weir_operation(cache_runtime, end, &weir::cache_layer),
      rules_(static_cast<weir::CacheRules &&>(cache_rules)),
      seed_(cache_runtime->random().next()),
      arm_task_(*this, run_arm),
      tell_task_(*this, run_tell),
      end_task_(*this, run_end),
      timer_(*this) {}

[[gnu::cold]] weir_cache::~weir_cache() {
  weir::unref_handle(load_policy_);
  rules_.shape.free_all(heap(), telling_);
  if (spare_ != nullptr) heap()->free(spare_, rules_.shape.size(spare_key_size_));
  for (uint32_t i = 0; i < shard_count_; ++i) shards_[i].~Shard();
  if (memory_ != nullptr) heap()->free(memory_, memory_size_);
}

// The bounds are divided so that their parts add up.
[[gnu::cold]] bool weir_cache::init(const char *cache_name) {
  load_policy_ =
      weir::SharedPolicy::make(runtime(), rules_.load_timeout_ns, "load of cache", cache_name);
  if (load_policy_ == nullptr || !set_name(cache_name)) return false;
  uint32_t count = rules_.shards;
  auto part = [count](uint64_t bound, uint32_t i) {
    return bound == UINT64_MAX ? bound : bound / count + (i < bound % count ? 1 : 0);
  };
  memory_size_ = count * sizeof(Shard) + alignof(Shard);
  memory_ = heap()->allocate(memory_size_);
  if (memory_ == nullptr) return false;
  auto address =
      (reinterpret_cast<uintptr_t>(memory_) + alignof(Shard) - 1) & ~uintptr_t{alignof(Shard) - 1};
  shards_ = reinterpret_cast<Shard *>(address);
  shard_shift_ = 63 - __builtin_ctz(count);
  heaviest_ = rules_.max_weight / count;  // the smallest part; without a bound it is none
  for (uint32_t i = 0; i < count; ++i) {
    new (&shards_[i]) Shard(heap(), rules_, armed_ns_);
    shard_count_ = i + 1;
    shards_[i].init(part(rules_.max_entries, i), part(rules_.max_weight, i), rules_.stripes);
  }
  return true;
}

[[gnu::cold]] void weir_cache::empty() {
  int64_t now_ns = runtime()->coarse_clock();
  for (uint32_t i = 0; i < shard_count_; ++i) {
    uint64_t position = 0;
    do {
      Aftermath after;
      position = shards_[i].clear(position, now_ns, after);
      rules_.shape.free_all(heap(), after.garbage);
    } while (position != 0);
    rules_.shape.free_all(heap(), shards_[i].take_left());
  }
}

// ---- the end ----

// On the thread of the last unref. Once the timer has been armed it may be firing right now, but
// finds that nobody holds the cache.
[[gnu::cold]] void weir_cache::end(Handle *handle) {
  auto *cache = static_cast<weir_cache *>(handle);
  weir_runtime *runtime = cache->runtime();
  cache->empty();
  bool here = runtime->on_thread();
  if (here) runtime->wheel().disarm(cache->timer_);
  if (here || !cache->timed_.load(std::memory_order_acquire)) {
    weir::end_handle<weir_cache>(cache);
    return;
  }
  runtime->retain_shell();
  runtime->post(cache->end_task_);
}

[[gnu::cold]] void weir_cache::run_end(weir_runtime &runtime, weir::Task &task) {
  weir_cache &cache = static_cast<CacheTask &>(task).cache;
  runtime.wheel().disarm(cache.timer_);
  weir::end_handle<weir_cache>(&cache);
  runtime.release_shell();
}

// ---- tasks ----

void weir_cache::post(CacheTask &task) {
  if (task.posted.exchange(true, std::memory_order_acq_rel)) return;
  task.entered = runtime()->on_thread();
  if (task.entered) {
    enter();
  } else {
    ref();
  }
  runtime()->post(task);
}

// The task may be posted again from here on. How it was held comes back.
bool weir_cache::begin_task(CacheTask &task) {
  bool entered = task.entered;
  task.posted.store(false, std::memory_order_release);
  return entered;
}

void weir_cache::end_task(bool entered) {
  if (entered) {
    leave();
  } else {
    unref();
  }
}

void weir_cache::finish(Aftermath &after) {
  if (after.tell || (after.evicted && runtime()->tells())) post(tell_task_);
  if (after.arm || after.trim) post(arm_task_);
  rules_.shape.free_all(heap(), after.garbage);
}

// ---- expiring ----

void weir_cache::run_arm(weir_runtime &, weir::Task &task) {
  weir_cache &cache = static_cast<CacheTask &>(task).cache;
  bool entered = cache.begin_task(cache.arm_task_);
  cache.arm();
  cache.end_task(entered);
}

// Never for this very turn, which may have swept its share.
[[gnu::cold]] void weir_cache::arm() {
  weir_runtime &runtime = *this->runtime();
  if (runtime.life() != weir::Life::open) return;
  armed_ns_.store(weir::never_ns, std::memory_order_relaxed);
  int64_t next_ns = weir::never_ns;
  for (uint32_t i = 0; i < shard_count_; ++i) {
    int64_t shard_ns = shards_[i].next_sweep_ns();
    if (shard_ns < next_ns) next_ns = shard_ns;
  }
  runtime.wheel().disarm(timer_);
  if (next_ns == weir::never_ns) return;
  if (next_ns <= runtime.now()) next_ns = runtime.now() + 1;
  timed_.store(true, std::memory_order_release);
  armed_ns_.store(next_ns, std::memory_order_relaxed);
  runtime.wheel().arm(timer_, next_ns);
  runtime.timer_armed();
}

// Holds the cache meanwhile: what is freed may have its last reference, and what is posted needs it
// to be held. If nobody but runs holds it, what has expired may stay.
void weir_cache::sweep(weir_runtime &runtime, weir::Timer &timer) {
  weir_cache &cache = static_cast<SweepTimer &>(timer).cache;
  cache.armed_ns_.store(weir::never_ns, std::memory_order_relaxed);
  if (!cache.ref_if_held()) return;
  Aftermath after;
  uint32_t budget = weir::cache_sweep_budget;
  for (uint32_t i = 0; i < cache.shard_count_ && budget > 0; ++i) {
    cache.shards_[i].sweep(runtime.now(), budget, after);
  }
  after.arm = after.trim = false;
  cache.finish(after);
  cache.arm();
  runtime.user_ran();
  cache.unref();
}

// ---- telling ----

// One a task: a listener that takes its time does not hold up the turn.
void weir_cache::run_tell(weir_runtime &runtime, weir::Task &task) {
  weir_cache &cache = static_cast<CacheTask &>(task).cache;
  bool entered = cache.begin_task(cache.tell_task_);
  cache.emit_evictions();
  cache.tell_next();
  runtime.user_ran();
  cache.end_task(entered);
}

[[gnu::cold]] void weir_cache::tell_next() {
  for (uint32_t i = 0; telling_ == nullptr && i < shard_count_; ++i) {
    telling_of_ = telling_of_ + 1 == shard_count_ ? 0 : telling_of_ + 1;
    telling_ = shards_[telling_of_].take_left();
  }
  Entry *entry = telling_;
  if (entry == nullptr) return;
  telling_ = entry->next_entry();
  weir_eviction eviction = {sizeof(eviction), entry->cause(), rules_.shape.key(*entry),
                            entry->key_size,  entry->value,   entry->weight};
  rules_.on_evict(this, &eviction);
  rules_.shape.free(heap(), entry);
  post(tell_task_);  // there may be more
}

[[gnu::cold]] void weir_cache::emit_evictions() {
  if (!runtime()->tells()) return;
  weir_cache_stats stats = {};
  fill_stats(stats);
  if (stats.evicted == evictions_told_) return;
  weir_event event = {};
  event.kind = WEIR_EVENT_EVICTION;
  event.name = name();
  event.count = stats.evicted - evictions_told_;
  evictions_told_ = stats.evicted;
  runtime()->emit(event);
}

[[gnu::cold]] void weir_cache::fill_stats(weir_cache_stats &stats) {
  for (uint32_t i = 0; i < shard_count_; ++i) shards_[i].add_stats(stats);
  stats.stale_hits = stale_hits_.load(std::memory_order_relaxed);
  stats.loads = loads_.load(std::memory_order_relaxed);
  stats.load_failures = load_failures_.load(std::memory_order_relaxed);
  stats.load_time_ns = load_time_ns_.load(std::memory_order_relaxed);
}
