// SPDX-License-Identifier: MIT
//
// Memoize: gets of a cache of its own, whose key is made of a run's input.

#include <weir/memoize.h>

#include "base/text.hh"
#include "cache/get.hh"
#include "engine/options.hh"
#include "engine/value.hh"

namespace weir {

extern const LayerType memoize_layer;

namespace {

constexpr weir_memoize_options default_memoize_options = WEIR_MEMOIZE_OPTIONS_INIT;

// Keys of at most this are written to the stack.
constexpr size_t short_key = 256;

}  // namespace
}  // namespace weir

struct weir_memoize : weir_operation {
  weir_memoize(weir_runtime *runtime, weir_operation &operation,
               weir::Callback<weir_key_fn> &&key_fn)
      : weir_operation(runtime, weir::end_handle<weir_memoize>, &weir::memoize_layer),
        work(weir::ref_handle(&operation)),
        key(static_cast<weir::Callback<weir_key_fn> &&>(key_fn)) {}
  ~weir_memoize() {
    work->unref();
    weir_cache_unref(cache);
  }

  weir_operation *work;
  weir_cache *cache = nullptr;
  weir::Callback<weir_key_fn> key;
};

namespace weir {
namespace {

[[gnu::cold]] Next refuse_key(RunWaiter &waiter, const weir_memoize &memoize) {
  weir_error *error = nullptr;
  const char *key =
      memoize.key ? "what key gives" : "the run's input, where there is no key function,";
  report(&error, memoize.heap(), WEIR_EINVAL, "memoize: %s must be bytes, at most %zu", key,
         longest_cache_key);
  waiter.run->result().set_error(error);
  return Next::outer;
}

Next begin_with_key(RunWaiter &waiter, weir_memoize &memoize, const void *data, size_t size) {
  if (size > longest_cache_key) return refuse_key(waiter, memoize);
  weir_value *input = waiter.run->request().input;
  Key key = key_of(*memoize.cache, data, size);
  return begin_get(waiter, {memoize.cache, memoize.work, key, {input, false}});
}

[[gnu::cold]] Next begin_with_long_key(RunWaiter &waiter, weir_memoize &memoize, size_t capacity) {
  weir_value *input = waiter.run->request().input;
  if (capacity > longest_cache_key) return refuse_key(waiter, memoize);
  void *buffer = memoize.heap()->allocate(capacity);
  if (buffer == nullptr) {
    waiter.run->result().set_status(WEIR_ENOMEM);
    return Next::outer;
  }
  size_t size = memoize.key(static_cast<const weir_value *>(input), buffer, capacity);
  Next next = begin_with_key(waiter, memoize, buffer, size > capacity ? SIZE_MAX : size);
  memoize.heap()->free(buffer, capacity);
  return next;
}

// The key function says.
Next begin_asking(RunWaiter &waiter, weir_memoize &memoize) {
  weir_value *input = waiter.run->request().input;
  unsigned char buffer[short_key];
  size_t size = memoize.key(static_cast<const weir_value *>(input), static_cast<void *>(buffer),
                            sizeof(buffer));
  Next next = size > sizeof(buffer) ? begin_with_long_key(waiter, memoize, size)
                                    : begin_with_key(waiter, memoize, buffer, size);
  waiter.run->runtime().user_ran();
  return next;
}

Next begin_memoized(RunWaiter &waiter, weir_memoize &memoize) {
  weir_value *input = waiter.run->request().input;
  if (memoize.key) return begin_asking(waiter, memoize);
  if (input == nullptr) return begin_with_key(waiter, memoize, "", 0);
  // Another kind has no bytes: such an input is longer than any key.
  bool bytes = input->kind == WEIR_VALUE_BYTES;
  return begin_with_key(waiter, memoize, input->bytes(), bytes ? input->size : SIZE_MAX);
}

Next memoize_step(weir_call &, Layer &layer, Signal signal) {
  auto &waiter = static_cast<RunWaiter &>(layer);
  if (signal != Signal::start) return run_waiter_step(waiter, signal);
  return begin_memoized(waiter, *static_cast<weir_memoize *>(layer.owner));
}

void describe_memoize(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  TextWriter(buffer, size).print("memoize '%s': the run of its input", layer.owner->name());
}

weir_cache_options cache_options_of(const weir_memoize_options &options) {
  weir_cache_options cache = WEIR_CACHE_OPTIONS_INIT;
  cache.eviction = options.eviction;
  cache.max_entries = options.max_entries;
  cache.ttl_ms = options.ttl_ms;
  cache.load_timeout_ms = options.load_timeout_ms;
  cache.name = options.name;
  return cache;
}

[[gnu::cold]] weir_status make_memoize(weir_runtime *runtime, weir_operation &operation,
                                       const weir_memoize_options &options,
                                       Callback<weir_key_fn> &&key, weir_memoize **out,
                                       weir_error **error) {
  weir_cache_options cache_options = cache_options_of(options);
  weir_status status = check_cache_options(cache_options, "memoize", runtime->heap(), error);
  if (status != WEIR_OK) return status;
  weir_cache *cache = nullptr;
  status = weir_cache_new(runtime, &cache_options, &cache, error);
  if (status != WEIR_OK) return status;
  auto *memoize = make_handle<weir_memoize>(runtime->heap(), runtime, operation,
                                            static_cast<Callback<weir_key_fn> &&>(key));
  if (memoize == nullptr) {
    weir_cache_unref(cache);
    return report_no_memory(error, runtime->heap(), "memoize");
  }
  memoize->cache = cache;
  if (!memoize->set_name(options.name)) {
    memoize->unref();
    return report_no_memory(error, runtime->heap(), "memoize");
  }
  *out = memoize;
  return WEIR_OK;
}

}  // namespace

const LayerType memoize_layer = {"memoize", layer_size(sizeof(RunWaiter)), memoize_step,
                                 describe_memoize};

}  // namespace weir

void weir_memoize_options_init(weir_memoize_options *options, size_t size) {
  weir::init_options(options, size, weir::default_memoize_options);
}

[[gnu::cold]] weir_status weir_memoize_new(weir_runtime *runtime, weir_operation *operation,
                                           const weir_memoize_options *given, weir_memoize **out,
                                           weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_memoize_options options = weir::default_memoize_options;
  weir_status status = weir::read_options(options, given, "memoize", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_key_fn> key(options.key, options.key_data, options.key_free_data);
  weir::Check check("memoize", heap, error);
  check.required("runtime", runtime).required("operation", operation).required("out", out);
  if (!check.ok()) return check.status();
  check.rule(operation->runtime() == runtime, "operation must be of the same runtime");
  if (!check.ok()) return check.status();
  return weir::make_memoize(runtime, *operation, options,
                            static_cast<weir::Callback<weir_key_fn> &&>(key), out, error);
}

weir_memoize *weir_memoize_ref(weir_memoize *memoize) { return weir::ref_handle(memoize); }

void weir_memoize_unref(weir_memoize *memoize) { weir::unref_handle(memoize); }

weir_operation *weir_memoize_operation(weir_memoize *memoize) { return memoize; }

weir_status weir_memoize_call(weir_memoize *memoize, weir_value *input, weir_settle_fn settle,
                              void *data, weir_free_fn free_data, weir_call **call,
                              weir_error **error) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.input = input;
  return weir_run(memoize, &options, settle, data, free_data, call, error);
}

weir_cache *weir_memoize_cache(weir_memoize *memoize) {
  return memoize == nullptr ? nullptr : memoize->cache;
}
