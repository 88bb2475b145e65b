// SPDX-License-Identifier: MIT
#include "cache/get.hh"

#include "base/text.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/value.hh"

namespace weir {
namespace {

constexpr WorkNames get_names = {"cache", "loader"};

Next get_found(weir_call &run, const GetStart &start, const Finding &finding) {
  if (finding.refresh && finding.load == nullptr) {
    refresh_key({start.cache, start.loader, &run.request()}, start.key, start.input);
  }
  run.result().set_value(finding.value);
  return Next::outer;
}

// The load could not even begin.
[[gnu::cold]] Next get_unable(weir_call &run, const GetStart &start, weir_status status) {
  weir_value *stale = nullptr;
  if (start.cache->find_stale(start.key, run.runtime().now(), stale)) {
    start.cache->count_stale_hits(1);
    run.result().set_value(stale);
  } else {
    run.result().set_status(status);
  }
  return Next::outer;
}

struct GetTarget {
  weir_cache *cache;
  weir_operation *loader;
};

// Of both kinds of leaves: the cache's own, whose run brings the loader along, and a bound one.
GetTarget get_target(const RunWaiter &waiter) {
  if (waiter.type == &cache_layer) {
    return {static_cast<weir_cache *>(waiter.owner), waiter.run->request().inner};
  }
  const auto &bound = *static_cast<BoundOperation *>(waiter.owner);
  return {static_cast<weir_cache *>(bound.group), bound.work};
}

[[gnu::cold]] Next refuse_run(weir_call &run, const weir_cache &cache) {
  weir_error *error = nullptr;
  Check check("cache", cache.heap(), &error);
  check.rule(run.request().key != nullptr, "the run must have a key");
  if (check.ok()) check_cache_key(check, run.request().key, run.request().key_size);
  run.result().set_error(error);
  return Next::outer;
}

Next get_step(weir_call &run, Layer &layer, Signal signal) {
  auto &waiter = static_cast<RunWaiter &>(layer);
  if (signal != Signal::start) return run_waiter_step(waiter, signal);
  const RunRequest &request = run.request();
  GetTarget target = get_target(waiter);
  if (request.key == nullptr || request.key_size > longest_cache_key) {
    return refuse_run(run, *target.cache);
  }
  Key key = target.cache->key(request.key, request.key_size);
  return begin_get(waiter, {target.cache, target.loader, key, {request.input, true}});
}

void describe_get(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  TextWriter(buffer, size).print("cache '%s': the load of its key", layer.owner->name());
}

// Says what is wrong with the arguments of a get.
[[gnu::cold]] weir_status explain_get(weir_cache *cache, weir_operation *loader, const void *key,
                                      size_t key_size, weir_error **error) {
  weir_status status = check_work(cache, loader, get_names, error);
  if (status != WEIR_OK) return status;
  Check check("cache", cache->heap(), error);
  check_cache_key(check, key, key_size);
  return check.status();
}

// The common case in a few comparisons.
inline weir_status check_get(weir_cache *cache, weir_operation *loader, const void *key,
                             size_t key_size, weir_error **error) {
  bool legal = cache != nullptr && loader != nullptr && loader->runtime() == cache->runtime() &&
               key != nullptr && key_size <= longest_cache_key;
  return legal ? weir_status{WEIR_OK} : explain_get(cache, loader, key, key_size, error);
}

constexpr LayerType bound_cache_layer = {"cache", layer_size(sizeof(RunWaiter)), get_step,
                                         describe_get};

}  // namespace

const LayerType cache_layer = {"cache", layer_size(sizeof(RunWaiter)), get_step, describe_get};

Next begin_get(RunWaiter &waiter, const GetStart &start) {
  weir_call &run = *waiter.run;
  waiter.reset();
  Finding finding = start.cache->find_for_get(start.key);
  if (finding.found) return get_found(run, start, finding);
  if (finding.error != nullptr) {
    run.result().set_error(finding.error);
    return Next::outer;
  }
  // A closing runtime starts nothing more: the run is about to be stopped.
  if (run.runtime().life() != Life::open) return Next::wait;
  auto *loaded = static_cast<LoadedKey *>(finding.load);
  if (loaded == nullptr) {
    weir_status status =
        load_key({start.cache, start.loader, &run.request()}, start.key, start.input, loaded);
    if (status != WEIR_OK) return get_unable(run, start, status);
  }
  loaded->join(waiter);
  return Next::wait;
}

void check_cache_key(Check &check, const void *key, size_t key_size) {
  check
      .rule(key != nullptr || key_size == 0, "key must not be NULL with a key_size (got %zu)",
            key_size)
      .rule(key_size <= longest_cache_key, "key_size must be at most %zu (got %zu)",
            longest_cache_key, key_size);
}

}  // namespace weir

weir_status weir_cache_get(weir_cache *cache, const void *key, size_t key_size,
                           weir_operation *loader, weir_settle_fn settle, void *data,
                           weir_free_fn free_data, weir_call **call, weir_error **error) {
  weir::Callback<weir_settle_fn> callback(settle, data, free_data);
  if (call != nullptr) *call = nullptr;
  weir_status status = weir::check_get(cache, loader, key, key_size, error);
  if (status != WEIR_OK) return status;
  return weir::run_key(*cache, loader, {key == nullptr ? "" : key, key_size, nullptr},
                       static_cast<weir::Callback<weir_settle_fn> &&>(callback), call, error);
}

weir_status weir_cache_operation(weir_cache *cache, weir_operation *loader, weir_operation **out,
                                 weir_error **error) {
  return weir::bind_operation(cache, &weir::bound_cache_layer, loader, weir::get_names, out, error);
}
