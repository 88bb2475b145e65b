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

uint32_t size_of(const void *options) {
  uint32_t size = 0;
  std::memcpy(&size, options, sizeof(size));
  return size;
}

void set_size(void *options, size_t size) {
  auto stored = static_cast<uint32_t>(size);
  std::memcpy(options, &stored, sizeof(stored));
}

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

weir_status report_no_memory(weir_error **error, Heap *heap, const char *subject) {
  return report_status(error, heap, WEIR_ENOMEM, subject);
}

weir_status report_no_options(weir_error **error, Heap *heap, const char *subject) {
  return Check(subject, heap, error).required("options", static_cast<void *>(nullptr)).status();
}

weir_status read_known(void *target, size_t known, const void *source, const char *subject,
                       Heap *heap, weir_error **error) {
  uint32_t given = size_of(source);
  if (given == 0) {
    return report(error, heap, WEIR_EABI, "%s.options.size is 0: begin with the struct's _INIT",
                  subject);
  }
  if (given < sizeof(uint64_t) || given > largest_struct) {
    return report(error, heap, WEIR_EABI, "%s.options.size must be sizeof the struct (got %u)",
                  subject, given);
  }
  const auto *bytes = static_cast<const unsigned char *>(source);
  size_t shared = std::min<size_t>(given, known);
  if (!all_zero(bytes + shared, given - shared)) {
    return report(error, heap, WEIR_EABI,
                  "%s.options has fields that this version does not know (%u bytes, known are %zu)",
                  subject, given, known);
  }
  std::memcpy(target, source, shared);
  set_size(target, known);
  return WEIR_OK;
}

weir_status write_known(void *target, const void *source, size_t known) {
  if (target == nullptr) return WEIR_EINVAL;
  uint32_t given = size_of(target);
  if (given < sizeof(uint64_t) || given > 16 * known) return WEIR_EABI;
  init_known(target, given, source, known);
  return WEIR_OK;
}

void init_known(void *target, size_t size, const void *defaults, size_t known) {
  if (target == nullptr || size < sizeof(uint32_t)) return;
  if (size > known) std::memset(target, 0, size);
  std::memcpy(target, defaults, std::min(size, known));
  set_size(target, size);
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

Check &Check::required_address(const char *field, uintptr_t address) {
  return rule(address != 0, "%s must not be NULL", field);
}

Check &Check::reserved(uint32_t value) {
  return rule(value == 0, "reserved must be 0 (got %u)", value);
}

void Check::fail_text(const char *message) { fail("%s", message); }

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
