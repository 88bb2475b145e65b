// SPDX-License-Identifier: MIT
//
// The scope's handle and its values, for callers on any thread.

#include <cstring>

#include "base/time.hh"
#include "engine/child.hh"
#include "engine/options.hh"
#include "engine/scope.hh"
#include "engine/value.hh"
#include "flow/scope.hh"

namespace weir {
namespace {

constexpr weir_scope_options scope_defaults = WEIR_SCOPE_OPTIONS_INIT;

constexpr size_t longest_scope_key = 255;

bool is_key(const char *key) {
  size_t size = key == nullptr ? 0 : strnlen(key, longest_scope_key + 1);
  return size > 0 && size <= longest_scope_key;
}

weir_status check_key(const weir_scope *scope, const char *key) {
  weir_status status = usable(scope);
  return status == WEIR_OK && !is_key(key) ? weir_status{WEIR_EINVAL} : status;
}

weir_status set_entry(weir_scope *scope, const char *key, weir_value *taken, int64_t number) {
  ScopeEntry *entry = scope->make_entry(key);
  if (entry == nullptr) {
    unref_value(taken);
    return WEIR_ENOMEM;
  }
  entry->value = taken;
  entry->number = number;
  scope->put(entry);
  return WEIR_OK;
}

}  // namespace

void check_scope_key(Check &check, const char *key) {
  check.rule(key == nullptr || is_key(key), "key must have from 1 to %zu bytes", longest_scope_key);
}

weir_status read_scope_options(weir_scope_options &options, const weir_scope_options *given,
                               Heap *heap, weir_error **error) {
  options = scope_defaults;
  weir_status status = read_options(options, given, "scope", heap, error);
  if (status != WEIR_OK) return status;
  return Check("scope", heap, error)
      .rule(options.exit <= WEIR_SCOPE_GRACE, "exit must be WEIR_SCOPE_* (got %u)", options.exit)
      .range_or("deadline_ms", options.deadline_ms, 0, max_ms, "forever")
      .range_or("grace_ms", options.grace_ms, 0, max_ms, "forever")
      .status();
}

}  // namespace weir

void weir_scope_options_init(weir_scope_options *options, size_t size) {
  weir::init_options(options, size, weir::scope_defaults);
}

weir_status weir_scope_new(weir_runtime *runtime, const weir_scope_options *given, weir_scope **out,
                           weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_scope_options options;
  weir_status status = weir::read_scope_options(options, given, heap, error);
  if (status != WEIR_OK) return status;
  weir::Check check("scope", heap, error);
  check.required("runtime", runtime).required("out", out);
  if (!check.ok()) return check.status();
  uint32_t depth = options.parent == nullptr ? 1 : options.parent->depth() + 1;
  check
      .rule(options.parent == nullptr || options.parent->runtime() == runtime,
            "parent must be of the same runtime")
      .rule(depth <= weir::max_nesting, "scopes must not nest deeper than %u (got %u)",
            weir::max_nesting, depth);
  if (!check.ok()) return check.status();
  if (runtime->forked()) return weir::report_status(error, heap, WEIR_EFORKED, "scope");
  weir::ScopeSetup setup;
  setup.exit = options.exit;
  setup.deadline_ns =
      options.deadline_ms == WEIR_FOREVER
          ? weir::never_ns
          : weir::deadline_after(runtime->clock(), weir::ms_to_ns(options.deadline_ms));
  setup.grace_ns = weir::ms_to_ns(options.grace_ms);
  setup.parent = options.parent;
  setup.name = options.name;
  status = weir_scope::make(runtime, setup, *out);
  if (status == WEIR_OK) return status;
  return weir::report(error, heap, status, "scope: %s",
                      status == WEIR_ECLOSED ? "its parent takes no more" : "out of memory");
}

weir_scope *weir_scope_ref(weir_scope *scope) {
  if (scope != nullptr) scope->ref_user();
  return scope;
}

void weir_scope_unref(weir_scope *scope) {
  if (scope != nullptr) scope->unref_user();
}

weir_status weir_scope_cancel(weir_scope *scope) {
  weir_status status = weir::usable(scope);
  if (status == WEIR_OK) scope->want_cancel();
  return status;
}

weir_status weir_scope_set_int64(weir_scope *scope, const char *key, int64_t number) {
  weir_status status = weir::check_key(scope, key);
  return status == WEIR_OK ? weir::set_entry(scope, key, nullptr, number) : status;
}

weir_status weir_scope_set_bytes(weir_scope *scope, const char *key, const void *bytes,
                                 size_t size) {
  weir_status status = weir::check_key(scope, key);
  if (status != WEIR_OK) return status;
  if (bytes == nullptr && size > 0) return WEIR_EINVAL;
  weir_value *value = weir::make_bytes(scope->heap(), bytes, size);
  return value == nullptr ? weir_status{WEIR_ENOMEM} : weir::set_entry(scope, key, value, 0);
}

weir_status weir_scope_set_value(weir_scope *scope, const char *key, weir_value *value) {
  weir_status status = weir::check_key(scope, key);
  if (status != WEIR_OK) return status;
  if (value == nullptr) return WEIR_EINVAL;
  return weir::set_entry(scope, key, weir::ref_value(value), 0);
}

weir_status weir_scope_get_int64(weir_scope *scope, const char *key, int64_t *number) {
  weir_status status = weir::check_key(scope, key);
  if (status != WEIR_OK) return status;
  return number == nullptr ? weir_status{WEIR_EINVAL} : scope->get(key, nullptr, number);
}

weir_status weir_scope_get_value(weir_scope *scope, const char *key, weir_value **value) {
  weir_status status = weir::check_key(scope, key);
  if (status != WEIR_OK) return status;
  if (value == nullptr) return WEIR_EINVAL;
  *value = nullptr;
  return scope->get(key, value, nullptr);
}

weir_status weir_scope_get_bytes(weir_scope *scope, const char *key, void *buffer, size_t capacity,
                                 size_t *size) {
  if (size == nullptr || (buffer == nullptr && capacity > 0)) return WEIR_EINVAL;
  *size = 0;
  weir_value *value = nullptr;
  weir_status status = weir_scope_get_value(scope, key, &value);
  if (status == WEIR_OK && value->kind != WEIR_VALUE_BYTES) status = WEIR_ENOTFOUND;
  if (status == WEIR_OK) {
    *size = value->size;
    size_t copied = value->size < capacity ? value->size : capacity;
    if (copied > 0) std::memcpy(buffer, value->bytes(), copied);
  }
  weir::unref_value(value);
  return status;
}

weir_scope *weir_scope_current(weir_runtime *runtime) {
  if (runtime == nullptr || !runtime->on_thread()) return nullptr;
  const weir_call *run = runtime->running();
  return run == nullptr ? nullptr : run->request().scope;
}

void weir_scope_log(weir_scope *scope, int32_t level, const char *message) {
  if (scope == nullptr) return;
  char path[weir::scope_path_size];
  scope->write_path(path, sizeof(path));
  scope->runtime()->log_line(level, path[0] == '\0' ? nullptr : path, message);
}

weir_status weir_scope_get_stats(weir_scope *scope, weir_scope_stats *stats) {
  if (scope == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_scope_stats filled = {};
  scope->get_stats(filled);
  return weir::write_sized(stats, filled);
}
