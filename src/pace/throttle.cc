// SPDX-License-Identifier: MIT
#include "base/time.hh"
#include "engine/options.hh"
#include "engine/value.hh"
#include "pace/pacer.hh"

namespace weir {
namespace {

constexpr weir_throttle_options default_throttle_options = WEIR_THROTTLE_OPTIONS_INIT;

PacerSetup throttle_setup(const weir_throttle_options &options) {
  return {"throttle",
          {PacerKind::throttle, options.leading != 0, options.trailing != 0, options.superseded,
           options.overlap, ms_to_ns(options.interval_ms), never_ns},
          options.policy,
          options.name};
}

weir_status check_throttle(weir_runtime *runtime, weir_operation *operation,
                           const weir_throttle_options &options, weir_throttle **out,
                           weir_error **error) {
  Check check("throttle", heap_of(runtime), error);
  check.rule(out != nullptr, "out must not be NULL")
      .range("leading", options.leading, 0, 1)
      .range("trailing", options.trailing, 0, 1)
      .range("superseded", options.superseded, WEIR_SUPERSEDED_CANCEL, WEIR_SUPERSEDED_SHARE)
      .range("overlap", options.overlap, WEIR_OVERLAP_QUEUE, WEIR_OVERLAP_CANCEL)
      .rule(options.reserved == 0, "reserved must be 0 (got %u)", options.reserved)
      .range_or("interval_ms", options.interval_ms, 0, max_ms, "forever");
  return pacer_check(runtime, operation, throttle_setup(options), check);
}

}  // namespace
}  // namespace weir

using weir::PacerOrder;

void weir_throttle_options_init(weir_throttle_options *options, size_t size) {
  weir::init_options(options, size, weir::default_throttle_options);
}

weir_status weir_throttle_new(weir_runtime *runtime, weir_operation *operation,
                              const weir_throttle_options *given, weir_throttle **out,
                              weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_throttle_options options = weir::default_throttle_options;
  weir_status status = weir::read_options(options, given, "throttle options", heap, error);
  if (status != WEIR_OK) return status;
  status = weir::check_throttle(runtime, operation, options, out, error);
  if (status != WEIR_OK) return status;
  auto *throttle = weir::make_handle<weir_throttle>(heap, runtime, weir::end_handle<weir_throttle>,
                                                    weir::throttle_setup(options).rules, *operation,
                                                    options.policy);
  if (throttle == nullptr || !throttle->set_name(options.name)) {
    weir::unref_handle(throttle);
    return weir::report(error, heap, WEIR_ENOMEM, "throttle: out of memory");
  }
  *out = throttle;
  return WEIR_OK;
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

uint64_t weir_throttle_pending(weir_throttle *throttle) {
  weir_pacing_stats stats = {};
  stats.size = sizeof(stats);
  return weir_throttle_get_stats(throttle, &stats) == WEIR_OK ? stats.pending : 0;
}

weir_status weir_throttle_get_stats(weir_throttle *throttle, weir_pacing_stats *stats) {
  return weir::pacer_stats(throttle, stats);
}
