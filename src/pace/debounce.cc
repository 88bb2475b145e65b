// SPDX-License-Identifier: MIT
#include "base/time.hh"
#include "engine/options.hh"
#include "engine/value.hh"
#include "pace/pacer.hh"

namespace weir {
namespace {

constexpr weir_debounce_options default_debounce_options = WEIR_DEBOUNCE_OPTIONS_INIT;

PacerSetup debounce_setup(const weir_debounce_options &options) {
  return {"debounce",
          {PacerKind::debounce, options.leading != 0, options.trailing != 0, options.superseded,
           options.overlap, ms_to_ns(options.wait_ms), ms_to_ns(options.max_wait_ms)},
          options.policy,
          options.name};
}

weir_status check_debounce(weir_runtime *runtime, weir_operation *operation,
                           const weir_debounce_options &options, weir_debounce **out,
                           weir_error **error) {
  Check check("debounce", heap_of(runtime), error);
  check.rule(out != nullptr, "out must not be NULL")
      .range("leading", options.leading, 0, 1)
      .range("trailing", options.trailing, 0, 1)
      .range("superseded", options.superseded, WEIR_SUPERSEDED_CANCEL, WEIR_SUPERSEDED_SHARE)
      .range("overlap", options.overlap, WEIR_OVERLAP_QUEUE, WEIR_OVERLAP_CANCEL)
      .rule(options.reserved == 0, "reserved must be 0 (got %u)", options.reserved)
      .range_or("wait_ms", options.wait_ms, 0, max_ms, "forever")
      .rule(options.max_wait_ms == WEIR_FOREVER ||
                (options.wait_ms >= 0 && options.max_wait_ms >= options.wait_ms),
            "max_wait_ms must be at least wait_ms, or -1 for forever (got %lld)",
            static_cast<long long>(options.max_wait_ms));
  return pacer_check(runtime, operation, debounce_setup(options), check);
}

}  // namespace
}  // namespace weir

using weir::PacerOrder;

void weir_debounce_options_init(weir_debounce_options *options, size_t size) {
  weir::init_options(options, size, weir::default_debounce_options);
}

weir_status weir_debounce_new(weir_runtime *runtime, weir_operation *operation,
                              const weir_debounce_options *given, weir_debounce **out,
                              weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_debounce_options options = weir::default_debounce_options;
  weir_status status = weir::read_options(options, given, "debounce options", heap, error);
  if (status != WEIR_OK) return status;
  status = weir::check_debounce(runtime, operation, options, out, error);
  if (status != WEIR_OK) return status;
  auto *debounce = weir::make_handle<weir_debounce>(heap, runtime, weir::end_handle<weir_debounce>,
                                                    weir::debounce_setup(options).rules, *operation,
                                                    options.policy);
  if (debounce == nullptr || !debounce->set_name(options.name)) {
    weir::unref_handle(debounce);
    return weir::report(error, heap, WEIR_ENOMEM, "debounce: out of memory");
  }
  *out = debounce;
  return WEIR_OK;
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

uint64_t weir_debounce_pending(weir_debounce *debounce) {
  weir_pacing_stats stats = {};
  stats.size = sizeof(stats);
  return weir_debounce_get_stats(debounce, &stats) == WEIR_OK ? stats.pending : 0;
}

weir_status weir_debounce_get_stats(weir_debounce *debounce, weir_pacing_stats *stats) {
  return weir::pacer_stats(debounce, stats);
}
