// SPDX-License-Identifier: MIT
#include "flow/pool.hh"

#include "engine/runtime.hh"

using weir::Heap;
using weir::Lock;
using weir::NextChild;
using weir::PoolItem;
using weir::Siblings;
using weir::Supply;

constexpr weir::Pattern weir_pool::pattern_of_pool = {weir::siblings_layer("pool"), begin, ended,
                                                      weir::complete_items, leave};

weir_pool::weir_pool(weir_runtime *runtime)
    : Collector(runtime, weir::end_handle<weir_pool>, pattern_of_pool), wake_task_(this) {
  next = take;
  nesting = weir::pool_nesting;
}

weir_pool::~weir_pool() {
  while (PoolItem *item = waiting_.pop_front()) drop_item(item);
}

void weir_pool::drop_item(PoolItem *item) {
  item->operation->unref();
  weir::unref_value(item->input);
  heap()->destroy(item);
}

// ---- any thread ----

bool weir_pool::add(PoolItem *item) {
  bool taken;
  {
    Lock lock(mutex_);
    if (sealed_ || state_ == State::over || runtime()->life() != weir::Life::open) return false;
    waiting_.push_back(item);
    ++added_;
    taken = state_ == State::taken;
  }
  if (taken) wake();
  return true;
}

void weir_pool::seal() {
  bool taken;
  {
    Lock lock(mutex_);
    taken = !sealed_ && state_ == State::taken;
    sealed_ = true;
  }
  if (taken) wake();
}

void weir_pool::fill(weir_pool_stats &stats) {
  Lock lock(mutex_);
  uint64_t settled = succeeded_ + failed_;
  stats.sealed = sealed_ || state_ == State::over ? 1 : 0;
  stats.added = added_;
  stats.waiting = state_ == State::over ? 0 : added_ - started_;
  stats.running = state_ == State::over ? 0 : started_ - settled;
  stats.succeeded = succeeded_;
  stats.failed = failed_;
}

void weir_pool::wake() {
  if (wake_posted_.exchange(true, std::memory_order_acq_rel)) return;
  ref();
  runtime()->post(wake_task_);
}

// ---- the engine's thread ----

void weir_pool::run_wake(weir_runtime &, weir::Task &task) {
  weir_pool *pool = static_cast<WakeTask &>(task).pool;
  pool->wake_posted_.store(false, std::memory_order_release);
  if (pool->run_state_ != nullptr) {
    Lock lock(pool->mutex_);
    if (pool->sealed_) pool->run_state_->total = pool->added_;
    weir::go_on_later(*pool->run_state_);
  }
  pool->unref();
}

bool weir_pool::take_over() {
  Lock lock(mutex_);
  if (state_ != State::fresh) return false;
  state_ = State::taken;
  return true;
}

bool weir_pool::begin(Siblings &state) {
  weir_pool &pool = of(state);
  if (!pool.take_over()) {
    state.run->result().set_status(WEIR_ESTALE);
    return false;
  }
  pool.run_state_ = &state;
  return begin_items(state);
}

void weir_pool::ended(Siblings &state, const weir::Ending &ending) {
  weir_pool &pool = of(state);
  {
    Lock lock(pool.mutex_);
    ++(weir::succeeded(*ending.result) ? pool.succeeded_ : pool.failed_);
    if (pool.sealed_) state.total = pool.added_;
  }
  item_ended(state, ending);
}

Supply weir_pool::take(Siblings &state, NextChild &child) {
  weir_pool &pool = of(state);
  PoolItem *item = nullptr;
  bool sealed;
  {
    Lock lock(pool.mutex_);
    item = pool.waiting_.pop_front();
    sealed = pool.sealed_;
    if (item != nullptr) ++pool.started_;
  }
  if (item == nullptr) return sealed ? Supply::end : Supply::none;
  child.operation = item->operation;
  child.input = item->input;
  child.gives_operation = child.gives_input = true;
  pool.heap()->destroy(item);
  return Supply::item;
}

