// SPDX-License-Identifier: MIT
#include "base/time.hh"
#include "pace/pacer_new.hh"

namespace weir {
namespace {

struct DebounceKind {
  using Handle = weir_debounce;
  using Options = weir_debounce_options;
  static constexpr const char *subject = "debounce";
  static constexpr Options defaults = WEIR_DEBOUNCE_OPTIONS_INIT;

  static void check_times(const Options &options, Check &check) {
    check.range_or("wait_ms", options.wait_ms, 0, max_ms, "forever")
        .rule(options.max_wait_ms == WEIR_FOREVER ||
                  (options.wait_ms >= 0 && options.max_wait_ms >= options.wait_ms),
              "max_wait_ms must be at least wait_ms, or -1 for forever (got %lld)",
              static_cast<long long>(options.max_wait_ms));
  }

  static PacerRules rules(const Options &options) {
    return {
        PacerKind::debounce,
        options.leading != 0,
        options.trailing != 0,
        options.superseded,
        options.overlap,
        ms_to_ns(options.wait_ms),
        ms_to_ns(options.max_wait_ms),
    };
  }
};

}  // namespace
}  // namespace weir

using weir::PacerOrder;

void weir_debounce_options_init(weir_debounce_options *options, size_t size) {
  weir::init_options(options, size, weir::DebounceKind::defaults);
}

weir_status weir_debounce_new(weir_runtime *runtime, weir_operation *operation,
                              const weir_debounce_options *options, weir_debounce **out,
                              weir_error **error) {
  return weir::new_pacer<weir::DebounceKind>(runtime, operation, options, out, error);
}

weir_status weir_debounce_set_options(weir_debounce *debounce, const weir_debounce_options *options,
                                      weir_error **error) {
  return weir::set_pacer_options<weir::DebounceKind>(debounce, options, error);
}

weir_debounce *weir_debounce_ref(weir_debounce *debounce) { return weir::ref_handle(debounce); }

void weir_debounce_unref(weir_debounce *debounce) { weir::unref_handle(debounce); }

weir_operation *weir_debounce_operation(weir_debounce *debounce) { return debounce; }

weir_status weir_debounce_call(weir_debounce *debounce, const void *key, size_t key_size,
                               weir_value *argument, weir_settle_fn settle, void *data,
                               weir_free_fn free_data, weir_call **call, weir_error **error) {
  return weir::pacer_call(debounce, key, key_size, argument, {settle, data, free_data}, call,
                          error);
}

weir_status weir_debounce_touch(weir_debounce *debounce, const void *key, size_t key_size,
                                weir_value *argument) {
  if (debounce == nullptr) return WEIR_EINVAL;
  return weir::pacer_touch(debounce, key, key_size, argument, debounce->runtime()->clock());
}

weir_status weir_debounce_touch_at(weir_debounce *debounce, const void *key, size_t key_size,
                                   weir_value *argument, int64_t now_ns) {
  return weir::pacer_touch(debounce, key, key_size, argument, now_ns);
}

weir_status weir_debounce_cancel(weir_debounce *debounce, const void *key, size_t key_size) {
  return weir::pacer_order(debounce, PacerOrder::cancel, key, key_size);
}

weir_status weir_debounce_flush(weir_debounce *debounce, const void *key, size_t key_size) {
  return weir::pacer_order(debounce, PacerOrder::flush, key, key_size);
}

uint64_t weir_debounce_pending(weir_debounce *debounce) { return weir::pacer_pending(debounce); }

weir_status weir_debounce_get_stats(weir_debounce *debounce, weir_pacing_stats *stats) {
  return weir::pacer_stats(debounce, stats);
}
