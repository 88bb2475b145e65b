// SPDX-License-Identifier: MIT
//
// The functions that complete attempts: each makes a result, all end in weir_runtime::complete.

#include <weir/operation.h>

#include "engine/error.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

namespace weir {
namespace {

constexpr weir_completion default_completion = WEIR_COMPLETION_INIT;

weir_status complete_with_value(weir_runtime *runtime, weir_token token, weir_value *value) {
  Result result;
  result.set_value(value);
  return runtime->complete(token, static_cast<Result &&>(result));
}

// For results there was no memory for: the attempt fails, and the caller is told.
weir_status complete_without_memory(weir_runtime *runtime, weir_token token) {
  Result result;
  result.set_status(WEIR_ENOMEM);
  weir_status status = runtime->complete(token, static_cast<Result &&>(result));
  return status == WEIR_OK ? weir_status{WEIR_ENOMEM} : status;
}

weir_status read_completion(const weir_completion *given, weir_completion &completion) {
  if (given != nullptr && given->size == sizeof(completion)) {
    completion = *given;
  } else {
    // Of another version, or none.
    weir_status status = read_options(completion, given, "completion", Heap::standard(), nullptr);
    if (status != WEIR_OK) return status;
  }
  bool legal = completion.class_ <= WEIR_CLASS_ABANDON && completion.final <= 1 &&
               completion.reserved == 0 && completion.retry_after_ms >= WEIR_OFF;
  return legal ? WEIR_OK : WEIR_EINVAL;
}

}  // namespace
}  // namespace weir

using weir::Result;

void weir_completion_init(weir_completion *completion, size_t size) {
  weir::init_options(completion, size, weir::default_completion);
}

weir_status weir_complete(weir_runtime *runtime, weir_token token, weir_value *value) {
  if (runtime == nullptr) {
    weir::unref_value(value);
    return WEIR_EINVAL;
  }
  return weir::complete_with_value(runtime, token, value);
}

weir_status weir_complete_bytes(weir_runtime *runtime, weir_token token, const void *data,
                                size_t size) {
  if (runtime == nullptr || (data == nullptr && size > 0)) return WEIR_EINVAL;
  weir_value *value = weir::make_bytes(runtime->heap(), data, size);
  if (value == nullptr) return weir::complete_without_memory(runtime, token);
  return weir::complete_with_value(runtime, token, value);
}

weir_status weir_complete_pointer(weir_runtime *runtime, weir_token token, void *pointer,
                                  weir_free_fn free_pointer) {
  weir_value *value =
      runtime == nullptr ? nullptr : weir::make_pointer(runtime->heap(), pointer, free_pointer);
  if (value == nullptr && free_pointer != nullptr) free_pointer(pointer);
  if (runtime == nullptr) return WEIR_EINVAL;
  if (value == nullptr) return weir::complete_without_memory(runtime, token);
  return weir::complete_with_value(runtime, token, value);
}

weir_status weir_fail(weir_runtime *runtime, weir_token token, uint32_t domain, int64_t code,
                      const char *message) {
  if (runtime == nullptr) return WEIR_EINVAL;
  weir_error *error = weir::make_error(runtime->heap(), WEIR_EFAILED, domain, code, message);
  if (error == nullptr) return weir::complete_without_memory(runtime, token);
  return weir_fail_with(runtime, token, error);
}

weir_status weir_fail_with(weir_runtime *runtime, weir_token token, weir_error *error) {
  if (error == nullptr) return WEIR_EINVAL;
  return weir_complete_with(runtime, token, nullptr, error, nullptr);
}

weir_status weir_complete_with(weir_runtime *runtime, weir_token token, weir_value *value,
                               weir_error *error, const weir_completion *completion) {
  Result result;
  if (error != nullptr) {
    result.set_error(error);
    weir::unref_value(value);
  } else {
    result.set_value(value);
  }
  if (runtime == nullptr) return WEIR_EINVAL;
  weir_completion judged = weir::default_completion;
  weir_status status = weir::read_completion(completion, judged);
  if (status != WEIR_OK) return status;
  result.class_ = judged.class_;
  result.final = judged.final;
  result.retry_after_ms = judged.retry_after_ms;
  return runtime->complete(token, static_cast<Result &&>(result));
}