void weir_pool::leave(Siblings &state) {
  weir_pool &pool = of(state);
  if (pool.run_state_ != &state) return;  // a second run
  pool.run_state_ = nullptr;
  weir::List<PoolItem> dropped;
  {
    Lock lock(pool.mutex_);
    pool.state_ = State::over;
    dropped.take(pool.waiting_);
  }
  while (PoolItem *item = dropped.pop_front()) pool.drop_item(item);
}

// ---- the functions ----

namespace weir {
namespace {

constexpr weir_pool_options pool_defaults = WEIR_POOL_OPTIONS_INIT;

}  // namespace
}  // namespace weir

void weir_pool_options_init(weir_pool_options *options, size_t size) {
  weir::init_options(options, size, weir::pool_defaults);
}

weir_status weir_pool_new(weir_runtime *runtime, const weir_pool_options *given, weir_pool **out,
                          weir_error **error) {
  if (out != nullptr) *out = nullptr;
  Heap *heap = weir::heap_of(runtime);
  weir_pool_options options = weir::pool_defaults;
  weir_status status = weir::read_options(options, given, "pool", heap, error);
  if (status != WEIR_OK) return status;
  weir::ItemListeners listeners;
  listeners.item = {options.on_item, options.item_data, options.item_free_data};
  listeners.progress = {options.on_progress, options.progress_data, options.progress_free_data};
  weir::ItemRules rules = {options.stop_on_error, options.concurrency, options.item_timeout_ms,
                           options.policy,        options.name,        options.queue,
                           options.user};
  weir::Check check("pool", heap, error);
  check.required("runtime", runtime).required("out", out);
  if (check.ok()) weir::check_items(check, runtime, rules, listeners);
  if (!check.ok()) return check.status();
  auto *pool = weir::make_handle<weir_pool>(heap, runtime);
  if (pool == nullptr) return weir::report_no_memory(error, heap, "pool");
  status = pool->set_rules(rules, static_cast<weir::ItemListeners &&>(listeners), "pool", error);
  if (status == WEIR_OK && !weir::publish(*pool, weir::Metered::pool)) {
    status = weir::report_no_memory(error, heap, "pool");
  }
  if (status == WEIR_OK) {
    *out = pool;
  } else {
    pool->unref();
  }
  return status;
}

weir_pool *weir_pool_ref(weir_pool *pool) { return weir::ref_handle(pool); }

void weir_pool_unref(weir_pool *pool) { weir::unref_handle(pool); }

weir_operation *weir_pool_operation(weir_pool *pool) { return pool; }

weir_status weir_pool_add(weir_pool *pool, weir_operation *operation, weir_value *input,
                          weir_error **error) {
  if (pool != nullptr && pool->runtime()->forked()) return WEIR_EFORKED;
  Heap *heap = heap_of(pool);
  weir::Check check("pool", heap, error);
  check.required("pool", pool).required("operation", operation);
  if (!check.ok()) return check.status();
  check.rule(operation->runtime() == pool->runtime(), "operation must be of the pool's runtime")
      .rule(operation->nesting < weir::pool_nesting,
            "operation must not nest deeper than %u in a pool (got %u)", weir::pool_nesting - 1,
            operation->nesting);
  if (check.ok()) weir::check_around(check, pool->policy, *operation);
  if (!check.ok()) return check.status();
  auto *item = heap->make<PoolItem>();
  if (item == nullptr) return weir::report_no_memory(error, heap, "pool");
  item->operation = operation;
  item->input = weir::ref_value(input);
  operation->ref();
  if (pool->add(item)) return WEIR_OK;
  operation->unref();
  weir::unref_value(input);
  heap->destroy(item);
  return weir::report(error, heap, WEIR_ECLOSED, "pool: nothing more can be added");
}

weir_status weir_pool_seal(weir_pool *pool) {
  weir_status status = weir::usable(pool);
  if (status == WEIR_OK) pool->seal();
  return status;
}

weir_status weir_pool_get_stats(weir_pool *pool, weir_pool_stats *stats) {
  weir_status status = weir::usable(pool);
  if (status != WEIR_OK || stats == nullptr) return status != WEIR_OK ? status : WEIR_EINVAL;
  weir_pool_stats filled = {};
  pool->fill(filled);
  return weir::write_sized(stats, filled);
}
