// SPDX-License-Identifier: MIT
//
// A get of many keys: a run whose input is the list of the keys, and which waits for each of them
// that has to be loaded.
//
//   signal   does                                                  answers
//   start    looks each key up, marks and loads what is missing    wait; outer if nothing is, if
//                                                                  the input is no list of keys, or
//                                                                  without memory
//   wake     the last of the keys has come                         outer, with the list
//   stop     leaves all loads                                      -
//
// Invariants:
// - `list` has the items that have come; `items` is NULL if there was nothing to wait for, else one
//   for each key, of which `waiting` wait.
// - A key that occurs twice is marked the first time and found being loaded the second.

#include "base/text.hh"
#include "cache/get.hh"
#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/value.hh"

namespace weir {
namespace {

constexpr WorkNames many_names = {"cache", "loader"};

struct ManyItem;

struct ManyGet : Layer {
  weir_value *list;
  ManyItem *items;
  size_t waiting;

  weir_cache &cache() const {
    return *static_cast<weir_cache *>(static_cast<BoundOperation *>(owner)->group);
  }
};

struct ManyItem : SharedWaiter {
  ManyItem(TellFn function, ManyGet *owner) : SharedWaiter(function), get(owner) {}
  ManyGet *get;
  LoadedKey *loaded = nullptr;  // until it is joined
};

void set_outcome(ManyGet &get, size_t index, const weir_outcome &outcome) {
  if (outcome.channel == WEIR_CHANNEL_VALUE) {
    set_item(*get.list, index, ref_value(outcome.value));
  } else if (outcome.channel == WEIR_CHANNEL_ERROR) {
    set_item(*get.list, index, ref_error(outcome.error));
  } else {
    set_item(*get.list, index, bare_error(outcome.status));
  }
}

void tell_item(SharedWaiter &waiter, const weir_outcome &outcome, weir_call *) {
  auto &item = static_cast<ManyItem &>(waiter);
  ManyGet &get = *item.get;
  set_outcome(get, static_cast<size_t>(&item - get.items), outcome);
  if (--get.waiting == 0) get.run->wake_later(get);
}

bool make_items(ManyGet &get) {
  size_t count = get.list->size;
  get.items = static_cast<ManyItem *>(get.cache().heap()->allocate(count * sizeof(ManyItem)));
  if (get.items == nullptr) return false;
  for (size_t i = 0; i < count; ++i) new (&get.items[i]) ManyItem(tell_item, &get);
  return true;
}

void free_items(const ManyGet &get) {
  if (get.items != nullptr) {
    get.cache().heap()->free(get.items, get.list->size * sizeof(ManyItem));
  }
}

// ---- beginning ----

// What a get of many marks: keys that are missing, and keys to be loaded again in the background.
struct ManyLoads {
  explicit ManyLoads(weir_cache &cache) : missing(cache), old(cache) {}
  LoadBatch missing;
  LoadBatch old;
  bool any_missing = false;
  bool any_old = false;
};

// Without memory nothing is refreshed.
void mark_old(ManyGet &get, ManyLoads &loads, weir_value *name) {
  if (!loads.any_old && !loads.old.reserve(get.list->size)) return;
  loads.any_old = true;
  loads.old.mark(name);
}

bool mark_missing(ManyGet &get, ManyLoads &loads, size_t index, weir_value *name, LoadNode *load) {
  if (!loads.any_missing && (!make_items(get) || !loads.missing.reserve(get.list->size))) {
    return false;
  }
  loads.any_missing = true;
  get.items[index].loaded =
      load != nullptr ? static_cast<LoadedKey *>(load) : loads.missing.mark(name);
  return true;
}

// False without memory.
bool look_up(ManyGet &get, ManyLoads &loads, size_t index, weir_value *name) {
  weir_cache &cache = get.cache();
  Finding finding = cache.find_for_get(key_of(cache, name->bytes(), name->size));
  if (finding.found) {
    set_item(*get.list, index, finding.value);
    if (finding.refresh && finding.load == nullptr) mark_old(get, loads, name);
  } else if (finding.error != nullptr) {
    set_item(*get.list, index, finding.error);
  } else {
    return mark_missing(get, loads, index, name, finding.load);
  }
  return true;
}

bool look_up_all(ManyGet &get, ManyLoads &loads, const weir_value *names) {
  for (size_t i = 0; i < get.list->size; ++i) {
    if (!look_up(get, loads, i, weir_value_item(names, i))) return false;
  }
  return true;
}

// Its load could not begin.
[[gnu::cold]] void set_unable(ManyGet &get, size_t index, const LoadedKey &key,
                              weir_status status) {
  weir_value *stale = nullptr;
  if (get.cache().find_stale(key.name(), get.run->runtime().now(), stale)) {
    get.cache().count_stale_hits(1);
    set_item(*get.list, index, stale);
  } else {
    set_item(*get.list, index, bare_error(status));
  }
}

void join_all(ManyGet &get, weir_status status) {
  for (size_t i = 0; i < get.list->size; ++i) {
    LoadedKey *loaded = get.items[i].loaded;
    if (loaded == nullptr) continue;
    if (loaded->worker == nullptr) {
      set_unable(get, i, *loaded, status);
    } else {
      loaded->join(get.items[i]);
      ++get.waiting;
    }
  }
}

void drop_many(ManyGet &get) {
  free_items(get);
  unref_value(get.list);
}

Next finish_many(ManyGet &get) {
  free_items(get);
  get.run->result().set_value(get.list);
  return Next::outer;
}

[[gnu::cold]] Next fail_many(ManyGet &get) {
  if (get.list != nullptr) drop_many(get);
  get.run->result().set_status(WEIR_ENOMEM);
  return Next::outer;
}

bool are_keys(const weir_value *input) {
  if (weir_value_kind(input) != WEIR_VALUE_LIST) return false;
  for (size_t i = 0; i < input->size; ++i) {
    const weir_value *name = weir_value_item(input, i);
    if (weir_value_kind(name) != WEIR_VALUE_BYTES || name->size > longest_cache_key) return false;
  }
  return true;
}

[[gnu::cold]] Next refuse_input(const ManyGet &get) {
  weir_error *error = nullptr;
  report(&error, get.cache().heap(), WEIR_EINVAL, "cache: the run's input must be a list of keys");
  get.run->result().set_error(error);
  return Next::outer;
}

Next begin_many(ManyGet &get) {
  weir_call &run = *get.run;
  const RunRequest &request = run.request();
  weir_cache &cache = get.cache();
  if (!are_keys(request.input)) return refuse_input(get);
  get.items = nullptr;
  get.waiting = 0;
  get.list = make_list(cache.heap(), request.input->size);
  if (get.list == nullptr) return fail_many(get);
  ManyLoads loads(cache);
  if (!look_up_all(get, loads, request.input)) return fail_many(get);
  LoadStart start = {&cache, static_cast<BoundOperation *>(get.owner)->work, &request};
  weir_status refresh = loads.old.load(start, true);
  if (get.items == nullptr) return finish_many(get);
  if (run.runtime().life() != Life::open) return Next::wait;  // about to be stopped
  weir_status status = loads.missing.load(start, false);
  // A key that ended after it was found old waits for that load, if it occurs again.
  join_all(get, status == WEIR_OK ? refresh : status);
  return get.waiting == 0 ? finish_many(get) : Next::wait;
}

[[gnu::cold]] void stop_many(ManyGet &get) {
  weir_call::forget(get);
  for (size_t i = 0; get.items != nullptr && i < get.list->size; ++i) get.items[i].leave();
  drop_many(get);
}

Next many_step(weir_call &, Layer &layer, Signal signal) {
  auto &get = static_cast<ManyGet &>(layer);
  switch (signal) {
    case Signal::start:
      return begin_many(get);
    case Signal::wake:
      // A runtime that closes is about to stop it, as its loads were.
      return get.run->runtime().life() == Life::open ? finish_many(get) : Next::wait;
    case Signal::stop:
      stop_many(get);
      break;
    default:
      break;
  }
  return Next::wait;
}

void describe_many(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const auto &get = static_cast<const ManyGet &>(layer);
  TextWriter(buffer, size)
      .print("cache '%s': the loads of %zu of its keys", layer.owner->name(), get.waiting);
}

constexpr LayerType many_layer = {"cache", layer_size(sizeof(ManyGet)), many_step, describe_many};

// ---- the keys ----

weir_status check_keys(weir_cache *cache, const void *const *keys, const size_t *sizes,
                       size_t count, weir_error **error) {
  Check check("cache", cache->heap(), error);
  check.rule(count == 0 || (keys != nullptr && sizes != nullptr),
             "keys and key_sizes must not be NULL with a count (got %zu)", count);
  for (size_t i = 0; check.ok() && i < count; ++i) check_cache_key(check, keys[i], sizes[i]);
  return check.status();
}

// NULL without memory.
weir_value *copy_keys(Heap *heap, const void *const *keys, const size_t *sizes, size_t count) {
  weir_value *list = make_list(heap, count);
  for (size_t i = 0; list != nullptr && i < count; ++i) {
    weir_value *name = make_bytes(heap, keys[i], sizes[i]);
    if (name == nullptr) {
      list->unref();
      return nullptr;
    }
    set_item(*list, i, name);
  }
  return list;
}

}  // namespace
}  // namespace weir

