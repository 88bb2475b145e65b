// SPDX-License-Identifier: MIT
#include "engine/options.hh"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "engine/error.hh"
#include "engine/outcome.hh"

namespace weir {
namespace {

constexpr size_t message_size = 256;

void store_error(weir_error **error, Heap *heap, weir_status status, const char *message) {
  *error = make_error(heap, status, WEIR_DOMAIN_WEIR, status, message);
  if (*error == nullptr) *error = bare_error(status);
}

bool all_zero(const unsigned char *bytes, size_t size) {
  while (size > 0 && bytes[size - 1] == 0) --size;
  return size == 0;
}

// Larger sizes are garbage rather than a later version.
constexpr size_t largest_struct = 4096;

}  // namespace

weir_status report(weir_error **error, Heap *heap, weir_status status, const char *format, ...) {
  if (error == nullptr) return status;
  char message[message_size];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  store_error(error, heap, status, message);
  return status;
}

weir_status report_status(weir_error **error, Heap *heap, weir_status status, const char *subject) {
  return report(error, heap, status, "%s: %s", subject, weir_status_message(status));
}

weir_status read_sized(void *target, size_t known, const void *source, size_t given,
                       const char *what, Heap *heap, weir_error **error) {
  if (given == 0) {
    return report(error, heap, WEIR_EABI, "%s.size is 0: begin with the struct's _INIT", what);
  }
  if (given < sizeof(uint64_t) || given > largest_struct) {
    return report(error, heap, WEIR_EABI, "%s.size must be sizeof the struct (got %zu)", what,
                  given);
  }
  const auto *bytes = static_cast<const unsigned char *>(source);
  size_t shared = std::min(given, known);
  if (!all_zero(bytes + shared, given - shared)) {
    return report(error, heap, WEIR_EABI,
                  "%s has fields that this version does not know (%zu bytes, known are %zu)", what,
                  given, known);
  }
  std::memcpy(target, source, shared);
  return WEIR_OK;
}

void Check::fail_range(const char *field, int64_t value, int64_t low, int64_t high) {
  bool below = value < low;
  fail("%s must be at %s %lld (got %lld)", field, below ? "least" : "most",
       static_cast<long long>(below ? low : high), static_cast<long long>(value));
}

void Check::fail_range_or(const char *field, int64_t value, int64_t low, int64_t high,
                          const char *word) {
  if (value > high) {
    fail_range(field, value, low, high);
    return;
  }
  fail("%s must be at least %lld, or -1 for %s (got %lld)", field, static_cast<long long>(low),
       word, static_cast<long long>(value));
}

Check &Check::real(const char *field, double value, double low, double high) {
  return rule(value >= low && value <= high, "%s must be from %g to %g (got %g)", field, low, high,
              value);
}

Check &Check::real_above(const char *field, double value, double low, double high) {
  return rule(value > low && value <= high, "%s must be above %g and at most %g (got %g)", field,
              low, high, value);
}

void Check::fail(const char *format, ...) {
  if (status_ != WEIR_OK) return;
  char text[message_size];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  status_ = report(error_, heap_, WEIR_EINVAL, "%s.%s", subject_, text);
}

}  // namespace weir
