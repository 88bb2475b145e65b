// SPDX-License-Identifier: MIT
//
// The cache's decide door: which time counts, what users' functions say, and what goes to which
// shard.
#include "cache/cache.hh"
#include "engine/value.hh"

using weir::Aftermath;
using weir::Entry;
using weir::Key;
using weir::Look;
using weir::LookTime;
using weir::Reading;
using weir::Shard;
using weir::Write;

namespace {

// The coarse clock is at most 10 ms behind; where an entry's end is that near, the clock is read.
constexpr int64_t coarse_margin_ns = 64 * weir::ns_per_ms;
// Bytes copied under the lock rather than with a reference.
constexpr size_t copied_under_lock = 256;

size_t copied_size(const weir_value &value, const weir_cache::Copy &copy) {
  return value.size < copy.capacity ? value.size : copy.capacity;
}

weir_status copy_value(const weir_value *value, const weir_cache::Copy &copy) {
  if (value == nullptr || value->kind != WEIR_VALUE_BYTES) return WEIR_ENOTSUP;
  if (copy.size != nullptr) *copy.size = value->size;
  size_t size = copied_size(*value, copy);
  if (size > 0) std::memcpy(copy.buffer, value->bytes(), size);
  return WEIR_OK;
}

}  // namespace

// ---- looking up ----

// An idle time begins at the access: never before it, so that it ends late rather than early.
LookTime weir_cache::look_time(const int64_t *now_ns, bool exact) const {
  if (now_ns != nullptr) return {*now_ns, 0, *now_ns};
  bool idle = rules_.idle_ns != weir::never_ns;
  if (exact || (idle && rules_.idle_ns < coarse_margin_ns) || rules_.expire) {
    int64_t clock_ns = runtime()->clock();
    return {clock_ns, 0, clock_ns};
  }
  int64_t coarse_ns = runtime()->coarse_clock();
  return {coarse_ns, coarse_margin_ns, idle ? runtime()->coarse_ceiling() : coarse_ns};
}

weir_status weir_cache::lookup(const Key &key, const int64_t *now_ns, weir_value **value) {
  if (rules_.expire) return lookup_asking(key, now_ns, value);
  weir_value *found = nullptr;
  weir_status status = look(key, now_ns, nullptr,
                            [&found](const Entry &entry) { found = weir::ref_value(entry.value); });
  *value = found;
  return status;
}

// With a reference of the value.
[[gnu::cold]] weir_status weir_cache::read(const Key &key, const int64_t *now_ns, Reading &reading,
                                           weir::Finding *absent) {
  Shard &shard = shard_of(key.hash);
  const weir::EntryShape &shape = rules_.shape;
  weir_status status = look(key, now_ns, absent, [&](const Entry &entry) {
    reading = {weir::ref_value(entry.value), entry.expires_ns, shard.end_of(entry), 0, 0};
    if (shape.written_at != 0) reading.written_ns = shape.written_ns(entry);
  });
  if (status != WEIR_OK || !rules_.expire) return status;
  reading.now_ns = now_ns != nullptr ? *now_ns : runtime()->clock();
  ask_read(key, reading);
  return WEIR_OK;
}

weir_status weir_cache::lookup_asking(const Key &key, const int64_t *now_ns, weir_value **value) {
  Reading reading = {};
  weir_status status = read(key, now_ns, reading, nullptr);
  *value = reading.value;
  return status;
}

weir_status weir_cache::lookup_copy(const Key &key, const int64_t *now_ns, const Copy &copy) {
  weir_value *large = nullptr;
  weir_status copied = WEIR_OK;
  weir_status status = WEIR_OK;
  if (rules_.expire) {
    status = lookup_asking(key, now_ns, &large);
    if (large == nullptr) copied = WEIR_ENOTSUP;
  } else {
    status = look(key, now_ns, nullptr, [&](const Entry &entry) {
      weir_value *value = entry.value;
      if (value != nullptr && copied_size(*value, copy) > copied_under_lock) {
        large = weir::ref_value(value);
      } else {
        copied = copy_value(value, copy);
      }
    });
  }
  if (status != WEIR_OK) return status;
  if (large == nullptr) return copied;
  copied = copy_value(large, copy);
  large->unref();
  return copied;
}

// ---- what users' functions say ----

int64_t weir_cache::ask_expire(const Key &key, weir_value *value, uint32_t moment,
                               int64_t remaining_ns) const {
  weir_expiry expiry = {sizeof(expiry), moment, key.data, key.size, value, remaining_ns};
  int64_t answer = rules_.expire(&expiry);
  return answer < WEIR_FOREVER ? WEIR_EXPIRE_KEEP : answer;
}

[[gnu::cold]] void weir_cache::ask_read(const Key &key, const Reading &read) {
  if (runtime()->forked()) return;  // the answer would need the policy lock
  int64_t remaining_ns = weir::remaining_of(read.end_ns, read.now_ns);
  int64_t ttl_ms = ask_expire(key, read.value, WEIR_EXPIRE_READ, remaining_ns);
  if (ttl_ms == WEIR_EXPIRE_KEEP || runtime()->forked()) return;
  int64_t until_ns = weir::deadline_after(read.now_ns, weir::ms_to_ns(ttl_ms));
  Aftermath after;
  shard_of(key.hash).set_lifetime(key, read, until_ns, after);
  finish(after);
}