// NOLINTNEXTLINE(readability-function-size): the public header says so
weir_status weir_cache_get_many(weir_cache *cache, const void *const *keys, const size_t *key_sizes,
                                size_t count, weir_operation *loader, weir_settle_fn settle,
                                void *data, weir_free_fn free_data, weir_call **call,
                                weir_error **error) {
  weir::Callback<weir_settle_fn> callback(settle, data, free_data);
  if (call != nullptr) *call = nullptr;
  weir_operation *operation = nullptr;
  weir_status status =
      weir::bind_operation(cache, &weir::many_layer, loader, weir::many_names, &operation, error);
  if (status != WEIR_OK) return status;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  status = weir::check_keys(cache, keys, key_sizes, count, error);
  if (status == WEIR_OK) {
    options.input = weir::copy_keys(cache->heap(), keys, key_sizes, count);
    status =
        options.input != nullptr ? WEIR_OK : weir::report_no_memory(error, cache->heap(), "cache");
  }
  if (status == WEIR_OK) {
    status = weir::run_with(operation, nullptr, &options,
                            static_cast<weir::Callback<weir_settle_fn> &&>(callback), call, error);
  }
  weir::unref_value(options.input);
  operation->unref();
  return status;
}

weir_status weir_cache_operation_many(weir_cache *cache, weir_operation *loader,
                                      weir_operation **out, weir_error **error) {
  return weir::bind_operation(cache, &weir::many_layer, loader, weir::many_names, out, error);
}
