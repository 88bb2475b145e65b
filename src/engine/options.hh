// SPDX-License-Identifier: MIT
//
// Reading options structs of any version, and saying what is wrong with them. The one place for the
// size rule: a shorter struct gets defaults for the rest, a longer one must end in zeros, a size of
// zero is an error that says so.

#pragma once

#include <weir/error.h>
#include <weir/status.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/heap.hh"

namespace weir {

// Stores a new error with a printed message in `*error` (nullable) and returns `status`; without
// memory an immortal error of that status takes its place.
__attribute__((cold, format(printf, 4, 5))) weir_status report(weir_error **error, Heap *heap,
                                                               weir_status status,
                                                               const char *format, ...);

// The same with no more to say than the status itself: "breaker: closed".
weir_status report_status(weir_error **error, Heap *heap, weir_status status, const char *subject);

// "breaker: out of memory"; WEIR_ENOMEM.
weir_status report_no_memory(weir_error **error, Heap *heap, const char *subject);

// "breaker.options must not be NULL"; WEIR_EINVAL.
weir_status report_no_options(weir_error **error, Heap *heap, const char *subject);

// All these structs begin with their size, and what is done with them knows no more of them than
// that and how many bytes this version has. It is done once, then, whatever the type.
template <typename T>
inline constexpr bool begins_with_size = offsetof(T, size) == 0 &&
                                         sizeof(T::size) == sizeof(uint32_t);
weir_status read_known(void *target, size_t known, const void *source, const char *subject,
                       Heap *heap, weir_error **error);
weir_status write_known(void *target, const void *source, size_t known);
void init_known(void *target, size_t size, const void *defaults, size_t known);

// `options` begins as the defaults and gets what `source` (nullable: keep the defaults) has.
// `subject` is whose options they are in messages ("limiter").
template <typename T>
weir_status read_options(T &options, const T *source, const char *subject, Heap *heap,
                         weir_error **error) {
  static_assert(begins_with_size<T>);
  if (source == nullptr) return WEIR_OK;
  return read_known(&options, sizeof(T), source, subject, heap, error);
}

// The same for functions that change the options of what is live: without any there is nothing to
// change to.
template <typename T>
weir_status read_new_options(T &options, const T *source, const char *subject, Heap *heap,
                             weir_error **error) {
  if (source == nullptr) return report_no_options(error, heap, subject);
  return read_options(options, source, subject, heap, error);
}

// Defaults into a caller's struct of `size` bytes, for the exported weir_X_options_init functions.
template <typename T>
void init_options(T *options, size_t size, const T &defaults) {
  static_assert(begins_with_size<T>);
  init_known(options, size, &defaults, sizeof(T));
}

// Copies a filled `source` to a caller's struct of `target->size` bytes (stats, rejections).
// WEIR_EINVAL for NULL, WEIR_EABI for a size that cannot be.
template <typename T>
weir_status write_sized(T *target, const T &source) {
  static_assert(begins_with_size<T>);
  return write_known(target, &source, sizeof(T));
}

// Checks fields of one options struct; the first failure is kept and reported as
// "limiter.permits must be at least 1 (got 0)". Use: Check check("limiter", heap, error);
// check.range("permits", value, 1, max); ... return check.status().
class Check {
 public:
  Check(const char *subject, Heap *heap, weir_error **error)
      : subject_(subject), heap_(heap), error_(error) {}

  weir_status status() const { return status_; }
  bool ok() const { return status_ == WEIR_OK; }

  // low ≤ value ≤ high.
  Check &range(const char *field, int64_t value, int64_t low, int64_t high) {
    if (value < low || value > high) fail_range(field, value, low, high);
    return *this;
  }
  // low ≤ value ≤ high, or −1 where that means `word` ("forever", "unlimited", "off").
  Check &range_or(const char *field, int64_t value, int64_t low, int64_t high, const char *word) {
    if (value != -1 && (value < low || value > high)) fail_range_or(field, value, low, high, word);
    return *this;
  }
  // low ≤ value ≤ high and not NaN.
  Check &real(const char *field, double value, double low, double high);
  // above low (not equal), at most high.
  Check &real_above(const char *field, double value, double low, double high);
  // What `field` points to is there: an object or a function.
  template <typename T>
  Check &required(const char *field, T *pointer) {
    return required_address(field, reinterpret_cast<uintptr_t>(pointer));
  }
  // Fields kept for later versions.
  Check &reserved(uint32_t value);
  // Any rule, in words: "min_delay_ms must not exceed max_delay_ms (got 5 and 3)". A rule that
  // holds costs a comparison: weir_run checks its options with it.
  template <typename... Values>
  Check &rule(bool holds, const char *format, Values... values) {
    if (!holds) fail(format, values...);
    return *this;
  }
  Check &rule(bool holds, const char *message) {
    if (!holds) fail_text(message);
    return *this;
  }

 private:
  Check &required_address(const char *field, uintptr_t address);
  __attribute__((cold, format(printf, 2, 3))) void fail(const char *format, ...);
  [[gnu::cold]] void fail_text(const char *message);
  [[gnu::cold]] void fail_range(const char *field, int64_t value, int64_t low, int64_t high);
  [[gnu::cold]] void fail_range_or(const char *field, int64_t value, int64_t low, int64_t high,
                                   const char *word);

  const char *subject_;
  Heap *heap_;
  weir_error **error_;
  weir_status status_ = WEIR_OK;
};

// The most milliseconds an option may say: they fit in nanoseconds only as "never", which is legal.
inline constexpr int64_t max_ms = INT64_MAX;

}  // namespace weir