// WEIR_EFULL and WEIR_EFAILED refuse.
weir_status weir_cache::weigh(const Write &write, uint32_t &weight) const {
  int64_t weighed = rules_.weigh(write.key.data, write.key.size, write.value);
  if (weighed < 0) return WEIR_EFAILED;
  weight = static_cast<uint32_t>(weighed);
  auto heavy = static_cast<uint64_t>(weighed);
  return heavy > UINT32_MAX || heavy > heaviest_ ? WEIR_EFULL : WEIR_OK;
}

[[gnu::cold]] weir_status weir_cache::refuse(const Write &write, weir_status status) {
  Shard &shard = shard_of(write.key.hash);
  if (status == WEIR_EFULL) {
    Aftermath after;
    shard.refuse(write, after);
    finish(after);
  } else {
    shard.count_refused();
  }
  return status;
}

// How long the new entry lives, before it is made.
[[gnu::cold]] void weir_cache::ask_lifetime(Write &write) {
  int64_t remaining_ns = 0;
  int64_t end_ns = 0;
  bool update = shard_of(write.key.hash).peek(write.key, write.now_ns, end_ns, nullptr);
  if (update) remaining_ns = weir::remaining_of(end_ns, write.now_ns);
  uint32_t moment = update ? WEIR_EXPIRE_UPDATED : WEIR_EXPIRE_CREATED;
  int64_t ttl_ms = ask_expire(write.key, write.value, moment, remaining_ns);
  if (ttl_ms == WEIR_EXPIRE_KEEP) {
    write.keep_lifetime = update;
  } else {
    write.ttl_ns = weir::ms_to_ns(ttl_ms);
    write.own_ttl = true;
  }
}

// ---- writing ----

weir_status weir_cache::writable() const {
  if (runtime()->life() != weir::Life::open) return WEIR_ECLOSED;
  return runtime()->forked() ? WEIR_EFORKED : WEIR_OK;
}

weir_status weir_cache::put(Write &write) {
  weir_status status = writable();
  if (status != WEIR_OK) return status;
  if (write.only_if_absent) {
    int64_t end_ns = 0;
    Shard &shard = shard_of(write.key.hash);
    if (shard.peek(write.key, write.now_ns, end_ns, write.existing)) return WEIR_EEXISTS;
  }
  uint32_t weight = 1;
  if (rules_.weigh) status = weigh(write, weight);
  if (status != WEIR_OK) return refuse(write, status);
  if (!write.own_ttl) {
    write.ttl_ns = rules_.ttl_ns;
    if (rules_.expire) ask_lifetime(write);
  }
  Entry *entry = make_entry(write);
  if (entry == nullptr) return WEIR_ENOMEM;
  entry->weight = weight;
  entry->value = weir::ref_value(write.value);
  entry->expires_ns = weir::deadline_after(write.now_ns, write.ttl_ns);
  if (write.own_ttl) entry->flags = weir::entry_own_lifetime;
  write.entry = entry;
  return store(write);
}

// Takes its entry.
weir_status weir_cache::store(Write &write) {
  Aftermath after;
  weir_status status = shard_of(write.key.hash).put(write, after);
  if (status != WEIR_OK) rules_.shape.free(heap(), write.entry);
  if (write.load != nullptr) keep_spare(after);
  finish(after);
  return status;
}

// Loads end on the engine's thread, so that their spare block needs no lock.
Entry *weir_cache::make_entry(const Write &write) {
  void *spare = write.load != nullptr ? spare_ : nullptr;
  if (spare != nullptr) {
    spare_ = nullptr;
    if (write.key.size == spare_key_size_) {
      return rules_.shape.make_in(spare, write.key, write.now_ns);
    }
    heap()->free(spare, rules_.shape.size(spare_key_size_));
  }
  return rules_.shape.make(heap(), write.key, write.now_ns);
}

// Giving back what the entry holds may run user code, and that another load's end.
void weir_cache::keep_spare(Aftermath &after) {
  constexpr uint32_t longest_spare_key = 256;
  Entry *entry = after.garbage;
  if (entry == nullptr || entry->key_size > longest_spare_key) return;
  after.garbage = entry->next_entry();
  uint32_t key_size = entry->key_size;
  weir::EntryShape::empty(entry);
  if (spare_ == nullptr) {
    spare_ = entry;
    spare_key_size_ = key_size;
  } else {
    heap()->free(entry, rules_.shape.size(key_size));
  }
}

weir_status weir_cache::touch(const Key &key, int64_t ttl_ms, int64_t now_ns) {
  weir_status status = writable();
  if (status != WEIR_OK) return status;
  Aftermath after;
  int64_t until_ns = weir::deadline_after(now_ns, weir::ms_to_ns(ttl_ms));
  bool found = shard_of(key.hash).touch(key, now_ns, until_ns, after);
  finish(after);
  return found ? WEIR_OK : WEIR_ENOTFOUND;
}

weir_status weir_cache::invalidate(const Key &key) {
  if (runtime()->forked()) return WEIR_EFORKED;
  Aftermath after;
  bool found = shard_of(key.hash).remove(key, runtime()->clock(), after);
  finish(after);
  return found ? WEIR_OK : WEIR_ENOTFOUND;
}

[[gnu::cold]] weir_status weir_cache::clear() {
  if (runtime()->forked()) return WEIR_EFORKED;
  int64_t now_ns = runtime()->clock();
  for (uint32_t i = 0; i < shard_count_; ++i) {
    uint64_t position = 0;
    do {
      Aftermath after;
      position = shards_[i].clear(position, now_ns, after);
      finish(after);
    } while (position != 0);
  }
  return WEIR_OK;
}
