// SPDX-License-Identifier: MIT
#include "cache/load.hh"

#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/value.hh"

namespace weir {
namespace {

// ---- the end of a load ----

weir_outcome outcome_of(weir_value *value, weir_error *error) {
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  outcome.channel = error == nullptr ? WEIR_CHANNEL_VALUE : WEIR_CHANNEL_ERROR;
  outcome.status = weir_error_status(error);
  outcome.value = value;
  outcome.error = error;
  return outcome;
}

[[gnu::cold]] void settle_failed(LoadRun &load, LoadedKey &key, const weir_outcome &outcome,
                                 int64_t now_ns) {
  weir_cache &cache = *load.cache;
  weir_value *stale = nullptr;
  if (cache.find_stale(key.name(), now_ns, stale)) {
    cache.abandon_load(key);
    cache.count_stale_hits(key.tell(outcome_of(stale, nullptr), nullptr));
    unref_value(stale);
    return;
  }
  if (load.run != nullptr) {
    cache.fail_load(key, outcome.error, now_ns);
  } else {
    cache.abandon_load(key);
  }
  key.tell(outcome, nullptr);
}

// Time is that of the write: it must not be behind what user code has taken of this turn. What
// could not even begin, without memory for its run, was no load.
void settle_key(LoadRun &load, LoadedKey &key, const weir_outcome &outcome) {
  weir_cache &cache = *load.cache;
  int64_t now_ns = cache.runtime()->now_to_arm(cache.rules().ttl_ns);
  bool failed = outcome.channel == WEIR_CHANNEL_ERROR;
  if (load.run != nullptr) {
    cache.count_load_end(load.run->outcome().elapsed_ns, failed);
  } else {
    cache.uncount_load();
  }
  if (failed) {
    settle_failed(load, key, outcome, now_ns);
    return;
  }
  if (outcome.channel == WEIR_CHANNEL_VALUE) {
    cache.finish_load(key, outcome.value, now_ns);
  } else {
    cache.abandon_load(key);
  }
  key.tell(outcome, load.room == 0 ? load.run : nullptr);
}

// Each key has its item of the list that the loader gave.
void settle_items(LoadRun &load, const weir_value *list) {
  for (size_t i = 0; i < load.count; ++i) {
    weir_value *value = weir_value_item(list, i);
    weir_error *error = weir_value_item_error(list, i);
    if (value == nullptr && error == nullptr) error = bare_error(WEIR_ENOTFOUND);
    settle_key(load, load.keys[i], outcome_of(value, error));
  }
}

void settle_all(LoadRun &load, const weir_outcome &outcome) {
  for (size_t i = 0; i < load.count; ++i) settle_key(load, load.keys[i], outcome);
}

[[gnu::noinline]] void settle_many(LoadRun &load, const weir_outcome &outcome) {
  if (outcome.channel != WEIR_CHANNEL_VALUE) {
    settle_all(load, outcome);
    return;
  }
  size_t given = weir_value_count(outcome.value);
  if (weir_value_kind(outcome.value) == WEIR_VALUE_LIST && given == load.count) {
    settle_items(load, outcome.value);
    return;
  }
  weir_error *error = nullptr;
  report(&error, load.cache->heap(), WEIR_EINVAL,
         "cache.loader must give a list of %zu items (got %s%zu)", load.count,
         weir_value_kind(outcome.value) == WEIR_VALUE_LIST ? "" : "no list, ", given);
  settle_all(load, outcome_of(nullptr, error));
  unref_error(error);
}

[[gnu::cold]] void tell_load(const LoadRun &load, const weir_outcome &outcome) {
  weir_event event = {};
  event.kind = WEIR_EVENT_LOAD;
  event.name = load.cache->name();
  event.status = outcome.status;
  event.count = load.count;
  event.delay_ns = load.run->outcome().elapsed_ns;
  load.cache->runtime()->emit(event);
}

void load_settled(SharedRun &shared, const weir_outcome &outcome) {
  auto &load = static_cast<LoadRun &>(shared);
  weir_cache *cache = load.cache;
  if (cache->runtime()->tells() && load.run != nullptr) tell_load(load, outcome);
  if (load.room == 0) {
    settle_key(load, load.keys[0], outcome);
  } else {
    settle_many(load, outcome);
    cache->heap()->free(load.keys, load.room * sizeof(LoadedKey));
    unref_value(load.names);
  }
  cache->leave();
}

[[gnu::cold]] void load_abandoned(SharedRun &shared) {
  auto &load = static_cast<LoadRun &>(shared);
  for (size_t i = 0; i < load.count; ++i) load.cache->abandon_load(load.keys[i]);
}

constexpr SharedRun::Kind load_kind = {sizeof(LoadRun), load_settled, load_abandoned};

// ---- its beginning ----

[[gnu::always_inline]] inline weir_status start_load(const LoadStart &start, const Key &key,
                                                     const KeyInput &input, LoadRun *&load) {
  SharedRun *shared = nullptr;
  weir_status status =
      start_shared({start.cache->load_policy(), &load_kind, start.loader, start.first, input.input,
                    key.data, key.size, input.key_as_input && input.input == nullptr},
                   shared);
  if (status != WEIR_OK) return status;
  load = static_cast<LoadRun *>(shared);
  load->cache = start.cache;
  load->names = nullptr;
  start.cache->enter();
  return WEIR_OK;
}

}  // namespace

Key key_of(const weir_cache &cache, const void *data, size_t size) { return cache.key(data, size); }

// The key's bytes are those of the load's own request: they stay as long as the mark.
weir_status load_key(const LoadStart &start, const Key &key, const KeyInput &input,
                     LoadedKey *&loaded) {
  LoadRun *load = nullptr;
  weir_status status = start_load(start, key, input, load);
  if (status != WEIR_OK) return status;
  loaded = load->keys = new (load->only) LoadedKey();
  loaded->worker = load;
  load->count = 1;
  load->room = 0;
  start.cache->begin_load(*loaded, {load->request.key, key.size, key.hash});
  start.cache->count_load();
  return WEIR_OK;
}

void refresh_key(const LoadStart &start, const Key &key, const KeyInput &input) {
  LoadedKey *loaded = nullptr;
  if (load_key(start, key, input, loaded) == WEIR_OK) loaded->worker->kept = true;
}

// ---- many ----

LoadBatch::~LoadBatch() {
  for (size_t i = 0; i < count_; ++i) cache_.abandon_load(keys_[i]);
  if (keys_ != nullptr) cache_.heap()->free(keys_, room_ * sizeof(LoadedKey));
}

bool LoadBatch::reserve(size_t room) {
  if (room > SIZE_MAX / sizeof(LoadedKey)) return false;
  keys_ = static_cast<LoadedKey *>(cache_.heap()->allocate(room * sizeof(LoadedKey)));
  room_ = room;
  return keys_ != nullptr;
}

LoadedKey *LoadBatch::mark(weir_value *name) {
  auto *fresh = new (&keys_[count_]) LoadedKey();
  LoadNode *marked = cache_.begin_load(*fresh, key_of(cache_, name->bytes(), name->size));
  if (marked != fresh) return static_cast<LoadedKey *>(marked);
  fresh->text = name;
  ++count_;
  return fresh;
}

weir_status LoadBatch::load(const LoadStart &start, bool kept) {
  if (count_ == 0) return WEIR_OK;
  weir_value *names = make_list(cache_.heap(), count_);
  if (names == nullptr) return WEIR_ENOMEM;
  for (size_t i = 0; i < count_; ++i) set_item(*names, i, ref_value(keys_[i].text));
  LoadRun *load = nullptr;
  weir_status status = start_load(start, {nullptr, 0, 0}, {names, false}, load);
  if (status != WEIR_OK) {
    names->unref();
    return status;
  }
  load->names = names;
  load->kept = kept;
  hand_over(*load);
  return WEIR_OK;
}

void LoadBatch::hand_over(LoadRun &load) {
  load.keys = keys_;
  load.count = count_;
  load.room = room_;
  for (size_t i = 0; i < count_; ++i) {
    keys_[i].worker = &load;
    cache_.count_load();
  }
  keys_ = nullptr;
  count_ = 0;
}

}  // namespace weir
