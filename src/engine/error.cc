// SPDX-License-Identifier: MIT
#include "engine/error.hh"

#include <cstring>

#include "engine/outcome.hh"
#include "engine/value.hh"

namespace weir {
namespace {

// Index i is status -i. Never written: an error without a heap is not counted.
constinit weir_error immortals[] = {
    weir_error(WEIR_OK),         weir_error(WEIR_EINVAL),      weir_error(WEIR_ENOMEM),
    weir_error(WEIR_EABI),       weir_error(WEIR_ECANCELLED),  weir_error(WEIR_ETIMEDOUT),
    weir_error(WEIR_ENOTIME),    weir_error(WEIR_EOPEN),       weir_error(WEIR_ELIMITED),
    weir_error(WEIR_EFULL),      weir_error(WEIR_EFAILED),     weir_error(WEIR_EAGGREGATE),
    weir_error(WEIR_EEXHAUSTED), weir_error(WEIR_ESUPERSEDED), weir_error(WEIR_ESTALE),
    weir_error(WEIR_ECLOSED),    weir_error(WEIR_ENOTFOUND),   weir_error(WEIR_EEXISTS),
    weir_error(WEIR_ENOTSUP),    weir_error(WEIR_ETHREAD),     weir_error(WEIR_EEXPIRED),
    weir_error(WEIR_EFORKED),    weir_error(WEIR_ESTOP),
};
constexpr int immortal_count = static_cast<int>(sizeof(immortals) / sizeof(immortals[0]));

// Frees one error and returns its cause, whose reference passes to the caller.
weir_error *free_error(weir_error *error) {
  unref_value(error->detail);
  weir_error *cause = error->cause;
  Heap *heap = error->heap;
  heap->free(error, error->block_size);
  heap->release();
  return cause;
}

bool was_last(weir_error *error) {
  return error->references.load(std::memory_order_acquire) == 1 ||
         error->references.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace

weir_error *bare_error(weir_status status) {
  bool known = status <= 0 && status > -immortal_count;
  return &immortals[known ? -status : -WEIR_EFAILED];
}

weir_error *make_error(Heap *heap, weir_status status, uint32_t domain, int64_t code,
                       const char *message) {
  size_t text = message == nullptr ? 0 : std::strlen(message) + 1;
  size_t size = sizeof(weir_error) + text;
  void *memory = heap->allocate(size);
  if (memory == nullptr) return nullptr;
  auto *error = new (memory) weir_error(heap, status, domain, code);
  error->block_size = size;
  if (message == nullptr) return error;
  char *copy = reinterpret_cast<char *>(error + 1);
  std::memcpy(copy, message, text);
  error->message = copy;
  return error;
}

}  // namespace weir

// A chain of causes is freed in a loop, so its length does not matter to the stack.
void weir_error::unref() {
  for (weir_error *error = this; error != nullptr && error->heap != nullptr;) {
    if (!weir::was_last(error)) return;
    error = weir::free_error(error);
  }
}

weir_status weir_error_new(weir_runtime *runtime, uint32_t domain, int64_t code,
                           const char *message, weir_error **out) {
  return weir_error_new_with(runtime, domain, code, message, nullptr, nullptr, out);
}

weir_status weir_error_new_with(weir_runtime *runtime, uint32_t domain, int64_t code,
                                const char *message, weir_error *cause, weir_value *detail,
                                weir_error **out) {
  if (out == nullptr) return WEIR_EINVAL;
  *out = weir::make_error(weir::heap_of(runtime), WEIR_EFAILED, domain, code, message);
  if (*out == nullptr) return WEIR_ENOMEM;
  (*out)->cause = weir::ref_error(cause);
  (*out)->detail = weir::ref_value(detail);
  return WEIR_OK;
}

weir_error *weir_error_ref(weir_error *error) { return weir::ref_error(error); }

void weir_error_unref(weir_error *error) { weir::unref_error(error); }

weir_status weir_error_status(const weir_error *error) {
  return error == nullptr ? weir_status{WEIR_OK} : error->status;
}

uint32_t weir_error_domain(const weir_error *error) {
  return error == nullptr ? uint32_t{WEIR_DOMAIN_WEIR} : error->domain;
}

int64_t weir_error_code(const weir_error *error) { return error == nullptr ? 0 : error->code; }

const char *weir_error_message(const weir_error *error) {
  if (error == nullptr) return "";
  if (error->message != nullptr) return error->message;
  return error->heap == nullptr ? weir_status_message(error->status) : "";
}

weir_error *weir_error_cause(const weir_error *error) {
  return error == nullptr ? nullptr : error->cause;
}

// Nothing makes an aggregate yet.
size_t weir_error_count(const weir_error *) { return 0; }

weir_error *weir_error_at(const weir_error *, size_t, size_t *) { return nullptr; }

weir_value *weir_error_detail(const weir_error *error) {
  return error == nullptr ? nullptr : error->detail;
}
