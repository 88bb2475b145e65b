// SPDX-License-Identifier: MIT
#include "engine/error.hh"

#include <cstring>

#include "base/text.hh"
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

bool was_last(weir_error *error) {
  return error->references.load(std::memory_order_acquire) == 1 ||
         error->references.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

// One reference of `error` (nullable) less; if it was the last, `error` comes before `ended`.
// Returns the first of these.
weir_error *end_error(weir_error *error, weir_error *ended) {
  if (error == nullptr || error->heap == nullptr || !was_last(error)) return ended;
  error->next_ended = ended;
  return error;
}

// What may be said of an aggregate: it is cut off after that.
constexpr size_t aggregate_text = 192;

// An error whose block has `extra` bytes behind it.
weir_error *make_with(Heap *heap, weir_status status, uint32_t domain, int64_t code, size_t extra) {
  size_t size = sizeof(weir_error) + extra;
  void *memory = heap->allocate(size);
  if (memory == nullptr) return nullptr;
  auto *error = new (memory) weir_error(heap, status, domain, code);
  error->block_size = size;
  return error;
}

}  // namespace

weir_error *bare_error(weir_status status) {
  bool known = status <= 0 && status > -immortal_count;
  return &immortals[known ? -status : -WEIR_EFAILED];
}

weir_error *make_error(Heap *heap, weir_status status, uint32_t domain, int64_t code,
                       const char *message) {
  size_t text = message == nullptr ? 0 : std::strlen(message) + 1;
  weir_error *error = make_with(heap, status, domain, code, text);
  if (error == nullptr) return nullptr;
  if (message == nullptr) return error;
  char *copy = reinterpret_cast<char *>(error + 1);
  std::memcpy(copy, message, text);
  error->message = copy;
  return error;
}

weir_error *copy_error(Heap *heap, const weir_error &error, const char *message,
                       weir_error *cause) {
  if (message == nullptr && (error.message != nullptr || error.heap == nullptr)) {
    message = weir_error_message(&error);
  }
  size_t items = error.item_count * sizeof(ErrorItem);
  size_t text = message == nullptr ? 0 : std::strlen(message) + 1;
  weir_error *copy = make_with(heap, error.status, error.domain, error.code, items + text);
  if (copy == nullptr) return nullptr;
  copy->items = reinterpret_cast<ErrorItem *>(copy + 1);
  copy->item_room = error.item_count;
  for (uint32_t i = 0; i < error.item_count; ++i) {
    add_failure(*copy, ref_error(error.items[i].error), error.items[i].index);
  }
  if (message != nullptr) {
    copy->message = static_cast<char *>(
        std::memcpy(reinterpret_cast<char *>(copy->items) + items, message, text));
  }
  copy->detail = ref_value(error.detail);
  copy->cause = ref_error(cause);
  return copy;
}

weir_error *make_aggregate(Heap *heap, uint32_t room) {
  size_t extra = room * sizeof(ErrorItem) + aggregate_text;
  weir_error *error = make_with(heap, WEIR_EAGGREGATE, WEIR_DOMAIN_WEIR, WEIR_EAGGREGATE, extra);
  if (error == nullptr) return nullptr;
  error->items = reinterpret_cast<ErrorItem *>(error + 1);
  error->item_room = room;
  return error;
}

void add_failure(weir_error &aggregate, weir_error *failure, uint64_t index) {
  ErrorItem *place = aggregate.items + aggregate.item_count++;
  for (; place != aggregate.items && place[-1].index > index; --place) *place = place[-1];
  *place = {failure, index};
}

void complete_aggregate(weir_error &aggregate) {
  char *text = reinterpret_cast<char *>(aggregate.items + aggregate.item_room);
  TextWriter line(text, aggregate_text);
  line.print("all %u failed", aggregate.item_count);
  for (uint32_t i = 0; i < aggregate.item_count && line.length() < aggregate_text; ++i) {
    line.print("%s%s", i == 0 ? ": " : "; ", weir_error_message(aggregate.items[i].error));
  }
  aggregate.message = text;
}

weir_error *failure_of(Heap *heap, const ResultFields &result) {
  if (result.error != nullptr) return ref_error(result.error);
  weir_error *error = make_error(heap, WEIR_EEXHAUSTED, WEIR_DOMAIN_WEIR, WEIR_EEXHAUSTED, nullptr);
  if (error == nullptr) return bare_error(WEIR_EEXHAUSTED);
  error->detail = ref_value(result.value);
  return error;
}

}  // namespace weir

// What hangs together is freed in a loop, so its depth does not matter to the stack.
void weir_error::unref() {
  for (weir_error *error = weir::end_error(this, nullptr); error != nullptr;) {
    weir_error *next = weir::end_error(error->cause, error->next_ended);
    for (uint32_t i = 0; i < error->item_count; ++i) {
      next = weir::end_error(error->items[i].error, next);
    }
    weir::unref_value(error->detail);
    weir::Heap *error_heap = error->heap;
    error_heap->free(error, error->block_size);
    error_heap->release();
    error = next;
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

size_t weir_error_count(const weir_error *error) {
  return error == nullptr ? 0 : error->item_count;
}

weir_error *weir_error_at(const weir_error *error, size_t position, size_t *index) {
  if (position >= weir_error_count(error)) return nullptr;
  const weir::ErrorItem &item = error->items[position];
  if (index != nullptr) *index = static_cast<size_t>(item.index);
  return item.error;
}

weir_value *weir_error_detail(const weir_error *error) {
  return error == nullptr ? nullptr : error->detail;
}
