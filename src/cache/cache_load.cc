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
using weir::Reading;
using weir::Write;

Finding weir_cache::find_for_get(const Key &key) {
  Finding finding;
  int64_t written_ns = 0;
  if (rules_.expire) {
    find_asking(key, finding, written_ns);
  } else {
    finding.found = look(key, nullptr, &finding, [&](const Entry &entry) {
                      finding.value = weir::ref_value(entry.value);
                      if (refreshes()) written_ns = rules_.shape.written_ns(entry);
                    }) == WEIR_OK;
  }
  if (finding.found && refreshes()) find_refresh(key, finding, written_ns);
  if (finding.error != nullptr) forget_old(finding);
  return finding;
}

// The expire function hears of it.
[[gnu::cold]] void weir_cache::find_asking(const Key &key, Finding &finding, int64_t &written_ns) {
  Reading reading = {};
  finding.found = read(key, nullptr, reading, &finding) == WEIR_OK;
  finding.value = reading.value;
  written_ns = reading.written_ns;
  runtime()->user_ran();
}

// A value that is old is loaded again, unless that is being done.
[[gnu::cold]] void weir_cache::find_refresh(const Key &key, Finding &finding, int64_t written_ns) {
  int64_t age_ns = weir::saturating_sub(runtime()->coarse_clock(), written_ns);
  finding.refresh = age_ns >= rules_.refresh_ns;
  if (finding.refresh) finding.load = shard_of(key.hash).find_load(key);
}

// A failure is remembered for its time only.
[[gnu::cold]] void weir_cache::forget_old(Finding &finding) {
  if (runtime()->clock() < finding.error_end_ns) return;
  weir::unref_error(finding.error);
  finding.error = nullptr;
}

bool weir_cache::find_stale(const Key &key, int64_t now_ns, weir_value *&value) {
  return rules_.stale_ns > 0 && shard_of(key.hash).find_stale(key, now_ns, value);
}

LoadNode *weir_cache::begin_load(LoadNode &load, const Key &key) {
  return shard_of(key.hash).begin_load(load, key);
}

weir_status weir_cache::finish_load(LoadNode &load, weir_value *value, int64_t now_ns) {
  Write write(value, now_ns);
  write.key = {load.key, load.key_size, load.hash};
  write.load = &load;
  weir_status status = put(write);
  if (status != WEIR_OK) abandon_load(load);
  return status;
}

// A failure has no value to be weighed or asked about.
[[gnu::cold]] void weir_cache::fail_load(LoadNode &load, weir_error *error, int64_t now_ns) {
  Key key = {load.key, load.key_size, load.hash};
  int64_t end_ns = 0;
  bool remembered = rules_.negative_ns != weir::never_ns && writable() == WEIR_OK &&
                    !shard_of(key.hash).peek(key, now_ns, end_ns, nullptr);
  Entry *entry = remembered ? rules_.shape.make(heap(), key, now_ns) : nullptr;
  if (entry != nullptr) {
    entry->flags = weir::entry_negative | weir::entry_own_lifetime;
    entry->error = weir::ref_error(error);
    entry->expires_ns = weir::deadline_after(now_ns, rules_.negative_ns);
    entry->weight = rules_.weigh ? 0 : 1;
    Write write(nullptr, now_ns);
    write.key = key;
    write.load = &load;
    write.entry = entry;
    store(write);
  }
  abandon_load(load);
}

void weir_cache::abandon_load(LoadNode &load) { shard_of(load.hash).abandon_load(load); }
