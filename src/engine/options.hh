// SPDX-License-Identifier: MIT
//
// Reading options structs of any version, and saying what is wrong with them. The one place for the
// size rule: a shorter struct gets defaults for the rest, a longer one must end in zeros, a size of
// zero is an error that says so.

#pragma once

#include <weir/error.h>
#include <weir/status.h>

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

// Checks `given` bytes against `known` and copies what both know over the defaults in `target`.
// `what` names the struct in messages ("limiter.options").
weir_status read_sized(void *target, size_t known, const void *source, size_t given,
                       const char *what, Heap *heap, weir_error **error);

// `options` begins as the defaults and gets what `source` (nullable: keep the defaults) has. Works
// for every struct whose first field is its size.
template <typename T>
weir_status read_options(T &options, const T *source, const char *what, Heap *heap,
                         weir_error **error) {
  if (source == nullptr) return WEIR_OK;
  size_t given = source->size;
  if (given == sizeof(T)) {
    options = *source;
    return WEIR_OK;
  }
  weir_status status = read_sized(&options, sizeof(T), source, given, what, heap, error);
  options.size = sizeof(T);
  return status;
}

// The same for functions that change the options of what is live: without any there is nothing to
// change to.
template <typename T>
weir_status read_new_options(T &options, const T *source, const char *what, Heap *heap,
                             weir_error **error) {
  if (source == nullptr) return report(error, heap, WEIR_EINVAL, "%s must not be NULL", what);
  return read_options(options, source, what, heap, error);
}

// Defaults into a caller's struct of `size` bytes, for the exported weir_X_options_init functions.
template <typename T>
void init_options(T *options, size_t size, const T &defaults) {
  if (options == nullptr || size < sizeof(options->size)) return;
  std::memset(static_cast<void *>(options), 0, size);
  std::memcpy(static_cast<void *>(options), &defaults, size < sizeof(T) ? size : sizeof(T));
  options->size = static_cast<decltype(options->size)>(size);
}

// Copies a filled `source` to a caller's struct of `target->size` bytes (stats, rejections).
// WEIR_EINVAL for NULL, WEIR_EABI for a size that cannot be.
template <typename T>
weir_status write_sized(T *target, const T &source) {
  if (target == nullptr) return WEIR_EINVAL;
  auto given = target->size;
  if (given < 2 * sizeof(uint32_t) || given > 16 * sizeof(T)) return WEIR_EABI;
  if (given > sizeof(T)) std::memset(static_cast<void *>(target), 0, given);
  std::memcpy(static_cast<void *>(target), &source, given < sizeof(T) ? given : sizeof(T));
  target->size = given;
  return WEIR_OK;
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
  // Any rule, in words: "min_delay_ms must not exceed max_delay_ms (got 5 and 3)". A rule that
  // holds costs a comparison: weir_run checks its options with it.
  template <typename... Values>
  Check &rule(bool holds, const char *format, Values... values) {
    if (holds) return *this;
    if constexpr (sizeof...(values) == 0) {
      fail("%s", format);
    } else {
      fail(format, values...);
    }
    return *this;
  }

 private:
  __attribute__((cold, format(printf, 2, 3))) void fail(const char *format, ...);
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
