// SPDX-License-Identifier: MIT
//
// What gets need of a cache: finding, and the life of a load's mark. The engine's thread.
#include "cache/cache.hh"
#include "engine/error.hh"
#include "engine/value.hh"

using weir::Entry;
using weir::Finding;
using weir::Key;
using weir::LoadNode;
using weir::PutRequest;
using weir::Reading;

Finding weir_cache::find_for_get(const Key &key, int64_t now_ns) {
  Finding finding;
  Reading read = {};
  int64_t end_ns = shard_of(key.hash).find(key, now_ns, finding, read);
  if (finding.found && rules_.expire) ask_read(key, read, end_ns);
  return finding;
}

bool weir_cache::find_stale(const Key &key, int64_t now_ns, weir_value *&value) {
  if (!shard_of(key.hash).find_stale(key, now_ns, value)) return false;
  bump(stale_hits_, 1);
  return true;
}

LoadNode *weir_cache::begin_load(LoadNode &load, const Key &key) {
  return shard_of(key.hash).begin_load(load, key);
}

weir_status weir_cache::finish_load(LoadNode &load, weir_value *value, int64_t now_ns) {
  PutRequest request = {};
  request.key = {load.key, load.key_size, load.hash};
  request.value = value;
  request.now_ns = now_ns;
  request.load = &load;
  weir_status status = put(request);
  abandon_load(load);
  return status;
}

// A failure has no value to be weighed or asked about.
void weir_cache::fail_load(LoadNode &load, weir_error *error, int64_t now_ns) {
  Key key = {load.key, load.key_size, load.hash};
  bool remembered = rules_.negative_ns != weir::never_ns && writable() == WEIR_OK;
  Entry *entry = remembered ? rules_.shape.make(heap(), key, now_ns) : nullptr;
  if (entry != nullptr) {
    entry->flags = weir::entry_negative | weir::entry_own_lifetime;
    entry->error = weir::ref_error(error);
    entry->expires_ns = weir::deadline_after(now_ns, rules_.negative_ns);
    entry->weight = rules_.weigh ? 0 : 1;
    PutRequest request = {};
    request.key = key;
    request.now_ns = now_ns;
    request.load = &load;
    store(request, entry, false);
  }
  abandon_load(load);
}

void weir_cache::abandon_load(LoadNode &load) { shard_of(load.hash).abandon_load(load); }
