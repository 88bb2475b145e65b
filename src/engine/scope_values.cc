// SPDX-License-Identifier: MIT
//
// What scopes know by key: a short list each, searched from the innermost scope outwards.

#include <cstring>

#include "engine/scope.hh"
#include "engine/value.hh"

using weir::Lock;
using weir::ScopeEntry;

ScopeEntry *weir_scope::make_entry(const char *key) const {
  auto *entry = heap()->make<ScopeEntry>();
  if (entry == nullptr) return nullptr;
  bool ok = true;
  entry->key = heap()->copy_text(key, ok);
  if (ok) return entry;
  free_entry(entry);
  return nullptr;
}

void weir_scope::free_entry(ScopeEntry *entry) const {
  heap()->free_text(entry->key);
  weir::unref_value(entry->value);
  heap()->destroy(entry);
}

// The values that go are freed outside of the lock: that is user code.
void weir_scope::put(ScopeEntry *entry) {
  ScopeEntry *replaced = nullptr;
  {
    Lock lock(mutex_);
    ScopeEntry **place = &entries_;
    while (*place != nullptr && std::strcmp((*place)->key, entry->key) != 0) {
      place = &(*place)->next;
    }
    replaced = *place;
    entry->next = replaced == nullptr ? nullptr : replaced->next;
    *place = entry;
  }
  if (replaced != nullptr) free_entry(replaced);
}

weir_status weir_scope::get(const char *key, weir_value **value, int64_t *number) {
  for (weir_scope *scope = this; scope != nullptr; scope = scope->parent_) {
    Lock lock(scope->mutex_);
    const ScopeEntry *entry = scope->entries_;
    while (entry != nullptr && std::strcmp(entry->key, key) != 0) entry = entry->next;
    if (entry == nullptr) continue;
    if ((entry->value != nullptr) != (value != nullptr)) return WEIR_ENOTFOUND;
    if (value != nullptr) {
      *value = weir::ref_value(entry->value);
    } else {
      *number = entry->number;
    }
    return WEIR_OK;
  }
  return WEIR_ENOTFOUND;
}
