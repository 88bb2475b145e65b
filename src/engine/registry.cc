// SPDX-License-Identifier: MIT
#include "engine/registry.hh"

#include <cstring>

#include "base/hash.hh"
#include "engine/options.hh"
#include "engine/policy.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

namespace weir {

Registry::Entry **Registry::link_to(const char *name) {
  Entry **link = &chains_[hash_bytes(name, std::strlen(name), 0) % chains];
  while (*link != nullptr && std::strcmp((*link)->policy->name(), name) != 0) {
    link = &(*link)->next;
  }
  return link;
}

weir_status Registry::add(weir_policy &policy) {
  auto *entry = heap_->make<Entry>();
  if (entry == nullptr) return WEIR_ENOMEM;
  weir_status status = WEIR_OK;
  {
    Lock lock(mutex_);
    Entry **link = link_to(policy.name());
    if (closed_) {
      status = WEIR_ECLOSED;
    } else if (*link != nullptr) {
      status = WEIR_EEXISTS;
    } else {
      *entry = {nullptr, ref_handle(&policy)};
      *link = entry;
    }
  }
  if (status != WEIR_OK) heap_->destroy(entry);
  return status;
}

weir_policy *Registry::find(const char *name) {
  Lock lock(mutex_);
  Entry *entry = *link_to(name);
  return entry == nullptr ? nullptr : ref_handle(entry->policy);
}

bool Registry::remove(weir_policy &policy) {
  Entry *entry = nullptr;
  {
    Lock lock(mutex_);
    Entry **link = link_to(policy.name());
    if (*link == nullptr || (*link)->policy != &policy) return false;
    entry = *link;
    *link = entry->next;
  }
  heap_->destroy(entry);
  policy.unref();
  return true;
}

void Registry::close() {
  Entry *all = nullptr;
  {
    Lock lock(mutex_);
    closed_ = true;
    for (Entry *&chain : chains_) {
      while (Entry *entry = chain) {
        chain = entry->next;
        entry->next = all;
        all = entry;
      }
    }
  }
  while (Entry *entry = all) {
    all = entry->next;
    entry->policy->unref();
    heap_->destroy(entry);
  }
}

namespace {

bool is_registry_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::strchr("_.:/-", c) != nullptr);
}

// `name` is not NULL.
void check_registry_name(Check &check, const char *name) {
  size_t length = strnlen(name, WEIR_REGISTRY_NAME_MAX + 1);
  check.rule(length > 0, "name must not be empty")
      .rule(length <= WEIR_REGISTRY_NAME_MAX, "name must be at most %d characters (got '%.*s...')",
            WEIR_REGISTRY_NAME_MAX, WEIR_REGISTRY_NAME_MAX, name);
  size_t legal = 0;
  while (is_registry_character(name[legal])) ++legal;
  check.rule(legal >= length, "name must be of letters, digits and _ . : / - (got '%s')", name);
}

weir_status registry_access(const weir_runtime &runtime) {
  if (runtime.forked()) return WEIR_EFORKED;
  return runtime.life() == Life::open ? WEIR_OK : WEIR_ECLOSED;
}

weir_status report_registry(weir_status status, const char *name, Heap *heap, weir_error **error) {
  switch (status) {
    case WEIR_OK:
      return status;
    case WEIR_EEXISTS:
      return report(error, heap, status, "registry.name '%s' is taken", name);
    case WEIR_ENOTFOUND:
      return report(error, heap, status, "registry.name '%s' is not registered", name);
    default:
      return report_status(error, heap, status, "registry");
  }
}

}  // namespace
}  // namespace weir

weir_status weir_policy_register(weir_policy *policy, weir_error **error) {
  weir::Heap *heap = weir::heap_of(policy);
  weir::Check check("registry", heap, error);
  check.required("policy", policy);
  if (!check.ok()) return check.status();
  weir::check_registry_name(check, policy->name());
  if (!check.ok()) return check.status();
  weir_runtime &runtime = *policy->runtime();
  weir_status status = weir::registry_access(runtime);
  if (status == WEIR_OK) status = runtime.registry().add(*policy);
  return weir::report_registry(status, policy->name(), heap, error);
}

weir_status weir_policy_find(weir_runtime *runtime, const char *name, weir_policy **policy,
                             weir_error **error) {
  if (policy != nullptr) *policy = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir::Check check("registry", heap, error);
  check.required("runtime", runtime).required("policy", policy).required("name", name);
  if (!check.ok()) return check.status();
  weir::check_registry_name(check, name);
  if (!check.ok()) return check.status();
  weir_status status = weir::registry_access(*runtime);
  if (status == WEIR_OK) {
    *policy = runtime->registry().find(name);
    if (*policy == nullptr) status = WEIR_ENOTFOUND;
  }
  return weir::report_registry(status, name, heap, error);
}

weir_status weir_policy_unregister(weir_policy *policy) {
  weir_status status = weir::usable(policy);
  if (status != WEIR_OK) return status;
  return policy->runtime()->registry().remove(*policy) ? WEIR_OK : WEIR_ENOTFOUND;
}
