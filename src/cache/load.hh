// SPDX-License-Identifier: MIT
//
// Loads: the shared runs of a cache. A LoadRun loads one key, or many in one run of their loader;
// each key has its mark in the cache's table (LoadNode) and the list of those who wait for it.
//
//   LoadedKey    comes when                                   then
//   marked       its load begins                              unmarked, told
//   unmarked     put, invalidate, clear (they win), or        told
//                nobody waits any more
//   told         its run has settled: what it brought is      (gone)
//                stored if it was still marked, and given to
//                all who wait
//
// Invariants:
// - A key is marked by one LoadedKey at most, and only the engine's thread marks and frees, so what
//   a finding says of a load holds until the engine's next task.
// - The cache is entered for each LoadRun until that has settled.
// - A failed load never takes a value away: not that of an entry that is still live (a refresh) and
//   not one that may still serve (stale_if_error_ms), which is then told instead of the failure.

#pragma once

#include "cache/cache.hh"
#include "cache/shared_run.hh"

namespace weir {

struct LoadedKey : SharedKey, LoadNode {
  LoadedKey() : SharedKey(nullptr) {}
  Key name() const { return {key, key_size, hash}; }

  weir_value *text = nullptr;  // one of many: the key as a value, borrowed from LoadRun::names
};

struct LoadRun : SharedRun {
  weir_cache *cache;
  LoadedKey *keys;  // `only`, or a block with room for `room`
  size_t count;
  size_t room;        // 0: `only`
  weir_value *names;  // of many: the list whose items the marks' keys lie in; a reference
  alignas(LoadedKey) unsigned char only[sizeof(LoadedKey)];
};

// weir_cache::key(), out of line.
Key key_of(const weir_cache &cache, const void *data, size_t size);

struct LoadStart {
  weir_cache *cache;
  weir_operation *loader;
  const RunRequest *first;  // of the first who asks
};

// Begins to load `key`, which nobody loads. The loader's input is `input`, or if that is NULL and
// `key_as_input` the key. In `loaded` the key, to be joined. The engine's thread, as all here.
struct KeyInput {
  weir_value *input;
  bool key_as_input;
};
weir_status load_key(const LoadStart &start, const Key &key, const KeyInput &input,
                     LoadedKey *&loaded);

// The same in the background: nobody waits, and its failure is nobody's.
void refresh_key(const LoadStart &start, const Key &key, const KeyInput &input);

// Keys that are marked together and then loaded in one run.
class LoadBatch {
 public:
  explicit LoadBatch(weir_cache &cache) : cache_(cache) {}
  LoadBatch(const LoadBatch &) = delete;
  LoadBatch &operator=(const LoadBatch &) = delete;
  // Marks that were not loaded are taken back.
  ~LoadBatch();

  // Once, before all others; false without memory.
  bool reserve(size_t room);
  // Who loads the key from here on: one of this batch, or who loads it already. `name` is the key
  // as a bytes value, and must stay until load().
  LoadedKey *mark(weir_value *name);
  // Begins the run, if anything was marked. `kept`: in the background.
  weir_status load(const LoadStart &start, bool kept);

 private:
  void hand_over(LoadRun &load);

  weir_cache &cache_;
  LoadedKey *keys_ = nullptr;
  size_t count_ = 0;
  size_t room_ = 0;
};

}  // namespace weir
