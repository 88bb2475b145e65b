// SPDX-License-Identifier: MIT
//
// How a pacer is made of its options, once for both kinds. A kind is a struct:
//
//   Handle, Options           the public types
//   subject                   what messages call it
//   defaults                  of the options
//   check_times(options, check)   the rules for its own fields
//   rules(options)            what the machine gets
//
// Its options have leading, trailing, superseded, overlap, reserved, policy and name besides.

#pragma once

#include "engine/value.hh"
#include "pace/pacer.hh"

namespace weir {

template <typename Kind>
void check_pacer_fields(Check &check, const typename Kind::Options &options) {
  check.range("leading", options.leading, 0, 1)
      .range("trailing", options.trailing, 0, 1)
      .range("superseded", options.superseded, WEIR_SUPERSEDED_CANCEL, WEIR_SUPERSEDED_SHARE)
      .range("overlap", options.overlap, WEIR_OVERLAP_QUEUE, WEIR_OVERLAP_CANCEL)
      .reserved(options.reserved);
  Kind::check_times(options, check);
}

template <typename Kind>
weir_status check_pacer(weir_runtime *runtime, weir_operation *operation,
                        const typename Kind::Options &options, bool has_out, weir_error **error) {
  Check check(Kind::subject, heap_of(runtime), error);
  check.rule(has_out, "out must not be NULL");
  check_pacer_fields<Kind>(check, options);
  return pacer_check(runtime, operation, options.policy, Kind::rules(options), check);
}

template <typename Kind>
weir_status new_pacer(weir_runtime *runtime, weir_operation *operation,
                      const typename Kind::Options *given, typename Kind::Handle **out,
                      weir_error **error) {
  using Handle = typename Kind::Handle;
  if (out != nullptr) *out = nullptr;
  Heap *heap = heap_of(runtime);
  typename Kind::Options options = Kind::defaults;
  weir_status status = read_options(options, given, Kind::subject, heap, error);
  if (status != WEIR_OK) return status;
  status = check_pacer<Kind>(runtime, operation, options, out != nullptr, error);
  if (status != WEIR_OK) return status;
  auto *pacer = make_handle<Handle>(heap, runtime, end_handle<Handle>, Kind::rules(options),
                                    *operation, options.policy);
  if (pacer == nullptr || !pacer->set_name(options.name) || !publish(*pacer, Metered::pacer)) {
    unref_handle(pacer);
    return report_no_memory(error, heap, Kind::subject);
  }
  *out = pacer;
  return WEIR_OK;
}

template <typename Kind>
weir_status set_pacer_options(typename Kind::Handle *pacer, const typename Kind::Options *given,
                              weir_error **error) {
  Heap *heap = heap_of(pacer);
  typename Kind::Options options = Kind::defaults;
  weir_status status = read_new_options(options, given, Kind::subject, heap, error);
  if (status != WEIR_OK) return status;
  Check check(Kind::subject, heap, error);
  check.rule(pacer != nullptr, "%s must not be NULL", Kind::subject)
      .rule(options.policy == nullptr, "policy cannot change (must be NULL)")
      .rule(options.name == nullptr, "name cannot change (must be NULL)");
  check_pacer_fields<Kind>(check, options);
  if (!check.ok()) return check.status();
  return pacer_change(pacer, Kind::rules(options), check, error);
}

}  // namespace weir
