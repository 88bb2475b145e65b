// SPDX-License-Identifier: MIT
#include "base/time.hh"
#include "pace/pacer_new.hh"

namespace weir {
namespace {

struct ThrottleKind {
  using Handle = weir_throttle;
  using Options = weir_throttle_options;
  static constexpr const char *subject = "throttle";
  static constexpr Options defaults = WEIR_THROTTLE_OPTIONS_INIT;

  static void check_times(const Options &options, Check &check) {
    check.range_or("interval_ms", options.interval_ms, 0, max_ms, "forever");
  }

  static PacerRules rules(const Options &options) {
    return {
        PacerKind::throttle,
        options.leading != 0,
        options.trailing != 0,
        options.superseded,
        options.overlap,
        ms_to_ns(options.interval_ms),
        never_ns,
    };
  }
};

}  // namespace
}  // namespace weir

using weir::PacerOrder;

void weir_throttle_options_init(weir_throttle_options *options, size_t size) {
  weir::init_options(options, size, weir::ThrottleKind::defaults);
}

weir_status weir_throttle_new(weir_runtime *runtime, weir_operation *operation,
                              const weir_throttle_options *options, weir_throttle **out,
                              weir_error **error) {
  return weir::new_pacer<weir::ThrottleKind>(runtime, operation, options, out, error);
}

weir_status weir_throttle_set_options(weir_throttle *throttle, const weir_throttle_options *options,
                                      weir_error **error) {
  return weir::set_pacer_options<weir::ThrottleKind>(throttle, options, error);
}

weir_throttle *weir_throttle_ref(weir_throttle *throttle) { return weir::ref_handle(throttle); }

void weir_throttle_unref(weir_throttle *throttle) { weir::unref_handle(throttle); }

weir_operation *weir_throttle_operation(weir_throttle *throttle) { return throttle; }

weir_status weir_throttle_call(weir_throttle *throttle, const void *key, size_t key_size,
                               weir_value *argument, weir_settle_fn settle, void *data,
                               weir_free_fn free_data, weir_call **call, weir_error **error) {
  return weir::pacer_call(throttle, key, key_size, argument, {settle, data, free_data}, call,
                          error);
}

weir_status weir_throttle_touch(weir_throttle *throttle, const void *key, size_t key_size,
                                weir_value *argument) {
  if (throttle == nullptr) return WEIR_EINVAL;
  return weir::pacer_touch(throttle, key, key_size, argument, throttle->runtime()->clock());
}

weir_status weir_throttle_touch_at(weir_throttle *throttle, const void *key, size_t key_size,
                                   weir_value *argument, int64_t now_ns) {
  return weir::pacer_touch(throttle, key, key_size, argument, now_ns);
}

weir_status weir_throttle_cancel(weir_throttle *throttle, const void *key, size_t key_size) {
  return weir::pacer_order(throttle, PacerOrder::cancel, key, key_size);
}

weir_status weir_throttle_flush(weir_throttle *throttle, const void *key, size_t key_size) {
  return weir::pacer_order(throttle, PacerOrder::flush, key, key_size);
}

uint64_t weir_throttle_pending(weir_throttle *throttle) { return weir::pacer_pending(throttle); }

weir_status weir_throttle_get_stats(weir_throttle *throttle, weir_pacing_stats *stats) {
  return weir::pacer_stats(throttle, stats);
}
